//! A bundle that the hub has gone beyond: is it of the history that was merged?
//!
//! Two machines that came of one disk write different entries under the same
//! numbers. The one that wrote less shows it only here.

use std::collections::BTreeMap;

use lumbung_domain::id::RecordId;
use lumbung_ledger::{ChainTag, Position, Seq};
use lumbung_media::Bundle;

use super::Refused;
use super::walk;
use crate::dataset::{HubsOwn, RecordFilter};

/// Rows read at once.
const TOGETHER: u32 = 1_000;

/// An entry of a bundle that proves itself; the hub has everything up to
/// `stored`. `Some` names an entry that is another one there: by the chain
/// where the hub once stood, or by the row that it wrote. A bundle from before
/// the log was restarted may hold what was lost then, and says nothing.
pub(super) fn parted(
    bundle: &Bundle,
    stored: Option<Position>,
    dataset: &dyn HubsOwn,
) -> Result<Option<Seq>, Refused> {
    let mut entries: BTreeMap<Seq, (RecordId, ChainTag)> = BTreeMap::new();
    walk::walk(bundle, |entry, _, chain| {
        entries.insert(entry.header.seq, (entry.header.id, chain));
    })?;
    let village = bundle.village;
    let Some(stored) = stored.filter(|stored| stored.epoch == bundle.to.epoch) else {
        return Ok(None);
    };
    let stood = walk::stood(village, dataset)?;
    let off = |at: &&Position| entries.get(&at.seq).is_some_and(|(_, chain)| *chain != at.chain);
    if let Some(at) = stood.iter().filter(off).min_by_key(|at| at.seq) {
        return Ok(Some(at.seq));
    }
    let mut after = None;
    loop {
        let scope = dataset.whole().village(village);
        let rows = dataset.records(&RecordFilter { scope, kind: None, after, limit: TOGETHER })?;
        let Some(last) = rows.last() else { return Ok(None) };
        after = Some((village, last.id));
        for row in rows.iter().filter(|row| row.epoch == stored.epoch) {
            if entries.get(&row.seq).is_some_and(|(id, _)| *id != row.id) {
                return Ok(Some(row.seq));
            }
        }
    }
}
