//! `serve`: the node at work.

use std::future::Future;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use anyhow::Context;
use lumbung_domain::region::roster;
use lumbung_link::meter::Traffic;
use tokio::net::TcpListener;
use tokio::sync::watch;

use super::{reach, recover};
use crate::backup::Nightly;
use crate::barn::{Condition, StoreError};
use crate::config::Config;
use crate::identity::Identity;
use crate::serving::{
    AuditWitness, Confirmed, LocalService, Stops, SyncService, Upkeep, Visits,
    report::condition_sentence, report::happenings, serve_local,
};
use crate::uplink::{self, Account, Answering};

/// Open calls get this long to end when the node stops; a pull never ends by
/// itself.
const STOP_WITHIN: Duration = Duration::from_secs(2);

/// A node that has not joined looks this often whether it has meanwhile.
const JOINED_LOOK_EVERY: Duration = Duration::from_secs(3);

/// How to serve.
#[derive(Clone, Debug)]
pub struct ServeOptions {
    /// The village's folder.
    pub data: PathBuf,
    /// Where the district may dial this node; overrides the settings.
    pub listen: Option<SocketAddr>,
}

/// Serves until `stop` completes, then closes the barn.
///
/// # Errors
/// When the barn can't be opened or the address is taken.
pub async fn serve(options: ServeOptions, stop: impl Future<Output = ()>) -> anyhow::Result<()> {
    let config = Config::load(&options.data)?;
    tokio::pin!(stop);
    let village = tokio::select! {
        opened = recover::open(&options.data, &config) => opened?,
        () = &mut stop => return Ok(()),
    };
    let listener = match options.listen.or(config.listen) {
        Some(address) => Some(bind(address).await?),
        None => None,
    };
    let stops = Stops::begin(&options.data);
    let stops = stops.map_err(|error| reach::open_failed(error.into()))?;
    let mut incarnation = [0; 16];
    getrandom::fill(&mut incarnation).map_err(std::io::Error::other)?;
    let confirmed = Arc::new(
        Confirmed::open(&options.data, village.barn())
            .map_err(|error| reach::open_failed(error.into()))?,
    );
    let visits = Visits::open(&options.data).map_err(StoreError::Io);
    let visits = visits.map_err(|error| reach::open_failed(error.into()))?;
    let witness = AuditWitness::open(&options.data).map_err(StoreError::Io);
    let witness = witness.map_err(|error| reach::open_failed(error.into()))?;
    let sync = SyncService::new(village.clone(), incarnation, Arc::clone(&confirmed));
    let sync = sync.keeping(visits);
    let keeping = tokio::spawn(Arc::clone(&confirmed).keep_writing());
    let traffic = Traffic::default();
    let account_file = uplink::account_file(&options.data);
    let account = Arc::new(Account::open(&account_file, traffic.clone()));
    let upkeep = Upkeep::new(village.clone(), Arc::clone(&confirmed));
    let local = LocalService::new(
        village.clone(),
        options.data.clone(),
        Arc::clone(&confirmed),
        traffic.clone(),
    );
    let local = local.linked(Arc::clone(&account));
    let (steps, losses) = happenings(village.barn(), confirmed.before());
    for sentence in steps.into_iter().chain(losses) {
        lumbung_telemetry::say!("{sentence}");
    }
    let name = roster().village(config.desa).map(|desa| desa.full_name()).unwrap_or_default();
    lumbung_telemetry::say!("{name} siap melayani kabupaten.");
    let identity = Identity::load(&options.data);
    if let Some(listener) = &listener {
        tell_listening(listener.local_addr()?, !matches!(identity, Ok(None)));
    }
    tracing::info!(village = %config.desa, seq = village.barn().head().position.seq.0, "serving");

    let upkeep = tokio::spawn(upkeep.run());
    let checking = tokio::spawn(village.clone().keep_checking());
    let telling = tokio::spawn(tell_condition(village.barn().condition()));
    let services = uplink::Services {
        sync,
        barn: village.barn().clone(),
        confirmed: Arc::clone(&confirmed),
        witness: Some(Arc::new(witness)),
        unclean_stops: stops.unclean(),
    };
    // A node whose identity is damaged has joined, and recognises nobody.
    let listener = listener.filter(|_| identity.is_ok());
    let (joining, joined) = watch::channel(identity.unwrap_or(None));
    let answering = Answering {
        joined,
        services: services.clone(),
        traffic: traffic.clone(),
        account: Arc::clone(&account),
    };
    let answering = listener.map(|listener| tokio::spawn(uplink::answer(listener, answering)));
    let linking =
        link(options.data.clone(), joining, services, traffic.clone(), Arc::clone(&account));
    let linking = tokio::spawn(linking);
    let (stopping, stopped) = watch::channel(false);
    let wait = |mut stopped: watch::Receiver<bool>| async move {
        // A closed channel means the same as a stop.
        drop(stopped.wait_for(|stopped| *stopped).await);
    };
    let (barn, known) = (village.barn().clone(), Arc::clone(&confirmed));
    let all_safe = move || known.at_ms() > 0 && known.seq() >= barn.head().position.seq;
    let nightly = Nightly::new(village, options.data.clone(), config.backup, Arc::new(all_safe));
    let nightly = tokio::spawn(nightly.run());
    let (socket, callers) = reach::listen(&options.data)?;
    let local = tokio::spawn(serve_local(local, callers, wait(stopped)));
    tokio::pin!(local);
    tokio::select! {
        () = &mut stop => {}
        ended = &mut local => ended?.context("Layanan di komputer ini berhenti")?,
    }
    stopping.send_replace(true);
    if let Some(answering) = answering {
        answering.abort();
    }
    drop(tokio::time::timeout(STOP_WITHIN, &mut local).await);
    nightly.abort();
    local.abort();
    checking.abort();
    telling.abort();
    linking.abort();
    account.save();
    keeping.abort();
    confirmed.write();
    upkeep.abort();
    drop(std::fs::remove_file(&socket));
    tracing::info!("stopped");
    Ok(())
}

async fn bind(address: SocketAddr) -> anyhow::Result<TcpListener> {
    TcpListener::bind(address).await.with_context(|| {
        format!("Alamat {address} tidak bisa dipakai. Data aman. Pilih alamat lain dengan --listen")
    })
}

/// Says whether changes are taken, whenever that changes.
async fn tell_condition(mut condition: watch::Receiver<Condition>) {
    while condition.changed().await.is_ok() {
        let now = *condition.borrow_and_update();
        if let Some(sentence) = condition_sentence(now) {
            lumbung_telemetry::say!("{sentence}");
        }
    }
}

/// Says who is answered at the address this node listens at.
fn tell_listening(address: SocketAddr, joined: bool) {
    match (joined, address.ip().is_loopback()) {
        (true, _) => lumbung_telemetry::say!("Kabupaten bisa menghubungi node ini di {address}."),
        (false, true) => {
            tracing::warn!(%address, "not joined: callers of this machine are served without TLS");
            lumbung_telemetry::say!(
                "Peringatan: node ini belum bergabung, jadi program lain di komputer ini bisa \
                 membaca data desa lewat {address}."
            );
        }
        (false, false) => {
            tracing::warn!(%address, "not joined: nobody is answered");
            lumbung_telemetry::say!(
                "Node ini belum bergabung, jadi belum ada yang dijawab di {address}. Bergabunglah \
                 dulu dengan token dari kabupaten."
            );
        }
    }
}

/// Holds the way to the district once this node has joined it, which may be
/// while it serves.
async fn link(
    data: PathBuf,
    joining: watch::Sender<Option<Identity>>,
    services: uplink::Services,
    traffic: Traffic,
    account: Arc<Account>,
) {
    let identity = loop {
        match Identity::load(&data) {
            Ok(Some(identity)) => break identity,
            Ok(None) => {}
            Err(error) => tracing::error!(%error, "the district can't be called"),
        }
        tokio::time::sleep(JOINED_LOOK_EVERY).await;
    };
    // From now on nobody is answered who is not the district.
    joining.send_replace(Some(identity.clone()));
    lumbung_telemetry::say!("Menghubungi kabupaten di {}.", identity.address());
    uplink::keep(identity, services, traffic, account).await;
}
