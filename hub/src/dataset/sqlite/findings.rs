//! Contradictions between villages: opened, kept up to date and closed with
//! the rows that cause them, in the same transaction.
//!
//! Only numbers that a merge touched are looked at. The hub names both claims
//! and decides for none of them; a finding closes when the records agree.

use std::collections::{BTreeMap, BTreeSet};

use lumbung_domain::id::RecordId;
use lumbung_domain::region::{VillageCode, roster};
use lumbung_ledger::{Seq, Source};
use rusqlite::{Connection, OptionalExtension as _, Row as SqlRow};

use super::scoped::condition;
use super::upsert::{PINDAH_KELUAR, PINDAH_MASUK, STATUS_HIDUP, village_sql};
use super::village::{count, is_registered, village_code};
use crate::dataset::{
    Claim, CrossFinding, DatasetError, FindingCount, FindingCounts, FindingKind, FindingsAsked,
    FirstEntry, Scope,
};

/// How far the two ends of one move may lie apart, days.
pub(super) const MOVE_DAYS_MAX: u32 = 180;

/// Codes of moves that stay within the kabupaten: out of the village, out of
/// the kecamatan.
const STAYS_NEAR: [u16; 2] = [1, OUT_OF_KECAMATAN];

/// See [`STAYS_NEAR`].
const OUT_OF_KECAMATAN: u16 = 2;

/// Most rows that are looked at for one number. More than a handful of
/// villages with the same number is one contradiction all the same.
const CLAIMS_MAX: u32 = 64;

/// Numbers whose claims a merge may have changed.
#[derive(Default)]
pub(super) struct Touched {
    /// NIK of residents.
    pub(super) niks: BTreeSet<u64>,
    /// Family card numbers.
    pub(super) kks: BTreeSet<u64>,
    /// NIK of residents that moved.
    pub(super) moves: BTreeSet<u64>,
}

impl Touched {
    /// Everything that a village has a part in: its rows stopped counting.
    pub(super) fn involve(
        &mut self,
        conn: &Connection,
        village: VillageCode,
    ) -> rusqlite::Result<()> {
        let mut claimed = conn.prepare_cached(
            "SELECT DISTINCT kind, key FROM finding JOIN claim ON claim.finding = finding.number
             WHERE claim.village = ?1 AND closed_ms IS NULL",
        )?;
        let mut rows = claimed.query([village_sql(village)])?;
        while let Some(row) = rows.next()? {
            let key = count(row, 1)?;
            match finding_kind(row, 0)? {
                FindingKind::NikGanda => self.niks.insert(key),
                FindingKind::KkGanda => self.kks.insert(key),
                FindingKind::PindahTanpaDatang | FindingKind::DatangTanpaPindah => {
                    self.moves.insert(key)
                }
            };
        }
        self.moves_where(conn, "village", village)
    }

    /// Moves that name a village as their other end: it is here only now.
    pub(super) fn named(
        &mut self,
        conn: &Connection,
        village: VillageCode,
    ) -> rusqlite::Result<()> {
        self.moves_where(conn, "desa", village)
    }

    fn moves_where(
        &mut self,
        conn: &Connection,
        column: &str,
        village: VillageCode,
    ) -> rusqlite::Result<()> {
        let mut moves = conn.prepare_cached(&format!(
            "SELECT nik FROM mutasi
             WHERE {column} = ?1 AND nik IS NOT NULL AND peristiwa IN (3, 5)"
        ))?;
        let mut rows = moves.query([village_sql(village)])?;
        while let Some(row) = rows.next()? {
            self.moves.insert(count(row, 0)?);
        }
        Ok(())
    }

    /// Opens, updates and closes findings by what the rows now say.
    pub(super) fn settle(&self, conn: &Connection, now_ms: i64) -> rusqlite::Result<()> {
        for nik in &self.niks {
            settle_duplicate(conn, FindingKind::NikGanda, *nik, now_ms)?;
        }
        for no_kk in &self.kks {
            settle_duplicate(conn, FindingKind::KkGanda, *no_kk, now_ms)?;
        }
        for nik in &self.moves {
            settle_moves(conn, *nik, now_ms)?;
        }
        Ok(())
    }
}

/// A claim as its row states it; the actor stays a number.
struct RowClaim {
    village: VillageCode,
    id: RecordId,
    epoch: u32,
    seq: i64,
    time_ms: i64,
    actor: i64,
    source: u8,
}

const CLAIM_COLUMNS: &str = "village, id, epoch, seq, time_ms, actor, source";

impl RowClaim {
    fn read(row: &SqlRow<'_>) -> rusqlite::Result<Self> {
        Ok(Self {
            village: village_code(row, 0)?,
            id: RecordId(row.get(1)?),
            epoch: row.get(2)?,
            seq: row.get(3)?,
            time_ms: row.get(4)?,
            actor: row.get(5)?,
            source: row.get(6)?,
        })
    }
}

fn settle_duplicate(
    conn: &Connection,
    kind: FindingKind,
    key: u64,
    now_ms: i64,
) -> rusqlite::Result<()> {
    let living = match kind {
        FindingKind::KkGanda => "keluarga WHERE no_kk = ?1 AND aktif AND epoch > 0".to_owned(),
        _ => {
            format!("warga WHERE nik = ?1 AND status_dasar <= {STATUS_HIDUP} AND epoch > 0")
        }
    };
    let sql =
        format!("SELECT {CLAIM_COLUMNS} FROM {living} ORDER BY village, id LIMIT {CLAIMS_MAX}");
    let mut claims: Vec<RowClaim> = conn
        .prepare_cached(&sql)?
        .query_map([key.cast_signed()], RowClaim::read)?
        .collect::<Result<_, _>>()?;
    claims.dedup_by_key(|claim| claim.village);
    let open: Option<i64> = conn
        .prepare_cached(
            "SELECT number FROM finding
             WHERE key = ?1 AND kind = ?2 AND closed_ms IS NULL",
        )?
        .query_row((key.cast_signed(), kind as u8), |row| row.get(0))
        .optional()?;
    match open {
        Some(number) if claims.len() < 2 => close(conn, number, now_ms),
        Some(number) => write_claims(conn, number, &claims),
        None if claims.len() < 2 => Ok(()),
        None => {
            let number = open_finding(conn, kind, key, None, None, now_ms)?;
            write_claims(conn, number, &claims)
        }
    }
}

/// One end of a move.
struct Move {
    claim: RowClaim,
    peristiwa: u16,
    /// Code of [`JenisPindah`](lumbung_domain::code_list::JenisPindah); 0 blank.
    jenis: u16,
    day: Option<i32>,
    desa: Option<VillageCode>,
}

impl Move {
    /// Whether its other end can be in a village.
    fn may_be_with(&self, village: VillageCode) -> bool {
        self.claim.village != village && self.desa.is_none_or(|desa| desa == village)
    }
}

/// Days between two events if they can be the ends of one move. A missing day
/// contradicts nothing, but any known one fits better.
fn apart(from: &Move, to: &Move) -> Option<u32> {
    let days = match (from.day, to.day) {
        (Some(from), Some(to)) => from.abs_diff(to),
        _ => MOVE_DAYS_MAX,
    };
    let places = from.may_be_with(to.claim.village) && to.may_be_with(from.claim.village);
    let ends = from.peristiwa == PINDAH_KELUAR && to.peristiwa == PINDAH_MASUK;
    (ends && places && days <= MOVE_DAYS_MAX).then_some(days)
}

/// Which events have their other end among them: each departure goes with one
/// arrival, those closest in time first.
fn paired(moves: &[Move]) -> BTreeSet<usize> {
    let mut pairs = Vec::new();
    for (from, departure) in moves.iter().enumerate() {
        for (to, arrival) in moves.iter().enumerate() {
            pairs.extend(apart(departure, arrival).map(|days| (days, from, to)));
        }
    }
    pairs.sort_unstable();
    let mut paired = BTreeSet::new();
    for (_, from, to) in pairs {
        if !paired.contains(&from) && !paired.contains(&to) {
            paired.extend([from, to]);
        }
    }
    paired
}

/// Where the other end of an unpaired event should have been recorded, if the
/// hub can know that it was not: `Some(None)` is one of several villages, all
/// of which are here.
fn missing_end(conn: &Connection, event: &Move) -> rusqlite::Result<Option<Option<VillageCode>>> {
    let village = event.claim.village;
    if let Some(desa) = event.desa {
        let here = desa != village && is_registered(conn, desa)?;
        return Ok(here.then_some(Some(desa)));
    }
    if event.peristiwa != PINDAH_KELUAR || !STAYS_NEAR.contains(&event.jenis) {
        return Ok(None);
    }
    for desa in roster().villages() {
        let near = event.jenis == OUT_OF_KECAMATAN || desa.code.kecamatan() == village.kecamatan();
        if near && !is_registered(conn, desa.code)? {
            return Ok(None);
        }
    }
    Ok(Some(None))
}

fn settle_moves(conn: &Connection, nik: u64, now_ms: i64) -> rusqlite::Result<()> {
    let sql = format!(
        "SELECT {CLAIM_COLUMNS}, peristiwa, tgl_peristiwa, desa, jenis_pindah FROM mutasi
         WHERE nik = ?1 AND peristiwa IN (3, 5) AND epoch > 0
         ORDER BY village, id LIMIT {CLAIMS_MAX}"
    );
    let moves: Vec<Move> = conn
        .prepare_cached(&sql)?
        .query_map([nik.cast_signed()], |row| {
            let desa = row.get::<_, Option<i64>>(9)?;
            Ok(Move {
                claim: RowClaim::read(row)?,
                peristiwa: row.get(7)?,
                jenis: row.get(10)?,
                day: row.get(8)?,
                desa: desa.and_then(|desa| VillageCode::from_u64(desa.cast_unsigned())),
            })
        })?
        .collect::<Result<_, _>>()?;
    let mut open = open_moves(conn, nik)?;
    let paired = paired(&moves);
    for (at, event) in moves.iter().enumerate() {
        if paired.contains(&at) {
            continue;
        }
        let Some(other) = missing_end(conn, event)? else { continue };
        let kind = match event.peristiwa {
            PINDAH_KELUAR => FindingKind::PindahTanpaDatang,
            PINDAH_MASUK => FindingKind::DatangTanpaPindah,
            _ => continue,
        };
        let place = (kind as u8, event.claim.village, event.claim.id, other);
        let number = match open.remove(&place) {
            Some(number) => number,
            None => open_finding(conn, kind, nik, Some(&event.claim), other, now_ms)?,
        };
        write_claims(conn, number, std::slice::from_ref(&event.claim))?;
    }
    for number in open.into_values() {
        close(conn, number, now_ms)?;
    }
    Ok(())
}

type Place = (u8, VillageCode, RecordId, Option<VillageCode>);

/// Open findings about the moves of one NIK, by what they are about.
fn open_moves(conn: &Connection, nik: u64) -> rusqlite::Result<BTreeMap<Place, i64>> {
    conn.prepare_cached(
        "SELECT kind, place_village, place_id, other_village, number FROM finding
         WHERE key = ?1 AND kind IN (3, 4) AND closed_ms IS NULL",
    )?
    .query_map([nik.cast_signed()], |row| {
        let id = RecordId(row.get(2)?);
        let other = row.get::<_, Option<i64>>(3)?;
        let other = other.and_then(|desa| VillageCode::from_u64(desa.cast_unsigned()));
        Ok(((row.get(0)?, village_code(row, 1)?, id, other), row.get(4)?))
    })?
    .collect()
}

fn open_finding(
    conn: &Connection,
    kind: FindingKind,
    key: u64,
    place: Option<&RowClaim>,
    other: Option<VillageCode>,
    now_ms: i64,
) -> rusqlite::Result<i64> {
    let id: &[u8] = place.map_or(&[], |claim| claim.id.as_bytes());
    // A move whose other end was renamed closes only after this one opens:
    // the old finding must not stand in its way.
    conn.prepare_cached(
        "UPDATE finding SET closed_ms = ?5
         WHERE key = ?1 AND kind = ?2 AND place_village = ?3 AND place_id = ?4
           AND closed_ms IS NULL",
    )?
    .execute((
        key.cast_signed(),
        kind as u8,
        place.map_or(0, |claim| village_sql(claim.village)),
        id,
        now_ms,
    ))?;
    conn.prepare_cached(
        "INSERT INTO finding (kind, key, place_village, place_id, other_village, since_ms)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6)",
    )?
    .execute((
        kind as u8,
        key.cast_signed(),
        place.map_or(0, |claim| village_sql(claim.village)),
        id,
        other.map(village_sql),
        now_ms,
    ))?;
    Ok(conn.last_insert_rowid())
}

fn close(conn: &Connection, number: i64, now_ms: i64) -> rusqlite::Result<()> {
    conn.prepare_cached("UPDATE finding SET closed_ms = ?2 WHERE number = ?1")?
        .execute((number, now_ms))?;
    Ok(())
}

fn write_claims(conn: &Connection, number: i64, claims: &[RowClaim]) -> rusqlite::Result<()> {
    conn.prepare_cached("DELETE FROM claim WHERE finding = ?1")?.execute([number])?;
    let mut insert = conn.prepare_cached(
        "INSERT INTO claim (finding, place, village, id, epoch, seq, time_ms, actor, source)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9)",
    )?;
    for (place, claim) in (0_u32..).zip(claims) {
        insert.execute((
            number,
            place,
            village_sql(claim.village),
            claim.id.as_bytes(),
            claim.epoch,
            claim.seq,
            claim.time_ms,
            claim.actor,
            claim.source,
        ))?;
    }
    Ok(())
}

/// The condition that a village of the scope has a part in a finding.
fn has_part(scope: &Scope) -> String {
    if scope.is_whole() {
        return "1".to_owned();
    }
    format!(
        "({} OR EXISTS (SELECT 1 FROM claim WHERE claim.finding = finding.number AND {}))",
        condition(scope, "other_village"),
        condition(scope, "claim.village"),
    )
}

/// How many findings of the scope are open, as SQL.
pub(super) fn open_count(scope: &Scope) -> String {
    format!("(SELECT count(*) FROM finding WHERE closed_ms IS NULL AND {})", has_part(scope))
}

/// Findings in which a village of the scope has a part, newest first.
pub(super) fn list(
    conn: &Connection,
    scope: &Scope,
    asked: &FindingsAsked,
    limit: u32,
) -> Result<Vec<CrossFinding>, DatasetError> {
    let mut which = if asked.open_only { "closed_ms IS NULL" } else { "1" }.to_owned();
    if let Some(kind) = asked.kind {
        which.push_str(&format!(" AND kind = {}", kind as u8));
    }
    let before = asked.before.unwrap_or(i64::MAX);
    read(conn, scope, &format!("{which} AND number < ?2"), limit, before)
}

/// How many findings of each kind a village of the scope has a part in.
pub(super) fn counts(conn: &Connection, scope: &Scope) -> rusqlite::Result<FindingCounts> {
    let sql = format!(
        "SELECT kind, count(*), sum(closed_ms IS NULL) FROM finding WHERE {} GROUP BY kind",
        has_part(scope)
    );
    let counts = conn
        .prepare_cached(&sql)?
        .query_map([], |row| {
            let count = FindingCount { all: count(row, 1)?, open: count(row, 2)? };
            Ok((finding_kind(row, 0)?, count))
        })?
        .collect::<Result<_, _>>()?;
    Ok(FindingCounts(counts))
}

/// One finding, if a village of the scope has a part in it.
pub(super) fn one(
    conn: &Connection,
    scope: &Scope,
    number: i64,
) -> Result<Option<CrossFinding>, DatasetError> {
    Ok(read(conn, scope, "number = ?2", 1, number)?.pop())
}

fn read(
    conn: &Connection,
    scope: &Scope,
    which: &str,
    limit: u32,
    number: i64,
) -> Result<Vec<CrossFinding>, DatasetError> {
    let part = has_part(scope);
    let mut statement = conn.prepare_cached(&format!(
        "SELECT number, kind, key, other_village, since_ms, closed_ms FROM finding
         WHERE {which} AND {part} ORDER BY number DESC LIMIT ?1",
    ))?;
    let found = statement.query_map((limit, number), |row| {
        let other = row.get::<_, Option<i64>>(3)?;
        Ok(CrossFinding {
            number: row.get(0)?,
            kind: finding_kind(row, 1)?,
            key: count(row, 2)?,
            claims: Vec::new(),
            other_village: other.and_then(|code| VillageCode::from_u64(code.cast_unsigned())),
            since_ms: row.get(4)?,
            closed_ms: row.get(5)?,
        })
    })?;
    let mut found: Vec<CrossFinding> = found.collect::<Result<_, _>>()?;
    let mut claims = conn.prepare_cached(
        "SELECT claim.village, claim.id, seq, claim.time_ms, actor.name, source,
           made.time_ms, maker.name
         FROM claim
         JOIN actor ON actor.number = claim.actor
         LEFT JOIN first_entry made ON made.village = claim.village AND made.id = claim.id
         LEFT JOIN actor maker ON maker.number = made.actor
         WHERE finding = ?1 ORDER BY place",
    )?;
    for finding in &mut found {
        finding.claims = claims
            .query_map([finding.number], |row| {
                let (id, time_ms) = (RecordId(row.get(1)?), row.get(3)?);
                let actor: String = row.get(4)?;
                let made: Option<(i64, String)> = row.get::<_, Option<_>>(6)?.zip(row.get(7)?);
                let kept = made.map(|(time_ms, actor)| FirstEntry { time_ms, actor });
                Ok(Claim {
                    village: village_code(row, 0)?,
                    id,
                    seq: Seq(count(row, 2)?),
                    time_ms,
                    first: FirstEntry::of(kept, id, time_ms, &actor),
                    actor,
                    source: Source(row.get(5)?),
                })
            })?
            .collect::<Result<_, _>>()?;
    }
    Ok(found)
}

fn finding_kind(row: &SqlRow<'_>, column: usize) -> rusqlite::Result<FindingKind> {
    Ok(match row.get::<_, i64>(column)? {
        1 => FindingKind::NikGanda,
        2 => FindingKind::KkGanda,
        3 => FindingKind::PindahTanpaDatang,
        4 => FindingKind::DatangTanpaPindah,
        other => return Err(rusqlite::Error::IntegralValueOutOfRange(column, other)),
    })
}
