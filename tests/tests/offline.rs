//! Nobody waits for anybody: villages work while they, their neighbours or
//! the district are down, and whoever comes back continues where it stood.

use std::time::Duration;

use anyhow::Context;
use bytes::Bytes;
use lumbung_domain::id::Kind;
use lumbung_domain::region::roster;
use lumbung_hub::dataset::VillageState;
use lumbung_link::limits;
use lumbung_proto::v1;
use lumbung_tests::district::{District, NodeProcess, wait_until};
use lumbung_tests::fictitious::{FAMILY_SIZE, dusun, sheet};

/// Families of each village: enough that sending them again would show.
const FAMILIES: usize = 600;

/// How long a side stays down: longer than the other's first few tries.
const DOWN_FOR: Duration = Duration::from_secs(3);

/// A village that was away is tried again every 30 s at most.
const BACK_WITHIN: Duration = Duration::from_secs(60);

/// Most bytes a node may send to a returning hub for a handful of edits:
/// greetings, one batch, the proof.
const RESUME_BYTES_MAX: u64 = 3 * 1024;

/// Villages whose machine takes a call and says nothing: more than the hub
/// greets at a time.
const SILENT: usize = 40;

async fn district(villages: usize) -> anyhow::Result<District> {
    let mut district = District::new(env!("CARGO_BIN_EXE_lumbung-process"), villages)?;
    district.start().await?;
    Ok(district)
}

fn change(id: Bytes, name: Option<&str>) -> v1::RecordChange {
    v1::RecordChange {
        id,
        kind: u32::from(Kind::Dusun.code().0),
        delete: name.is_none(),
        payload: name.map(dusun).unwrap_or_default(),
    }
}

/// Creates two dusun, renames one and ends the other: four entries.
async fn edit(node: &NodeProcess, name: &str) -> anyhow::Result<()> {
    let made = vec![change(Bytes::new(), Some(name)), change(Bytes::new(), Some("SEMENTARA"))];
    let ids = node.save(made).await?.ids;
    let [kept, ended] = <[Bytes; 2]>::try_from(ids).ok().context("two ids")?;
    let renamed = format!("{name} LOR");
    let reply = node.save(vec![change(kept, Some(&renamed)), change(ended, None)]).await?;
    anyhow::ensure!(!reply.refused, "a sound edit was refused");
    Ok(())
}

async fn import(district: &District, node: usize, families: usize) -> anyhow::Result<()> {
    let file = district.folder().join(format!("warga-{node}.csv"));
    std::fs::write(&file, sheet(node, families))?;
    let path = file.to_str().context("a temporary folder with a plain name")?;
    let done = district.nodes[node].run(&["import", path]).await?;
    anyhow::ensure!(done.status.success(), "{}", String::from_utf8_lossy(&done.stderr));
    Ok(())
}

/// What the hub has of a village: position, records, sum.
fn had(state: &VillageState) -> impl PartialEq + std::fmt::Debug + use<> {
    (state.position, state.records, state.warga, state.fingerprint)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn villages_that_are_down_stop_nobody_and_catch_up() -> anyhow::Result<()> {
    let mut district = district(3).await?;
    for node in &district.nodes {
        edit(node, "KRAJAN").await?;
    }
    district.wait_proven(Duration::from_secs(20)).await?;

    // One loses its power, one is closed for the day.
    district.nodes[0].kill()?;
    district.nodes[1].stop().await?;
    let down = [district.nodes[0].village, district.nodes[1].village];
    let mut before = Vec::new();
    for village in down {
        before.push(had(&district.hub.village(village)?));
    }
    // The closed one works on: its clerk imports with no node running.
    import(&district, 1, FAMILIES).await?;
    for round in 0..5 {
        edit(&district.nodes[2], &format!("SUMBER {round}")).await?;
        district.wait_proven(Duration::from_secs(10)).await?;
    }
    for (village, before) in down.into_iter().zip(before) {
        let state = district.hub.village(village)?;
        assert_eq!(had(&state), before, "{village} was down and yet changed");
        assert_eq!(state.trouble, "", "being away is no trouble");
    }

    district.nodes[0].start().await?;
    edit(&district.nodes[0], "KEMBALI").await?;
    district.nodes[1].start().await?;
    district.wait_proven(BACK_WITHIN).await?;
    let residents = district.hub.village(down[1])?.warga;
    assert_eq!(residents, (FAMILIES * FAMILY_SIZE) as u64);
    district.stop().await?;
    district.compare()?;
    Ok(())
}

async fn counter(node: &NodeProcess, name: &str) -> anyhow::Result<u64> {
    node.status().await?[name].as_u64().with_context(|| format!("no {name} in the status"))
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_hub_that_was_down_resumes_where_it_stood() -> anyhow::Result<()> {
    let mut district = district(2).await?;
    for node in 0..2 {
        import(&district, node, FAMILIES).await?;
    }
    district.wait_proven(Duration::from_secs(30)).await?;
    let everything = counter(&district.nodes[0], "sent_bytes").await?;
    assert!(everything > 10 * RESUME_BYTES_MAX, "{everything} bytes are too few to tell");

    for killed in [false, true] {
        let mut sent = vec![counter(&district.nodes[0], "sent_bytes").await?];
        if killed {
            district.hub.kill()?;
        } else {
            district.hub.stop().await?;
        }
        edit(&district.nodes[0], "TANPA KABUPATEN").await?;
        tokio::time::sleep(DOWN_FOR).await;
        // A node that starts anew meanwhile counts its bytes from nothing, and
        // claims no more confirmed than was.
        district.nodes[1].stop().await?;
        district.nodes[1].start().await?;
        edit(&district.nodes[1], "TANPA KABUPATEN").await?;
        sent.push(0);
        let confirmed = counter(&district.nodes[1], "confirmed_seq").await?;
        assert!(confirmed < district.nodes[1].seq().await?);

        district.hub.start().await?;
        district.wait_proven(BACK_WITHIN).await?;
        for (node, before) in district.nodes.iter().zip(sent) {
            let resumed = counter(node, "sent_bytes").await? - before;
            println!("killed {killed}: {resumed} bytes sent again, {everything} at first");
            assert!(resumed > 0, "nothing was sent");
            assert!(resumed < RESUME_BYTES_MAX, "{resumed} of {everything} bytes sent again");
            let seq = node.seq().await?;
            wait_until(Duration::from_secs(10), "the village is told", async || {
                Ok(counter(node, "confirmed_seq").await? == seq)
            })
            .await?;
        }
    }
    district.stop().await?;
    district.compare()?;
    Ok(())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn villages_that_take_the_call_and_say_nothing_hold_up_nobody() -> anyhow::Result<()> {
    let mut district = District::new(env!("CARGO_BIN_EXE_lumbung-process"), 1)?;
    let mut silent = Vec::new();
    for village in roster().villages().iter().rev().take(SILENT) {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await?;
        district.hub.add(village.code, listener.local_addr()?)?;
        silent.push(tokio::spawn(async move {
            let mut taken = Vec::new();
            while let Ok((line, _)) = listener.accept().await {
                taken.push(line);
            }
        }));
    }
    district.hub.start().await?;
    tokio::time::sleep(Duration::from_secs(1)).await;
    district.nodes[0].start().await?;
    edit(&district.nodes[0], "RAMAI").await?;
    district.wait_proven(limits::ANSWER_TIMEOUT / 2).await?;
    assert!(silent.iter().all(|village| !village.is_finished()));
    district.stop().await
}
