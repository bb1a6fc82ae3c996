//! Villages and callers that lie. The hub takes nothing unsound, says which
//! village is in trouble, and serves the honest ones as if nothing were; a
//! node answers nonsense with a refusal and keeps serving.

use std::time::Duration;

use bytes::Bytes;
use lumbung_demo::ports::free_address;
use lumbung_domain::id::Kind;
use lumbung_domain::region::roster;
use lumbung_hub::dataset::VillageState;
use lumbung_ledger::Seq;
use lumbung_link::channel;
use lumbung_link::meter::Traffic;
use lumbung_proto::v1::sync_client::SyncClient;
use lumbung_proto::v1::{self, pull_control::Control};
use lumbung_tests::district::{District, NodeProcess, wait_until};
use lumbung_tests::fictitious::dusun;
use lumbung_tests::liar::{Liar, Lie, TRUE_ENTRIES, record_id};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tonic::transport::Channel;
use tonic::{Code, Status};

/// Lies after which the hub must stand where the truth ended.
const REFUSED: [Lie; 13] = [
    Lie::Numbers,
    Lie::Gap,
    Lie::Truncated,
    Lie::TooLarge,
    Lie::Oversized,
    Lie::Bomb,
    Lie::Chain,
    Lie::Village,
    Lie::Fingerprint,
    Lie::RunGap,
    Lie::RunChain,
    Lie::RunDictionary,
    Lie::RunSeal,
];

fn new_dusun(nama: &str) -> v1::RecordChange {
    v1::RecordChange {
        id: Bytes::new(),
        kind: u32::from(Kind::Dusun.code().0),
        delete: false,
        payload: dusun(nama),
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_hub_takes_nothing_from_liars_and_everything_from_the_honest() -> anyhow::Result<()> {
    let mut district = District::new(env!("CARGO_BIN_EXE_lumbung-process"), 1)?;
    let strangers = roster().villages().iter().map(|desa| desa.code).skip(1).step_by(2);
    let mut liars = Vec::new();
    for (lie, village) in REFUSED.into_iter().chain([Lie::BadRecord]).zip(strangers) {
        let address = free_address()?;
        let task = Liar::serve(lie, village, address).await?;
        district.hub.add(village, address)?;
        liars.push((lie, village, task));
    }
    district.start().await?;
    district.nodes[0].save(vec![new_dusun("JUJUR")]).await?;
    district.wait_proven(Duration::from_secs(20)).await?;

    for (lie, village, _) in &liars {
        let hub = &mut district.hub;
        let what = format!("{lie:?} is seen");
        // The trouble may be noted before what came ahead of the lie is merged.
        let seen = wait_until(Duration::from_secs(20), &what, async || {
            let state = hub.village(*village)?;
            let seen = match lie {
                Lie::BadRecord => state.quarantined == 1,
                _ => !state.trouble.is_empty(),
            };
            Ok(seen && reached(&state) >= taken(*lie))
        });
        if let Err(error) = seen.await {
            anyhow::bail!("{error:#}: {:?}\n{}", hub.village(*village)?, hub.said());
        }
        nothing_half_applied(&mut district, *lie, *village)?;
    }

    // The liars go on; the honest village still has its hub.
    district.nodes[0].save(vec![new_dusun("TETAP JUJUR")]).await?;
    district.wait_proven(Duration::from_secs(10)).await?;
    assert_eq!(district.hub.village(district.nodes[0].village)?.trouble, "");
    assert!(district.hub.is_alive()?);
    for (lie, village, task) in liars {
        nothing_half_applied(&mut district, lie, village)?;
        task.abort();
    }
    district.stop().await?;
    district.compare().map(drop)
}

/// How many of the liar's entries the hub takes.
const fn taken(lie: Lie) -> u64 {
    match lie {
        Lie::Village => 0,
        // What the seal is of is merged, since the chain proves it; but nothing
        // is believed to be equal.
        Lie::BadRecord | Lie::RunSeal => TRUE_ENTRIES + 3,
        _ => TRUE_ENTRIES,
    }
}

fn reached(state: &VillageState) -> u64 {
    state.position.map_or(0, |position| position.seq.0)
}

fn nothing_half_applied(
    district: &mut District,
    lie: Lie,
    village: lumbung_domain::region::VillageCode,
) -> anyhow::Result<()> {
    let state = district.hub.village(village)?;
    let taken = taken(lie);
    assert_eq!(reached(&state), taken, "{lie:?}");
    let dataset = district.hub.dataset()?;
    for at in 1..=TRUE_ENTRIES + 3 {
        let bad = lie == Lie::BadRecord && at == TRUE_ENTRIES + 1;
        let there = dataset.record(&dataset.whole(), village, record_id(village, at))?.is_some();
        assert_eq!(there, at <= taken && !bad, "{lie:?}, record of entry {at}");
    }
    if lie != Lie::BadRecord {
        assert_eq!(state.records, taken, "{lie:?}");
        assert_eq!(state.proven_seq, Seq::ZERO, "{lie:?} was believed");
    }
    Ok(())
}

async fn caller(node: &NodeProcess) -> anyhow::Result<SyncClient<Channel>> {
    let channel = channel::dial(&node.address.to_string(), Traffic::default()).await?;
    Ok(SyncClient::new(channel))
}

/// Opens a pull with these words and reads it to its first item or refusal.
async fn pulled(
    node: &NodeProcess,
    words: Vec<Control>,
) -> anyhow::Result<Result<Option<v1::PullItem>, Status>> {
    let controls = words.into_iter().map(|control| v1::PullControl { control: Some(control) });
    let controls: Vec<_> = controls.collect();
    let mut caller = caller(node).await?;
    let pull = caller.pull(tokio_stream::iter(controls)).await;
    Ok(match pull {
        Err(status) => Err(status),
        Ok(stream) => stream.into_inner().message().await,
    })
}

fn start(position: Option<v1::Position>) -> Control {
    Control::Start(v1::pull_control::Start {
        position,
        batch_bytes: u32::MAX,
        credit_bytes: u64::MAX,
        forms: None,
    })
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_node_refuses_nonsense_and_keeps_serving() -> anyhow::Result<()> {
    let mut district = District::new(env!("CARGO_BIN_EXE_lumbung-process"), 1)?;
    let node = &mut district.nodes[0];
    node.start().await?;
    node.save((0..20).map(|at| new_dusun(&format!("DUSUN {at}"))).collect()).await?;
    let before = node.status().await?;

    let hello = v1::HelloRequest { version_min: 1, version_max: 1, ..Default::default() };
    let head = caller(node).await?.hello(hello).await?.into_inner().head.expect("a head");
    let ahead = v1::Position { seq: head.seq + 1_000, ..head.clone() };
    let forked = v1::Position { chain: Bytes::from_static(&[9; 16]), ..head.clone() };
    let other = v1::Position { log_id: Bytes::from_static(&[9; 16]), ..head.clone() };
    let cut = v1::Position { log_id: Bytes::from_static(b"abc"), ..head.clone() };
    let far = v1::Position { seq: u64::MAX, epoch: u32::MAX, ..head.clone() };
    for (what, words, code) in [
        ("nothing at all", vec![], Code::InvalidArgument),
        (
            "no Start",
            vec![Control::Credit(v1::pull_control::Credit { bytes: u64::MAX })],
            Code::InvalidArgument,
        ),
        ("a cut position", vec![start(Some(cut))], Code::InvalidArgument),
        ("ahead of the log", vec![start(Some(ahead))], Code::FailedPrecondition),
        ("beyond all numbers", vec![start(Some(far))], Code::FailedPrecondition),
        ("another branch", vec![start(Some(forked))], Code::FailedPrecondition),
        ("another log", vec![start(Some(other))], Code::FailedPrecondition),
    ] {
        let refused = pulled(node, words).await?.expect_err(what);
        assert_eq!(refused.code(), code, "{what}");
    }
    greedy_words_are_bounded(node).await?;
    a_huge_fetch_is_refused(node).await?;
    noise_on_the_socket_is_survived(node).await?;

    let after = node.status().await?;
    for figure in ["seq", "fingerprint", "records", "boots"] {
        assert_eq!(after[figure], before[figure], "{figure}");
    }
    node.save(vec![new_dusun("MASIH ADA")]).await?;
    assert!(pulled(node, vec![start(None)]).await?.is_ok_and(|item| item.is_some()));
    node.stop().await
}

/// All the credit there is, twice, and an Ack from the future.
async fn greedy_words_are_bounded(node: &NodeProcess) -> anyhow::Result<()> {
    let credit = || Control::Credit(v1::pull_control::Credit { bytes: u64::MAX });
    let ack = Control::Ack(v1::pull_control::Ack {
        position: Some(v1::Position { seq: u64::MAX, ..v1::Position::default() }),
    });
    let item = pulled(node, vec![start(None), credit(), credit(), ack]).await?;
    assert!(item.is_ok_and(|item| item.is_some()), "a greedy hub is still served");
    assert_eq!(node.status().await?["confirmed_seq"], 0, "a malformed Ack confirms nothing");
    Ok(())
}

async fn a_huge_fetch_is_refused(node: &NodeProcess) -> anyhow::Result<()> {
    let ids = |count: usize| vec![Bytes::from_static(&[3; 16]); count];
    let fetch = async |ids| {
        let request = v1::FetchRequest { ids, ..v1::FetchRequest::default() };
        caller(node).await?.fetch(request).await.map_err(anyhow::Error::from)
    };
    for (count, code) in [(10_001, Code::InvalidArgument), (200_000, Code::OutOfRange)] {
        let Err(refused) = fetch(ids(count)).await else {
            anyhow::bail!("a fetch of {count} ids was taken")
        };
        let status = refused.downcast_ref::<Status>().expect("the node answers");
        assert_eq!(status.code(), code, "{count} ids");
    }
    let mut found = fetch(vec![Bytes::new(), Bytes::from_static(b"abc")]).await?.into_inner();
    while let Some(item) = found.message().await? {
        assert_eq!((item.seq, item.payload.len()), (0, 0), "nothing stands under nonsense");
    }
    Ok(())
}

async fn noise_on_the_socket_is_survived(node: &NodeProcess) -> anyhow::Result<()> {
    for noise in [
        &[0xff_u8; 4_096][..],
        b"GET / HTTP/1.1\r\nHost: desa\r\n\r\n",
        b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\xff\xff\xff\xff\xff",
    ] {
        let mut stream = tokio::net::TcpStream::connect(node.address).await?;
        stream.write_all(noise).await?;
        // The node may answer or hang up; both end here.
        let mut answer = Vec::new();
        let read = tokio::time::timeout(Duration::from_secs(2), stream.read_to_end(&mut answer));
        drop(read.await);
    }
    Ok(())
}
