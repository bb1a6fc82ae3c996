//! What a recap needs of one village, read in few columns.
//!
//! Every shelf is read once in id order; families find their house and
//! residents their family by binary search over the ids read before.

use std::collections::HashMap;

use jiff::civil::Date;
use lumbung_domain::code_list::{Code, Peristiwa};
use lumbung_domain::id::{Kind, RecordId};
use lumbung_domain::indicator::{RumahFacts, WargaFacts};
use lumbung_domain::record::JenisKelamin;
use lumbung_domain::region::VillageCode;
use lumbung_ledger::Seq;
use lumbung_proto::v1;
use lumbung_wire::date;
use prost::Message as _;
use rusqlite::{Connection, OptionalExtension as _, Row as SqlRow};

use super::upsert::{STATUS_HIDUP, village_sql};
use super::village::count;
use crate::dataset::{
    DatasetError, FactsFamily, FactsHouse, FactsRegion, FactsResident, HouseRemark, Masa,
    VillageFacts, bits,
};

/// Reads one village's facts.
pub(super) fn read(conn: &Connection, village: VillageCode) -> Result<VillageFacts, DatasetError> {
    let seq = conn
        .prepare_cached("SELECT seq FROM village WHERE village = ?1")?
        .query_row([village_sql(village)], |row| count(row, 0))
        .optional()?
        .ok_or(DatasetError::UnknownVillage(village))?;
    let (house_ids, mut houses) = houses(conn, village)?;
    let (family_ids, families) = families(conn, village, &house_ids)?;
    let heads = heads(conn, village)?;
    let (residents, unplaced) = residents(conn, village, &family_ids, &mut houses, &heads)?;
    let regions = regions(conn, village)?;
    Ok(VillageFacts { village, seq: Seq(seq), regions, houses, families, residents, unplaced })
}

pub(super) fn regions(
    conn: &Connection,
    village: VillageCode,
) -> rusqlite::Result<Vec<FactsRegion>> {
    let sources = [
        (Kind::Dusun, "SELECT id, nama, NULL, bytes FROM dusun WHERE village = ?1 AND epoch > 0"),
        (Kind::Rw, "SELECT id, nomor, dusun_id, bytes FROM rw WHERE village = ?1 AND epoch > 0"),
        (
            Kind::Rt,
            "SELECT id, nomor, coalesce(rw_id, dusun_id), bytes FROM rt
             WHERE village = ?1 AND epoch > 0",
        ),
        (
            Kind::Dasawisma,
            "SELECT id, nama, rt_id, bytes FROM dasawisma WHERE village = ?1 AND epoch > 0",
        ),
    ];
    let mut regions = Vec::new();
    for (kind, sql) in sources {
        let mut statement = conn.prepare_cached(sql)?;
        let mut rows = statement.query([village_sql(village)])?;
        while let Some(row) = rows.next()? {
            regions.push(FactsRegion {
                kind,
                id: RecordId(row.get(0)?),
                label: row.get(1)?,
                parent: maybe_id(row, 2)?,
                masa: masa(kind, row.get_ref(3)?.as_blob()?),
            });
        }
    }
    Ok(regions)
}

/// When a region is in use, from its own bytes: a column of its own would be
/// read by recaps only. A row whose bytes can't be read would not be here.
fn masa(kind: Kind, bytes: &[u8]) -> Masa {
    let (dari, sampai, aktif) = match kind {
        Kind::Dusun => v1::Dusun::decode(bytes).map(|it| (it.aktif_dari, it.aktif_sampai, true)),
        Kind::Rw => v1::Rw::decode(bytes).map(|it| (it.aktif_dari, it.aktif_sampai, true)),
        Kind::Rt => v1::Rt::decode(bytes).map(|it| (it.aktif_dari, it.aktif_sampai, true)),
        _ => v1::Dasawisma::decode(bytes).map(|it| (0, 0, it.aktif)),
    }
    .unwrap_or((0, 0, true));
    Masa { dari: date::from_wire(dari), sampai: date::from_wire(sampai), aktif }
}

type Indexed<T> = (Vec<RecordId>, Vec<T>);

fn houses(conn: &Connection, village: VillageCode) -> rusqlite::Result<Indexed<FactsHouse>> {
    let mut statement = conn.prepare_cached(
        "SELECT id, rt_id, dasawisma_id, rumah, jumlah_mck
         FROM rumah_tangga WHERE village = ?1 AND epoch > 0 ORDER BY id",
    )?;
    let mut rows = statement.query([village_sql(village)])?;
    let (mut ids, mut houses) = (Vec::new(), Vec::new());
    while let Some(row) = rows.next()? {
        let id = RecordId(row.get(0)?);
        ids.push(id);
        houses.push(FactsHouse {
            id,
            rt_id: RecordId(row.get(1)?),
            dasawisma_id: maybe_id(row, 2)?,
            kepala: String::new(),
            facts: house_facts(row)?,
        });
    }
    Ok((ids, houses))
}

/// Who heads which house (by its place in id order), in order of the heads.
fn heads(conn: &Connection, village: VillageCode) -> rusqlite::Result<Vec<(RecordId, usize)>> {
    let mut statement = conn.prepare_cached(
        "SELECT kepala_id FROM rumah_tangga WHERE village = ?1 AND epoch > 0 ORDER BY id",
    )?;
    let mut rows = statement.query([village_sql(village)])?;
    let (mut heads, mut house) = (Vec::new(), 0);
    while let Some(row) = rows.next()? {
        if let Some(head) = maybe_id(row, 0)? {
            heads.push((head, house));
        }
        house += 1;
    }
    heads.sort_unstable();
    Ok(heads)
}

/// Families whose house is known.
fn families(
    conn: &Connection,
    village: VillageCode,
    houses: &[RecordId],
) -> rusqlite::Result<Indexed<FactsFamily>> {
    let mut statement = conn.prepare_cached(
        "SELECT id, rumah_tangga_id, aktif, bytes FROM keluarga
         WHERE village = ?1 AND epoch > 0 ORDER BY id",
    )?;
    let mut rows = statement.query([village_sql(village)])?;
    let (mut ids, mut families) = (Vec::new(), Vec::new());
    while let Some(row) = rows.next()? {
        let Some(house) = place(houses, RecordId(row.get(1)?)) else {
            continue;
        };
        ids.push(RecordId(row.get(0)?));
        let family = v1::Keluarga::decode(row.get_ref(3)?.as_blob()?).unwrap_or_default();
        let tgl_daftar = date::from_wire(family.tgl_daftar);
        families.push(FactsFamily { house, aktif: row.get(2)?, tgl_daftar });
    }
    Ok((ids, families))
}

/// Dated events by resident, then by day.
fn events(
    conn: &Connection,
    village: VillageCode,
) -> rusqlite::Result<Vec<(RecordId, Date, Code<Peristiwa>)>> {
    let mut statement = conn.prepare_cached(
        "SELECT warga_id, tgl_peristiwa, peristiwa FROM mutasi
         WHERE village = ?1 AND epoch > 0 AND tgl_peristiwa IS NOT NULL",
    )?;
    let mut rows = statement.query([village_sql(village)])?;
    let mut events = Vec::new();
    while let Some(row) = rows.next()? {
        let (day, peristiwa) = (date::from_days(row.get(1)?), Code::from_wire(row.get(2)?));
        if let (Some(day), Some(peristiwa)) = (day, peristiwa) {
            events.push((RecordId(row.get(0)?), day, peristiwa));
        }
    }
    events.sort_by_key(|(id, day, _)| (*id, *day));
    Ok(events)
}

/// Residents on a known family card, and how many living ones are not.
/// Residents come in id order, so their events and the houses they head are
/// met in passing.
fn residents(
    conn: &Connection,
    village: VillageCode,
    families: &[RecordId],
    houses: &mut [FactsHouse],
    heads: &[(RecordId, usize)],
) -> rusqlite::Result<(Vec<FactsResident>, u64)> {
    let events = events(conn, village)?;
    let (mut events, mut heads) = (&events[..], heads);
    let mut statement = conn.prepare_cached(
        "SELECT id, keluarga_id, jenis_kelamin, tanggal_lahir, shdk, status_kawin,
                status_dasar, tanda, nama
         FROM warga WHERE village = ?1 AND epoch > 0 ORDER BY id",
    )?;
    let mut rows = statement.query([village_sql(village)])?;
    let (mut residents, mut unplaced) = (Vec::new(), 0);
    while let Some(row) = rows.next()? {
        let id = RecordId(row.get(0)?);
        for (_, house) in split_off(&mut heads, id, |head| head.0) {
            houses[*house].kepala = row.get(8)?;
        }
        let own = split_off(&mut events, id, |event| event.0);
        let status_dasar: u16 = row.get(6)?;
        let family = maybe_id(row, 1)?.and_then(|family| place(families, family));
        let Some(family) = family else {
            unplaced += u64::from(status_dasar <= STATUS_HIDUP);
            continue;
        };
        residents.push(FactsResident {
            family,
            facts: resident_facts(row, family)?,
            status_dasar: Code::from_wire(status_dasar),
            events: own.iter().map(|(_, day, peristiwa)| (*day, *peristiwa)).collect(),
        });
    }
    Ok((residents, unplaced))
}

/// What is remarked of the living residents of a few houses: from their own
/// bytes, which no other sheet looks into.
pub(super) fn remarks(
    conn: &Connection,
    village: VillageCode,
    houses: &[RecordId],
) -> rusqlite::Result<Vec<HouseRemark>> {
    let mut statement = conn.prepare_cached(
        "SELECT id, rumah_tangga_id FROM keluarga WHERE village = ?1 AND epoch > 0",
    )?;
    let mut rows = statement.query([village_sql(village)])?;
    let mut of_family = HashMap::new();
    while let Some(row) = rows.next()? {
        let house = RecordId(row.get(1)?);
        if houses.contains(&house) {
            of_family.insert(RecordId(row.get(0)?), house);
        }
    }
    let mut statement = conn.prepare_cached(
        "SELECT keluarga_id, nama, bytes FROM warga
         WHERE village = ?1 AND epoch > 0 AND status_dasar <= ?2 ORDER BY id",
    )?;
    let mut rows = statement.query((village_sql(village), STATUS_HIDUP))?;
    let mut remarks = Vec::new();
    while let Some(row) = rows.next()? {
        let house = maybe_id(row, 0)?.and_then(|family| of_family.get(&family));
        let Some(house) = house else { continue };
        let warga = v1::Warga::decode(row.get_ref(2)?.as_blob()?).unwrap_or_default();
        let keterangan = warga.keterangan.trim();
        if !keterangan.is_empty() {
            let (house, nama) = (*house, row.get(1)?);
            remarks.push(HouseRemark { house, nama, keterangan: keterangan.to_owned() });
        }
    }
    Ok(remarks)
}

/// Takes the items of one id off the front of an ordered list, and those of
/// smaller ids, which belong to nobody, with them.
fn split_off<'a, T>(
    ordered: &mut &'a [T],
    id: RecordId,
    id_of: impl Fn(&T) -> RecordId,
) -> &'a [T] {
    let list = *ordered;
    let start = list.iter().take_while(|item| id_of(item) < id).count();
    let length = list[start..].iter().take_while(|item| id_of(item) == id).count();
    *ordered = &list[start + length..];
    &list[start..start + length]
}

fn place(ids: &[RecordId], id: RecordId) -> Option<u32> {
    ids.binary_search(&id).ok().and_then(|place| u32::try_from(place).ok())
}

pub(super) fn maybe_id(row: &SqlRow<'_>, column: usize) -> rusqlite::Result<Option<RecordId>> {
    Ok(row.get::<_, Option<[u8; 16]>>(column)?.map(RecordId))
}

/// What the recap counts of one house, from the columns of [`houses`].
fn house_facts(row: &SqlRow<'_>) -> rusqlite::Result<RumahFacts> {
    Ok(bits::house_facts(row.get(3)?, row.get(4)?))
}

/// What the recap counts of one resident, from the columns of [`residents`].
fn resident_facts(row: &SqlRow<'_>, family: u32) -> rusqlite::Result<WargaFacts> {
    Ok(WargaFacts {
        keluarga: family,
        jk: match row.get(2)? {
            1_u8 => Some(JenisKelamin::LakiLaki),
            2 => Some(JenisKelamin::Perempuan),
            _ => None,
        },
        lahir: row.get::<_, Option<i32>>(3)?.and_then(date::from_days),
        shdk: Code::from_wire(row.get(4)?),
        status_kawin: Code::from_wire(row.get(5)?),
        ..bits::resident_facts(row.get(7)?)
    })
}
