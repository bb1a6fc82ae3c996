//! Rows in and out of the shelves: binding of the typed columns, and what a
//! stored row says to the change that follows it.

use lumbung_domain::code_list::{Code, Peristiwa, StatusDasar};
use lumbung_domain::id::{Kind, KindCode, RecordId};
use lumbung_domain::region::VillageCode;
use lumbung_ledger::fingerprint::{ContentHash, content_hash};
use rusqlite::types::ToSql;
use rusqlite::{CachedStatement, Statement};

use super::schema::{HEAD, Shelf};
use super::statements::{Act, Statements};
use crate::dataset::{Change, Content, Row};

/// Status codes that count as living: 0 blank, 1 hidup.
pub(super) const STATUS_HIDUP: u16 = Code::<StatusDasar>::HIDUP.number();

/// `peristiwa` of a move out of the village.
pub(super) const PINDAH_KELUAR: u16 = Code::<Peristiwa>::PINDAH_KELUAR.number();

/// `peristiwa` of a move into the village.
pub(super) const PINDAH_MASUK: u16 = Code::<Peristiwa>::PINDAH_MASUK.number();

/// Which of two entries about one record is newer. Epoch 0 is left to rows
/// of a log that was closed.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub(super) struct Stamp {
    pub(super) epoch: u32,
    pub(super) seq: u64,
}

impl Stamp {
    /// Whether it is of the village's present log.
    pub(super) const fn counts(self) -> bool {
        self.epoch > 0
    }
}

/// A village's code as SQL knows it.
pub(super) const fn village_sql(village: VillageCode) -> i64 {
    village.as_u64().cast_signed()
}

/// What counts and findings need of a row.
#[derive(Clone, Copy, PartialEq, Eq, Default, Debug)]
pub(super) struct Marks {
    /// One living resident.
    pub(super) warga: bool,
    /// One rumah tangga.
    pub(super) rumah_tangga: bool,
    /// The NIK of a resident.
    pub(super) nik: Option<u64>,
    /// The number of a family card.
    pub(super) no_kk: Option<u64>,
    /// The NIK of somebody who moved.
    pub(super) moved: Option<u64>,
}

impl Marks {
    pub(super) const fn of(row: &Row) -> Self {
        match row {
            Row::Warga(row) => Self::from_columns(Kind::Warga, row.nik, row.status_dasar),
            Row::Keluarga(row) => Self::from_columns(Kind::Keluarga, row.no_kk, 0),
            Row::Mutasi(row) => Self::from_columns(Kind::Mutasi, row.nik, row.peristiwa),
            row => Self::from_columns(row.kind(), None, 0),
        }
    }

    const fn from_columns(kind: Kind, number: Option<u64>, code: u16) -> Self {
        let none = Self { warga: false, rumah_tangga: false, nik: None, no_kk: None, moved: None };
        match kind {
            Kind::Warga => Self { warga: code <= STATUS_HIDUP, nik: number, ..none },
            Kind::RumahTangga => Self { rumah_tangga: true, ..none },
            Kind::Keluarga => Self { no_kk: number, ..none },
            Kind::Mutasi if matches!(code, PINDAH_KELUAR | PINDAH_MASUK) => {
                Self { moved: number, ..none }
            }
            _ => none,
        }
    }
}

/// A stored row, as far as the next change must know it.
#[derive(Clone, Copy)]
pub(super) struct Found {
    pub(super) shelf: Shelf,
    pub(super) stamp: Stamp,
    pub(super) hash: ContentHash,
    pub(super) marks: Marks,
}

/// Looks a record up on one shelf.
pub(super) fn find(
    statements: &mut Statements<'_>,
    shelf: Shelf,
    village: VillageCode,
    id: RecordId,
) -> rusqlite::Result<Option<Found>> {
    let statement = statements.get(shelf, Act::Find)?;
    let mut rows = statement.query((village_sql(village), id.as_bytes()))?;
    let Some(row) = rows.next()? else {
        return Ok(None);
    };
    let schema: u16 = row.get(2)?;
    let number: Option<i64> = row.get(3)?;
    let code: u16 = row.get(4)?;
    let bytes = row.get_ref(5)?.as_blob()?;
    let number = number.map(i64::cast_unsigned);
    let (kind, marks) = match shelf.kind() {
        Some(kind) => (kind.code(), Marks::from_columns(kind, number, code)),
        None => (KindCode(code), Marks::default()),
    };
    Ok(Some(Found {
        shelf,
        stamp: Stamp { epoch: row.get(0)?, seq: row.get::<_, i64>(1)?.cast_unsigned() },
        hash: content_hash(id, kind, schema, bytes),
        marks,
    }))
}

/// Removes a record from one shelf.
pub(super) fn remove(
    statements: &mut Statements<'_>,
    shelf: Shelf,
    village: VillageCode,
    id: RecordId,
) -> rusqlite::Result<()> {
    statements.get(shelf, Act::Remove)?.execute((village_sql(village), id.as_bytes()))?;
    Ok(())
}

/// Writes a change's row with one of the writing statements of its shelf;
/// says whether a row was written.
pub(super) fn write(
    statements: &mut Statements<'_>,
    act: Act,
    village: VillageCode,
    epoch: u32,
    actor: i64,
    change: &Change,
) -> rusqlite::Result<bool> {
    let statement = statements.get(Shelf::of(change.kind), act)?;
    bind(statement, village, epoch, actor, change)?;
    Ok(statement.raw_execute()? != 0)
}

/// Binds the parameters of one statement from the first to the last.
struct Binder<'s, 'c> {
    statement: &'s mut Statement<'c>,
    at: usize,
}

/// Takes the typed columns of a row one after another.
pub(super) trait Columns {
    fn put<T: ToSql>(&mut self, value: T) -> rusqlite::Result<()>;

    fn id(&mut self, id: Option<RecordId>) -> rusqlite::Result<()> {
        self.put(id.as_ref().map(|id| id.as_bytes().as_slice()))
    }

    fn number(&mut self, number: Option<u64>) -> rusqlite::Result<()> {
        self.put(number.map(u64::cast_signed))
    }
}

impl Columns for Binder<'_, '_> {
    fn put<T: ToSql>(&mut self, value: T) -> rusqlite::Result<()> {
        self.at += 1;
        self.statement.raw_bind_parameter(self.at, value)
    }
}

fn bind(
    statement: &mut CachedStatement<'_>,
    village: VillageCode,
    epoch: u32,
    actor: i64,
    change: &Change,
) -> rusqlite::Result<()> {
    let mut binder = Binder { statement, at: 0 };
    binder.put(village_sql(village))?;
    binder.id(Some(change.id))?;
    binder.put(epoch)?;
    binder.put(change.seq.0.cast_signed())?;
    binder.put(change.schema)?;
    binder.put(change.time_ms)?;
    binder.put(actor)?;
    binder.put(change.source.0)?;
    debug_assert_eq!(binder.at, HEAD.len(), "the head of every shelf");
    match &change.content {
        Content::Row(row) => columns(&mut binder, row)?,
        _ => binder.put(change.kind.0)?,
    }
    binder.put(&change.bytes[..])
}

/// Hands over the typed columns of a row in the order of its shelf.
pub(super) fn columns(columns: &mut impl Columns, row: &Row) -> rusqlite::Result<()> {
    match row {
        Row::Dusun(row) => columns.put(&row.nama),
        Row::Rw(row) => {
            columns.put(&row.nomor)?;
            columns.id(row.dusun_id)
        }
        Row::Rt(row) => {
            columns.put(&row.nomor)?;
            columns.id(row.rw_id)?;
            columns.id(row.dusun_id)
        }
        Row::Dasawisma(row) => {
            columns.put(&row.nama)?;
            columns.id(Some(row.rt_id))?;
            columns.put(row.aktif)
        }
        Row::RumahTangga(row) => {
            columns.id(Some(row.rt_id))?;
            columns.id(row.dasawisma_id)?;
            columns.id(row.kepala_id)?;
            columns.put(&row.alamat)?;
            columns.put(row.rumah)?;
            columns.put(row.jumlah_mck)
        }
        Row::Keluarga(row) => {
            columns.number(row.no_kk)?;
            columns.id(Some(row.rumah_tangga_id))?;
            columns.put(row.aktif)
        }
        Row::Warga(row) => {
            columns.number(row.nik)?;
            columns.put(&row.nama)?;
            columns.id(row.keluarga_id)?;
            columns.put(row.jenis_kelamin)?;
            columns.put(row.tanggal_lahir)?;
            columns.put(row.shdk)?;
            columns.put(row.status_kawin)?;
            columns.put(row.status_dasar)?;
            columns.put(row.pendidikan_kk)?;
            columns.put(row.pekerjaan)?;
            columns.put(row.agama)?;
            columns.put(row.tanda)
        }
        Row::Mutasi(row) => {
            columns.id(Some(row.warga_id))?;
            columns.number(row.nik)?;
            columns.put(row.peristiwa)?;
            columns.put(row.jenis_pindah)?;
            columns.put(row.tgl_peristiwa)?;
            columns.put(row.desa.map(village_sql))
        }
        Row::TandaTerima(row) => {
            columns.id(Some(row.informasi_id))?;
            columns.put(row.versi)?;
            columns.id(row.rt_id)?;
            columns.put(row.diterima_ms)?;
            columns.put(row.dibaca_ms)
        }
        Row::PernyataanJumlah(row) => {
            columns.id(row.wilayah_id)?;
            columns.put(row.per_tanggal)
        }
    }
}
