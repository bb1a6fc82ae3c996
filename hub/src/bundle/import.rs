//! Merging a bundle.

use lumbung_ledger::Position;
use lumbung_media::{Bundle, PublicKey};
use lumbung_telemetry::clock;
use lumbung_wire::batch;

use super::Refused;
use super::plan::{Plan, Way};
use crate::dataset::{ContactNote, Dataset, DatasetError, MergeBatch, Stick, VillageState};
use crate::merge::decode;
use crate::puller::trouble::Trouble;

/// Changes in one transaction: a running hub's own merges wait for it.
const CHANGES_PER_COMMIT: usize = 5_000;

/// How often an import begins again when the hub's own merges get in between.
/// Each time the position has moved towards the bundle's end.
const TURNS_MAX: usize = 1_000;

/// What a bundle came to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Imported {
    /// Entries that were merged now; the others were there.
    pub merged: u64,
    /// Entries among them that went to quarantine.
    pub quarantined: u64,
    /// Whether village and hub hold the same now.
    pub proof: Proof,
}

/// What a bundle proves at its end.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Proof {
    /// Village and hub hold the same.
    Equal,
    /// They don't.
    Differs,
    /// The hub has more than the bundle, so it can't tell.
    HubIsAhead,
    /// Records that the village lost wait to be handed back; until then they
    /// can't be equal.
    PendingReturn,
}

/// Merges what the hub lacks of a bundle, compares, and notes the contact.
///
/// # Errors
/// [`Refused`]; what was merged before stays: it was proven.
pub fn import(bundle: &Bundle, dataset: &dyn Dataset) -> Result<Imported, Refused> {
    let village = bundle.village;
    let mut done = Imported { merged: 0, quarantined: 0, proof: Proof::HubIsAhead };
    for _ in 0..TURNS_MAX {
        let state = dataset.village(village)?;
        if state.twin_ms != 0 {
            return Err(Refused::Held(village));
        }
        let stored = match Way::of(bundle).plan(state.position)? {
            Plan::Passed => return Ok(done),
            Plan::From(position) => position,
        };
        match merge_after(bundle, stored, dataset, &mut done) {
            Ok(()) => {}
            Err(Refused::Dataset(DatasetError::NotNext { .. })) => continue,
            Err(refused) => return Err(refused),
        }
        let state = dataset.village(village)?;
        done.proof = compare(bundle, &state, dataset)?;
        if done.proof != Proof::HubIsAhead {
            note(bundle, &state, done.proof, dataset)?;
        }
        return Ok(done);
    }
    Err(Refused::Busy)
}

/// Walks the bundle's chain; everything after `stored` is merged, once the
/// walk has met `stored` itself.
fn merge_after(
    bundle: &Bundle,
    stored: Position,
    dataset: &dyn Dataset,
    done: &mut Imported,
) -> Result<(), Refused> {
    let mut reached = bundle.from;
    let mut at = stored;
    let mut waiting: Vec<MergeBatch> = Vec::new();
    let forked = Refused::Forked { at: stored.seq };
    if reached.seq == stored.seq && reached.chain != stored.chain {
        return Err(forked);
    }
    for packed in &bundle.batches {
        let unproven = |_| Refused::Unproven { after: Box::new(reached) };
        let verified = batch::verify(packed.clone(), reached).map_err(unproven)?;
        let last = Position { epoch: verified.last.epoch.max(stored.epoch), ..verified.last };
        let mut chain = reached.chain;
        let mut changes = Vec::new();
        for (entry, hash) in verified.entries {
            if entry.header.seq > stored.seq {
                changes.push(decode::change(entry, hash));
                continue;
            }
            chain = chain.step(&entry).0;
            if entry.header.seq == stored.seq && chain != stored.chain {
                return Err(forked);
            }
        }
        reached = verified.last;
        if changes.is_empty() {
            continue;
        }
        waiting.push(MergeBatch { village: bundle.village, prev: at, last, changes });
        at = last;
        let held: usize = waiting.iter().map(|batch| batch.changes.len()).sum();
        if held >= CHANGES_PER_COMMIT {
            commit(&mut waiting, dataset, done)?;
        }
    }
    if (Position { epoch: bundle.to.epoch, ..reached }) != bundle.to {
        return Err(Refused::Unproven { after: Box::new(reached) });
    }
    commit(&mut waiting, dataset, done)
}

fn commit(
    waiting: &mut Vec<MergeBatch>,
    dataset: &dyn Dataset,
    done: &mut Imported,
) -> Result<(), Refused> {
    if waiting.is_empty() {
        return Ok(());
    }
    let outcomes = dataset.merge(waiting, clock::now_ms())?;
    for (outcome, batch) in outcomes.into_iter().zip(waiting.drain(..)) {
        let merged = outcome?;
        done.merged += batch.changes.len() as u64;
        done.quarantined += merged.quarantined;
    }
    Ok(())
}

/// Whether the hub holds what the bundle says the village holds.
fn compare(
    bundle: &Bundle,
    state: &VillageState,
    dataset: &dyn Dataset,
) -> Result<Proof, DatasetError> {
    let here = state
        .position
        .is_some_and(|stands| Position { epoch: stands.epoch, ..bundle.to } == stands);
    let equal = (state.fingerprint, state.records) == (bundle.fingerprint, bundle.records);
    Ok(match (here, equal) {
        (false, _) => Proof::HubIsAhead,
        (true, true) => Proof::Equal,
        (true, false) if dataset.undelivered(bundle.village, None, 1)?.is_empty() => Proof::Differs,
        (true, false) => Proof::PendingReturn,
    })
}

fn note(
    bundle: &Bundle,
    state: &VillageState,
    proof: Proof,
    dataset: &dyn Dataset,
) -> Result<(), Refused> {
    let answer_to = bundle.header.answer_to.parse::<PublicKey>();
    let differed = state.trouble == Trouble::Differs.code();
    // A doubt of a row-by-row proof is ended by such a proof only.
    let summed_only = state.deep_proof_ms == 0;
    let trouble = match proof {
        Proof::Equal if differed && summed_only => Some(String::new()),
        Proof::Differs if state.trouble.is_empty() => Some(Trouble::Differs.code().to_owned()),
        // Other troubles are of the link, or wait for a person.
        _ => None,
    };
    let note = ContactNote {
        at_ms: clock::now_ms(),
        software: Some(bundle.header.software.chars().take(40).collect()),
        proven: (proof == Proof::Equal).then_some(bundle.to.seq),
        trouble,
        stick: Some(Stick { answer_to: answer_to.map(|key| key.to_string()).unwrap_or_default() }),
        ..ContactNote::default()
    };
    Ok(dataset.note_contacts(&[(bundle.village, note)])?)
}
