//! Who dials: the only module that knows.
//!
//! Today the hub dials a node at its address. A session is one connection
//! over which the hub calls the node's services, however it came about.

use lumbung_link::channel::{self, ConnectError};
use lumbung_link::limits;
use lumbung_link::meter::Traffic;
use lumbung_proto::v1::sync_client::SyncClient;
use tonic::transport::Channel;

/// One connection to a village.
pub(crate) struct Session {
    /// The node's `Sync` service.
    pub(crate) sync: SyncClient<Channel>,
}

/// Reaches the node at `address`; its bytes are counted into `traffic`.
pub(crate) async fn reach(address: &str, traffic: Traffic) -> Result<Session, ConnectError> {
    let channel = channel::dial(address, traffic).await?;
    let sync = SyncClient::new(channel)
        .max_decoding_message_size(limits::MESSAGE_BYTES_MAX)
        .max_encoding_message_size(limits::MESSAGE_BYTES_MAX);
    Ok(Session { sync })
}
