//! A village runs a newer version than the district: fields and kinds the
//! hub does not know arrive byte for byte and count in the proof.

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use lumbung_domain::id::{Kind, KindCode, RecordId};
use lumbung_ledger::Source;
use lumbung_node::barn::{Change, Expected, Submission};
use lumbung_node::village::Village;
use lumbung_tests::district::{District, wait_until};
use lumbung_tests::fictitious::dusun;

/// A kind no version has yet.
const NEW_KIND: KindCode = KindCode(4_000);

/// The payload of a dusun with a text field 500 that no version has yet.
fn dusun_of_tomorrow() -> Bytes {
    let mut payload = dusun("MASA DEPAN").to_vec();
    payload.extend_from_slice(&[0xa2, 0x1f, 4]);
    payload.extend_from_slice(b"baru");
    payload.into()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_a_newer_node_writes_arrives_byte_for_byte() -> anyhow::Result<()> {
    let mut district = District::new(env!("CARGO_BIN_EXE_lumbung-process"), 1)?;
    let village = district.nodes[0].village;
    let known = RecordId::from_parts(1_700_000_000_000, 1, 7);
    let unknown = RecordId::from_parts(1_700_000_000_000, 2, 7);
    let content = [
        (known, Kind::Dusun.code(), 2, dusun_of_tomorrow()),
        (unknown, NEW_KIND, 7, Bytes::from_static(b"\xff\x00 no protobuf at all \x80")),
    ];
    let changes = content.iter().cloned().map(|(id, kind, schema, bytes)| Change {
        id,
        kind,
        schema,
        content: Some(bytes),
        expected: Expected::Absent,
    });
    let submission = Submission {
        actor: Arc::from("versi-baru"),
        source: Source(9),
        time_ms: 1_700_000_000_000,
        changes: changes.collect(),
    };
    {
        let newer = Village::open(district.nodes[0].dir(), village)?;
        newer.barn().submit(submission).await?;
    }
    // The barn closes once its writer has gone.
    let node = &mut district.nodes[0];
    wait_until(Duration::from_secs(10), "the node starts", async || {
        node.start().await.map(|()| true)
    })
    .await?;
    district.hub.start().await?;
    district.wait_proven(Duration::from_secs(20)).await?;

    for (id, kind, schema, bytes) in &content {
        let hub = district.hub.dataset()?;
        let row = hub.record(&hub.whole(), village, *id)?.expect("the record arrived");
        assert_eq!((row.kind, row.schema, &row.bytes), (*kind, *schema, bytes));
        assert_eq!((row.actor.as_str(), row.source), ("versi-baru", Source(9)));
    }
    let hub = district.hub.dataset()?;
    assert_eq!(hub.quarantine(&hub.whole())?.len(), 0);
    district.stop().await?;
    let folded = district.compare()?;
    assert_eq!(folded[0].records.len(), content.len());
    Ok(())
}
