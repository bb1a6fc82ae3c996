//! Nodes that the hub dials, because an operator said where they are.
//!
//! A node that has joined is dialled over TCP and no further: then it greets
//! as if it had dialled, both ends prove who they are, and the connection
//! becomes an arrival. Only a node that has never joined has nothing to prove,
//! and is believed at a loopback address alone.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use lumbung_domain::region::VillageCode;
use lumbung_link::backoff::Backoff;

use super::door::Door;

/// First and longest pause before a node is dialled again.
const RETRY: (Duration, Duration) = (Duration::from_secs(1), Duration::from_secs(120));

/// How often it is looked at whether the village's line still stands.
const LOOK_EVERY: Duration = Duration::from_secs(2);

/// How connections to a village come about.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Way {
    /// The node dials.
    Arrives,
    /// The node dials, or the hub does.
    Both,
    /// The hub dials a node of this machine that has not joined.
    Plain,
}

impl Way {
    /// The way for a village at this address, where an empty one is none.
    #[must_use]
    pub fn of(address: &str, joined: bool) -> Self {
        match (address.is_empty(), joined) {
            (true, _) => Self::Arrives,
            (false, true) => Self::Both,
            (false, false) if is_here(address) => Self::Plain,
            (false, false) => Self::Arrives,
        }
    }
}

/// Whether an address can only be one of this machine.
fn is_here(address: &str) -> bool {
    address.parse::<SocketAddr>().is_ok_and(|address| address.ip().is_loopback())
}

/// Dials a village that has joined, whenever it has no line, for ever.
pub async fn keep_dialling(door: Arc<Door>, village: VillageCode, address: String) {
    let mut backoff = Backoff::new(RETRY.0, RETRY.1);
    loop {
        if door.arrivals().is_there(village) {
            backoff.reset();
            tokio::time::sleep(LOOK_EVERY).await;
            continue;
        }
        if let Err(error) = Box::pin(Arc::clone(&door).dial(village, &address)).await {
            tracing::debug!(%village, %error, "not reachable");
        }
        tokio::time::sleep(backoff.wait()).await;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nobody_is_believed_without_proof_but_a_node_of_this_machine() {
        for joined in [false, true] {
            assert_eq!(Way::of("", joined), Way::Arrives);
        }
        for (address, before) in [
            ("127.0.0.1:8701", Way::Plain),
            ("[::1]:8701", Way::Plain),
            ("10.1.2.3:8701", Way::Arrives),
            ("localhost:8701", Way::Arrives),
            ("127.0.0.1.desa.id:8701", Way::Arrives),
        ] {
            assert_eq!(Way::of(address, false), before, "{address}");
            assert_eq!(Way::of(address, true), Way::Both, "{address}");
        }
    }
}
