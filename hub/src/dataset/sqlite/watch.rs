//! Watching villages, in the same file as the rows.

use std::collections::HashMap;

use lumbung_domain::region::VillageCode;
use lumbung_telemetry::clock;
use rusqlite::{Connection, OptionalExtension as _, Row as SqlRow, TransactionBehavior};

use super::SqliteDataset;
use super::upsert::village_sql;
use super::village::{count, is_registered, village_code};
use crate::dataset::watch::{AWAY_MIN_MS, Away, DAYS_KEPT, Heard, Narahubung, Upkeep, Watch};
use crate::dataset::{ContactNote, DatasetError, Incident};
use crate::registry::{LinkState, Machine};
use crate::rhythm::{ContactDay, Day, Freshness, FreshnessCounts, GAP_MIN_MS, Gaps};

/// Notes what a contact says about the rhythm. Before the village's row is
/// changed: that row says when it was heard of before.
pub(super) fn note_contact(
    conn: &Connection,
    village: VillageCode,
    note: &ContactNote,
) -> rusqlite::Result<()> {
    if note.is_contact() {
        note_gap(conn, village, note.at_ms)?;
    }
    note_day(conn, village, note)
}

fn note_gap(conn: &Connection, village: VillageCode, at_ms: i64) -> rusqlite::Result<()> {
    let before: Option<i64> = conn
        .prepare_cached(
            "SELECT max(last_contact_ms, last_stick_ms) FROM village WHERE village = ?1",
        )?
        .query_row([village_sql(village)], |row| row.get(0))
        .optional()?;
    let Some(before_ms) = before.filter(|before_ms| *before_ms > 0) else { return Ok(()) };
    if at_ms - before_ms < GAP_MIN_MS {
        return Ok(());
    }
    let away_ms: i64 =
        aways(conn, before_ms)?.iter().map(|away| away.within(before_ms, at_ms)).sum();
    let stored: Option<Vec<u8>> = conn
        .prepare_cached("SELECT gaps FROM rhythm WHERE village = ?1")?
        .query_row([village_sql(village)], |row| row.get(0))
        .optional()?;
    let mut gaps = Gaps::from_slice(&stored.unwrap_or_default());
    if gaps.note(at_ms - before_ms - away_ms) {
        conn.prepare_cached("INSERT OR REPLACE INTO rhythm (village, gaps) VALUES (?1, ?2)")?
            .execute((village_sql(village), gaps.to_bytes()))?;
    }
    Ok(())
}

/// Adds to the village's day. Nothing is written when it says nothing new.
fn note_day(conn: &Connection, village: VillageCode, note: &ContactNote) -> rusqlite::Result<()> {
    let at_ms = if note.at_ms > 0 { note.at_ms } else { note.trouble_ms };
    if at_ms <= 0 {
        return Ok(());
    }
    let hours = if note.at_ms > 0 && note.stick.is_none() { Day::hour_bit(at_ms) } else { 0 };
    let troubled = note.trouble.as_ref().is_some_and(|code| !code.is_empty());
    conn.prepare_cached(
        "INSERT INTO contact_day (village, day, hours, visits, proofs, sticks, troubled)
         SELECT village, ?2, ?3, ?4, ?5, ?6, ?7 FROM village WHERE village = ?1
         ON CONFLICT (village, day) DO UPDATE SET
           hours = hours | excluded.hours,
           visits = visits + excluded.visits,
           proofs = proofs + excluded.proofs,
           sticks = sticks + excluded.sticks,
           troubled = max(troubled, excluded.troubled)
         WHERE hours | excluded.hours <> hours OR excluded.visits + excluded.proofs
           + excluded.sticks > 0 OR excluded.troubled > troubled",
    )?
    .execute((
        village_sql(village),
        Day::of(at_ms).0,
        hours,
        note.visits,
        u32::from(note.proven.is_some()),
        u32::from(note.stick.is_some()),
        troubled,
    ))?;
    Ok(())
}

fn aways(conn: &Connection, since_ms: i64) -> rusqlite::Result<Vec<Away>> {
    conn.prepare_cached(
        "SELECT from_ms, until_ms FROM hub_away WHERE until_ms > ?1 ORDER BY from_ms",
    )?
    .query_map([since_ms], |row| Ok(Away { from_ms: row.get(0)?, until_ms: row.get(1)? }))?
    .collect()
}

/// Joins with what is known to overlap, so that no moment counts twice.
fn note_away(conn: &Connection, away: Away) -> rusqlite::Result<()> {
    let (from_ms, until_ms): (Option<i64>, Option<i64>) = conn
        .prepare_cached(
            "SELECT min(from_ms), max(until_ms) FROM hub_away
             WHERE from_ms <= ?2 AND until_ms >= ?1",
        )?
        .query_row((away.from_ms, away.until_ms), |row| Ok((row.get(0)?, row.get(1)?)))?;
    conn.prepare_cached("DELETE FROM hub_away WHERE from_ms <= ?2 AND until_ms >= ?1")?
        .execute((away.from_ms, away.until_ms))?;
    let from_ms = from_ms.map_or(away.from_ms, |known| known.min(away.from_ms));
    let until_ms = until_ms.map_or(away.until_ms, |known| known.max(away.until_ms));
    conn.prepare_cached("INSERT INTO hub_away (from_ms, until_ms) VALUES (?1, ?2)")?
        .execute((from_ms, until_ms))?;
    Ok(())
}

const UPKEEP: &str = "
    SELECT village.village, last_contact_ms, last_stick_ms, gaps, trouble_ms, trouble,
           coalesce(waits.entries, 0), coalesce(waits.since_ms, 0), leftovers,
           (SELECT count(*) FROM branch
              WHERE branch.village = village.village AND settled = 0),
           deep_proof_ms, budget_bytes, software, certified_until_ms,
           link.at_ms, clock_ahead_ms, spent_today_bytes, quiet_held_seconds,
           quiet_broke_seconds, tunnelled, nama, telepon,
           held_by, reason, hold.since_ms, until_ms,
           (SELECT min(at_ms) FROM branch
              WHERE branch.village = village.village AND settled = 0),
           round_trip_us, coalesce(aside.waiting, 0), coalesce(aside.since_ms, 0),
           CASE WHEN certified_until_ms IS NULL THEN
             (SELECT max(revoked_ms) FROM node_key WHERE node_key.village = village.village)
           END
    FROM village
      LEFT JOIN rhythm ON rhythm.village = village.village
      LEFT JOIN link ON link.village = village.village
      LEFT JOIN node_key ON node_key.village = village.village AND revoked_ms IS NULL
      LEFT JOIN narahubung ON narahubung.village = village.village
      LEFT JOIN hold ON hold.village = village.village
      LEFT JOIN (SELECT village, count(*) AS entries, min(since_ms) AS since_ms
                 FROM quarantine WHERE hash IS NOT NULL GROUP BY village)
        AS waits ON waits.village = village.village
      LEFT JOIN (SELECT village, count(*) AS waiting, min(since_ms) AS since_ms
                 FROM damaged_store WHERE released_ms = 0 AND NOT whole GROUP BY village)
        AS aside ON aside.village = village.village
    ORDER BY village.village";

/// How many of something each village has, and since when the oldest.
type Counted = HashMap<i64, (u64, i64)>;

/// What is counted and kept beside the registry's rows.
struct Beside {
    findings: Counted,
    notices: Counted,
    machines: HashMap<i64, Machine>,
}

fn upkeep(row: &SqlRow<'_>, beside: &mut Beside) -> rusqlite::Result<Upkeep> {
    let village = village_code(row, 0)?;
    let key = village_sql(village);
    let gaps: Option<Vec<u8>> = row.get(3)?;
    let (findings, findings_since_ms) = beside.findings.get(&key).copied().unwrap_or_default();
    let (notices_waiting, notices_since_ms) = beside.notices.get(&key).copied().unwrap_or_default();
    let link = match row.get::<_, Option<i64>>(14)? {
        None => None,
        Some(at_ms) => Some(LinkState {
            at_ms,
            clock_ahead_ms: row.get(15)?,
            spent_today_bytes: count(row, 16)?,
            quiet_held_seconds: row.get(17)?,
            quiet_broke_seconds: row.get(18)?,
            tunnelled: row.get(19)?,
            round_trip_us: row.get(27)?,
        }),
    };
    let narahubung = match (row.get(20)?, row.get(21)?) {
        (Some(nama), Some(telepon)) => Some(Narahubung { nama, telepon }),
        _ => None,
    };
    Ok(Upkeep {
        heard: Heard {
            village,
            contact_ms: row.get(1)?,
            stick_ms: row.get(2)?,
            gaps: Gaps::from_slice(&gaps.unwrap_or_default()),
            trouble_since_ms: row.get(4)?,
        },
        trouble: row.get(5)?,
        quarantined: count(row, 6)?,
        quarantine_since_ms: row.get(7)?,
        findings,
        findings_since_ms,
        leftovers: count(row, 8)?,
        damaged: count(row, 28)?,
        damaged_since_ms: row.get(29)?,
        undelivered: count(row, 9)?,
        undelivered_since_ms: row.get::<_, Option<i64>>(26)?.unwrap_or_default(),
        notices_waiting,
        notices_since_ms,
        deep_proof_ms: row.get(10)?,
        link,
        machine: beside.machines.remove(&key),
        budget_bytes: count(row, 11)?,
        certified_until_ms: row.get(13)?,
        revoked_ms: row.get::<_, Option<i64>>(30)?.unwrap_or_default(),
        software: row.get(12)?,
        narahubung,
        hold: super::care::hold(row, 22)?,
    })
}

fn open_findings(conn: &Connection) -> rusqlite::Result<Counted> {
    conn.prepare_cached(
        "SELECT village, count(*), min(since_ms) FROM (
           SELECT claim.village AS village, finding.number, since_ms FROM finding
             JOIN claim ON claim.finding = finding.number WHERE closed_ms IS NULL
           UNION
           SELECT other_village, number, since_ms FROM finding
             WHERE closed_ms IS NULL AND other_village IS NOT NULL)
         GROUP BY village",
    )?
    .query_map([], |row| Ok((row.get(0)?, (count(row, 1)?, row.get(2)?))))?
    .collect()
}

impl Watch for SqliteDataset {
    fn heard(&self) -> Result<Vec<Heard>, DatasetError> {
        self.read(|conn| {
            let mut statement = conn.prepare_cached(
                "SELECT village.village, last_contact_ms, last_stick_ms, gaps, trouble_ms
                 FROM village LEFT JOIN rhythm ON rhythm.village = village.village
                 ORDER BY village.village",
            )?;
            let heard = statement.query_map([], |row| {
                let gaps: Option<Vec<u8>> = row.get(3)?;
                Ok(Heard {
                    village: village_code(row, 0)?,
                    contact_ms: row.get(1)?,
                    stick_ms: row.get(2)?,
                    gaps: Gaps::from_slice(&gaps.unwrap_or_default()),
                    trouble_since_ms: row.get(4)?,
                })
            })?;
            Ok(heard.collect::<Result<_, _>>()?)
        })
    }

    fn upkeep(&self) -> Result<Vec<Upkeep>, DatasetError> {
        self.read(|conn| {
            let mut beside = Beside {
                findings: open_findings(conn)?,
                notices: super::notices::waiting(conn, clock::today())?,
                machines: super::registry::machines(conn)?,
            };
            let mut statement = conn.prepare_cached(UPKEEP)?;
            let upkeep = statement.query_map([], |row| upkeep(row, &mut beside))?;
            Ok(upkeep.collect::<Result<_, _>>()?)
        })
    }

    fn recent_incidents(&self, since_ms: i64) -> Result<Vec<Incident>, DatasetError> {
        self.read(|conn| {
            let mut statement = conn.prepare_cached(
                "SELECT number, village, kind, sentence, sentence_en, at_ms FROM incident
                 WHERE at_ms >= ?1 ORDER BY number DESC",
            )?;
            let incidents = statement.query_map([since_ms], |row| {
                Ok(Incident {
                    number: row.get(0)?,
                    village: village_code(row, 1)?,
                    code: row.get(2)?,
                    sentence: row.get(3)?,
                    sentence_en: row.get(4)?,
                    at_ms: row.get(5)?,
                })
            })?;
            Ok(incidents.collect::<Result<_, _>>()?)
        })
    }

    fn count_incidents(&self) -> Result<Vec<(String, u64)>, DatasetError> {
        self.read(|conn| {
            let mut statement =
                conn.prepare_cached("SELECT kind, count(*) FROM incident GROUP BY kind")?;
            let counts = statement.query_map([], |row| Ok((row.get(0)?, count(row, 1)?)))?;
            Ok(counts.collect::<Result<_, _>>()?)
        })
    }

    fn set_narahubung(
        &self,
        village: VillageCode,
        narahubung: Option<&Narahubung>,
        now_ms: i64,
    ) -> Result<(), DatasetError> {
        let writer = self.writer();
        if !is_registered(&writer.conn, village)? {
            return Err(DatasetError::UnknownVillage(village));
        }
        match narahubung {
            Some(Narahubung { nama, telepon }) => writer.conn.execute(
                "INSERT OR REPLACE INTO narahubung (village, nama, telepon, changed_ms)
                 VALUES (?1, ?2, ?3, ?4)",
                (village_sql(village), nama, telepon, now_ms),
            )?,
            None => writer
                .conn
                .execute("DELETE FROM narahubung WHERE village = ?1", [village_sql(village)])?,
        };
        Ok(())
    }

    fn contact_days(
        &self,
        village: VillageCode,
        from: Day,
    ) -> Result<Vec<ContactDay>, DatasetError> {
        self.read(|conn| {
            let mut statement = conn.prepare_cached(
                "SELECT day, hours, visits, proofs, sticks, troubled FROM contact_day
                 WHERE village = ?1 AND day >= ?2 ORDER BY day",
            )?;
            let days = statement.query_map((village_sql(village), from.0), |row| {
                Ok(ContactDay {
                    day: Day(row.get(0)?),
                    hours: row.get(1)?,
                    visits: row.get(2)?,
                    proofs: row.get(3)?,
                    sticks: row.get(4)?,
                    troubled: row.get(5)?,
                })
            })?;
            Ok(days.collect::<Result<_, _>>()?)
        })
    }

    fn first_contact_day(&self, village: VillageCode) -> Result<Option<Day>, DatasetError> {
        self.read(|conn| {
            let first: Option<i64> = conn
                .prepare_cached(
                    "SELECT min(day) FROM contact_day
                     WHERE village = ?1 AND (hours <> 0 OR sticks <> 0)",
                )?
                .query_row([village_sql(village)], |row| row.get(0))?;
            Ok(first.map(Day))
        })
    }

    fn hub_awake(&self, now_ms: i64) -> Result<Option<Away>, DatasetError> {
        let mut writer = self.writer();
        let tx = writer.conn.transaction_with_behavior(TransactionBehavior::Immediate)?;
        let before: Option<i64> = tx
            .prepare_cached("SELECT at_ms FROM hub_awake")?
            .query_row([], |row| row.get(0))
            .optional()?;
        let away = before
            .map(|from_ms| Away { from_ms, until_ms: now_ms })
            .filter(|away| away.until_ms - away.from_ms >= AWAY_MIN_MS);
        if let Some(away) = away {
            note_away(&tx, away)?;
        }
        tx.prepare_cached("INSERT OR REPLACE INTO hub_awake (one, at_ms) VALUES (1, ?1)")?
            .execute([now_ms])?;
        tx.commit()?;
        Ok(away)
    }

    fn note_away(&self, away: Away) -> Result<(), DatasetError> {
        if away.until_ms <= away.from_ms {
            return Ok(());
        }
        let mut writer = self.writer();
        let tx = writer.conn.transaction_with_behavior(TransactionBehavior::Immediate)?;
        note_away(&tx, away)?;
        tx.commit()?;
        Ok(())
    }

    fn aways(&self, since_ms: i64) -> Result<Vec<Away>, DatasetError> {
        self.read(|conn| Ok(aways(conn, since_ms)?))
    }

    fn keep_freshness(&self, counts: &FreshnessCounts, now_ms: i64) -> Result<(), DatasetError> {
        let today = Day::of(now_ms);
        let mut writer = self.writer();
        let tx = writer.conn.transaction_with_behavior(TransactionBehavior::Immediate)?;
        let [segar, terlambat, lama, hilang, belum] = Freshness::ALL.map(|class| counts.of(class));
        tx.prepare_cached(
            "INSERT OR REPLACE INTO freshness_day
               (day, segar, terlambat, lama, hilang, belum_terdaftar)
             VALUES (?1, ?2, ?3, ?4, ?5, ?6)",
        )?
        .execute((today.0, segar, terlambat, lama, hilang, belum))?;
        let oldest = today.before(DAYS_KEPT);
        tx.execute("DELETE FROM contact_day WHERE day < ?1", [oldest.0])?;
        tx.execute("DELETE FROM freshness_day WHERE day < ?1", [oldest.0])?;
        tx.execute("DELETE FROM hub_away WHERE until_ms < ?1", [oldest.starts_ms()])?;
        tx.commit()?;
        Ok(())
    }

    fn freshness_days(&self, from: Day) -> Result<Vec<(Day, FreshnessCounts)>, DatasetError> {
        self.read(|conn| {
            let mut statement = conn.prepare_cached(
                "SELECT day, segar, terlambat, lama, hilang, belum_terdaftar FROM freshness_day
                 WHERE day >= ?1 ORDER BY day",
            )?;
            let days = statement.query_map([from.0], |row| {
                let counts = [row.get(1)?, row.get(2)?, row.get(3)?, row.get(4)?, row.get(5)?];
                Ok((Day(row.get(0)?), FreshnessCounts::new(counts)))
            })?;
            Ok(days.collect::<Result<_, _>>()?)
        })
    }
}
