//! What watches beside the pullers: the day's line of freshness, the disk,
//! letters to people, metrics.

use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use anyhow::Context;
use tokio::net::TcpListener;
use tokio::task::JoinSet;

use super::folder;
use crate::access::Gate;
use crate::access::audit::AuditLog;
use crate::alerting::Alerting;
use crate::backup;
use crate::live::{Disk, Live};
use crate::metrics::{self, MetricsState};
use crate::outlook;
use crate::puller::Shared;

/// How often the disk and the last backup are looked at.
const LOOK_EVERY: Duration = Duration::from_secs(10);

/// Space is told in steps of this, so that the view of the moment doesn't
/// move with every merge, bytes.
const DISK_STEP_BYTES: u64 = 64 * 1024 * 1024;

/// Where metrics are served, when they are.
pub(super) async fn listen(address: Option<SocketAddr>) -> anyhow::Result<Option<TcpListener>> {
    let Some(address) = address else { return Ok(None) };
    anyhow::ensure!(
        metrics::may_listen(&address),
        "Alamat --metrics harus di komputer ini sendiri, misalnya 127.0.0.1:8701. Tidak ada yang \
         dijalankan."
    );
    let listener = TcpListener::bind(address).await;
    let listener = listener.with_context(|| {
        format!("Alamat {address} sudah dipakai. Pilih yang lain dengan --metrics")
    })?;
    lumbung_telemetry::say!("Metrik: http://{}/metrics", listener.local_addr()?);
    Ok(Some(listener))
}

/// Watches until the tasks are aborted.
pub(super) fn start(
    data: &Path,
    file: PathBuf,
    shared: &Shared,
    metrics: Option<(TcpListener, Gate, Arc<dyn AuditLog>)>,
) -> JoinSet<()> {
    let (dataset, live) = (Arc::clone(&shared.dataset), Arc::clone(&shared.live));
    let mut tasks = JoinSet::new();
    tasks.spawn(outlook::keep_history(dataset.clone(), Arc::clone(&live)));
    tasks.spawn(keep_condition(data.to_owned(), Arc::clone(&live)));
    let alerting = Alerting {
        dataset: dataset.clone(),
        live: Arc::clone(&live),
        writer: shared.writer.watch(),
        data: data.to_owned(),
    };
    tasks.spawn(alerting.keep());
    if let Some((listener, gate, audit)) = metrics {
        let writer = shared.writer.watch();
        let state = MetricsState { dataset, live, writer, file, gate, audit };
        tasks.spawn(async move {
            if let Err(error) = axum::serve(listener, metrics::router(state)).await {
                tracing::error!(code = "WCH-1201", %error, "metrics are no longer served");
            }
        });
    }
    tasks
}

/// Keeps what is known of the hub itself: its disk, its last backup, what one
/// left aside.
async fn keep_condition(data: PathBuf, live: Arc<Live>) {
    if let Some(first_ms) = folder::first_taken_ms(&data) {
        live.update_hub(|hub| hub.first_started_ms = first_ms.min(hub.started_ms));
    }
    loop {
        let now = (space(&data), backup::last_ms(&data), set_aside(&data));
        let known = live.hub();
        if now != (known.disk, known.backup_ms, known.set_aside) {
            live.update_hub(|hub| (hub.disk, hub.backup_ms, hub.set_aside) = now);
        }
        tokio::time::sleep(LOOK_EVERY).await;
    }
}

/// How many folders hold what was there before a backup was put back.
fn set_aside(data: &Path) -> u32 {
    u32::try_from(backup::set_aside(data).len()).unwrap_or(u32::MAX)
}

/// Space on the disk of a folder; `None` when the system doesn't tell.
fn space(folder: &Path) -> Option<Disk> {
    let stat = rustix::fs::statvfs(folder).ok()?;
    let free_bytes = stat.f_bavail.saturating_mul(stat.f_frsize);
    let total_bytes = stat.f_blocks.saturating_mul(stat.f_frsize);
    let free_bytes = free_bytes - free_bytes % DISK_STEP_BYTES;
    Some(Disk { free_bytes, total_bytes })
}
