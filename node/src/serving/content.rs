//! What the village holds, told to the hub from the proven log: sums of its
//! parts, whole records, and the order to derive everything else anew.
//!
//! A log that does not prove itself is never told as if it did: the hub would
//! "repair" sound rows with what a bad disk made of them.

use bytes::Bytes;
use lumbung_domain::id::RecordId;
use lumbung_ledger::Payload;
use lumbung_proto::v1;
use lumbung_wire::batch;
use lumbung_wire::tree::{Place, parts_to_wire};
use tonic::Status;

use crate::barn::{Barn, Latest, Mending, ProofError, RederiveError, Rederived, StoreError};
use crate::village::tree;

/// Most places one Fingerprint may ask for.
const PLACES_MAX: usize = 1024;

/// Which sums are asked for.
pub(super) enum Asked {
    /// As the first version asks: by one id.
    Parent(Option<RecordId>),
    /// Several places.
    Places(Vec<Place>),
}

impl Asked {
    /// Whether it is about the whole village.
    pub(super) fn is_whole(&self) -> bool {
        match self {
            Self::Parent(parent) => parent.is_none(),
            Self::Places(places) => places.contains(&Place::Village),
        }
    }

    pub(super) fn read(request: &v1::FingerprintRequest) -> Result<Self, Status> {
        if request.places.len() > PLACES_MAX {
            return Err(Status::invalid_argument("too many places in one question"));
        }
        if request.places.is_empty() {
            let parent = Some(&request.parent).filter(|parent| !parent.is_empty());
            let parent = parent.map(|parent| {
                RecordId::from_slice(parent)
                    .ok_or_else(|| Status::invalid_argument("parent is not a record id"))
            });
            return Ok(Self::Parent(parent.transpose()?));
        }
        let places = request.places.iter().map(Place::from_wire).collect();
        let places: Option<Vec<_>> = places;
        places.map(Self::Places).ok_or_else(|| Status::invalid_argument("a place is malformed"))
    }
}

fn mending_to_wire(mending: Mending) -> v1::Mending {
    v1::Mending {
        at_ms: mending.at_ms,
        records: mending.records,
        index: mending.index,
        sum: mending.sum,
    }
}

/// The sums of the places that were asked for.
pub(super) fn fingerprint(barn: &Barn, asked: &Asked) -> Result<v1::FingerprintReply, StoreError> {
    let mending = barn.mending()?.map(mending_to_wire);
    let proven = match barn.prove() {
        Ok(proven) => proven,
        Err(ProofError::Store(error)) => return Err(error),
        Err(ProofError::Broken(seq)) => {
            tracing::error!(%seq, "the log does not prove itself");
            let (position, parts) = Default::default();
            return Ok(v1::FingerprintReply { position, parts, broken_at: seq.0.max(1), mending });
        }
    };
    let tree = tree(&proven);
    let of = |(at, place): (u32, Place)| parts_to_wire(at, &tree.parts(place)).collect::<Vec<_>>();
    let parts = match asked {
        Asked::Parent(parent) => of((0, tree.place_of(*parent))),
        Asked::Places(places) => (0..).zip(places.iter().copied()).flat_map(of).collect(),
    };
    Ok(v1::FingerprintReply {
        position: Some(batch::position_to_wire(proven.head.position)),
        parts,
        broken_at: 0,
        mending,
    })
}

/// The latest word on each of the records.
pub(super) fn fetch(
    barn: &Barn,
    request: &v1::FetchRequest,
) -> Result<Vec<v1::FetchItem>, StoreError> {
    let proven = match barn.prove() {
        Ok(proven) => proven,
        Err(ProofError::Store(error)) => return Err(error),
        Err(ProofError::Broken(seq)) => {
            tracing::error!(%seq, "the log does not prove itself");
            return Err(StoreError::Damaged("the log does not prove itself".to_owned()));
        }
    };
    let told = |id: &Bytes| {
        let latest = RecordId::from_slice(id).and_then(|id| proven.records.get(&id));
        let latest = latest.filter(|latest| latest.alive() || request.with_ended);
        let mut item = v1::FetchItem { id: id.clone(), ..v1::FetchItem::default() };
        if let Some(latest) = latest {
            describe(&mut item, latest);
        }
        item
    };
    Ok(request.ids.iter().map(told).collect())
}

fn describe(item: &mut v1::FetchItem, latest: &Latest) {
    let header = &latest.entry.header;
    item.seq = header.seq.0;
    item.kind = u32::from(header.kind.0);
    item.schema = u32::from(header.schema);
    item.operation = header.operation as u32;
    item.time_ms = header.time_ms;
    header.actor.as_ref().clone_into(&mut item.actor);
    item.source = u32::from(header.source.0);
    match &latest.entry.payload {
        Payload::Present { bytes, .. } => item.payload = bytes.clone(),
        Payload::Withheld { .. } => item.withheld = latest.alive(),
    }
}

/// What became of the order to derive everything anew from the log.
pub(super) fn rederived(
    outcome: Result<Rederived, RederiveError>,
) -> Result<v1::RederiveReply, StoreError> {
    match outcome {
        Ok(rederived) => Ok(v1::RederiveReply {
            position: Some(batch::position_to_wire(rederived.head.position)),
            fingerprint: Bytes::copy_from_slice(&rederived.head.fingerprint.to_bytes()),
            records: rederived.head.records,
            mending: rederived.mending.map(mending_to_wire),
            broken_at: 0,
        }),
        Err(RederiveError::Broken(seq)) => {
            Ok(v1::RederiveReply { broken_at: seq.0.max(1), ..v1::RederiveReply::default() })
        }
        Err(RederiveError::Store(error)) => Err(error),
        Err(RederiveError::Closed) => {
            Err(StoreError::Damaged("the barn takes no changes since its disk failed".to_owned()))
        }
    }
}
