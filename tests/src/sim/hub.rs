//! The hub in the simulated world: the real sessions, merge and dataset.

use std::cell::{Cell, RefCell};
use std::io;
use std::net::Ipv4Addr;
use std::path::PathBuf;
use std::rc::Rc;
use std::sync::Arc;
use std::time::Duration;

use lumbung_domain::region::VillageCode;
use lumbung_hub::dataset::sqlite::SqliteDataset;
use lumbung_hub::dataset::{HubsOwn, IncidentKind, NewIncident};
use lumbung_hub::live::Live;
use lumbung_hub::merge::MergeWriter;
use lumbung_hub::puller::{self, Shared};
use lumbung_hub::uplink::{Arrival, Arrivals, Arriving, Open, Outcome, Session};
use lumbung_hub::words::Words;
use lumbung_identity::{Peer, PublicKey};
use lumbung_link::channel::ConnectError;
use lumbung_link::limits;
use lumbung_link::meter::{Metered, Traffic};
use lumbung_telemetry::clock;
use tokio::io::AsyncReadExt as _;

use super::line::{Line, Sky};
use super::node::{PORT, UPLINK_PORT};
use super::world::Chronicle;

/// How often the hub's view is written down when it moved.
const LOOK_EVERY: Duration = Duration::from_millis(100);

/// The running hub as the world sees it.
pub(super) struct View {
    pub(super) dataset: Arc<dyn HubsOwn>,
    pub(super) live: Arc<Live>,
}

impl View {
    /// Lets villages go on that were stopped because of a twin, as an operator
    /// who made sure that one machine is left.
    pub(super) fn resolve_twins(&self, kabupaten: &Kabupaten) -> anyhow::Result<()> {
        for (village, name, _) in &kabupaten.villages {
            let words = Words::new("satu komputer", "one machine");
            let incident = NewIncident::new(IncidentKind::TwinResolved, words);
            if self.dataset.resolve_twin(*village, &incident, clock::now_ms())? {
                kabupaten.chronicle.note("world", format_args!("{name}: one machine is left"));
            }
        }
        Ok(())
    }
}

/// What the hub is made of outside the running program.
pub(super) struct Kabupaten {
    pub(super) file: PathBuf,
    pub(super) villages: Vec<(VillageCode, String, Sky)>,
    /// The program's view, while it runs.
    pub(super) running: RefCell<Option<View>>,
    pub(super) chronicle: Chronicle,
    pub(super) seed: u64,
    pub(super) starts: Cell<u64>,
    /// The nodes dial.
    pub(super) arriving: bool,
}

/// Dials a node in the simulated network.
struct Dialled {
    name: String,
    sky: Sky,
    seed: u64,
}

impl Open for Dialled {
    async fn open(&self, traffic: Traffic) -> Result<Session, ConnectError> {
        let address = || self.name.clone();
        let connect = turmoil::net::TcpStream::connect((self.name.as_str(), PORT));
        let stream = match tokio::time::timeout(limits::CONNECT_TIMEOUT, connect).await {
            Err(_) => return Err(ConnectError::TimedOut { address: address() }),
            Ok(Err(error)) => {
                let source = io::Error::new(error.kind(), "the simulated network says no");
                return Err(ConnectError::Unreachable { address: address(), source });
            }
            Ok(Ok(stream)) => stream,
        };
        let seed = self.seed ^ traffic.received();
        Session::over(Line::new(stream, self.sky.clone(), seed), traffic).await
    }
}

/// Receives the nodes that dial, for ever.
async fn receive(kabupaten: Rc<Kabupaten>, start: u64, arrivals: Arrivals, shared: Shared) {
    let bound = turmoil::net::TcpListener::bind((Ipv4Addr::UNSPECIFIED, UPLINK_PORT)).await;
    let Ok(listener) = bound else { return };
    let mut number = 0;
    loop {
        let Ok((mut stream, _)) = listener.accept().await else { continue };
        number += 1;
        let seed = kabupaten.seed ^ (start << 32) ^ (number << 16);
        let (kabupaten, arrivals, shared) =
            (Rc::clone(&kabupaten), arrivals.clone(), shared.clone());
        tokio::task::spawn_local(async move {
            let told = tokio::time::timeout(limits::HANDSHAKE_TIMEOUT, stream.read_u64()).await;
            let Ok(Ok(told)) = told else { return };
            let known = kabupaten.villages.iter().find(|(code, ..)| code.as_u64() == told);
            let Some((village, name, sky)) = known else { return };
            let traffic = shared.live.get(*village).map(|live| live.traffic).unwrap_or_default();
            let line = Metered::new(Line::new(stream, sky.clone(), seed).giving_up(), traffic);
            let peer = Peer { village: *village, key: PublicKey([1; 32]) };
            let Ok(arrival) = Arrival::over(peer, line).await else { return };
            if let Outcome::Twin { present, newcomer } = arrivals.take(arrival).await {
                kabupaten.chronicle.note("hub", format_args!("{name}: two machines answer"));
                puller::twin(*village, present, newcomer, &shared).await;
            }
        });
    }
}

/// The hub's program; ends only with a failure.
pub(super) async fn run(kabupaten: Rc<Kabupaten>) -> turmoil::Result {
    let start = kabupaten.starts.get() + 1;
    kabupaten.starts.set(start);
    kabupaten.chronicle.note("hub", format_args!("starts"));
    let dataset: Arc<dyn HubsOwn> = Arc::new(SqliteDataset::open(&kabupaten.file)?);
    let live = Arc::new(Live::default());
    let writer = MergeWriter::start_in_task(dataset.clone());
    let shared = Shared::new(Arc::clone(&dataset), writer, Arc::clone(&live));
    tokio::spawn(shared.contacts.clone().keep_flushing(dataset.clone()));
    let arrivals = Arrivals::default();
    for (number, (code, name, sky)) in kabupaten.villages.iter().enumerate() {
        dataset.register(*code, name)?;
        let seed = kabupaten.seed ^ (start << 32) ^ ((number as u64) << 16);
        live.update(*code, |_| ());
        if kabupaten.arriving {
            let arriving = Arriving { village: *code, arrivals: arrivals.clone() };
            tokio::spawn(puller::follow_over(*code, arriving, shared.clone()));
        } else {
            let dialled = Dialled { name: name.clone(), sky: sky.clone(), seed };
            tokio::spawn(puller::follow_over(*code, dialled, shared.clone()));
        }
    }
    if kabupaten.arriving {
        let (shared, kabupaten) = (shared.clone(), Rc::clone(&kabupaten));
        tokio::task::spawn_local(receive(kabupaten, start, arrivals, shared));
    }
    drop(shared);
    kabupaten.running.replace(Some(View { dataset, live: Arc::clone(&live) }));
    let mut seen = vec![String::new(); kabupaten.villages.len()];
    loop {
        for ((code, name, _), seen) in kabupaten.villages.iter().zip(&mut seen) {
            let Some(village) = live.get(*code) else { continue };
            let now = format!("{:?} {} {}", village.phase, village.merged_seq, village.trouble);
            if now != *seen {
                kabupaten.chronicle.note("hub", format_args!("{name}: {now}"));
                *seen = now;
            }
        }
        tokio::time::sleep(LOOK_EVERY).await;
    }
}
