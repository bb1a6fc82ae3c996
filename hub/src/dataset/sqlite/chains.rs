//! The chain where each of the newest saves of a village ends: after which of
//! them exactly two histories parted.
//!
//! The trail has a mark for each merge, and few far back; between two of them a
//! log may have parted after any save. What was changed there before an older
//! disk was put back would look changed on both sides. With the chains in
//! between the hub asks the node for the very save. Within one histories don't
//! part: so what a first pull brings, saved by the thousand, costs next to
//! nothing here.
//!
//! A large batch becomes one row; a small one goes to the end of the last row.
//! Old rows go once newer ones hold [`SAVES_KEPT`], and with a step back what
//! lies beyond it: only the present branch is here.

use lumbung_domain::region::VillageCode;
use lumbung_ledger::{ChainTag, Position, Seq};
use rusqlite::{Connection, OptionalExtension as _};

use super::upsert::village_sql;
use super::village::{Standing, count};

/// Saves whose end is kept at least, and twice so many at most: 100 to 200 KB for
/// a village. At fifty a day they reach back a quarter of a year; what parted
/// before is known by marks.
pub(super) const SAVES_KEPT: usize = 4_096;

/// A row takes further ends while it has no more than so many; it is written
/// whole with each.
const ROW_SAVES: usize = 64;

const END_BYTES: usize = 8 + 16;

/// One row.
struct Row {
    first: Seq,
    tags: Vec<u8>,
}

impl Row {
    fn len(&self) -> usize {
        self.tags.len() / END_BYTES
    }

    fn last(&self) -> Option<Seq> {
        read(&self.tags).last().map(|(seq, _)| seq)
    }
}

/// What a row holds, in order.
fn read(tags: &[u8]) -> impl Iterator<Item = (Seq, ChainTag)> {
    tags.chunks_exact(END_BYTES).filter_map(|end| {
        let (seq, chain) = end.split_first_chunk()?;
        Some((Seq(u64::from_le_bytes(*seq)), ChainTag::from_slice(chain)?))
    })
}

/// Keeps where saves ended that were merged; what was kept of a branch that was
/// left since goes.
pub(super) fn note(conn: &Connection, standing: &Standing) -> rusqlite::Result<()> {
    let Standing { village, valid_to, walked, .. } = standing;
    let before = cut(conn, *village, *valid_to)?;
    let Some((first, _)) = walked.first() else { return Ok(()) };
    let tags =
        walked.iter().flat_map(|(seq, chain)| seq.0.to_le_bytes().into_iter().chain(chain.0));
    match before {
        Some(mut row) if row.len() + walked.len() <= ROW_SAVES => {
            row.tags.extend(tags);
            write(conn, *village, &row)
        }
        _ => {
            write(conn, *village, &Row { first: *first, tags: tags.collect() })?;
            forget(conn, *village)
        }
    }
}

/// The positions where saves ended, beyond the first and before the second of
/// `ends`, in order; of the village that stands at `stored`.
pub(super) fn between(
    conn: &Connection,
    village: VillageCode,
    stored: Position,
    (after, before): (Seq, Seq),
) -> rusqlite::Result<Vec<Position>> {
    let mut rows = conn.prepare_cached(
        "SELECT tags FROM chain WHERE village = ?1 AND first < ?2 ORDER BY first",
    )?;
    let mut known = Vec::new();
    let mut rows = rows.query((village_sql(village), sql(before)))?;
    while let Some(row) = rows.next()? {
        let ends = read(row.get_ref(0)?.as_blob()?);
        let ends = ends.filter(|(seq, _)| *seq > after && *seq < before);
        known.extend(ends.map(|(seq, chain)| Position { seq, chain, ..stored }));
    }
    Ok(known)
}

/// Takes away what is kept beyond `valid_to`; gives the last row that stays.
fn cut(conn: &Connection, village: VillageCode, valid_to: Seq) -> rusqlite::Result<Option<Row>> {
    let beyond = "DELETE FROM chain WHERE village = ?1 AND first > ?2";
    conn.prepare_cached(beyond)?.execute((village_sql(village), sql(valid_to)))?;
    let last = conn
        .prepare_cached(
            "SELECT first, tags FROM chain WHERE village = ?1 ORDER BY first DESC LIMIT 1",
        )?
        .query_row([village_sql(village)], |row| {
            Ok(Row { first: Seq(count(row, 0)?), tags: row.get(1)? })
        })
        .optional()?;
    let Some(mut row) = last else { return Ok(None) };
    if row.last() > Some(valid_to) {
        let kept = read(&row.tags).take_while(|(seq, _)| *seq <= valid_to).count();
        row.tags.truncate(kept * END_BYTES);
        write(conn, village, &row)?;
    }
    Ok(Some(row))
}

fn write(conn: &Connection, village: VillageCode, row: &Row) -> rusqlite::Result<()> {
    conn.prepare_cached(
        "INSERT INTO chain (village, first, tags) VALUES (?1, ?2, ?3)
         ON CONFLICT (village, first) DO UPDATE SET tags = excluded.tags",
    )?
    .execute((village_sql(village), sql(row.first), &row.tags))?;
    Ok(())
}

/// Takes away the rows before those that hold the newest saves.
fn forget(conn: &Connection, village: VillageCode) -> rusqlite::Result<()> {
    let mut rows = conn.prepare_cached(
        "SELECT first, length(tags) FROM chain WHERE village = ?1 ORDER BY first DESC",
    )?;
    let mut rows = rows.query([village_sql(village)])?;
    let mut held = 0;
    while let Some(row) = rows.next()? {
        held += count(row, 1)? / END_BYTES as u64;
        if held >= SAVES_KEPT as u64 {
            let oldest: i64 = row.get(0)?;
            let before = "DELETE FROM chain WHERE village = ?1 AND first < ?2";
            conn.prepare_cached(before)?.execute((village_sql(village), oldest))?;
            break;
        }
    }
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
    use crate::dataset::Dataset as _;
    use crate::dataset::sqlite::SqliteDataset;

    fn tag(branch: u8, seq: u64) -> ChainTag {
        let mut tag = [branch; 16];
        tag[..8].copy_from_slice(&seq.to_le_bytes());
        ChainTag(tag)
    }

    /// Merges of so many saves, of a few entries each, on a log that steps back
    /// so often.
    fn steps() -> impl Strategy<Value = Vec<(usize, usize)>> {
        let walked = prop_oneof![6 => 1_usize..4, 2 => 4_usize..300, 1 => 3_000_usize..9_000];
        let back = prop_oneof![4 => Just(0), 1 => 1_usize..500];
        proptest::collection::vec((back, walked), 1..60)
    }

    proptest! {
        #![proptest_config(ProptestConfig { cases: 48, ..ProptestConfig::default() })]
        #[test]
        fn the_newest_saves_of_the_present_branch_are_known(steps in steps()) {
            let dir = tempfile::tempdir().unwrap();
            let villages = [3_505_012_001, 3_505_012_002];
            let [village, other] = villages.map(|code| VillageCode::from_u64(code).unwrap());
            let file = dir.path().join("hub.db");
            let dataset = SqliteDataset::open(&file).unwrap();
            for village in [village, other] {
                dataset.register(village, "").unwrap();
            }
            drop(dataset);
            let conn = Connection::open(&file).unwrap();
            let mut standing = Standing::load(&conn, village).unwrap().unwrap();
            let mut beside = Standing::load(&conn, other).unwrap().unwrap();
            let mut log: Vec<(Seq, ChainTag)> = Vec::new();
            let origin = Position::origin(LogId([7; 16]));
            // How many saves up to the head are surely known: a step back
            // brings nothing back that was forgotten.
            let mut surely = 0_usize;
            for (branch, (back, saves)) in (0_u8..).zip(steps) {
                log.truncate(log.len() - back.min(log.len()));
                surely = (surely.saturating_sub(back) + saves).min(SAVES_KEPT);
                let begun = log.last().map_or(0, |(seq, _)| seq.0);
                let ends = (1..=saves as u64).map(|nth| begun + 3 * nth - nth % 2);
                let walked: Vec<_> = ends.map(|seq| (Seq(seq), tag(branch, seq))).collect();
                for standing in [&mut standing, &mut beside] {
                    standing.valid_to = Seq(begun);
                    standing.walked.clear();
                    standing.walk(&walked);
                    note(&conn, standing).unwrap();
                }
                log.extend(&walked);
                let stored = Position { epoch: Epoch(3), ..origin };
                let at = |(seq, chain): &(Seq, ChainTag)| Position { seq: *seq, chain: *chain, ..stored };
                let known = between(&conn, village, stored, (Seq::ZERO, Seq(u64::MAX))).unwrap();
                prop_assert!(known.len() >= surely, "{} of {surely}", known.len());
                prop_assert!(known.len() <= 2 * SAVES_KEPT + ROW_SAVES, "{}", known.len());
                let newest: Vec<_> = log[log.len() - known.len()..].iter().map(at).collect();
                prop_assert_eq!(&known, &newest);
                let (half, last) = (known[known.len() / 2], known[known.len() - 1]);
                let few = between(&conn, village, stored, (half.seq, last.seq)).unwrap();
                let inside = |at: &&Position| at.seq > half.seq && at.seq < last.seq;
                prop_assert_eq!(few, known.iter().filter(inside).copied().collect::<Vec<_>>());
            }
        }
    }
}
