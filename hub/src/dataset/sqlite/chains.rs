//! The chain after each of the newest entries of a village: where exactly two
//! histories parted.
//!
//! The trail has a mark for each merge, and few far back; between two of them a
//! log may have parted at any entry. What was changed there before an older
//! disk was put back would look changed on both sides. With the chain after
//! every entry in between the hub asks the node for the very entry.
//!
//! A large batch becomes one row; a small one goes to the end of the last row.
//! Rows wholly beyond the newest [`ENTRIES_KEPT`] entries go, and with a step
//! back what lies beyond it: only the present branch is here.

use lumbung_domain::region::VillageCode;
use lumbung_ledger::{ChainTag, Position, Seq};
use rusqlite::{Connection, OptionalExtension as _};

use super::upsert::village_sql;
use super::village::count;

/// Entries whose chain is kept: 64 KiB for a village. At fifty changes a day
/// that reaches back a quarter of a year; what parted before is known by marks.
pub(super) const ENTRIES_KEPT: usize = 4_096;

/// A row takes further chains while it has no more than so many; it is written
/// whole with each.
const ROW_ENTRIES: usize = 64;

const TAG_BYTES: usize = 16;

/// One row.
struct Run {
    first: Seq,
    tags: Vec<u8>,
}

impl Run {
    fn len(&self) -> usize {
        self.tags.len() / TAG_BYTES
    }

    /// The entry after its last one.
    fn end(&self) -> Seq {
        Seq(self.first.0.saturating_add(self.len() as u64))
    }
}

/// The village stands at `position`; the last entries up to there have the
/// chains `walked`. Whatever was kept beyond the first of them is of a branch
/// that was left.
pub(super) fn note(
    conn: &Connection,
    village: VillageCode,
    position: Position,
    walked: &[ChainTag],
) -> rusqlite::Result<()> {
    let walked = &walked[walked.len().saturating_sub(ENTRIES_KEPT)..];
    let first = Seq(position.seq.next().0.saturating_sub(walked.len() as u64));
    let before = cut(conn, village, first)?;
    let tags = walked.iter().flat_map(|tag| tag.0);
    match before {
        _ if walked.is_empty() => Ok(()),
        Some(mut run) if run.end() == first && run.len() + walked.len() <= ROW_ENTRIES => {
            run.tags.extend(tags);
            write(conn, village, &run)
        }
        _ => {
            write(conn, village, &Run { first, tags: tags.collect() })?;
            forget(conn, village, position.seq)
        }
    }
}

/// The positions after the entries beyond `after` and before `before` whose
/// chain is known, in order; of the village that stands at `stored`.
pub(super) fn between(
    conn: &Connection,
    village: VillageCode,
    stored: Position,
    (after, before): (Seq, Seq),
) -> rusqlite::Result<Vec<Position>> {
    let mut rows = conn.prepare_cached(
        "SELECT first, tags FROM chain WHERE village = ?1 AND first < ?2 ORDER BY first",
    )?;
    let mut known = Vec::new();
    let mut rows = rows.query((village_sql(village), sql(before)))?;
    while let Some(row) = rows.next()? {
        let first = count(row, 0)?;
        let tags = row.get_ref(1)?.as_blob()?.chunks_exact(TAG_BYTES);
        let at = (first..).map(Seq).zip(tags.filter_map(ChainTag::from_slice));
        let at = at.filter(|(seq, _)| *seq > after && *seq < before);
        known.extend(at.map(|(seq, chain)| Position { seq, chain, ..stored }));
    }
    Ok(known)
}

/// Takes away what is kept from entry `from` on; gives the last row before it.
fn cut(conn: &Connection, village: VillageCode, from: Seq) -> rusqlite::Result<Option<Run>> {
    let beyond = "DELETE FROM chain WHERE village = ?1 AND first >= ?2";
    conn.prepare_cached(beyond)?.execute((village_sql(village), sql(from)))?;
    let last = conn
        .prepare_cached(
            "SELECT first, tags FROM chain WHERE village = ?1 ORDER BY first DESC LIMIT 1",
        )?
        .query_row([village_sql(village)], |row| {
            Ok(Run { first: Seq(count(row, 0)?), tags: row.get(1)? })
        })
        .optional()?;
    let Some(mut run) = last else { return Ok(None) };
    if run.end() > from {
        let kept = usize::try_from(from.since(run.first)).unwrap_or(usize::MAX);
        run.tags.truncate(kept.saturating_mul(TAG_BYTES));
        write(conn, village, &run)?;
    }
    Ok(Some(run))
}

fn write(conn: &Connection, village: VillageCode, run: &Run) -> rusqlite::Result<()> {
    conn.prepare_cached(
        "INSERT INTO chain (village, first, tags) VALUES (?1, ?2, ?3)
         ON CONFLICT (village, first) DO UPDATE SET tags = excluded.tags",
    )?
    .execute((village_sql(village), sql(run.first), &run.tags))?;
    Ok(())
}

/// Takes away the rows that end before the newest entries up to `head`.
fn forget(conn: &Connection, village: VillageCode, head: Seq) -> rusqlite::Result<()> {
    let oldest = Seq(head.next().0.saturating_sub(ENTRIES_KEPT as u64));
    conn.prepare_cached(
        "DELETE FROM chain WHERE village = ?1 AND first < (
           SELECT max(first) FROM chain WHERE village = ?1 AND first <= ?2)",
    )?
    .execute((village_sql(village), sql(oldest)))?;
    Ok(())
}

fn sql(seq: Seq) -> i64 {
    i64::try_from(seq.0).unwrap_or(i64::MAX)
}

#[cfg(test)]
mod tests {
    use lumbung_ledger::{Epoch, LogId};
    use proptest::prelude::*;

    use super::*;

    fn tag(branch: u8, seq: u64) -> ChainTag {
        let mut tag = [branch; 16];
        tag[..8].copy_from_slice(&seq.to_le_bytes());
        ChainTag(tag)
    }

    /// Merges that walk so many entries, on a log that steps back so often.
    fn steps() -> impl Strategy<Value = Vec<(usize, usize)>> {
        let walked = prop_oneof![6 => 1_usize..4, 2 => 4_usize..300, 1 => 3_000_usize..9_000];
        let back = prop_oneof![4 => Just(0), 1 => 1_usize..500];
        proptest::collection::vec((back, walked), 1..60)
    }

    proptest! {
        #![proptest_config(ProptestConfig { cases: 48, ..ProptestConfig::default() })]
        #[test]
        fn the_newest_entries_of_the_present_branch_are_known(steps in steps()) {
            let conn = Connection::open_in_memory().unwrap();
            conn.execute_batch(include_str!("schema_v21.sql")).unwrap();
            let village = VillageCode::from_u64(3_505_012_001).unwrap();
            let other = VillageCode::from_u64(3_505_012_002).unwrap();
            let mut log: Vec<ChainTag> = Vec::new();
            let origin = Position::origin(LogId([7; 16]));
            // How many entries up to the head are surely known: a step back
            // brings nothing back that was forgotten.
            let mut surely = 0;
            for (branch, (back, walked)) in (0_u8..).zip(steps) {
                let back = back.min(log.len());
                log.truncate(log.len() - back);
                surely = (surely + walked).saturating_sub(back).min(ENTRIES_KEPT).max(walked.min(ENTRIES_KEPT));
                let from = log.len() as u64;
                log.extend((from + 1..=from + walked as u64).map(|seq| tag(branch, seq)));
                let at = |seq: u64| Position {
                    epoch: Epoch(3),
                    seq: Seq(seq),
                    chain: log[seq as usize - 1],
                    ..origin
                };
                let head = at(log.len() as u64);
                note(&conn, village, head, &log[from as usize..]).unwrap();
                note(&conn, other, head, &log[from as usize..]).unwrap();
                let known = between(&conn, village, head, (Seq::ZERO, head.seq.next())).unwrap();
                prop_assert!(known.len() >= surely, "{} of {surely}", known.len());
                prop_assert!(known.len() <= ENTRIES_KEPT + 9_000, "{}", known.len());
                for (known, seq) in known.iter().rev().zip((1..=log.len() as u64).rev()) {
                    prop_assert_eq!(*known, at(seq));
                }
                let few = between(&conn, village, head, (Seq(head.seq.0 / 2), head.seq)).unwrap();
                let inside = |at: &&Position| at.seq.0 > head.seq.0 / 2 && at.seq < head.seq;
                prop_assert_eq!(few, known.iter().filter(inside).copied().collect::<Vec<_>>());
            }
        }
    }
}
