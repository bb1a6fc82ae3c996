//! What people at one village were promised, and whether it was kept.

use std::collections::BTreeMap;
use std::fmt;

use anyhow::{Context, ensure};
use bytes::Bytes;
use lumbung_domain::id::RecordId;
use lumbung_ledger::{Payload, Seq};
use lumbung_node::barn::{Barn, Receipt};

use crate::fold::Folded;

/// Content of a record; `None` = it ended.
pub type Content = Option<Bytes>;

/// What a record may hold.
#[derive(Clone, Default)]
struct Promise {
    /// The content last acknowledged, if any ever was.
    acknowledged: Option<Content>,
    /// Contents whose save got no answer since.
    unanswered: Vec<Content>,
    /// What it would be without the hub, which has to hand the acknowledged
    /// one back.
    without_hub: Vec<Content>,
    /// Somebody changed it after the disk had gone back.
    changed_since: bool,
    /// The content was acknowledged since the disk went back last: nothing that
    /// comes back may take its place.
    own: bool,
}

impl Promise {
    /// Other contents that the record may hold, each once.
    fn may_be(&mut self, contents: Vec<Content>) {
        for content in contents {
            if !self.unanswered.contains(&content) {
                self.unanswered.push(content);
            }
        }
    }
}

impl fmt::Debug for Promise {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let open: Vec<_> = self.unanswered.iter().map(told).collect();
        let acknowledged = self.acknowledged.as_ref().map(told);
        write!(f, "{acknowledged:?} as acknowledged nor one of {open:?}")
    }
}

/// A made-up content, short.
fn told(content: &Content) -> String {
    match content {
        None => "ended".to_owned(),
        Some(bytes) => String::from_utf8_lossy(bytes)
            .chars()
            .filter(|it| it.is_ascii_graphic() || *it == ' ')
            .take(20)
            .collect(),
    }
}

/// The promises of one village.
#[derive(Clone, Debug, Default)]
pub struct Book {
    promises: BTreeMap<RecordId, Promise>,
    /// Acknowledged entries by number.
    entries: BTreeMap<Seq, (RecordId, Content)>,
    /// Saves that were acknowledged.
    pub acknowledged: u64,
    /// Saves that got no answer.
    pub unanswered: u64,
    /// The disk went back.
    went_back: bool,
}

impl Book {
    /// Records that are certainly alive.
    #[must_use]
    pub fn living(&self) -> Vec<RecordId> {
        let alive = |promise: &Promise| {
            matches!(promise.acknowledged, Some(Some(_)))
                && promise.unanswered.iter().all(Option::is_some)
        };
        self.promises.iter().filter(|(_, promise)| alive(promise)).map(|(id, _)| *id).collect()
    }

    /// A save is about to be sent: it may or may not happen.
    pub fn sent(&mut self, changes: &[(RecordId, Content)]) {
        self.unanswered += 1;
        for (id, content) in changes {
            let promise = self.promises.entry(*id).or_default();
            promise.unanswered.push(content.clone());
            promise.changed_since |= self.went_back;
        }
    }

    /// Whether the record may have been changed on both sides of a disk that
    /// went back, so that people have to decide.
    #[must_use]
    pub fn may_conflict(&self, id: RecordId) -> bool {
        self.promises.get(&id).is_some_and(|promise| promise.changed_since)
    }

    /// The save just sent was acknowledged.
    ///
    /// # Errors
    /// When its numbers were promised to other entries before.
    pub fn acknowledged(
        &mut self,
        changes: &[(RecordId, Content)],
        receipt: Receipt,
    ) -> anyhow::Result<()> {
        self.unanswered -= 1;
        self.acknowledged += 1;
        for (id, content) in changes {
            let promise = self.promises.entry(*id).or_default();
            promise.acknowledged = Some(content.clone());
            promise.unanswered.clear();
            promise.without_hub.clear();
            promise.own = true;
        }
        if receipt.written == changes.len() as u64 {
            let first = receipt.last.0 + 1 - receipt.written;
            for (seq, change) in (first..).zip(changes) {
                let before = self.entries.insert(Seq(seq), change.clone());
                ensure!(before.is_none(), "entry {seq} was acknowledged twice");
            }
        }
        Ok(())
    }

    /// The village's disk goes back to when the log ended at `kept`. `older` was
    /// this book then or, when the disk went back to there before, right after
    /// that: a hub that has not heard of it hands back the same once more,
    /// whatever was saved and lost in between. What came after is lost but for
    /// what the hub has: `had` is its position on this log, and what its rows
    /// say. A batch may be on its way to it.
    pub fn go_back(
        &mut self,
        older: &Self,
        kept: Seq,
        had: Option<(Seq, &BTreeMap<RecordId, Bytes>)>,
    ) {
        self.went_back = true;
        let gone = self.entries.split_off(&kept.next());
        let mut later: BTreeMap<RecordId, Vec<(Seq, Content)>> = BTreeMap::new();
        for (seq, (id, content)) in gone {
            later.entry(id).or_default().push((seq, content));
        }
        for (id, promise) in &mut self.promises {
            let before = older.promises.get(id).cloned().unwrap_or_default();
            let entries = later.remove(id).unwrap_or_default();
            let hub = had.filter(|(at, _)| entries.first().is_some_and(|(seq, _)| seq <= at));
            let mut open = std::mem::take(&mut promise.unanswered);
            let beyond = hub.map_or(kept, |(at, _)| at);
            let later = entries.iter().filter(|(seq, _)| *seq > beyond);
            open.extend(later.map(|(_, content)| content.clone()));
            promise.without_hub.extend(before.without_hub);
            match hub {
                // Handed back, whatever the older disk says.
                Some((_, rows)) => {
                    promise.acknowledged = Some(rows.get(id).cloned());
                    promise.without_hub.push(before.acknowledged.unwrap_or(None));
                    promise.without_hub.extend(before.unanswered);
                    // A hub that goes back, too, hands an earlier one back.
                    let earlier = entries.iter().map(|(_, content)| content.clone());
                    promise.without_hub.extend(earlier);
                }
                None => {
                    promise.acknowledged = before.acknowledged;
                    open.extend(before.unanswered);
                }
            }
            promise.unanswered.clear();
            promise.may_be(open);
            promise.own = false;
        }
    }

    /// The hub's file goes back, too: what it was to hand back may be gone from
    /// both.
    pub fn hub_goes_back(&mut self) {
        for promise in self.promises.values_mut() {
            let without_hub = std::mem::take(&mut promise.without_hub);
            promise.may_be(without_hub);
        }
    }

    /// Another machine of the village had this book, and began with what the
    /// village had when its log ended at `common`: what it saved may have
    /// come in by way of the hub.
    pub fn may_have(&mut self, other: &Self, common: Seq) {
        for (id, content) in other.entries.range(common.next()..).map(|(_, entry)| entry) {
            self.promises.entry(*id).or_default().unanswered.push(content.clone());
        }
        for (id, promise) in &other.promises {
            let open = promise.unanswered.iter().cloned();
            self.promises.entry(*id).or_default().unanswered.extend(open);
        }
    }

    /// Holds the promises against what is there.
    ///
    /// # Errors
    /// Names the first promise that was not kept.
    pub fn check(&self, barn: &Barn, folded: &Folded) -> anyhow::Result<()> {
        self.check_but(barn, folded, &|_, _| false)
    }

    /// As [`Book::check`], where the hub keeps some contents `aside` for people
    /// to decide about: none that the village saved since its disk went back last.
    ///
    /// # Errors
    /// As [`Book::check`].
    pub fn check_but(
        &self,
        barn: &Barn,
        folded: &Folded,
        aside: &dyn Fn(RecordId, &Content) -> bool,
    ) -> anyhow::Result<()> {
        for (id, promise) in &self.promises {
            let now = folded.records.get(id).map(|living| living.bytes.clone());
            let acknowledged = promise.acknowledged.clone().unwrap_or(None);
            let kept = acknowledged == now
                || promise.unanswered.contains(&now)
                || (!promise.own && aside(*id, &acknowledged));
            let whose = if promise.own { "of its own " } else { "" };
            ensure!(kept, "record {id} {whose}is {}, not {promise:?}", told(&now));
        }
        for (seq, (id, content)) in &self.entries {
            let entry = barn.entry(*seq)?;
            let entry = entry.with_context(|| format!("acknowledged entry {seq} is missing"))?;
            let same = match &entry.payload {
                Payload::Present { bytes, .. } => *bytes == content.clone().unwrap_or_default(),
                // Superseded and thinned out.
                Payload::Withheld { .. } => true,
            };
            ensure!(same && entry.header.id == *id, "number {seq} was used twice");
        }
        Ok(())
    }
}
