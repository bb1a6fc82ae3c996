//! Small edits that keep the district alive, made as people make them:
//! through the running nodes.

use std::path::Path;
use std::time::Duration;

use anyhow::Context;
use lumbung_domain::id::{Kind, KindCode};
use lumbung_link::channel;
use lumbung_node::serving::LOCAL_MESSAGE_BYTES_MAX;
use lumbung_proto::v1::{self, local_client::LocalClient};
use lumbung_telemetry::clock;
use lumbung_wire::record as wire;
use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;
use tonic::transport::Channel;

use super::fill::{Filled, folder};
use crate::population;

/// Pause between two edits somewhere in the district.
const EDIT_EVERY: Duration = Duration::from_millis(400);

/// Records an edit chooses among, per village.
const CHOICE: u32 = 200;

async fn node(dir: &Path, village: &Filled) -> anyhow::Result<LocalClient<Channel>> {
    let socket = folder(dir, village.code).join("node.sock");
    let channel = channel::dial_unix(&socket).await?;
    Ok(LocalClient::new(channel).max_decoding_message_size(LOCAL_MESSAGE_BYTES_MAX))
}

/// Bytes that crossed the nodes' connections to the hub, both ways.
pub(super) async fn traffic(dir: &Path, filled: &[Filled]) -> u64 {
    let mut bytes = 0;
    for village in filled {
        // A node that was just killed has nothing to tell.
        let Ok(mut node) = node(dir, village).await else { continue };
        let Ok(reply) = node.status(v1::StatusRequest {}).await else { continue };
        let report: Result<lumbung_node::serving::report::Report, _> =
            serde_json::from_str(&reply.into_inner().json);
        bytes += report.map_or(0, |report| report.received_bytes + report.sent_bytes);
    }
    bytes
}

/// Makes small edits all over the district, for ever.
pub(super) async fn keep_making(dir: &Path, filled: &[Filled], seed: u64) -> anyhow::Result<()> {
    let mut dice = ChaCha8Rng::seed_from_u64(seed);
    loop {
        tokio::time::sleep(EDIT_EVERY).await;
        let village = &filled[dice.random_range(0..filled.len())];
        // A node may be down, or a record refused: the next edit is elsewhere.
        if let Err(error) = edit(dir, village, &mut dice).await {
            tracing::debug!(%error, village = %village.code, "an edit was not made");
        }
    }
}

async fn edit(dir: &Path, village: &Filled, dice: &mut ChaCha8Rng) -> anyhow::Result<()> {
    let mut node = node(dir, village).await?;
    let kind = if dice.random_bool(0.8) { Kind::Warga } else { Kind::RumahTangga };
    let request = v1::ListRequest { kind: u32::from(kind.code().0), limit: CHOICE };
    let mut list = node.list(request).await?.into_inner();
    let mut records = Vec::new();
    while let Some(record) = list.message().await? {
        records.push(record);
    }
    anyhow::ensure!(!records.is_empty(), "the village has no such record");
    let chosen = &records[dice.random_range(0..records.len())];
    let kind = Kind::from_code(KindCode(u16::try_from(chosen.kind)?)).context("unknown kind")?;
    let record = wire::decode(kind, &chosen.payload)?;
    let edited = population::edit(dice, &record, clock::today());
    let change = v1::RecordChange {
        id: chosen.id.clone(),
        kind: chosen.kind,
        delete: false,
        payload: wire::encode(&edited),
    };
    node.save(v1::SaveRequest {
        actor: "kader-demo".to_owned(),
        changes: vec![change],
        ..Default::default()
    })
    .await?;
    Ok(())
}
