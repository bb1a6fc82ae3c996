//! Content that leaves a village's log, thinned or erased, with real
//! processes: the chain still proves itself, the hub ends up equal, and after
//! an erasure no file of either side holds the content any more.

use std::time::Duration;

use lumbung_domain::id::Kind;
use lumbung_ledger::{Payload, Seq};
use lumbung_node::village::Village;
use lumbung_proto::v1;
use lumbung_tests::district::District;
use lumbung_tests::fictitious::dusun;

/// How long the hub may take to catch up and be proven.
const WITHIN: Duration = Duration::from_secs(30);

/// Records that are written again and again.
const RECORDS: usize = 20;

fn saved(id: bytes::Bytes, name: &str) -> v1::RecordChange {
    v1::RecordChange {
        id,
        kind: u32::from(Kind::Dusun.code().0),
        delete: false,
        payload: dusun(name),
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_hub_below_the_thinned_range_catches_up_and_is_proven_equal() -> anyhow::Result<()> {
    let mut district = District::new(env!("CARGO_BIN_EXE_lumbung-process"), 1)?;
    district.start().await?;
    let node = &district.nodes[0];
    let named = |round: usize, at: usize| format!("DUSUN {round}-{at}");
    let first = (0..RECORDS).map(|at| saved(bytes::Bytes::new(), &named(0, at)));
    let ids = node.save(first.collect()).await?.ids;
    district.wait_proven(WITHIN).await?;
    district.hub.stop().await?;
    // The hub stands at 20 of 210, in the middle of what is thinned below.
    let node = &mut district.nodes[0];
    for round in 1..10 {
        let again = ids.iter().enumerate().map(|(at, id)| saved(id.clone(), &named(round, at)));
        node.save(again.collect()).await?;
    }
    let gone = ids.iter().take(10).map(|id| v1::RecordChange {
        delete: true,
        payload: bytes::Bytes::new(),
        ..saved(id.clone(), "")
    });
    node.save(gone.collect()).await?;
    node.stop().await?;
    let (dir, code) = (node.dir().to_path_buf(), node.village);
    let (thinned, withheld) = tokio::task::spawn_blocking(move || {
        let village = Village::open(&dir, code)?;
        let barn = village.barn().clone();
        let thinned = barn.thin(barn.head().position.seq)?;
        let mut withheld = 0;
        let mut seq = Seq::ZERO;
        while let Some(run) = barn.read_after(seq, 64 * 1024)? {
            let gone =
                |entry: &&lumbung_ledger::Entry| matches!(entry.payload, Payload::Withheld { .. });
            withheld += run.entries.iter().filter(gone).count();
            seq = run.entries.last().map_or(seq, |entry| entry.header.seq);
        }
        drop(barn);
        village.close();
        anyhow::Ok((thinned, withheld))
    })
    .await??;
    // Of ten writes of each of twenty records ten last words are left.
    assert_eq!((thinned.payloads, withheld), (190, 190));
    district.nodes[0].start().await?;
    let verified = district.nodes[0].run(&["verify", "--json"]).await?;
    assert!(verified.status.success(), "{}", String::from_utf8_lossy(&verified.stdout));
    district.hub.start().await?;
    district.wait_proven(WITHIN).await?;
    assert_eq!(district.hub.village(code)?.quarantined, 0);
    // A hub that knows nothing goes the whole way through thinned entries.
    district.hub.stop().await?;
    district.hub.look_away();
    std::fs::remove_file(district.hub.dir().join("hub.db"))?;
    district.hub.add(code, district.nodes[0].address)?;
    district.hub.start().await?;
    district.wait_proven(WITHIN).await?;
    assert_eq!(district.hub.village(code)?.quarantined, 0);
    district.hub.stop().await?;
    district.nodes[0].stop().await?;
    let folded = district.compare()?;
    assert_eq!(folded[0].records.len(), 10);
    Ok(())
}
