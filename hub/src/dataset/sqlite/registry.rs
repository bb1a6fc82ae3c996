//! Tokens and keys in the same file as the rows they let in.

use std::collections::{BTreeSet, HashMap};

use lumbung_domain::region::VillageCode;
use lumbung_identity::PublicKey;
use rusqlite::{Connection, OptionalExtension as _, Row as SqlRow, TransactionBehavior};

use super::SqliteDataset;
use super::upsert::village_sql;
use super::village::{self, village_code};
use crate::dataset::DatasetError;
use crate::registry::{
    LinkState, Machine, NodeKey, Redemption, Registry, TokenRefused, TokenState,
};

impl Registry for SqliteDataset {
    fn add_token(
        &self,
        secret_hash: [u8; 32],
        village: VillageCode,
        replaces: bool,
        made_ms: i64,
        expires_ms: i64,
    ) -> Result<i64, DatasetError> {
        let writer = self.writer();
        writer.conn.execute(
            "INSERT INTO join_token (secret_hash, village, replaces, made_ms, expires_ms)
             VALUES (?1, ?2, ?3, ?4, ?5)",
            (secret_hash, village_sql(village), replaces, made_ms, expires_ms),
        )?;
        Ok(writer.conn.last_insert_rowid())
    }

    fn tokens(&self) -> Result<Vec<TokenState>, DatasetError> {
        self.read(|conn| {
            let mut statement = conn.prepare_cached(
                "SELECT number, village, replaces, made_ms, expires_ms, used_ms
                 FROM join_token ORDER BY number DESC",
            )?;
            let tokens = statement.query_map([], |row| {
                Ok(TokenState {
                    number: row.get(0)?,
                    village: village_code(row, 1)?,
                    replaces: row.get(2)?,
                    made_ms: row.get(3)?,
                    expires_ms: row.get(4)?,
                    used_ms: row.get(5)?,
                })
            })?;
            Ok(tokens.collect::<Result<_, _>>()?)
        })
    }

    fn cancel_token(&self, number: i64) -> Result<bool, DatasetError> {
        let cancelled = self
            .writer()
            .conn
            .execute("DELETE FROM join_token WHERE number = ?1 AND used_ms IS NULL", [number])?;
        Ok(cancelled > 0)
    }

    fn redeem(
        &self,
        redemption: &Redemption,
        now_ms: i64,
    ) -> Result<Result<(), TokenRefused>, DatasetError> {
        let mut writer = self.writer();
        let tx = writer.conn.transaction_with_behavior(TransactionBehavior::Immediate)?;
        let outcome = redeem(&tx, redemption, now_ms)?;
        if outcome.is_ok() {
            tx.commit()?;
        }
        Ok(outcome)
    }

    fn joined(&self) -> Result<BTreeSet<u64>, DatasetError> {
        self.read(|conn| {
            let mut statement = conn.prepare_cached("SELECT DISTINCT village FROM node_key")?;
            let joined = statement.query_map([], |row| Ok(village_code(row, 0)?.as_u64()))?;
            Ok(joined.collect::<Result<_, _>>()?)
        })
    }

    fn allowed_keys(&self) -> Result<Vec<NodeKey>, DatasetError> {
        self.read(|conn| {
            let mut statement = conn.prepare_cached(
                "SELECT village, key, since_ms, certified_until_ms, root, revoked_ms
                 FROM node_key WHERE revoked_ms IS NULL ORDER BY village",
            )?;
            let keys = statement.query_map([], node_key)?;
            Ok(keys.collect::<Result<_, _>>()?)
        })
    }

    fn node_key(
        &self,
        village: VillageCode,
        key: &PublicKey,
    ) -> Result<Option<NodeKey>, DatasetError> {
        self.read(|conn| {
            let mut statement = conn.prepare_cached(
                "SELECT village, key, since_ms, certified_until_ms, root, revoked_ms
                 FROM node_key WHERE village = ?1 AND key = ?2",
            )?;
            Ok(statement.query_row((village_sql(village), key.0), node_key).optional()?)
        })
    }

    fn note_certified(
        &self,
        village: VillageCode,
        key: &PublicKey,
        until_ms: i64,
        root: [u8; 16],
    ) -> Result<(), DatasetError> {
        self.writer().conn.execute(
            "UPDATE node_key SET certified_until_ms = ?3, root = ?4 WHERE village = ?1 AND key = ?2",
            (village_sql(village), key.0, until_ms, root),
        )?;
        Ok(())
    }

    fn revoke(&self, village: VillageCode, now_ms: i64) -> Result<bool, DatasetError> {
        let revoked = self.writer().conn.execute(
            "UPDATE node_key SET revoked_ms = ?2 WHERE village = ?1 AND revoked_ms IS NULL",
            (village_sql(village), now_ms),
        )?;
        Ok(revoked > 0)
    }

    fn note_link(
        &self,
        village: VillageCode,
        link: &LinkState,
        machine: Option<&Machine>,
    ) -> Result<(), DatasetError> {
        let mut writer = self.writer();
        let tx = writer.conn.transaction_with_behavior(TransactionBehavior::Immediate)?;
        tx.execute(
            "INSERT OR REPLACE INTO link (village, at_ms, clock_ahead_ms, spent_today_bytes,
               quiet_held_seconds, quiet_broke_seconds, tunnelled, round_trip_us)
             VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)",
            (
                village_sql(village),
                link.at_ms,
                link.clock_ahead_ms,
                link.spent_today_bytes.cast_signed(),
                link.quiet_held_seconds,
                link.quiet_broke_seconds,
                link.tunnelled,
                link.round_trip_us,
            ),
        )?;
        if let Some(machine) = machine {
            note_machine(&tx, village, machine)?;
        }
        tx.commit()?;
        Ok(())
    }

    fn link(&self, village: VillageCode) -> Result<Option<LinkState>, DatasetError> {
        self.read(|conn| {
            let mut statement = conn.prepare_cached(
                "SELECT at_ms, clock_ahead_ms, spent_today_bytes, quiet_held_seconds,
                        quiet_broke_seconds, tunnelled, round_trip_us
                 FROM link WHERE village = ?1",
            )?;
            let link = statement.query_row([village_sql(village)], |row| {
                Ok(LinkState {
                    at_ms: row.get(0)?,
                    clock_ahead_ms: row.get(1)?,
                    spent_today_bytes: village::count(row, 2)?,
                    quiet_held_seconds: row.get(3)?,
                    quiet_broke_seconds: row.get(4)?,
                    tunnelled: row.get(5)?,
                    round_trip_us: row.get(6)?,
                })
            });
            Ok(link.optional()?)
        })
    }

    fn budget(&self, village: VillageCode) -> Result<u64, DatasetError> {
        self.read(|conn| {
            let budget = conn
                .prepare_cached("SELECT budget_bytes FROM village WHERE village = ?1")?
                .query_row([village_sql(village)], |row| village::count(row, 0))
                .optional()?;
            Ok(budget.unwrap_or(0))
        })
    }

    fn set_budget(&self, village: VillageCode, bytes_a_day: u64) -> Result<(), DatasetError> {
        let changed = self.writer().conn.execute(
            "UPDATE village SET budget_bytes = ?2 WHERE village = ?1",
            (village_sql(village), bytes_a_day.cast_signed()),
        )?;
        if changed == 0 { Err(DatasetError::UnknownVillage(village)) } else { Ok(()) }
    }
}

/// Redeems inside a transaction; an inner error means that it must not be
/// committed.
fn redeem(
    tx: &Connection,
    redemption: &Redemption,
    now_ms: i64,
) -> rusqlite::Result<Result<(), TokenRefused>> {
    let Redemption { secret_hash, village, key, certified_until_ms, root } = redemption;
    let code = village_sql(*village);
    let token = tx
        .query_row(
            "SELECT number, replaces, expires_ms, used_key FROM join_token
             WHERE secret_hash = ?1 AND village = ?2",
            (secret_hash, code),
            |row| {
                let used: Option<[u8; 32]> = row.get(3)?;
                Ok((row.get::<_, i64>(0)?, row.get::<_, bool>(1)?, row.get::<_, i64>(2)?, used))
            },
        )
        .optional()?;
    let Some((number, replaces, expires_ms, used)) = token else {
        return Ok(Err(TokenRefused::Unknown));
    };
    let again = match used {
        Some(used) if used == key.0 => true,
        Some(_) => return Ok(Err(TokenRefused::Used)),
        None if now_ms > expires_ms => return Ok(Err(TokenRefused::Expired)),
        None => false,
    };
    if again {
        let revoked = tx
            .prepare(
                "SELECT 1 FROM node_key WHERE village = ?1 AND key = ?2 AND revoked_ms IS NULL",
            )?
            .exists((code, key.0))?;
        if !revoked {
            return Ok(Err(TokenRefused::Used));
        }
    }
    let others = tx
        .prepare("SELECT 1 FROM node_key WHERE village = ?1 AND key <> ?2 AND revoked_ms IS NULL")?
        .exists((code, key.0))?;
    if others && !replaces {
        return Ok(Err(TokenRefused::Occupied));
    }
    tx.execute(
        "UPDATE node_key SET revoked_ms = ?3
         WHERE village = ?1 AND key <> ?2 AND revoked_ms IS NULL",
        (code, key.0, now_ms),
    )?;
    tx.execute(
        "INSERT INTO node_key (village, key, since_ms, certified_until_ms, root)
         VALUES (?1, ?2, ?3, ?4, ?5)
         ON CONFLICT (village, key) DO UPDATE SET
           certified_until_ms = excluded.certified_until_ms, root = excluded.root,
           revoked_ms = NULL",
        (code, key.0, now_ms, certified_until_ms, root),
    )?;
    tx.execute(
        "UPDATE join_token SET used_ms = coalesce(used_ms, ?2), used_key = ?3 WHERE number = ?1",
        (number, now_ms, key.0),
    )?;
    tx.execute("INSERT OR IGNORE INTO village (village, address) VALUES (?1, '')", [code])?;
    if !again {
        // The machine there was nobody known, or is replaced.
        tx.execute("UPDATE village SET address = '' WHERE village = ?1", [code])?;
    }
    Ok(Ok(()))
}

fn node_key(row: &SqlRow<'_>) -> rusqlite::Result<NodeKey> {
    Ok(NodeKey {
        village: village_code(row, 0)?,
        key: PublicKey(row.get(1)?),
        since_ms: row.get(2)?,
        certified_until_ms: row.get(3)?,
        root: row.get(4)?,
        revoked_ms: row.get(5)?,
    })
}

/// How long unclean stops count as recent, milliseconds.
const RECENT_MS: i64 = 30 * crate::rhythm::DAY_MS;

/// Keeps what a node told of its computer. Its count of unclean stops is held
/// against what it was up to a month ago; a new computer counts anew.
fn note_machine(
    conn: &Connection,
    village: VillageCode,
    machine: &Machine,
) -> rusqlite::Result<()> {
    conn.prepare_cached(
        "INSERT INTO machine (village, at_ms, disk_free_bytes, store_bytes, unclean_stops,
           since_stops, since_ms, arch) VALUES (?1, ?2, ?3, ?4, ?5, ?5, ?2, ?6)
         ON CONFLICT (village) DO UPDATE SET
           since_stops = CASE WHEN ?2 - since_ms >= ?7 THEN min(unclean_stops, ?5)
                              ELSE min(since_stops, ?5) END,
           since_ms = CASE WHEN ?2 - since_ms >= ?7 THEN ?2 ELSE since_ms END,
           at_ms = ?2, disk_free_bytes = ?3, store_bytes = ?4, unclean_stops = ?5, arch = ?6",
    )?
    .execute((
        village_sql(village),
        machine.at_ms,
        machine.disk_free_bytes.map(u64::cast_signed),
        machine.store_bytes.cast_signed(),
        machine.unclean_stops,
        &machine.arch,
        RECENT_MS,
    ))?;
    Ok(())
}

/// What every node told of its computer last.
pub(super) fn machines(conn: &Connection) -> rusqlite::Result<HashMap<i64, Machine>> {
    conn.prepare_cached(
        "SELECT village, at_ms, disk_free_bytes, store_bytes, unclean_stops,
                unclean_stops - since_stops, since_ms, arch FROM machine",
    )?
    .query_map([], |row| {
        let free: Option<i64> = row.get(2)?;
        let machine = Machine {
            at_ms: row.get(1)?,
            disk_free_bytes: free.map(i64::cast_unsigned),
            store_bytes: village::count(row, 3)?,
            unclean_stops: row.get(4)?,
            recent_stops: row.get(5)?,
            counted_since_ms: row.get(6)?,
            arch: row.get(7)?,
        };
        Ok((row.get(0)?, machine))
    })?
    .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::dataset::Dataset;

    const DAY_MS: i64 = 86_400_000;

    fn village(code: u64) -> VillageCode {
        VillageCode::from_u64(code).unwrap()
    }

    fn dataset() -> (tempfile::TempDir, SqliteDataset) {
        let dir = tempfile::tempdir().unwrap();
        let dataset = SqliteDataset::open(dir.path().join("hub.db")).unwrap();
        (dir, dataset)
    }

    fn wish(secret: u8, code: u64, key: u8) -> Redemption {
        Redemption {
            secret_hash: [secret; 32],
            village: village(code),
            key: PublicKey([key; 32]),
            certified_until_ms: 45 * DAY_MS,
            root: [9; 16],
        }
    }

    #[test]
    fn a_token_is_worth_one_machine_of_its_own_village_in_its_time() {
        let (_dir, dataset) = dataset();
        let bakung = 3_505_012_001;
        dataset.add_token([1; 32], village(bakung), false, 0, 7 * DAY_MS).unwrap();
        let redeem = |wish, now| dataset.redeem(&wish, now).unwrap();
        assert_eq!(redeem(wish(2, bakung, 1), 1), Err(TokenRefused::Unknown));
        assert_eq!(redeem(wish(1, 3_505_012_002, 1), 1), Err(TokenRefused::Unknown));
        assert_eq!(redeem(wish(1, bakung, 1), 8 * DAY_MS), Err(TokenRefused::Expired));
        assert!(dataset.allowed_keys().unwrap().is_empty());
        assert_eq!(redeem(wish(1, bakung, 1), DAY_MS), Ok(()));
        assert_eq!(redeem(wish(1, bakung, 2), DAY_MS), Err(TokenRefused::Used));
        // Its answer was lost: the same machine asks again, even later.
        assert_eq!(redeem(wish(1, bakung, 1), 9 * DAY_MS), Ok(()));
        let keys = dataset.allowed_keys().unwrap();
        assert_eq!((keys.len(), keys[0].key, keys[0].since_ms), (1, PublicKey([1; 32]), DAY_MS));
        assert_eq!(dataset.village(village(bakung)).unwrap().address, "");
    }

    #[test]
    fn a_village_that_joins_comes_by_itself_until_an_operator_names_an_address_again() {
        let (_dir, dataset) = dataset();
        let bakung = village(3_505_012_001);
        dataset.register(bakung, "127.0.0.1:8701").unwrap();
        assert!(dataset.joined().unwrap().is_empty());
        dataset.add_token([1; 32], bakung, false, 0, DAY_MS).unwrap();
        let redeem = || dataset.redeem(&wish(1, bakung.as_u64(), 1), 1).unwrap();
        let address = || dataset.village(bakung).unwrap().address;
        assert_eq!((redeem(), address()), (Ok(()), String::new()));
        dataset.register(bakung, "10.1.2.3:8701").unwrap();
        // Its answer was lost, and it asks again.
        assert_eq!((redeem(), address().as_str()), (Ok(()), "10.1.2.3:8701"));
        dataset.revoke(bakung, 2).unwrap();
        assert!(dataset.joined().unwrap().contains(&bakung.as_u64()), "revoked is not unknown");
    }

    #[test]
    fn only_a_replacing_token_takes_a_villages_place_and_the_old_key_never_returns() {
        let (_dir, dataset) = dataset();
        let bakung = 3_505_012_001;
        for (secret, replaces) in [(1, false), (2, false), (3, true)] {
            dataset.add_token([secret; 32], village(bakung), replaces, 0, DAY_MS).unwrap();
        }
        let redeem = |wish, now| dataset.redeem(&wish, now).unwrap();
        assert_eq!(redeem(wish(1, bakung, 1), 1), Ok(()));
        assert_eq!(redeem(wish(2, bakung, 2), 2), Err(TokenRefused::Occupied));
        assert_eq!(redeem(wish(3, bakung, 2), 3), Ok(()));
        let old = dataset.node_key(village(bakung), &PublicKey([1; 32])).unwrap().unwrap();
        assert_eq!(old.revoked_ms, Some(3));
        assert_eq!(redeem(wish(1, bakung, 1), 4), Err(TokenRefused::Used));
        assert_eq!(dataset.allowed_keys().unwrap()[0].key, PublicKey([2; 32]));
        assert!(dataset.revoke(village(bakung), 5).unwrap());
        assert!(!dataset.revoke(village(bakung), 6).unwrap());
        assert_eq!(redeem(wish(3, bakung, 2), 7), Err(TokenRefused::Used));
        assert!(dataset.allowed_keys().unwrap().is_empty());
    }

    #[test]
    fn an_unused_token_can_be_cancelled_once() {
        let (_dir, dataset) = dataset();
        let number = dataset.add_token([1; 32], village(3_505_012_001), false, 0, DAY_MS).unwrap();
        assert!(dataset.cancel_token(number).unwrap());
        assert!(!dataset.cancel_token(number).unwrap());
        let refused = dataset.redeem(&wish(1, 3_505_012_001, 1), 1).unwrap();
        assert_eq!(refused, Err(TokenRefused::Unknown));
    }
}
