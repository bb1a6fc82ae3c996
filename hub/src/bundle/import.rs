//! Merging a bundle, and proving what the hub then has.

use lumbung_domain::region::VillageCode;
use lumbung_ledger::{Operation, Position, Seq};
use lumbung_media::{Bundle, PublicKey};
use lumbung_proto::v1;
use lumbung_telemetry::clock;
use lumbung_wire::batch;
use lumbung_wire::tree::Part;

use super::Refused;
use super::answer::VERSIONS_TOGETHER;
use super::passed;
use super::plan::{Plan, Way};
use super::returned;
use super::walk;
use crate::dataset::turns::Turn;
use crate::dataset::{
    ContactNote, DatasetError, DeepProof, HubsOwn, IncidentKind, MergeBatch, NewIncident, Outcome,
    Stick, VillageState,
};
use crate::merge::decode;
use crate::puller::evidence::{self, Parted};
use crate::puller::trouble::Trouble;
use crate::repair::{self, ToldProof, ToldVillage};

/// Changes in one transaction: a running hub's own merges wait for it.
const CHANGES_PER_COMMIT: usize = 5_000;

/// How often an import begins again when the hub's own merges get in between.
/// Each time the position has moved towards the bundle's end.
const TURNS_MAX: usize = 1_000;

/// What a bundle came to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Imported {
    /// Entries that were merged now; the others were there.
    pub merged: u64,
    /// Entries among them that went to quarantine.
    pub quarantined: u64,
    /// Whether village and hub hold the same now.
    pub proof: Proof,
    /// What the rows were proven to be, row by row or by their sums; `None`
    /// when the bundle can't tell.
    pub rows: Option<ToldProof>,
    /// Where the hub went over to the village's restarted log.
    pub restarted: Option<Seq>,
    /// The first entry at which the village's log does not prove itself.
    pub broken_at: Option<Seq>,
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

/// What to do with a bundle of another log than the one merged, unless it is
/// of a village that was rebuilt from what the hub has.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum OtherLog {
    /// Take nothing of it.
    Refuse,
    /// An operator knows that the village begins anew.
    Begin,
}

/// Merges what the hub lacks of a bundle, compares, and notes the contact.
///
/// # Errors
/// [`Refused`]; what was merged before stays: it was proven.
pub fn import(
    bundle: &Bundle,
    dataset: &dyn HubsOwn,
    other_log: OtherLog,
) -> Result<Imported, Refused> {
    let village = bundle.village;
    let mut done = Imported {
        merged: 0,
        quarantined: 0,
        proof: Proof::HubIsAhead,
        rows: None,
        restarted: None,
        broken_at: (bundle.end.broken_at != 0).then_some(Seq(bundle.end.broken_at)),
    };
    if bundle.end.broken_at != 0 {
        note_broken(bundle, dataset)?;
    }
    for _ in 0..TURNS_MAX {
        let state = dataset.village(village)?;
        if state.twin_ms != 0 {
            return Err(Refused::Held(village));
        }
        match merge_onto(state.position, bundle, dataset, &mut done) {
            Ok(Plan::From(_)) => return prove(bundle, dataset, done),
            Ok(Plan::Passed) => {
                if let Some(at) = passed::parted(bundle, state.position, dataset)? {
                    note_sender(bundle, dataset)?;
                    return Err(note_parted(bundle, Refused::Forked { at }, dataset)?);
                }
                note_first_sender(bundle, &state, dataset)?;
                return Ok(done);
            }
            Err(Refused::Dataset(DatasetError::NotNext { .. })) => {}
            Err(refused @ (Refused::Restarted { .. } | Refused::Forked { .. })) => {
                note_sender(bundle, dataset)?;
                match go_over(bundle, &state, &refused, dataset)? {
                    Some(fork) => done.restarted = Some(fork),
                    None => return Err(note_parted(bundle, refused, dataset)?),
                }
            }
            Err(Refused::OtherLog) => begin_log(bundle, &state, other_log, dataset)?,
            Err(refused) => {
                note_first_sender(bundle, &state, dataset)?;
                return Err(refused);
            }
        }
    }
    Err(Refused::Busy)
}

/// Takes what the bundle tells besides its entries, compares, and notes the contact.
fn prove(bundle: &Bundle, dataset: &dyn HubsOwn, mut done: Imported) -> Result<Imported, Refused> {
    let village = bundle.village;
    let position = dataset.village(village)?.position.filter(|position| is_end(bundle, position));
    let mut told = match position {
        Some(at) => returned::take(village, &at, &bundle.returned, dataset)?,
        None => false,
    };
    let state = dataset.village(village)?;
    done.proof = compare(bundle, &state, dataset)?;
    prove_rows(bundle, dataset, &mut done)?;
    if let (Proof::Equal, Some(at)) = (done.proof, &state.position) {
        // Older nodes tell nothing.
        told |= dataset.judge_waiting(village, at, clock::now_ms())? > 0;
    }
    if told {
        let what = dataset.handed_back(village)?;
        dataset.note_incident(village, &evidence::returned(what), clock::now_ms())?;
    }
    if done.proof != Proof::HubIsAhead {
        note(bundle, &state, &done, dataset)?;
    }
    Ok(done)
}

fn merge_onto(
    stored: Option<Position>,
    bundle: &Bundle,
    dataset: &dyn HubsOwn,
    done: &mut Imported,
) -> Result<Plan, Refused> {
    let plan = Way::of(bundle).plan(stored)?;
    if let Plan::From(stored) = plan {
        merge_after(bundle, stored, dataset, done)?;
    }
    Ok(plan)
}

/// Goes over to the village's log where it left the one merged: everything
/// beyond the newest common position is set aside, to be handed back. Only a
/// log that has begun an epoch the hub has not seen may be gone over to, or
/// one number would mean two entries; the answer makes the village begin one.
/// Gives the fork, or nothing when this bundle does not reach it. A log that
/// the hub left before and that went on since is another machine's.
fn go_over(
    bundle: &Bundle,
    state: &VillageState,
    why: &Refused,
    dataset: &dyn HubsOwn,
) -> Result<Option<Seq>, Refused> {
    let Some(stored) = state.position.filter(|stored| stored.epoch < bundle.to.epoch) else {
        return Ok(None);
    };
    let (stood, chain) = (walk::stood(bundle.village, dataset)?, walk::Chain::of(bundle)?);
    let Some(fork) = chain.newest_common(&stood) else { return Ok(None) };
    let left = (stored, state.last_contact_ms.max(state.last_stick_ms));
    let holds = |at: &Position| chain.holds(at);
    if dataset.turned(bundle.village, left, clock::now_ms(), &holds)? == Turn::Twin {
        return Err(stop(bundle, stored, dataset)?);
    }
    let parted = match why {
        Refused::Restarted { .. } => Parted::LostTail,
        _ => Parted::Forked,
    };
    let told = |lost| evidence::restarted(parted, stored, bundle.to, fork, lost);
    let position = Position { epoch: bundle.to.epoch, ..fork };
    let lost = dataset.branch_off(bundle.village, position, &told, clock::now_ms())?;
    tracing::warn!(village = %bundle.village, %stored, %position, lost, "the log was restarted");
    Ok(Some(fork.seq))
}

/// Notes that the bundle's history is another than the one merged.
fn note_parted(
    bundle: &Bundle,
    refused: Refused,
    dataset: &dyn HubsOwn,
) -> Result<Refused, DatasetError> {
    let incident = evidence::stick_parted(&bundle.header, bundle.to);
    dataset.note_incident(bundle.village, &incident, clock::now_ms())?;
    Ok(refused)
}

/// Begins with the village's new log, which the bundle must hold whole: it goes
/// on from what the hub has, or an operator says that it counts.
fn begin_log(
    bundle: &Bundle,
    state: &VillageState,
    other_log: OtherLog,
    dataset: &dyn HubsOwn,
) -> Result<(), Refused> {
    let Some(stored) = state.position else { return Err(Refused::OtherLog) };
    let predecessor = bundle.header.predecessor.as_ref().and_then(batch::position_from_wire);
    let rebuilt = predecessor == Some(stored);
    if !rebuilt && other_log == OtherLog::Refuse {
        return Err(Refused::OtherLog);
    }
    if bundle.from.seq != Seq::ZERO {
        return Err(Refused::Gap { next: Seq(1) });
    }
    // Nothing is given up for a log that does not prove itself.
    walk::walk(bundle, |_, _, _| {})?;
    let (origin, replaced) = (Position::origin(bundle.from.log_id), bundle.header.replaced);
    let told = move |left| match rebuilt {
        true => evidence::rebuilt(stored, origin, left, replaced),
        false => evidence::reinstalled(stored, origin, left, replaced),
    };
    let now_ms = clock::now_ms();
    if let Some(v1::Replaced { at_ms, whole, .. }) = replaced {
        dataset.note_damaged_store(bundle.village, at_ms, whole && rebuilt, now_ms)?;
    }
    let left = dataset.begin_log(bundle.village, origin, &told, now_ms)?;
    tracing::warn!(village = %bundle.village, rebuilt, left, "another log begins by stick");
    Ok(())
}

/// Stops the village: whose stick comes next is anybody's guess.
fn stop(bundle: &Bundle, stored: Position, dataset: &dyn HubsOwn) -> Result<Refused, Refused> {
    let village = bundle.village;
    tracing::warn!(%village, "two machines take turns by stick");
    let incident = evidence::sticks_taking_turns(&bundle.header, bundle.to, stored);
    dataset.stop_twin(village, &incident, clock::now_ms())?;
    let trouble = Some(Trouble::Twin.code().to_owned());
    dataset.note_contacts(&[(village, ContactNote { trouble, ..sender(bundle) })])?;
    Ok(Refused::TakingTurns(village))
}

/// Proves the rows by what the bundle tells of the log, and lets that count
/// for more than equal sums.
fn prove_rows(bundle: &Bundle, dataset: &dyn HubsOwn, done: &mut Imported) -> Result<(), Refused> {
    if !matches!(done.proof, Proof::Equal | Proof::Differs) {
        return Ok(());
    }
    let Some(told) = walk::told(bundle)? else { return Ok(()) };
    let stated = Part { fingerprint: bundle.fingerprint, records: bundle.records };
    let (village, position) = (bundle.village, bundle.to);
    done.rows = ToldVillage { village, dataset, position, stated }.prove(&told)?;
    match &done.rows {
        None => {}
        Some(ToldProof::Equal(_)) => done.proof = Proof::Equal,
        Some(ToldProof::Differs(_)) => done.proof = Proof::Differs,
        Some(ToldProof::Contradicts(why)) => {
            done.proof = Proof::Differs;
            let incident = NewIncident::new(IncidentKind::Unrepaired, why.clone());
            let incident = incident.about(position.to_string());
            dataset.note_incident(village, &incident, clock::now_ms())?;
        }
    }
    Ok(())
}

/// Walks the bundle's chain; everything after `stored` is merged, once the
/// walk has met `stored` itself.
fn merge_after(
    bundle: &Bundle,
    stored: Position,
    dataset: &dyn HubsOwn,
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
        let chains = verified.chains.into_iter().filter(|(seq, _)| *seq > stored.seq).collect();
        reached = verified.last;
        if changes.is_empty() {
            continue;
        }
        waiting.push(MergeBatch { village: bundle.village, prev: at, last, changes, chains });
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
    dataset: &dyn HubsOwn,
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

/// Whether the bundle ends at `position`.
fn is_end(bundle: &Bundle, position: &Position) -> bool {
    Position { epoch: position.epoch, ..bundle.to } == *position
}

/// Whether the hub holds what the bundle says the village holds.
fn compare(
    bundle: &Bundle,
    state: &VillageState,
    dataset: &dyn HubsOwn,
) -> Result<Proof, DatasetError> {
    let origin = Position::origin(bundle.to.log_id);
    let here = is_end(bundle, &state.position.unwrap_or(origin));
    let equal = (state.fingerprint, state.records) == (bundle.fingerprint, bundle.records);
    Ok(match (here, equal) {
        (false, _) => Proof::HubIsAhead,
        (true, true) => Proof::Equal,
        (true, false) if awaits_return(bundle.village, dataset)? => Proof::PendingReturn,
        (true, false) => Proof::Differs,
    })
}

/// Whether the village may lack something that it lost: what it has not answered
/// for, as on a stick it never does, and has not replaced in its log since.
fn awaits_return(village: VillageCode, dataset: &dyn HubsOwn) -> Result<bool, DatasetError> {
    let mut after = None;
    loop {
        let versions = dataset.undelivered(&dataset.whole(), village, after, VERSIONS_TOGETHER)?;
        for version in versions.iter().filter(|version| version.outcome == Outcome::Waiting) {
            let lost = (version.epoch, version.seq);
            let lacks = match dataset.record(&dataset.whole(), village, version.id)? {
                Some(row) => (row.epoch, row.seq) <= lost,
                // Who ended it can't be told.
                None => version.operation == Operation::Delete,
            };
            if lacks {
                return Ok(true);
            }
        }
        let Some(last) = versions.last() else { return Ok(false) };
        after = Some((last.epoch, last.seq, last.number));
    }
}

fn note(
    bundle: &Bundle,
    state: &VillageState,
    done: &Imported,
    dataset: &dyn HubsOwn,
) -> Result<(), Refused> {
    let doubted = [Trouble::Differs.code(), Trouble::NodeLog.code()];
    let doubted = doubted.contains(&state.trouble.as_str());
    // A doubt of a row-by-row proof is ended by such a proof only.
    let proven = done.rows.is_some()
        || (state.deep_proof_ms == 0 && state.trouble == Trouble::Differs.code());
    let trouble = match done.proof {
        Proof::Equal if doubted && proven => Some(String::new()),
        Proof::Differs if state.trouble.is_empty() => Some(Trouble::Differs.code().to_owned()),
        // Other troubles are of the link, or wait for a person.
        _ => None,
    };
    let deep_proof = done.rows.as_ref().map(|rows| match rows {
        ToldProof::Equal(words) => DeepProof { equal: true, words: words.clone() },
        ToldProof::Differs(words) => DeepProof { equal: false, words: words.clone() },
        ToldProof::Contradicts(why) => DeepProof { equal: false, words: why.clone() },
    });
    let proven = (done.proof == Proof::Equal).then_some(bundle.to.seq);
    let note = ContactNote { proven, trouble, deep_proof, ..sender(bundle) };
    Ok(dataset.note_contacts(&[(bundle.village, note)])?)
}

/// Who sent the bundle: whatever becomes of it, the village can be answered.
fn note_sender(bundle: &Bundle, dataset: &dyn HubsOwn) -> Result<(), Refused> {
    Ok(dataset.note_contacts(&[(bundle.village, sender(bundle))])?)
}

/// As [`note_sender`], of a bundle that tells nothing new: it may lie about for long.
fn note_first_sender(
    bundle: &Bundle,
    state: &VillageState,
    dataset: &dyn HubsOwn,
) -> Result<(), Refused> {
    match state.answer_to.is_empty() {
        true => note_sender(bundle, dataset),
        false => Ok(()),
    }
}

fn sender(bundle: &Bundle) -> ContactNote {
    let answer_to = bundle.header.answer_to.parse::<PublicKey>();
    ContactNote {
        at_ms: clock::now_ms(),
        software: Some(bundle.header.software.chars().take(40).collect()),
        stick: Some(Stick { answer_to: answer_to.map(|key| key.to_string()).unwrap_or_default() }),
        ..ContactNote::default()
    }
}

/// The node says that its own log does not prove itself.
fn note_broken(bundle: &Bundle, dataset: &dyn HubsOwn) -> Result<(), Refused> {
    let (village, seq) = (bundle.village, Seq(bundle.end.broken_at));
    tracing::error!(%village, %seq, "the node's log does not prove itself");
    let now_ms = clock::now_ms();
    dataset.note_incident(village, &repair::log_broken(seq), now_ms)?;
    let trouble = Some(Trouble::NodeLog.code().to_owned());
    let words = Trouble::NodeLog.words();
    let deep_proof = Some(DeepProof { equal: false, words });
    let note = ContactNote { trouble, deep_proof, ..sender(bundle) };
    Ok(dataset.note_contacts(&[(village, note)])?)
}
