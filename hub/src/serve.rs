//! The hub at work: one puller per village, one writer, the console.

use std::collections::BTreeMap;
use std::future::Future;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use anyhow::Context;
use lumbung_domain::region::VillageCode;
use tokio::net::TcpListener;
use tokio::task::JoinHandle;

use crate::console::{self, ConsoleState};
use crate::dataset::Dataset;
use crate::dataset::sqlite::SqliteDataset;
use crate::live::Live;
use crate::merge::MergeWriter;
use crate::puller::{self, Contacts, Shared};

/// How often the list of villages is read again, so that one added by a
/// command is followed without a restart.
const ROLL_EVERY: Duration = Duration::from_secs(2);

/// How to serve.
#[derive(Clone, Debug)]
pub struct ServeOptions {
    /// The hub's folder.
    pub data: PathBuf,
    /// Where the console listens.
    pub console: SocketAddr,
}

/// The dataset's file in the hub's folder.
#[must_use]
pub fn dataset_file(data: &Path) -> PathBuf {
    data.join("hub.db")
}

/// Serves until `stop` completes.
///
/// # Errors
/// When the dataset can't be opened or the console's address is taken.
pub async fn run(options: ServeOptions, stop: impl Future<Output = ()>) -> anyhow::Result<()> {
    std::fs::create_dir_all(&options.data)
        .with_context(|| format!("Folder {} tidak bisa dipakai", options.data.display()))?;
    let dataset: Arc<dyn Dataset> =
        Arc::new(SqliteDataset::open(dataset_file(&options.data)).context(
            "Data kabupaten tidak bisa dibuka. Tidak ada yang diubah. Jangan hapus foldernya",
        )?);
    let listener = TcpListener::bind(options.console).await.with_context(|| {
        format!("Alamat {} sudah dipakai. Pilih yang lain dengan --console", options.console)
    })?;
    let live = Arc::new(Live::default());
    let contacts = Contacts::default();
    let shared = Shared {
        dataset: Arc::clone(&dataset),
        writer: MergeWriter::start(Arc::clone(&dataset))?,
        live: Arc::clone(&live),
        contacts: contacts.clone(),
    };
    println!("Konsol kabupaten: http://{}/", listener.local_addr()?);
    let router = console::router(ConsoleState { dataset: Arc::clone(&dataset), live });
    let flushing = tokio::spawn(contacts.clone().keep_flushing(Arc::clone(&dataset)));
    tokio::pin!(stop);
    tokio::select! {
        () = &mut stop => {}
        served = axum::serve(listener, router) => served.context("Konsol berhenti")?,
        failed = follow_all(&shared) => failed?,
    }
    flushing.abort();
    contacts.flush(&*dataset);
    tracing::info!("stopped");
    Ok(())
}

/// A village that is followed, and where.
struct Followed {
    address: String,
    task: JoinHandle<()>,
}

impl Drop for Followed {
    fn drop(&mut self) {
        self.task.abort();
    }
}

/// Keeps one puller per village with an address. Only returns on failure.
async fn follow_all(shared: &Shared) -> anyhow::Result<()> {
    let mut followed: BTreeMap<u64, Followed> = BTreeMap::new();
    loop {
        let dataset = Arc::clone(&shared.dataset);
        let villages = tokio::task::spawn_blocking(move || dataset.villages()).await??;
        for state in villages {
            let code = state.village.as_u64();
            if shared.live.get(state.village).is_none() {
                shared.live.update(state.village, |live| {
                    let seq = state.position.map_or(0, |position| position.seq.0);
                    live.head_seq = seq;
                    live.merged_seq = seq;
                    live.records = state.records;
                    live.quarantined = state.quarantined;
                    live.last_contact_ms = state.last_contact_ms;
                    live.last_proof_ms = state.last_proof_ms;
                    live.proven_seq = state.proven_seq.0;
                    live.trouble.clone_from(&state.trouble);
                });
            }
            let same = followed.get(&code).is_some_and(|now| now.address == state.address);
            if !same {
                followed.remove(&code);
                if !state.address.is_empty() {
                    followed.insert(code, start(state.village, state.address, shared));
                }
            }
        }
        tokio::time::sleep(ROLL_EVERY).await;
    }
}

fn start(village: VillageCode, address: String, shared: &Shared) -> Followed {
    let task = tokio::spawn(puller::follow(village, address.clone(), shared.clone()));
    Followed { address, task }
}
