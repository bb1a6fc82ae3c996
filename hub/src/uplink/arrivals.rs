//! Nodes that have dialled in, and the pullers that wait for them.
//!
//! One place per village. The newest connection of the same machine wins, so
//! a ghost (its old socket after a router forgot it) never stands in the way.
//! Two machines that both answer as one village are a contradiction that
//! people must see: both are turned away.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use lumbung_domain::region::VillageCode;
use lumbung_identity::Peer;
use lumbung_link::channel::{self, ConnectError};
use lumbung_link::guarded::{Gone, Guarded, Switch};
use lumbung_link::limits;
use lumbung_link::meter::Traffic;
use lumbung_proto::v1;
use lumbung_proto::v1::fleet_client::FleetClient;
use lumbung_proto::v1::sync_client::SyncClient;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::sync::Notify;
use tonic::transport::Channel;

use super::traced::{Line, line};
use super::{Open, Session};
use crate::spans;

/// How long a connection that may be a ghost gets to answer.
const GHOST_TIMEOUT: Duration = Duration::from_secs(5);

/// A node's connection, open and known by certificate.
#[derive(Debug)]
pub struct Arrival {
    /// Who.
    pub(crate) peer: Peer,
    /// Calls to it.
    channel: Channel,
    switch: Switch,
    gone: Gone,
}

impl Arrival {
    /// Makes calls possible over a connection whose other end has proven to
    /// be `peer`.
    ///
    /// # Errors
    /// [`ConnectError::Protocol`].
    pub async fn over<S>(peer: Peer, stream: S) -> Result<Self, ConnectError>
    where
        S: AsyncRead + AsyncWrite + Send + Sync + Unpin + 'static,
    {
        let (stream, switch, gone) = Guarded::new(stream);
        let channel = channel::over_quietly(stream).await?;
        Ok(Self { peer, channel, switch, gone })
    }

    pub(crate) fn fleet(&self) -> FleetClient<Line> {
        FleetClient::new(line(self.channel.clone()))
    }

    /// Ends the connection.
    pub(crate) fn end(&self) {
        self.switch.off();
    }
}

/// What became of an arrival.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// It is the village's connection now.
    Taken,
    /// It went away before it was known.
    Gone,
    /// Another machine answers as the same village: both were turned away.
    Twin {
        /// Incarnation of the one that was there.
        present: [u8; 16],
        /// Incarnation of the one that came.
        newcomer: [u8; 16],
    },
}

/// The village's connection of the moment.
#[derive(Debug)]
struct Present {
    number: u64,
    peer: Peer,
    channel: Channel,
    switch: Switch,
    gone: Gone,
}

#[derive(Debug, Default)]
struct Place {
    waiting: Option<Arrival>,
    present: Option<Present>,
    arrived: Arc<Notify>,
}

#[derive(Debug, Default)]
struct Places {
    by_village: HashMap<u64, Place>,
    last_number: u64,
}

/// Every village's place. Clones share them.
#[derive(Clone, Debug, Default)]
pub struct Arrivals(Arc<Mutex<Places>>);

impl Arrivals {
    fn places(&self) -> MutexGuard<'_, Places> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Connections that are open now.
    #[must_use]
    pub fn open(&self) -> usize {
        self.places().by_village.values().filter(|place| place.present.is_some()).count()
    }

    /// Puts an arrival into its village's place, after whatever is there was
    /// asked whether it still lives.
    pub async fn take(&self, arrival: Arrival) -> Outcome {
        let village = arrival.peer.village;
        if let Some((channel, switch)) = self.living(village) {
            let Some(newcomer) = incarnation(village, &arrival.channel).await else {
                return Outcome::Gone;
            };
            if let Some(present) = incarnation(village, &channel).await
                && present != newcomer
            {
                switch.off();
                arrival.end();
                return Outcome::Twin { present, newcomer };
            }
            switch.off();
        }
        let mut places = self.places();
        let place = places.by_village.entry(village.as_u64()).or_default();
        // One that nobody has picked up yet is older.
        if let Some(older) = place.waiting.replace(arrival) {
            older.end();
        }
        place.arrived.notify_one();
        Outcome::Taken
    }

    /// Whether the village has a connection, picked up or not.
    pub(super) fn is_there(&self, village: VillageCode) -> bool {
        let places = self.places();
        let Some(place) = places.by_village.get(&village.as_u64()) else { return false };
        let present = place.present.as_ref().is_some_and(|present| !present.gone.is_gone());
        present || place.waiting.as_ref().is_some_and(|waiting| !waiting.gone.is_gone())
    }

    /// The village's connection, if it still lives.
    fn living(&self, village: VillageCode) -> Option<(Channel, Switch)> {
        let places = self.places();
        let present = places.by_village.get(&village.as_u64())?.present.as_ref()?;
        (!present.gone.is_gone()).then(|| (present.channel.clone(), present.switch.clone()))
    }

    /// Waits for the village's next connection.
    async fn next(&self, village: VillageCode) -> (Arrival, Presence) {
        loop {
            let arrived = {
                let mut places = self.places();
                let number = places.last_number + 1;
                let place = places.by_village.entry(village.as_u64()).or_default();
                if let Some(arrival) = place.waiting.take().filter(|it| !it.gone.is_gone()) {
                    place.present = Some(Present {
                        number,
                        peer: arrival.peer,
                        channel: arrival.channel.clone(),
                        switch: arrival.switch.clone(),
                        gone: arrival.gone.clone(),
                    });
                    places.last_number = number;
                    let presence = Presence { arrivals: self.clone(), village, number };
                    return (arrival, presence);
                }
                Arc::clone(&place.arrived)
            };
            arrived.notified().await;
        }
    }

    /// Ends every connection that `keep` doesn't want any more.
    pub fn retain(&self, keep: impl Fn(&Peer) -> bool) {
        let places = self.places();
        for place in places.by_village.values() {
            if let Some(present) = place.present.as_ref().filter(|it| !keep(&it.peer)) {
                present.switch.off();
            }
            if let Some(waiting) = place.waiting.as_ref().filter(|it| !keep(&it.peer)) {
                waiting.end();
            }
        }
    }

    /// Calls to the node of a village, if it is connected now.
    pub(crate) fn fleet(&self, village: VillageCode) -> Option<FleetClient<Line>> {
        let mut all = self.fleets().into_iter();
        all.find(|(peer, _)| peer.village == village).map(|(_, fleet)| fleet)
    }

    /// Calls to every node that is connected now, with who it is.
    pub(crate) fn fleets(&self) -> Vec<(Peer, FleetClient<Line>)> {
        let places = self.places();
        let present = places.by_village.values().filter_map(|place| place.present.as_ref());
        present.map(|it| (it.peer, FleetClient::new(line(it.channel.clone())))).collect()
    }
}

/// A session's hold on its village's place; the place is free when it goes.
#[derive(Debug)]
pub(crate) struct Presence {
    arrivals: Arrivals,
    village: VillageCode,
    number: u64,
}

impl Drop for Presence {
    fn drop(&mut self) {
        let mut places = self.arrivals.places();
        if let Some(place) = places.by_village.get_mut(&self.village.as_u64())
            && let Some(present) = place.present.take_if(|present| present.number == self.number)
        {
            present.switch.off();
        }
    }
}

/// Asks who answers; nothing when nobody does in time.
async fn incarnation(village: VillageCode, channel: &Channel) -> Option<[u8; 16]> {
    let (version_min, version_max) = limits::PROTOCOL_VERSIONS;
    let request = v1::HelloRequest {
        version_min,
        version_max,
        village: village.as_u64(),
        ..v1::HelloRequest::default()
    };
    let mut sync = SyncClient::new(line(channel.clone()));
    let asked = spans::node_call(village, "lumbung.v1.Sync/Hello", sync.hello(request));
    let answer = tokio::time::timeout(GHOST_TIMEOUT, asked).await;
    let reply = answer.ok()?.ok()?.into_inner();
    reply.incarnation.as_ref().try_into().ok()
}

/// A village whose node dials in.
#[derive(Clone, Debug)]
pub struct Arriving {
    /// Which.
    pub village: VillageCode,
    /// Where nodes arrive.
    pub arrivals: Arrivals,
}

impl Open for Arriving {
    /// Waits for the node. Its bytes have been counted since it dialled.
    async fn open(&self, _traffic: Traffic) -> Result<Session, ConnectError> {
        let (arrival, presence) = self.arrivals.next(self.village).await;
        Ok(Session { presence: Some(presence), ..Session::on(arrival.channel) })
    }
}
