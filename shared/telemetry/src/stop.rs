//! When a program is asked to stop.

use tokio::signal::unix::{SignalKind, signal};

/// Completes at Ctrl-C or when the system asks the process to stop.
pub async fn asked() {
    match signal(SignalKind::terminate()) {
        Ok(mut terminate) => {
            tokio::select! {
                _ = terminate.recv() => {}
                _ = tokio::signal::ctrl_c() => {}
            }
        }
        // Without the handler SIGTERM ends the process at once, which the
        // stores survive.
        Err(_) => drop(tokio::signal::ctrl_c().await),
    }
}
