//! What the hub says to a node that has just arrived, and once a day.
//!
//! How the link is to be held, whether there is a place at all, and a fresh
//! certificate in time: after two thirds of its life, or at once when it has
//! run out while the node was away, or when the root has changed.

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use lumbung_domain::region::VillageCode;
use lumbung_identity::Peer;
use lumbung_link::limits;
use lumbung_link::world;
use lumbung_proto::v1;
use lumbung_proto::v1::fleet_client::FleetClient;
use lumbung_telemetry::clock;
use tokio::time::Instant;

use super::arrivals::Arrival;
use super::door::Door;
use super::traced::Line;
use super::witnessing;
use crate::dataset::DatasetError;
use crate::puller::Shared;
use crate::registry::{LinkState, Machine};
use crate::spans;

/// How long a node that finds no place is asked to stay away, about.
const WAIT: Duration = Duration::from_secs(120);

/// How long a node whose village is held or stopped is asked to stay away,
/// about: it should come soon after the release, and asking costs it some
/// kilobytes.
const HELD_WAIT: Duration = Duration::from_secs(10 * 60);

/// Certificates of connected nodes are looked at this often.
const LOOK_EVERY: Duration = Duration::from_secs(60 * 60);

/// A node that stays connected is asked how it is at every so many looks.
const ASK_EVERY_LOOKS: u32 = 24;

/// Whether an arrival may stay.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Welcome {
    /// It has a place.
    Stays,
    /// It was asked to come back, or has gone.
    Leaves,
}

/// Welcomes an arrival.
pub(super) async fn welcome(door: &Arc<Door>, arrival: &Arrival, full: bool) -> Welcome {
    let village = arrival.peer.village;
    let (registry, dataset) = (Arc::clone(&door.registry), Arc::clone(&door.dataset));
    let known = world::blocking(move || {
        let twin = dataset.village(village)?.twin_ms != 0;
        let damaged = dataset.damaged_stores(village)?;
        Ok::<_, DatasetError>((registry.budget(village)?, dataset.hold(village)?, twin, damaged))
    });
    let Ok(Ok((budget_bytes_a_day, hold, twin, damaged))) = known.await else {
        return Welcome::Leaves;
    };
    let now_ms = clock::now_ms();
    let held = hold.is_some_and(|hold| hold.is_on(now_ms));
    let may_go = damaged.iter().filter(|store| store.may_go);
    let mut request = v1::ArrangeRequest {
        clock_ms: now_ms,
        budget_bytes_a_day,
        damaged_may_go_ms: may_go.map(|store| store.at_ms).collect(),
        ..Default::default()
    };
    let wait = match (held, twin, full) {
        (true, ..) => Some((HELD_WAIT, "ditahan")),
        (false, true, _) => Some((HELD_WAIT, "kembar")),
        (false, false, true) => Some((WAIT, "penuh")),
        (false, false, false) => None,
    };
    if let Some((wait, reason)) = wait {
        // Half to all of it, so that those who wait don't return together.
        let jitter = 0.5 + f64::from(world::dice()) / 510.0;
        request.wait_seconds = wait.mul_f64(jitter).as_secs().try_into().unwrap_or(u32::MAX);
        request.wait_reason = reason.to_owned();
    }
    let mut fleet = arrival.fleet();
    let request = witnessing::show(door, village, None, request).await;
    let Some((mut reply, mut took)) = arrange(village, &mut fleet, request.clone()).await else {
        return Welcome::Leaves;
    };
    if wait.is_none()
        && let Some(stands) = witnessing::still_at(&request, &reply)
    {
        let request = witnessing::show(door, village, Some(stands), request).await;
        let Some((again, took_again)) = arrange(village, &mut fleet, request).await else {
            return Welcome::Leaves;
        };
        (reply, took) = (again, took.min(took_again));
    }
    witnessing::note(door, village, &reply).await;
    if let Some((_, reason)) = wait {
        tracing::info!(%village, reason, "asked to come back");
        return Welcome::Leaves;
    }
    note_link(door, village, &reply, took).await;
    certify(door, arrival.peer, fleet).await;
    Welcome::Stays
}

/// What the node answers, and how long that took.
async fn arrange(
    village: VillageCode,
    fleet: &mut FleetClient<Line>,
    request: v1::ArrangeRequest,
) -> Option<(v1::ArrangeReply, Duration)> {
    let begun = Instant::now();
    let asked = spans::node_call(village, "lumbung.v1.Fleet/Arrange", fleet.arrange(request));
    let asked = tokio::time::timeout(limits::ANSWER_TIMEOUT, asked).await;
    Some((asked.ok()?.ok()?.into_inner(), begun.elapsed()))
}

/// Most letters of what a node calls its processor.
const ARCH_MAX: usize = 16;

/// What the node told of its computer; nothing if it is too old to.
fn machine(told: &v1::NodeMachine, at_ms: i64) -> Machine {
    let bytes = |mebibytes: u32| u64::from(mebibytes) * 1024 * 1024;
    let arch = told.arch.chars().filter(|it| it.is_ascii_alphanumeric() || *it == '_');
    Machine {
        at_ms,
        disk_free_bytes: (told.disk_free_mib > 0).then(|| bytes(told.disk_free_mib)),
        store_bytes: bytes(told.store_mib),
        unclean_stops: told.unclean_stops,
        arch: arch.take(ARCH_MAX).collect(),
        ..Machine::default()
    }
}

/// Keeps what the node told of its link and its computer. Not worth a refusal
/// when it fails.
async fn note_link(
    door: &Arc<Door>,
    village: VillageCode,
    reply: &v1::ArrangeReply,
    took: Duration,
) {
    let now_ms = clock::now_ms();
    let link = LinkState {
        at_ms: now_ms,
        clock_ahead_ms: reply.clock_ms.saturating_sub(now_ms),
        spent_today_bytes: reply.spent_today_bytes,
        quiet_held_seconds: reply.quiet_held_seconds,
        quiet_broke_seconds: reply.quiet_broke_seconds,
        tunnelled: reply.tunnelled,
        round_trip_us: took.as_micros().try_into().unwrap_or(u32::MAX),
    };
    let machine = reply.machine.as_ref().map(|told| machine(told, now_ms));
    let registry = Arc::clone(&door.registry);
    let noted = world::blocking(move || registry.note_link(village, &link, machine.as_ref())).await;
    if let Ok(Err(error)) = noted {
        tracing::error!(%error, "a link can't be noted");
    }
}

/// Gives the node a fresh certificate if it needs one. What fails is tried
/// again within the hour, or when the node comes again.
async fn certify(door: &Arc<Door>, peer: Peer, fleet: FleetClient<Line>) {
    if certified(door, peer, fleet).await.is_none() {
        tracing::warn!(village = %peer.village, "no certificate could be given");
    }
}

async fn certified(door: &Arc<Door>, peer: Peer, mut fleet: FleetClient<Line>) -> Option<()> {
    let now_ms = clock::now_ms();
    let registry = Arc::clone(&door.registry);
    let known = world::blocking(move || registry.node_key(peer.village, &peer.key)).await;
    let known = known.ok()?.ok()??;
    let life = door.lifetime.node;
    let life_ms = i64::try_from(life.as_millis()).unwrap_or(i64::MAX);
    let authority = door.authority();
    let of_this_root = known.root == Some(authority.root_hash());
    if of_this_root && known.certified_until_ms - now_ms > life_ms / 3 {
        return Some(());
    }
    let certificate = authority.issue_node(peer.village, &peer.key, now_ms, life);
    let certificate = certificate
        .inspect_err(|error| tracing::error!(%error, "no certificate can be made"))
        .ok()?;
    let request = v1::CertifyRequest {
        certificate: Bytes::copy_from_slice(&certificate),
        anchors: authority.anchors().iter().map(|root| Bytes::copy_from_slice(root)).collect(),
        clock_ms: now_ms,
        backup_recipient: door.backup_recipient.clone(),
        hub_key: Bytes::copy_from_slice(&authority.hub_key().public().0),
    };
    let asked = fleet.certify(request);
    let asked = spans::node_call(peer.village, "lumbung.v1.Fleet/Certify", asked);
    let asked = tokio::time::timeout(limits::ANSWER_TIMEOUT, asked).await;
    asked.ok()?.ok()?;
    let registry = Arc::clone(&door.registry);
    let root = authority.root_hash();
    let until_ms = now_ms.saturating_add(life_ms);
    let noted =
        world::blocking(move || registry.note_certified(peer.village, &peer.key, until_ms, root));
    noted.await.ok()?.ok()?;
    let expired = known.certified_until_ms < now_ms;
    tracing::info!(village = %peer.village, expired, "certificate renewed");
    Some(())
}

/// Asks a node that stays connected how its link and its computer are.
async fn ask_again(door: &Arc<Door>, village: VillageCode, mut fleet: FleetClient<Line>) {
    let registry = Arc::clone(&door.registry);
    let budget = world::blocking(move || registry.budget(village)).await;
    let Ok(Ok(budget_bytes_a_day)) = budget else { return };
    let clock_ms = clock::now_ms();
    let request = v1::ArrangeRequest { clock_ms, budget_bytes_a_day, ..Default::default() };
    let request = witnessing::show(door, village, None, request).await;
    let Some((reply, took)) = arrange(village, &mut fleet, request).await else { return };
    witnessing::note(door, village, &reply).await;
    note_link(door, village, &reply, took).await;
}

/// Renews certificates of nodes that stay connected, and the hub's own, for
/// ever; asks those nodes once a day how they are.
pub async fn keep_certified(door: Arc<Door>) {
    for look in 1_u32.. {
        tokio::time::sleep(LOOK_EVERY).await;
        if look % ASK_EVERY_LOOKS == 0 {
            for (peer, fleet) in door.arrivals().fleets() {
                ask_again(&door, peer.village, fleet).await;
            }
        }
        if let Err(error) = door.renew(None) {
            tracing::error!(%error, "the hub's certificate can't be renewed; the last one stays");
        }
        Arc::clone(&door).certify_all(|_| true).await;
    }
}

impl Door {
    /// Looks at the certificate of every connected node that is `wanted`.
    pub(crate) async fn certify_all(self: Arc<Self>, wanted: impl Fn(&Peer) -> bool) {
        let fleets = self.arrivals().fleets();
        for (peer, fleet) in fleets.into_iter().filter(|(peer, _)| wanted(peer)) {
            certify(&self, peer, fleet).await;
        }
    }
}

/// Two machines answer as one village.
pub(super) async fn twin(shared: &Shared, peer: Peer, present: [u8; 16], newcomer: [u8; 16]) {
    tracing::warn!(village = %peer.village, "two machines answer as one village");
    crate::puller::twin(peer.village, present, newcomer, shared).await;
}
