//! When a program is asked to stop.

use std::future::Future;

use tokio::signal::unix::{Signal, SignalKind, signal};

/// Completes when someone presses Ctrl-C or the service manager stops the
/// process. Listens from the call on, not from the first poll: a signal that
/// comes while the process is still starting stops it in good order too.
///
/// # Panics
/// Outside a tokio runtime.
pub fn asked() -> impl Future<Output = ()> + Send {
    let (mut interrupt, mut terminate) =
        (signal(SignalKind::interrupt()).ok(), signal(SignalKind::terminate()).ok());
    async move {
        tokio::select! {
            () = one(&mut interrupt) => {}
            () = one(&mut terminate) => {}
        }
    }
}

/// Waits for one signal; for ever when the system gives none.
async fn one(signal: &mut Option<Signal>) {
    match signal {
        Some(signal) => drop(signal.recv().await),
        None => std::future::pending().await,
    }
}
