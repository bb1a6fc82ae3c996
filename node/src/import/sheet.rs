//! A sheet in memory: which column is what, and the cleaned text of every
//! row with anything in it.
//!
//! All cells share one text and one list of ends, so that 200,000 rows of 90
//! columns stay near the size of the file.

use std::collections::HashSet;

use super::cell;
use super::column::{Column, Heading, Layout, REQUIRED};
use super::limits::{CELL_CHARS_MAX, COLUMNS_MAX, HEADER_ROWS_MAX, ROWS_MAX, TEXT_BYTES_MAX};
use super::refused::SheetRefused;

/// A recognised sheet.
#[derive(Clone, Debug)]
pub struct Sheet {
    layout: Layout,
    header: Vec<String>,
    places: [Option<u16>; Column::COUNT],
    numbers: Vec<u32>,
    ends: Vec<u32>,
    text: String,
    rounded: HashSet<(u32, Column)>,
}

/// One row of a sheet.
#[derive(Clone, Copy, Debug)]
pub struct SheetRow<'a> {
    sheet: &'a Sheet,
    at: usize,
}

impl Sheet {
    /// The layout its headers belong to.
    #[must_use]
    pub const fn layout(&self) -> Layout {
        self.layout
    }

    /// The headers as written.
    #[must_use]
    pub fn header(&self) -> &[String] {
        &self.header
    }

    /// Whether the sheet has this column.
    #[must_use]
    pub const fn has(&self, column: Column) -> bool {
        self.places[column as usize].is_some()
    }

    /// The header as written over this column, or its usual name.
    #[must_use]
    pub fn header_of(&self, column: Column) -> &str {
        self.places[column as usize].map_or_else(
            || self.layout.header(column),
            |place| self.header[usize::from(place)].as_str(),
        )
    }

    /// Headers that no layout knows; their columns are passed over.
    pub fn unknown_headers(&self) -> impl Iterator<Item = &str> {
        let known: HashSet<usize> =
            self.places.iter().flatten().map(|place| usize::from(*place)).collect();
        self.header
            .iter()
            .enumerate()
            .filter(move |(at, header)| !known.contains(at) && !header.is_empty())
            .map(|(_, header)| header.as_str())
    }

    /// Rows under the header with anything in them.
    #[must_use]
    pub fn len(&self) -> usize {
        self.numbers.len()
    }

    /// Whether there is no such row.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.numbers.is_empty()
    }

    /// The rows, top to bottom.
    pub fn rows(&self) -> impl ExactSizeIterator<Item = SheetRow<'_>> {
        (0..self.len()).map(|at| self.row(at))
    }

    /// The row at this index, counted from 0 under the header.
    ///
    /// # Panics
    ///
    /// Reading a cell of a row that isn't there panics; indexes come from
    /// [`len`](Self::len).
    #[must_use]
    pub const fn row(&self, at: usize) -> SheetRow<'_> {
        SheetRow { sheet: self, at }
    }
}

impl<'a> SheetRow<'a> {
    /// The row's number in the spreadsheet, counted from 1.
    #[must_use]
    pub fn number(&self) -> u32 {
        self.sheet.numbers[self.at]
    }

    /// The cell under the header at this place.
    #[must_use]
    pub fn cell(&self, place: usize) -> &'a str {
        let at = self.at * self.sheet.header.len() + place;
        let start = if at == 0 { 0 } else { self.sheet.ends[at - 1] };
        &self.sheet.text[start as usize..self.sheet.ends[at] as usize]
    }

    /// The cell in this column; blank when the sheet lacks the column.
    #[must_use]
    pub fn text(&self, column: Column) -> &'a str {
        self.sheet.places[column as usize].map_or("", |place| self.cell(usize::from(place)))
    }

    /// Whether a spreadsheet kept this number's cell as a number of more
    /// digits than it can hold, so that the last ones may be wrong.
    #[must_use]
    pub fn is_rounded(&self, column: Column) -> bool {
        self.sheet.rounded.contains(&(self.number(), column))
    }
}

/// One cell as a reader hands it over.
#[derive(Clone, Debug, Default)]
pub(super) struct RawCell {
    pub(super) text: String,
    /// It was a number too long for a spreadsheet to keep exactly.
    pub(super) long_number: bool,
}

/// Collects rows until a header row is found, then the rows under it.
#[derive(Debug)]
pub(super) struct SheetBuilder {
    sheet: Option<Sheet>,
    searched: usize,
    closest: Option<Match>,
}

/// How well a row fits a layout.
#[derive(Debug)]
struct Match {
    layout: Layout,
    found: usize,
    missing: Vec<&'static str>,
    repeated: Option<&'static str>,
    places: [Option<u16>; Column::COUNT],
}

impl SheetBuilder {
    pub(super) const fn new() -> Self {
        Self { sheet: None, searched: 0, closest: None }
    }

    /// Whether rows are still searched for the headers.
    pub(super) const fn is_searching(&self) -> bool {
        self.sheet.is_none()
    }

    /// Takes the next row. Blank rows don't count.
    pub(super) fn push(&mut self, number: u32, cells: &[RawCell]) -> Result<(), SheetRefused> {
        let used =
            cells.iter().rposition(|cell| !cell.text.trim().is_empty()).map_or(0, |last| last + 1);
        if used == 0 {
            return Ok(());
        }
        if let Some(sheet) = &mut self.sheet {
            return sheet.push_row(number, cells);
        }
        if used > COLUMNS_MAX {
            return Err(SheetRefused::TooManyColumns);
        }
        self.search(&cells[..used])
    }

    /// The sheet, once every row was pushed.
    pub(super) fn finish(self) -> Result<Sheet, SheetRefused> {
        match self.sheet {
            Some(sheet) if sheet.is_empty() => Err(SheetRefused::NoRows),
            Some(sheet) => Ok(sheet),
            None => Err(Match::refused(self.closest)),
        }
    }

    fn search(&mut self, cells: &[RawCell]) -> Result<(), SheetRefused> {
        self.searched += 1;
        let header: Vec<String> =
            cells.iter().map(|cell| short(&cell::clean(&cell.text)).to_owned()).collect();
        for layout in Layout::ALL {
            let fit = Match::of(layout, &header);
            let better = self.closest.as_ref().is_none_or(|closest| {
                (fit.missing.is_empty(), fit.found) > (closest.missing.is_empty(), closest.found)
            });
            // A lone "nama" or "alamat" over something else is no likeness.
            if better && (fit.found >= LIKENESS_MIN || fit.missing.is_empty()) {
                self.closest = Some(fit);
            }
        }
        if let Some(fit) = self.closest.take_if(|fit| fit.missing.is_empty()) {
            if let Some(header) = fit.repeated {
                return Err(SheetRefused::RepeatedColumn { header });
            }
            self.sheet = Some(Sheet {
                layout: fit.layout,
                header,
                places: fit.places,
                numbers: Vec::new(),
                ends: Vec::new(),
                text: String::new(),
                rounded: HashSet::new(),
            });
            return Ok(());
        }
        if self.searched == HEADER_ROWS_MAX {
            return Err(Match::refused(self.closest.take()));
        }
        Ok(())
    }
}

/// Headers that a row must share with a layout to be called like it.
const LIKENESS_MIN: usize = 4;

impl Match {
    /// Why no row of the sheet will do.
    fn refused(closest: Option<Self>) -> SheetRefused {
        closest.map_or(SheetRefused::NoHeader, |closest| SheetRefused::MissingColumns {
            layout: closest.layout.name(),
            missing: closest.missing.join(", "),
        })
    }

    fn of(layout: Layout, header: &[String]) -> Self {
        let mut fit = Self {
            layout,
            found: 0,
            missing: Vec::new(),
            repeated: None,
            places: [None; Column::COUNT],
        };
        for (place, column) in header.iter().enumerate().filter_map(|(place, name)| {
            let place = u16::try_from(place).ok()?;
            Some((place, layout.column(name)?))
        }) {
            if fit.places[column as usize].replace(place).is_some() {
                fit.repeated = Some(layout.header(column));
            } else {
                fit.found += 1;
            }
        }
        let lacks = |(column, names): &Heading| {
            (REQUIRED.contains(column) && fit.places[*column as usize].is_none())
                .then_some(names[0])
        };
        fit.missing = layout.headings().iter().filter_map(lacks).collect();
        fit
    }
}

impl Sheet {
    fn push_row(&mut self, number: u32, cells: &[RawCell]) -> Result<(), SheetRefused> {
        if self.numbers.len() == ROWS_MAX {
            return Err(SheetRefused::TooManyRows);
        }
        let start = self.text.len();
        for place in 0..self.header.len() {
            if let Some(cell) = cells.get(place) {
                self.text.push_str(short(&cell::clean(&cell.text)));
            }
            // TEXT_BYTES_MAX keeps every end within 32 bits.
            if self.text.len() > TEXT_BYTES_MAX {
                return Err(SheetRefused::TooManyBytes);
            }
            self.ends.push(u32::try_from(self.text.len()).unwrap_or(u32::MAX));
        }
        if self.text.len() == start {
            self.ends.truncate(self.numbers.len() * self.header.len());
            return Ok(());
        }
        self.numbers.push(number);
        for column in [Column::Nik, Column::NoKk] {
            let place = self.places[column as usize].map(usize::from);
            if place.is_some_and(|at| cells.get(at).is_some_and(|cell| cell.long_number)) {
                self.rounded.insert((number, column));
            }
        }
        Ok(())
    }
}

/// One character more than a cell may have: enough to see that it is too
/// long, and no more of it is kept.
fn short(text: &str) -> &str {
    if text.len() <= CELL_CHARS_MAX {
        return text;
    }
    text.char_indices().nth(CELL_CHARS_MAX + 1).map_or(text, |(end, _)| &text[..end])
}
