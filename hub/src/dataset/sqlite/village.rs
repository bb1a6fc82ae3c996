//! The registry row of a village: where the hub stands and what it counted.

use std::collections::HashMap;

use lumbung_domain::region::VillageCode;
use lumbung_ledger::fingerprint::ContentHash;
use lumbung_ledger::{ChainTag, Epoch, Fingerprint, LogId, Position, Seq};
use rusqlite::{Connection, OptionalExtension as _, Row as SqlRow};

use super::scoped::condition;
use super::upsert::{Marks, village_sql};
use super::{chains, findings};
use crate::dataset::{ContactNote, DatasetError, Scope, Totals, VillageState};

/// What a merge changes of a village, held in memory for one transaction.
pub(super) struct Standing {
    /// Its number in the registry, from 1.
    pub(super) number: i64,
    pub(super) village: VillageCode,
    pub(super) position: Option<Position>,
    pub(super) fingerprint: Fingerprint,
    pub(super) records: u64,
    pub(super) warga: u64,
    pub(super) rumah_tangga: u64,
    pub(super) quarantined: u64,
    pub(super) tombstones: u64,
    /// Living records of a closed log that nothing has replaced.
    pub(super) leftovers: u64,
    /// Nothing may be merged: two machines answer for it.
    pub(super) stopped: bool,
    /// The position when this was read.
    pub(super) stood: Option<Position>,
    /// Up to where what was merged before is of the present branch.
    pub(super) valid_to: Seq,
    /// The chain where each of the last saves ends that were merged since.
    pub(super) walked: Vec<(Seq, ChainTag)>,
}

/// What one record adds to its village's figures.
#[derive(Clone, Copy, Default)]
pub(super) struct Counted {
    /// Its part of the sum.
    pub(super) hash: Option<ContentHash>,
    /// What its row counts as.
    pub(super) marks: Marks,
    /// It is one of the living records.
    pub(super) living: bool,
    /// It is left over from a closed log.
    pub(super) leftover: bool,
}

impl Standing {
    pub(super) fn load(conn: &Connection, village: VillageCode) -> rusqlite::Result<Option<Self>> {
        conn.prepare_cached(
            "SELECT number, log_id, epoch, seq, chain, fingerprint, records, warga,
                    rumah_tangga, quarantined, tombstones, leftovers, twin_ms <> 0
             FROM village WHERE village = ?1",
        )?
        .query_row([village_sql(village)], |row| {
            let position = position(row, 1)?;
            Ok(Self {
                number: row.get(0)?,
                village,
                position,
                stood: position,
                valid_to: position.map_or(Seq::ZERO, |position| position.seq),
                walked: Vec::new(),
                fingerprint: fingerprint(row, 5)?,
                records: count(row, 6)?,
                warga: count(row, 7)?,
                rumah_tangga: count(row, 8)?,
                quarantined: count(row, 9)?,
                tombstones: count(row, 10)?,
                leftovers: count(row, 11)?,
                stopped: row.get(12)?,
            })
        })
        .optional()
    }

    pub(super) fn save(&self, conn: &Connection) -> rusqlite::Result<()> {
        let position = self.position.as_ref();
        conn.prepare_cached(
            "UPDATE village SET log_id = ?2, epoch = ?3, seq = ?4, chain = ?5, fingerprint = ?6,
                    records = ?7, warga = ?8, rumah_tangga = ?9, quarantined = ?10,
                    tombstones = ?11, leftovers = ?12
             WHERE number = ?1",
        )?
        .execute((
            self.number,
            position.map(|position| position.log_id.0),
            position.map_or(0, |position| position.epoch.0),
            position.map_or(0, |position| position.seq.0.cast_signed()),
            position.map(|position| position.chain.0),
            self.fingerprint.to_bytes(),
            self.records.cast_signed(),
            self.warga.cast_signed(),
            self.rumah_tangga.cast_signed(),
            self.quarantined.cast_signed(),
            self.tombstones.cast_signed(),
            self.leftovers.cast_signed(),
        ))?;
        Ok(())
    }

    /// Whether entries wait in quarantine or records have ended, so that a
    /// new record must be looked up before it is written.
    pub(super) const fn has_shadows(&self) -> bool {
        self.quarantined != 0 || self.tombstones != 0
    }

    /// Whether a batch that starts at `prev` continues from here. A higher
    /// epoch at the same point of the same history does: the node restarted
    /// its count there and everything below is unchanged. Nothing continues a
    /// village that is stopped.
    pub(super) fn continues(&self, prev: &Position) -> bool {
        match &self.position {
            _ if self.stopped => false,
            Some(stored) => {
                Position { epoch: stored.epoch, ..*prev } == *stored && prev.epoch >= stored.epoch
            }
            None => prev.seq == Seq::ZERO && prev.chain == ChainTag::genesis(prev.log_id),
        }
    }

    /// Notes the chains where saves end that were merged.
    pub(super) fn walk(&mut self, chains: &[(Seq, ChainTag)]) {
        self.walked.extend_from_slice(chains);
        let over = self.walked.len().saturating_sub(chains::SAVES_KEPT);
        self.walked.drain(..over);
    }

    /// Goes on at another position, behind which everything is of a branch that
    /// was left.
    pub(super) fn step_to(&mut self, position: Position) {
        self.position = Some(position);
        self.valid_to = position.seq;
        self.walked.clear();
    }

    /// Counts the difference that one record makes.
    pub(super) fn recount(&mut self, was: &Counted, is: &Counted) {
        // A count that was falsified on disk is found by the next proof; until
        // then it must not stop a merge.
        let moved = |count: u64, was: bool, is: bool| {
            (count + u64::from(is)).saturating_sub(u64::from(was))
        };
        if let Some(hash) = was.hash {
            self.fingerprint -= hash;
        }
        if let Some(hash) = is.hash {
            self.fingerprint += hash;
        }
        self.records = moved(self.records, was.living, is.living);
        self.leftovers = moved(self.leftovers, was.leftover, is.leftover);
        self.warga = moved(self.warga, was.marks.warga, is.marks.warga);
        self.rumah_tangga = moved(self.rumah_tangga, was.marks.rumah_tangga, is.marks.rumah_tangga);
    }
}

pub(super) fn register(
    conn: &Connection,
    village: VillageCode,
    address: &str,
) -> rusqlite::Result<()> {
    conn.execute(
        "INSERT INTO village (village, address) VALUES (?1, ?2)
         ON CONFLICT (village) DO UPDATE SET address = excluded.address",
        (village_sql(village), address),
    )?;
    Ok(())
}

pub(super) fn is_registered(conn: &Connection, village: VillageCode) -> rusqlite::Result<bool> {
    conn.prepare_cached("SELECT 1 FROM village WHERE village = ?1")?.exists([village_sql(village)])
}

/// Notes that an operator waits for a deep proof; whether the village is
/// registered.
pub(super) fn ask_proof(
    conn: &Connection,
    village: VillageCode,
    now_ms: i64,
) -> rusqlite::Result<bool> {
    let asked = conn.execute(
        "UPDATE village SET proof_asked_ms = ?2 WHERE village = ?1",
        (village_sql(village), now_ms),
    )?;
    Ok(asked != 0)
}

pub(super) fn note_contact(
    conn: &Connection,
    village: VillageCode,
    note: &ContactNote,
) -> rusqlite::Result<()> {
    super::watch::note_contact(conn, village, note)?;
    conn.prepare_cached(
        "UPDATE village SET
           last_contact_ms = CASE WHEN ?6 IS NULL THEN max(last_contact_ms, ?2)
                             ELSE last_contact_ms END,
           software = coalesce(?3, software),
           last_proof_ms = CASE WHEN ?4 IS NULL THEN last_proof_ms ELSE ?2 END,
           proven_seq = coalesce(?4, proven_seq),
           trouble_ms = CASE WHEN ?5 IS NULL OR ?5 = trouble THEN trouble_ms
                        WHEN ?5 = '' THEN 0 ELSE ?9 END,
           trouble = coalesce(?5, trouble),
           last_stick_ms = CASE WHEN ?6 IS NULL OR ?4 IS NULL THEN last_stick_ms ELSE ?2 END,
           answer_to = coalesce(?6, answer_to),
           deep_proof_ms = CASE WHEN ?7 THEN ?2 ELSE deep_proof_ms END,
           deep_proof_words = coalesce(?8, deep_proof_words),
           deep_proof_words_en = coalesce(?10, deep_proof_words_en)
         WHERE village = ?1",
    )?
    .execute((
        village_sql(village),
        note.at_ms,
        note.software.as_deref(),
        note.proven.map(|seq| seq.0.cast_signed()),
        note.trouble.as_deref(),
        note.stick.as_ref().map(|stick| stick.answer_to.as_str()),
        note.deep_proof.as_ref().is_some_and(|proof| proof.equal),
        note.deep_proof.as_ref().map(|proof| proof.words.id.as_str()),
        note.trouble_ms.max(note.at_ms),
        note.deep_proof.as_ref().map(|proof| proof.words.en.as_str()),
    ))?;
    if note.proven.is_some() {
        super::branch::settle(conn, village)?;
    }
    Ok(())
}

/// How many entries of a row of `village` wait in quarantine. Those whose content
/// the village has thinned out wait for nobody: a later entry takes their place.
const QUARANTINED: &str = "CASE quarantined WHEN 0 THEN 0 ELSE
    (SELECT count(*) FROM quarantine
     WHERE quarantine.village = village.village AND hash IS NOT NULL) END";

/// One village or all of them, by code.
pub(super) fn states(
    conn: &Connection,
    village: Option<VillageCode>,
) -> Result<Vec<VillageState>, DatasetError> {
    let findings = open_findings(conn)?;
    let mut statement = conn.prepare_cached(&format!(
        "SELECT village.village, log_id, epoch, seq, chain, fingerprint, records, warga, rumah_tangga,
                {QUARANTINED}, address, last_contact_ms, last_proof_ms, proven_seq, software,
                trouble, last_stick_ms, answer_to, deep_proof_ms, deep_proof_words,
                proof_asked_ms, leftovers, twin_ms, decisions,
                (SELECT count(*) FROM branch WHERE branch.village = village.village
                   AND settled = 0),
                held_by, reason, since_ms, until_ms, deep_proof_words_en
         FROM village LEFT JOIN hold ON hold.village = village.village
         WHERE ?1 IS NULL OR village.village = ?1 ORDER BY village.village"
    ))?;
    let states = statement.query_map([village.map(village_sql)], |row| {
        let village = village_code(row, 0)?;
        Ok(VillageState {
            village,
            position: position(row, 1)?,
            fingerprint: fingerprint(row, 5)?,
            records: count(row, 6)?,
            warga: count(row, 7)?,
            rumah_tangga: count(row, 8)?,
            quarantined: count(row, 9)?,
            findings: findings.get(&village_sql(village)).copied().unwrap_or(0),
            address: row.get(10)?,
            last_contact_ms: row.get(11)?,
            last_proof_ms: row.get(12)?,
            proven_seq: Seq(count(row, 13)?),
            software: row.get(14)?,
            trouble: row.get(15)?,
            last_stick_ms: row.get(16)?,
            answer_to: row.get(17)?,
            deep_proof_ms: row.get(18)?,
            deep_proof_words: row.get(19)?,
            proof_asked_ms: row.get(20)?,
            leftovers: count(row, 21)?,
            twin_ms: row.get(22)?,
            decisions: row.get(23)?,
            undelivered: count(row, 24)?,
            hold: super::care::hold(row, 25)?,
            deep_proof_words_en: row.get(29)?,
        })
    })?;
    Ok(states.collect::<Result<_, _>>()?)
}

/// How many open findings name each village.
fn open_findings(conn: &Connection) -> rusqlite::Result<HashMap<i64, u64>> {
    conn.prepare_cached(
        "SELECT village, count(*) FROM (
           SELECT claim.village AS village, finding.number FROM finding
             JOIN claim ON claim.finding = finding.number WHERE closed_ms IS NULL
           UNION
           SELECT other_village, number FROM finding
             WHERE closed_ms IS NULL AND other_village IS NOT NULL)
         GROUP BY village",
    )?
    .query_map([], |row| Ok((row.get(0)?, count(row, 1)?)))?
    .collect()
}

pub(super) fn totals(conn: &Connection, scope: &Scope) -> rusqlite::Result<Totals> {
    conn.prepare_cached(&format!(
        "SELECT coalesce(sum(warga), 0), coalesce(sum(rumah_tangga), 0),
                coalesce(sum(records), 0), coalesce(sum({QUARANTINED}), 0), {}
         FROM village WHERE {}",
        findings::open_count(scope),
        condition(scope, "village"),
    ))?
    .query_row([], |row| {
        Ok(Totals {
            warga: count(row, 0)?,
            rumah_tangga: count(row, 1)?,
            records: count(row, 2)?,
            quarantined: count(row, 3)?,
            findings: count(row, 4)?,
        })
    })
}

/// A column that holds a count or an entry's number.
pub(super) fn count(row: &SqlRow<'_>, column: usize) -> rusqlite::Result<u64> {
    row.get::<_, i64>(column).map(i64::cast_unsigned)
}

/// A column that holds a village's code.
pub(super) fn village_code(row: &SqlRow<'_>, column: usize) -> rusqlite::Result<VillageCode> {
    let code = row.get::<_, i64>(column)?;
    VillageCode::from_u64(code.cast_unsigned())
        .ok_or(rusqlite::Error::IntegralValueOutOfRange(column, code))
}

/// The position in four columns from `first` on; `None` before any merge.
fn position(row: &SqlRow<'_>, first: usize) -> rusqlite::Result<Option<Position>> {
    let Some(log_id) = row.get::<_, Option<[u8; 16]>>(first)? else {
        return Ok(None);
    };
    Ok(Some(Position {
        log_id: LogId(log_id),
        epoch: Epoch(row.get(first + 1)?),
        seq: Seq(count(row, first + 2)?),
        chain: ChainTag(row.get(first + 3)?),
    }))
}

fn fingerprint(row: &SqlRow<'_>, column: usize) -> rusqlite::Result<Fingerprint> {
    let bytes: [u8; 32] = row.get(column)?;
    Fingerprint::from_slice(&bytes).ok_or(rusqlite::Error::InvalidColumnIndex(column))
}
