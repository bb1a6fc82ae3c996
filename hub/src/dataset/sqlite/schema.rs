//! The dataset file: its format number, its tables, and how one connection
//! is set up.
//!
//! A format is a numbered step of SQL that is never edited afterwards; opening
//! runs the steps a file still lacks and refuses a file with more steps than
//! this version knows.

use std::fmt::Write as _;
use std::sync::LazyLock;
use std::time::Duration;

use lumbung_domain::id::{Kind, KindCode};
use rusqlite::Connection;
use rusqlite::config::DbConfig;

use super::adopt;
use super::folding::PAGES_MAX;
use crate::dataset::DatasetError;

/// The steps; the format of a file is how many of them it has had.
const STEPS: &[&str] = &[
    include_str!("schema_v1.sql"),
    include_str!("schema_v2.sql"),
    include_str!("schema_v3.sql"),
    include_str!("schema_v4.sql"),
    include_str!("schema_v5.sql"),
    include_str!("schema_v6.sql"),
    include_str!("schema_v7.sql"),
    include_str!("schema_v8.sql"),
    include_str!("schema_v9.sql"),
    include_str!("schema_v10.sql"),
    include_str!("schema_v11.sql"),
    include_str!("schema_v12.sql"),
    include_str!("schema_v13.sql"),
    include_str!("schema_v14.sql"),
    include_str!("schema_v15.sql"),
    include_str!("schema_v16.sql"),
    include_str!("schema_v17.sql"),
    include_str!("schema_v18.sql"),
    include_str!("schema_v19.sql"),
    include_str!("schema_v20.sql"),
    include_str!("schema_v21.sql"),
];

/// Page size of a new file, bytes. Measured over the first load of 248
/// villages: with 4 KiB a merge is a fifth slower, 16 KiB wins nothing and
/// writes twice as much for one changed row.
const PAGE_BYTES: u32 = 8 * 1024;

/// Page cache of the writer, KiB: holds the number indexes of a district.
const WRITER_CACHE_KIB: u32 = 64 * 1024;

/// Page cache of one reading connection, KiB.
const READER_CACHE_KIB: u32 = 4 * 1024;

/// Size to which the write-ahead log is cut back after a folding, bytes.
const JOURNAL_BYTES_MAX: u32 = 128 * 1024 * 1024;

/// How long a connection waits for a lock before it gives up.
pub(super) const BUSY_WITHIN: Duration = Duration::from_secs(10);

/// Prepared statements kept per connection: all this module has.
const STATEMENTS_MAX: usize = 112;

/// Sets up the writing connection and brings the file to this format.
pub(super) fn prepare_writer(conn: &mut Connection) -> Result<(), DatasetError> {
    conn.set_prepared_statement_cache_capacity(STATEMENTS_MAX);
    // A plan that may depend on a bound value is made anew for each value.
    conn.set_db_config(DbConfig::SQLITE_DBCONFIG_ENABLE_QPSG, true)?;
    conn.execute_batch(&format!("PRAGMA page_size = {PAGE_BYTES};"))?;
    conn.busy_timeout(BUSY_WITHIN)?;
    let found: u32 = conn.query_row("PRAGMA user_version", [], |row| row.get(0))?;
    let known = STEPS.len() as u32;
    if found > known {
        return Err(DatasetError::NewerFormat { found, known });
    }
    conn.execute_batch(&format!(
        "PRAGMA journal_mode = WAL;
         PRAGMA synchronous = FULL;
         PRAGMA secure_delete = ON;
         PRAGMA wal_autocheckpoint = {PAGES_MAX};
         PRAGMA journal_size_limit = {JOURNAL_BYTES_MAX};
         PRAGMA cache_size = -{WRITER_CACHE_KIB};
         PRAGMA temp_store = MEMORY;"
    ))?;
    for (number, step) in (1..=known).zip(STEPS).skip(found as usize) {
        let tx = conn.transaction()?;
        tx.execute_batch(step)?;
        tx.pragma_update(None, "user_version", number)?;
        if number == known {
            adopt::known_by_now(&tx)?;
        }
        tx.commit()?;
    }
    Ok(())
}

/// Sets up a reading connection.
pub(super) fn prepare_reader(conn: &Connection) -> Result<(), DatasetError> {
    conn.set_prepared_statement_cache_capacity(STATEMENTS_MAX);
    conn.busy_timeout(BUSY_WITHIN)?;
    conn.execute_batch(&format!(
        "PRAGMA cache_size = -{READER_CACHE_KIB};
         PRAGMA temp_store = MEMORY;
         PRAGMA query_only = ON;"
    ))?;
    Ok(())
}

/// A table that holds records: one per known kind, one for all others.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) struct Shelf(u8);

impl Shelf {
    /// Where records of unknown kinds are kept whole.
    pub(super) const OTHER: Self = Self(0);

    /// How many there are.
    pub(super) const COUNT: usize = 11;

    /// Every shelf.
    pub(super) fn all() -> impl Iterator<Item = Self> {
        (0..Self::COUNT as u8).map(Self)
    }

    /// Where records of this kind belong.
    pub(super) const fn of(kind: KindCode) -> Self {
        match Kind::from_code(kind) {
            Some(kind) => Self(kind as u8),
            None => Self::OTHER,
        }
    }

    /// Its place among all shelves.
    pub(super) const fn index(self) -> usize {
        self.0 as usize
    }

    /// The kind of its records; `None` where a column says it.
    pub(super) const fn kind(self) -> Option<Kind> {
        Kind::from_code(KindCode(self.0 as u16))
    }

    /// The table.
    pub(super) const fn table(self) -> &'static str {
        match self.kind() {
            Some(kind) => kind.name(),
            None => "catatan_lain",
        }
    }

    /// The typed columns, in the order in which they are bound.
    pub(super) const fn typed(self) -> &'static [&'static str] {
        let Some(kind) = self.kind() else {
            return &["kind"];
        };
        match kind {
            Kind::Dusun => &["nama"],
            Kind::Rw => &["nomor", "dusun_id"],
            Kind::Rt => &["nomor", "rw_id", "dusun_id"],
            Kind::Dasawisma => &["nama", "rt_id", "aktif"],
            Kind::RumahTangga => {
                &["rt_id", "dasawisma_id", "kepala_id", "alamat", "rumah", "jumlah_mck"]
            }
            Kind::Keluarga => &["no_kk", "rumah_tangga_id", "aktif"],
            Kind::Warga => &[
                "nik",
                "nama",
                "keluarga_id",
                "jenis_kelamin",
                "tanggal_lahir",
                "shdk",
                "status_kawin",
                "status_dasar",
                "pendidikan_kk",
                "pekerjaan",
                "agama",
                "tanda",
            ],
            Kind::Mutasi => {
                &["warga_id", "nik", "peristiwa", "jenis_pindah", "tgl_peristiwa", "desa"]
            }
            Kind::TandaTerima => &["informasi_id", "versi", "rt_id", "diterima_ms", "dibaca_ms"],
            Kind::PernyataanJumlah => &["wilayah_id", "per_tanggal"],
        }
    }

    /// Two columns that findings and counts need of a stored row.
    const fn marks(self) -> &'static str {
        match self.kind() {
            Some(Kind::Warga) => "nik, status_dasar",
            Some(Kind::Keluarga) => "no_kk, aktif",
            Some(Kind::Mutasi) => "nik, peristiwa",
            Some(_) => "NULL, 0",
            None => "NULL, kind",
        }
    }
}

/// The columns every record has before its typed ones.
pub(super) const HEAD: [&str; 8] =
    ["village", "id", "epoch", "seq", "schema", "time_ms", "actor", "source"];

/// The statements that touch one shelf.
pub(super) struct ShelfSql {
    /// Inserts a row unless there is one.
    pub(super) insert: String,
    /// Inserts a row or replaces the one that is there.
    pub(super) put: String,
    /// Reads what a change needs to know of the stored row.
    pub(super) find: String,
    /// Removes a row.
    pub(super) remove: String,
}

/// The statements of each shelf, by [`Shelf::index`].
pub(super) static SHELF_SQL: LazyLock<[ShelfSql; Shelf::COUNT]> =
    LazyLock::new(|| std::array::from_fn(|index| shelf_sql(Shelf(index as u8))));

fn shelf_sql(shelf: Shelf) -> ShelfSql {
    let table = shelf.table();
    let columns: Vec<&str> = HEAD.iter().chain(shelf.typed()).copied().chain(["bytes"]).collect();
    let mut places = String::new();
    let mut sets = String::new();
    for (number, column) in (1..).zip(&columns) {
        let comma = if number == 1 { "" } else { ", " };
        // Writing to a String can't fail.
        let _ = write!(places, "{comma}?{number}");
        if number > 2 {
            let comma = if number == 3 { "" } else { ", " };
            let _ = write!(sets, "{comma}{column} = excluded.{column}");
        }
    }
    let insert = format!("INSERT INTO {table} ({}) VALUES ({places})", columns.join(", "));
    ShelfSql {
        put: format!("{insert} ON CONFLICT (village, id) DO UPDATE SET {sets}"),
        insert: format!("{insert} ON CONFLICT (village, id) DO NOTHING"),
        find: format!(
            "SELECT epoch, seq, schema, {}, bytes FROM {table} WHERE village = ?1 AND id = ?2",
            shelf.marks()
        ),
        remove: format!("DELETE FROM {table} WHERE village = ?1 AND id = ?2"),
    }
}
