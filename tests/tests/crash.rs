//! Power goes while people save: nothing acknowledged is lost, nothing is
//! half there, no number is used twice, and the hub ends up equal.
//!
//! `LUMBUNG_CRASH_ROUNDS` sets how often something is killed,
//! `LUMBUNG_CRASH_SEED` repeats a run.

use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use bytes::Bytes;
use lumbung_domain::id::{Kind, RecordId};
use lumbung_proto::v1;
use lumbung_proto::v1::local_client::LocalClient;
use lumbung_tests::district::{District, client};
use lumbung_tests::fictitious::dusun;
use lumbung_tests::fold::Folded;
use rand::{Rng, RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;
use tonic::transport::Channel;

/// Kills in a normal run.
const ROUNDS: u32 = 12;

/// People who save at the same time.
const WRITERS: u64 = 3;

/// Records created together by one save.
const TOGETHER: usize = 3;

/// What a record may hold: the content last acknowledged, and contents whose
/// save got no answer since. `None` = deleted.
#[derive(Clone, Debug)]
struct Promise {
    acknowledged: Option<Bytes>,
    unanswered: Vec<Option<Bytes>>,
}

/// One person who saves, and what was promised to them.
struct Writer {
    number: u64,
    dir: PathBuf,
    dice: ChaCha8Rng,
    connection: Option<LocalClient<Channel>>,
    promises: HashMap<RecordId, Promise>,
    acknowledged: u64,
    unanswered: u64,
}

impl Writer {
    fn new(number: u64, seed: u64, dir: &Path) -> Self {
        Self {
            number,
            dir: dir.to_path_buf(),
            dice: ChaCha8Rng::seed_from_u64(seed ^ (number + 1)),
            connection: None,
            promises: HashMap::new(),
            acknowledged: 0,
            unanswered: 0,
        }
    }

    async fn save_until(mut self, stop: Arc<AtomicBool>) -> Self {
        let mut save = 0_u64;
        while !stop.load(Ordering::Relaxed) {
            if self.connection.is_none() {
                self.connection = client(&self.dir).await.ok();
            }
            if self.connection.is_none() {
                tokio::time::sleep(Duration::from_millis(10)).await;
                continue;
            }
            save += 1;
            let known: Vec<_> = self.living();
            if known.is_empty() || self.dice.random_ratio(1, 3) {
                self.create(save).await;
            } else {
                let id = known[self.dice.random_range(0..known.len())];
                self.change(id, save).await;
            }
        }
        self
    }

    /// Records that are certainly alive.
    fn living(&self) -> Vec<RecordId> {
        let alive = |promise: &Promise| {
            promise.acknowledged.is_some() && promise.unanswered.iter().all(Option::is_some)
        };
        let mut ids: Vec<_> =
            self.promises.iter().filter(|(_, promise)| alive(promise)).map(|(id, _)| *id).collect();
        ids.sort_unstable();
        ids
    }

    async fn create(&mut self, save: u64) {
        let named = |at| dusun(&format!("BARU {}-{save}-{at}", self.number));
        let payloads: Vec<_> = (0..TOGETHER).map(named).collect();
        let changes = payloads.iter().map(|payload| change(None, Some(payload)));
        if let Some(ids) = self.send(changes.collect()).await {
            assert_eq!(ids.len(), payloads.len());
            for (id, payload) in ids.into_iter().zip(payloads) {
                let promise = Promise { acknowledged: Some(payload), unanswered: Vec::new() };
                assert!(self.promises.insert(id, promise).is_none(), "an id was given twice");
            }
        }
    }

    async fn change(&mut self, id: RecordId, save: u64) {
        let delete = self.dice.random_ratio(1, 10);
        let content = (!delete).then(|| dusun(&format!("UBAH {}-{save}", self.number)));
        let answer = self.send(vec![change(Some(id), content.as_ref())]).await;
        let promise = self.promises.get_mut(&id).expect("only promised records are changed");
        match answer {
            Some(_) => *promise = Promise { acknowledged: content, unanswered: Vec::new() },
            None => promise.unanswered.push(content),
        }
    }

    /// The ids when the save was acknowledged.
    async fn send(&mut self, changes: Vec<v1::RecordChange>) -> Option<Vec<RecordId>> {
        let request = v1::SaveRequest {
            actor: format!("penulis-{}", self.number),
            changes,
            ..Default::default()
        };
        match self.connection.as_mut()?.save(request).await {
            Ok(reply) => {
                let reply = reply.into_inner();
                assert!(!reply.refused, "a sound save was refused");
                self.acknowledged += 1;
                reply.ids.iter().map(|id| RecordId::from_slice(id)).collect()
            }
            Err(_) => {
                self.unanswered += 1;
                self.connection = None;
                None
            }
        }
    }

    /// Everything promised is in the log's end state.
    fn check(&self, folded: &Folded) {
        for (id, promise) in &self.promises {
            let found = folded.records.get(id).map(|living| living.bytes.clone());
            let kept = found == promise.acknowledged || promise.unanswered.contains(&found);
            assert!(kept, "record {id}: promised {promise:?}, found {found:?}");
        }
    }
}

fn change(id: Option<RecordId>, content: Option<&Bytes>) -> v1::RecordChange {
    v1::RecordChange {
        id: id.map_or_else(Bytes::new, |id| Bytes::copy_from_slice(id.as_bytes())),
        kind: u32::from(Kind::Dusun.code().0),
        delete: content.is_none(),
        payload: content.cloned().unwrap_or_default(),
    }
}

fn number_from(variable: &str) -> Option<u64> {
    std::env::var(variable).ok()?.parse().ok()
}

/// Kills the node, the hub or both and brings them back; sometimes the power
/// goes again while they start.
async fn wreck(district: &mut District, dice: &mut impl Rng) -> anyhow::Result<()> {
    let (node, hub) = match dice.random_range(0..3) {
        0 => (true, false),
        1 => (false, true),
        _ => (true, true),
    };
    let again = dice.random_ratio(1, 3);
    if node {
        district.nodes[0].kill()?;
    }
    if hub {
        district.hub.kill()?;
    }
    if again {
        if node {
            district.nodes[0].spawn()?;
        }
        if hub {
            district.hub.spawn()?;
        }
        tokio::time::sleep(Duration::from_millis(dice.random_range(0..150))).await;
        if node {
            district.nodes[0].kill()?;
        }
        if hub {
            district.hub.kill()?;
        }
    }
    if node {
        district.nodes[0].start().await?;
    }
    if hub {
        district.hub.start().await?;
    }
    Ok(())
}

/// Records created together are there together: of each save that ever
/// showed, all were written, even when nobody was told.
fn saves_are_whole(dir: &Path, folded: &Folded, district: &District) -> anyhow::Result<()> {
    let village = lumbung_node::village::Village::open(dir, district.nodes[0].village)?;
    let mut created: HashMap<String, usize> = HashMap::new();
    let mut seq = lumbung_ledger::Seq::ZERO;
    while let Some(run) = village.barn().read_after(seq, 256 * 1024)? {
        for entry in &run.entries {
            if entry.header.operation != lumbung_ledger::Operation::Create {
                continue;
            }
            let lumbung_ledger::Payload::Present { bytes, .. } = &entry.payload else { continue };
            let record = lumbung_wire::record::decode(Kind::Dusun, bytes)?;
            let lumbung_domain::record::Record::Dusun(dusun) = record else { continue };
            let (save, _) = dusun.nama.rsplit_once('-').expect("every made name has a dash");
            *created.entry(save.to_owned()).or_default() += 1;
        }
        seq = run.entries.last().expect("a run is never empty").header.seq;
    }
    assert_eq!(seq, folded.position.seq);
    for (save, records) in created {
        assert_eq!(records, TOGETHER, "save {save} is there in part");
    }
    Ok(())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn acknowledged_saves_survive_every_kill_and_reach_the_hub() -> anyhow::Result<()> {
    let clock = SystemTime::now().duration_since(UNIX_EPOCH)?.as_nanos();
    let seed = number_from("LUMBUNG_CRASH_SEED").unwrap_or((clock & 0xffff_ffff) as u64);
    let rounds = number_from("LUMBUNG_CRASH_ROUNDS").unwrap_or(ROUNDS.into());
    println!("LUMBUNG_CRASH_SEED={seed} LUMBUNG_CRASH_ROUNDS={rounds}");
    let mut dice = ChaCha8Rng::seed_from_u64(seed);
    let mut district = District::new(env!("CARGO_BIN_EXE_lumbung-process"), 1)?;
    district.start().await?;

    let stop = Arc::new(AtomicBool::new(false));
    let dir = district.nodes[0].dir().to_path_buf();
    let writers: Vec<_> = (0..WRITERS)
        .map(|number| tokio::spawn(Writer::new(number, seed, &dir).save_until(Arc::clone(&stop))))
        .collect();
    for _ in 0..rounds {
        tokio::time::sleep(Duration::from_millis(dice.random_range(50..600))).await;
        wreck(&mut district, &mut dice).await?;
    }
    tokio::time::sleep(Duration::from_millis(200)).await;
    stop.store(true, Ordering::Relaxed);
    let mut people = Vec::new();
    for writer in writers {
        people.push(writer.await?);
    }
    let acknowledged: u64 = people.iter().map(|writer| writer.acknowledged).sum();
    let unanswered: u64 = people.iter().map(|writer| writer.unanswered).sum();
    println!("{acknowledged} saves acknowledged, {unanswered} without an answer");
    assert!(acknowledged > rounds, "hardly anything was saved");

    district.wait_proven(Duration::from_secs(40)).await?;
    let verified = district.nodes[0].run(&["verify", "--json"]).await?;
    assert!(verified.status.success(), "{}", String::from_utf8_lossy(&verified.stdout));
    district.stop().await?;
    // Folding checks that the numbers run from 1 without a gap.
    let folded = district.compare()?;
    for writer in &people {
        writer.check(&folded[0]);
    }
    saves_are_whole(&dir, &folded[0], &district)
}
