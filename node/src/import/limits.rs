//! Bounds on what one import reads. A village has about 5,000 residents and a
//! sheet of them about 2 MB; the bounds leave room for twenty times that.

/// Size of the file as handed in.
pub const FILE_BYTES_MAX: usize = 64 << 20;

/// Size of all parts of a workbook once unpacked. 200,000 rows of 43 columns
/// take about 280 MB of XML.
pub(super) const UNPACKED_BYTES_MAX: u64 = 512 << 20;

/// Files inside a workbook; a plain one has about ten.
pub(super) const PARTS_MAX: usize = 2_000;

/// Distinct texts that a workbook may announce, because its reader makes room
/// for them before it sees them.
pub(super) const SHARED_TEXTS_MAX: u64 = 8_000_000;

/// Text of all cells together; repeated texts of a workbook unpack into it.
pub(super) const TEXT_BYTES_MAX: usize = 256 << 20;

/// Rows with anything in them.
pub const ROWS_MAX: usize = 200_000;

/// Columns.
pub const COLUMNS_MAX: usize = 200;

/// Characters in one cell.
pub const CELL_CHARS_MAX: usize = 1_000;

/// Rows searched for the headers; some sheets open with a title.
pub(super) const HEADER_ROWS_MAX: usize = 20;

/// Rows described one by one in a report; the counts stay complete.
pub const ISSUES_MAX: usize = 1_000;
