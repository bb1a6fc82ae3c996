//! A session cut at every byte: whatever the last byte was that came through,
//! the next session goes on, and both sides end up equal.

#![allow(clippy::unwrap_used, reason = "a test may fail by panicking")]

use std::sync::Arc;

use lumbung_domain::id::{Kind, RecordId};
use lumbung_domain::record::{Dusun, Record};
use lumbung_domain::region::roster;
use lumbung_ledger::{LogId, Source};
use lumbung_node::barn::{Ground, MemoryStore};
use lumbung_node::village::{Village, Wish};
use lumbung_telemetry::clock::Clock;
use lumbung_tests::fold;
use lumbung_tests::sim;
use lumbung_tests::sim::line::Weather;
use lumbung_tests::sim::pair::Pair;

/// Bytes that a connection has carried by the time both sides are equal are
/// fewer than this.
const SESSION_BYTES_MAX: u64 = 20_000;

/// So many connections in a row that were not cut mean that the session was
/// complete before its cut came.
const WHOLE_IN_A_ROW: u32 = 20;

/// Records that are changed again and again.
const RECORDS: u64 = 10;

async fn save(village: &Village, round: u64) -> anyhow::Result<()> {
    let wish = |at: u64| {
        let nama = format!("DUSUN {round}-{at}");
        let id = RecordId::from_parts(1_790_000_000_000, 0, (round + at) % RECORDS);
        let record = (round % 7 != at).then(|| Record::Dusun(Dusun { nama, ..Dusun::default() }));
        Wish { id: Some(id), kind: Kind::Dusun, record, seen: None }
    };
    village.save("kader", Source::MANUAL, (0..3).map(wish).collect()).await?;
    Ok(())
}

/// A village whose log is the same each time.
fn village() -> anyhow::Result<Village> {
    let ground = Ground { store: Arc::new(MemoryStore::default()), witness: None, salts: 1 };
    let clock = Clock::standing_at(1_790_000_000_000);
    let code = roster().villages()[0].code;
    Ok(Village::open_in_task(ground, Some(LogId([5; 16])), code, clock)?)
}

async fn cut_everywhere() -> anyhow::Result<u64> {
    let (folder, village) = (sim::folder()?, village()?);
    let code = village.code();
    let pair = Pair::new(code, folder.path())?;
    let mut whole = 0;
    for bytes in 1..SESSION_BYTES_MAX {
        save(&village, bytes).await?;
        let cut = Weather { breaks_after: Some(bytes), ..Weather::default() };
        let following = pair.follow(&village, &[cut]);
        let head = village.barn().head().position.seq;
        let settled = pair.settled(head).await?;
        assert_eq!(settled.trouble, "", "cut after {bytes} bytes");
        whole = if following.connections() == 1 { whole + 1 } else { 0 };
        if whole == WHOLE_IN_A_ROW || bytes % 100 == 0 {
            fold::compare(&fold::fold_barn(village.barn())?, &*pair.dataset, code)?;
        }
        if whole == WHOLE_IN_A_ROW {
            return Ok(bytes);
        }
    }
    anyhow::bail!("a session takes more than {SESSION_BYTES_MAX} bytes")
}

#[test]
fn a_session_may_be_cut_after_any_byte() {
    let _world = lumbung_link::world::simulate(1);
    let runtime =
        tokio::runtime::Builder::new_current_thread().enable_time().start_paused(true).build();
    let bytes = runtime.unwrap().block_on(cut_everywhere()).unwrap();
    println!("cut after every one of {bytes} bytes");
    assert!(bytes > 300, "a session of {bytes} bytes was hardly one");
}

/// A node that lost the ack of what the hub holds, as one does that was killed
/// right then, learns it from where the next pull begins.
#[test]
fn a_lost_ack_is_learned_from_the_next_pull() {
    let _world = lumbung_link::world::simulate(1);
    let runtime =
        tokio::runtime::Builder::new_current_thread().enable_time().start_paused(true).build();
    runtime.unwrap().block_on(async {
        let (folder, village) = (sim::folder().unwrap(), village().unwrap());
        let pair = Pair::new(village.code(), folder.path()).unwrap();
        save(&village, 1).await.unwrap();
        let head = village.barn().head().position.seq;
        for _ in 0..2 {
            let following = pair.follow(&village, &[]);
            pair.settled(head).await.unwrap();
            // What is acknowledged is still on its way.
            tokio::time::sleep(std::time::Duration::from_secs(1)).await;
            assert_eq!(following.confirmed(), head);
        }
    });
}
