//! What villages witnessed of the audit log.

use lumbung_domain::region::VillageCode;
use rusqlite::{OptionalExtension as _, Row as SqlRow};

use super::SqliteDataset;
use super::upsert::village_sql;
use super::village::{count, village_code};
use crate::access::audit::AuditHead;
use crate::access::witness::{Doubt, Doubted, Witness, Witnesses};
use crate::dataset::DatasetError;

/// What a witness is read from, by [`witness`].
const WITNESS: &str = "SELECT village, seq, hash, at_ms, doubt, doubt_seq, doubt_hash, shown_seq,
                              shown_hash
                       FROM audit_witness";

fn head(row: &SqlRow<'_>, at: usize) -> rusqlite::Result<AuditHead> {
    Ok(AuditHead { seq: count(row, at)?, hash: row.get(at + 1)? })
}

fn witness(row: &SqlRow<'_>) -> rusqlite::Result<Witness> {
    let doubt = Doubt::from_number(row.get(4)?);
    let doubted = match doubt {
        Some(doubt) => Some(Doubted { doubt, held: head(row, 5)?, shown: head(row, 7)? }),
        None => None,
    };
    Ok(Witness { village: village_code(row, 0)?, held: head(row, 1)?, at_ms: row.get(3)?, doubted })
}

impl Witnesses for SqliteDataset {
    fn witness(&self, village: VillageCode) -> Result<Option<Witness>, DatasetError> {
        self.read(|conn| {
            let mut statement = conn.prepare_cached(&format!("{WITNESS} WHERE village = ?1"))?;
            Ok(statement.query_row([village_sql(village)], witness).optional()?)
        })
    }

    fn witnesses(&self) -> Result<Vec<Witness>, DatasetError> {
        self.read(|conn| {
            let mut statement = conn.prepare_cached(&format!("{WITNESS} ORDER BY village"))?;
            let found = statement.query_map([], witness)?;
            Ok(found.collect::<Result<_, _>>()?)
        })
    }

    fn keep_witness(&self, witness: &Witness) -> Result<(), DatasetError> {
        let none = AuditHead { seq: 0, hash: [0; 32] };
        let (doubt, held, shown) = match &witness.doubted {
            Some(doubted) => (doubted.doubt.number(), doubted.held, doubted.shown),
            None => (0, none, none),
        };
        self.writer().conn.execute(
            "INSERT INTO audit_witness (village, seq, hash, at_ms, doubt, doubt_seq, doubt_hash,
                                        shown_seq, shown_hash)
             VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9)
             ON CONFLICT (village) DO UPDATE SET
               seq = excluded.seq, hash = excluded.hash, at_ms = excluded.at_ms,
               doubt = excluded.doubt, doubt_seq = excluded.doubt_seq,
               doubt_hash = excluded.doubt_hash, shown_seq = excluded.shown_seq,
               shown_hash = excluded.shown_hash",
            (
                village_sql(witness.village),
                witness.held.seq.cast_signed(),
                witness.held.hash,
                witness.at_ms,
                doubt,
                held.seq.cast_signed(),
                held.hash,
                shown.seq.cast_signed(),
                shown.hash,
            ),
        )?;
        Ok(())
    }
}
