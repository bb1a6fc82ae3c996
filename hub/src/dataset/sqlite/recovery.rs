//! The recovery part of the dataset, in the same file as the rows.

use std::collections::{BTreeMap, BTreeSet};

use lumbung_domain::id::{KindCode, RecordId};
use lumbung_domain::region::VillageCode;
use lumbung_ledger::{ChainTag, Epoch, LogId, Position, Seq};
use rusqlite::{Connection, TransactionBehavior};

use super::merge::{Merge, kind_code};
use super::schema::Shelf;
use super::upsert::village_sql;
use super::village::{Standing, count};
use super::{SqliteDataset, branch, chains, incidents, leftover};
use crate::dataset::lineage::{self, Lineage, Meeting};
use crate::dataset::turns::{self, History, Turn};
use crate::dataset::{
    After, DatasetError, Delivered, HandedBack, NewIncident, Recovery, Scope, SetAside, Told,
};

impl SqliteDataset {
    /// Does something for a village and tells of it, in one transaction.
    fn told(
        &self,
        village: VillageCode,
        told: Told<'_>,
        now_ms: i64,
        work: impl FnOnce(&mut Merge<'_>) -> Result<u64, DatasetError>,
    ) -> Result<u64, DatasetError> {
        self.writer().transact(now_ms, |merge| {
            let concerns = work(merge)?;
            incidents::note(merge.conn, village, &told(concerns), now_ms)?;
            Ok(concerns)
        })
    }

    /// Changes what one village's row or lineages say, in one transaction.
    fn change<T>(
        &self,
        work: impl FnOnce(&Connection) -> rusqlite::Result<T>,
    ) -> Result<T, DatasetError> {
        let mut writer = self.writer();
        let tx = writer.conn.transaction_with_behavior(TransactionBehavior::Immediate)?;
        let outcome = work(&tx)?;
        tx.commit()?;
        Ok(outcome)
    }
}

/// A decision was made: whoever follows the village begins anew.
fn decided(conn: &Connection, village: VillageCode) -> rusqlite::Result<()> {
    conn.execute(
        "UPDATE village SET decisions = decisions + 1 WHERE village = ?1",
        [village_sql(village)],
    )?;
    Ok(())
}

fn lineages(conn: &Connection, village: VillageCode) -> rusqlite::Result<Vec<Lineage>> {
    conn.prepare_cached("SELECT began, last, incarnation FROM lineage WHERE village = ?1")?
        .query_map([village_sql(village)], |row| {
            Ok(Lineage { began: count(row, 0)?, last: count(row, 1)?, incarnation: row.get(2)? })
        })?
        .collect()
}

fn forget_lineages(conn: &Connection, village: VillageCode) -> rusqlite::Result<()> {
    conn.prepare_cached("DELETE FROM lineage WHERE village = ?1")?
        .execute([village_sql(village)])?;
    Ok(())
}

fn histories(conn: &Connection, village: VillageCode) -> rusqlite::Result<Vec<History>> {
    conn.prepare_cached(
        "SELECT began_ms, last_ms, log, epoch, seq, chain FROM stick_history WHERE village = ?1",
    )?
    .query_map([village_sql(village)], |row| {
        let log_id = LogId::from_slice(row.get_ref(2)?.as_blob()?);
        let chain = ChainTag::from_slice(row.get_ref(5)?.as_blob()?);
        let (epoch, seq) = (Epoch(row.get(3)?), Seq(count(row, 4)?));
        let tip = log_id.zip(chain).filter(|_| epoch != Epoch(0));
        let tip = tip.map(|(log_id, chain)| Position { log_id, epoch, seq, chain });
        Ok(History { began_ms: row.get(0)?, last_ms: row.get(1)?, tip })
    })?
    .collect()
}

fn forget_histories(conn: &Connection, village: VillageCode) -> rusqlite::Result<()> {
    conn.prepare_cached("DELETE FROM stick_history WHERE village = ?1")?
        .execute([village_sql(village)])?;
    Ok(())
}

fn keep_histories(
    conn: &Connection,
    village: VillageCode,
    histories: &[History],
) -> rusqlite::Result<()> {
    forget_histories(conn, village)?;
    for History { began_ms, last_ms, tip } in histories {
        let (log, epoch, seq, chain) = tip.map_or((Vec::new(), 0, 0, Vec::new()), |tip| {
            (tip.log_id.0.to_vec(), tip.epoch.0, tip.seq.0, tip.chain.0.to_vec())
        });
        conn.prepare_cached(
            "INSERT INTO stick_history (village, began_ms, last_ms, log, epoch, seq, chain)
             VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)",
        )?
        .execute((
            village_sql(village),
            began_ms,
            last_ms,
            log,
            epoch,
            seq.cast_signed(),
            chain,
        ))?;
    }
    Ok(())
}

impl Recovery for SqliteDataset {
    fn marks(&self, village: VillageCode) -> Result<Vec<Position>, DatasetError> {
        let trail = self.read(|conn| Ok(branch::trail(conn, village)?))?;
        Ok(trail.map_or_else(Vec::new, |trail| trail.newest_first()))
    }

    fn passed(
        &self,
        village: VillageCode,
        ends: (Seq, Seq),
    ) -> Result<Vec<Position>, DatasetError> {
        self.read(|conn| {
            let standing = Standing::load(conn, village)?;
            let stored = standing.and_then(|standing| standing.position);
            let passed = stored.map(|stored| chains::between(conn, village, stored, ends));
            Ok(passed.transpose()?.unwrap_or_default())
        })
    }

    fn branch_off(
        &self,
        village: VillageCode,
        position: Position,
        told: Told<'_>,
        now_ms: i64,
    ) -> Result<u64, DatasetError> {
        self.told(village, told, now_ms, |merge| merge.branch_off(village, position))
    }

    fn begin_log(
        &self,
        village: VillageCode,
        origin: Position,
        told: Told<'_>,
        now_ms: i64,
    ) -> Result<u64, DatasetError> {
        self.told(village, told, now_ms, |merge| {
            let leftovers = merge.resume_at(village, origin)?;
            forget_lineages(merge.conn, village)?;
            forget_histories(merge.conn, village)?;
            Ok(leftovers)
        })
    }

    fn undelivered(
        &self,
        scope: &Scope,
        village: VillageCode,
        after: Option<After>,
        limit: u32,
    ) -> Result<Vec<SetAside>, DatasetError> {
        if !scope.holds(village) {
            return Ok(Vec::new());
        }
        self.read(|conn| Ok(branch::undelivered(conn, village, after, limit)?))
    }

    fn delivered(
        &self,
        village: VillageCode,
        receipt: &[Delivered],
        now_ms: i64,
    ) -> Result<u64, DatasetError> {
        self.writer().transact(now_ms, |merge| merge.delivered(village, receipt))
    }

    fn delivered_at(
        &self,
        village: VillageCode,
        at: &Position,
        receipt: &[Delivered],
        now_ms: i64,
    ) -> Result<bool, DatasetError> {
        self.writer().transact(now_ms, |merge| {
            let stands = merge.stands_at(village, at)?;
            if stands {
                merge.delivered(village, receipt)?;
            }
            Ok(stands)
        })
    }

    fn judge_waiting(
        &self,
        village: VillageCode,
        at: &Position,
        now_ms: i64,
    ) -> Result<u64, DatasetError> {
        self.writer().transact(now_ms, |merge| merge.judge_waiting(village, at))
    }

    fn handed_back(&self, village: VillageCode) -> Result<HandedBack, DatasetError> {
        self.read(|conn| Ok(branch::handed_back(conn, village)?))
    }

    fn branch(
        &self,
        scope: &Scope,
        village: VillageCode,
        limit: u32,
    ) -> Result<Vec<SetAside>, DatasetError> {
        if !scope.holds(village) {
            return Ok(Vec::new());
        }
        self.read(|conn| Ok(branch::list(conn, village, limit)?))
    }

    fn leftovers(&self, village: VillageCode) -> Result<BTreeMap<KindCode, u64>, DatasetError> {
        self.read(|conn| {
            let mut kinds = BTreeMap::new();
            for table in Shelf::all() {
                let kind = table.kind().map(|kind| kind.code().0.to_string());
                let sql = format!(
                    "SELECT {} AS kind, count(*) FROM {} WHERE village = ?1 AND epoch = 0
                     GROUP BY kind",
                    kind.as_deref().unwrap_or("kind"),
                    table.table()
                );
                let mut statement = conn.prepare_cached(&sql)?;
                let mut rows = statement.query([village_sql(village)])?;
                while let Some(row) = rows.next()? {
                    *kinds.entry(kind_code(row, 0)?).or_default() += count(row, 1)?;
                }
            }
            Ok(kinds)
        })
    }

    fn stay_behind(&self, village: VillageCode) -> Result<BTreeSet<RecordId>, DatasetError> {
        self.read(|conn| Ok(leftover::stay_behind(conn, village)?))
    }

    fn return_leftovers(
        &self,
        village: VillageCode,
        told: Told<'_>,
        now_ms: i64,
    ) -> Result<u64, DatasetError> {
        self.told(village, told, now_ms, |merge| {
            decided(merge.conn, village)?;
            merge.return_leftovers(village)
        })
    }

    fn forget_leftovers(
        &self,
        village: VillageCode,
        told: Told<'_>,
        now_ms: i64,
    ) -> Result<u64, DatasetError> {
        self.told(village, told, now_ms, |merge| {
            decided(merge.conn, village)?;
            merge.forget_leftovers(village)
        })
    }

    fn next_visit(&self, village: VillageCode, now_ms: i64) -> Result<u64, DatasetError> {
        let lineages = self.read(|conn| Ok(lineages(conn, village)?))?;
        Ok(lineage::next_visit(&lineages, now_ms))
    }

    fn visited(
        &self,
        village: VillageCode,
        visit: u64,
        shown: u64,
        incarnation: &[u8],
    ) -> Result<Meeting, DatasetError> {
        self.change(|conn| {
            let mut all = lineages(conn, village)?;
            let meeting = lineage::meet(&mut all, visit, shown, incarnation);
            forget_lineages(conn, village)?;
            for lineage in &all {
                conn.prepare_cached(
                    "INSERT INTO lineage (village, began, last, incarnation)
                     VALUES (?1, ?2, ?3, ?4)",
                )?
                .execute((
                    village_sql(village),
                    lineage.began.cast_signed(),
                    lineage.last.cast_signed(),
                    &lineage.incarnation,
                ))?;
            }
            Ok(meeting)
        })
    }

    fn turned(
        &self,
        village: VillageCode,
        left: (Position, i64),
        now_ms: i64,
        holds: &dyn Fn(&Position) -> bool,
    ) -> Result<Turn, DatasetError> {
        self.change(|conn| {
            let mut all = histories(conn, village)?;
            let turn = turns::turn(&mut all, left, now_ms, holds);
            if turn == Turn::Back {
                keep_histories(conn, village, &all)?;
            }
            Ok(turn)
        })
    }

    fn stop_twin(
        &self,
        village: VillageCode,
        incident: &NewIncident,
        now_ms: i64,
    ) -> Result<(), DatasetError> {
        self.change(|conn| {
            let stopped = conn.execute(
                "UPDATE village SET twin_ms = ?2 WHERE village = ?1 AND twin_ms = 0",
                (village_sql(village), now_ms.max(1)),
            )?;
            if stopped > 0 {
                incidents::note(conn, village, incident, now_ms)?;
            }
            Ok(())
        })
    }

    fn resolve_twin(
        &self,
        village: VillageCode,
        incident: &NewIncident,
        now_ms: i64,
    ) -> Result<bool, DatasetError> {
        self.change(|conn| {
            let resolved = conn.execute(
                "UPDATE village SET twin_ms = 0, trouble = '' WHERE village = ?1 AND twin_ms <> 0",
                [village_sql(village)],
            )?;
            if resolved > 0 {
                forget_lineages(conn, village)?;
                forget_histories(conn, village)?;
                decided(conn, village)?;
                incidents::note(conn, village, incident, now_ms)?;
            }
            Ok(resolved > 0)
        })
    }
}
