//! Every row of the positions table with real processes and real disks: a
//! node or a hub goes back in time, is reinstalled, or is doubled. Each ends
//! with the hub proven equal to the fold of the village's log, nothing that
//! was acknowledged lost, and an incident that says so.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::{Context, ensure};
use bytes::Bytes;
use lumbung_domain::id::{Kind, RecordId};
use lumbung_domain::record::{Dusun, Record};
use lumbung_hub::dataset::{Outcome, SetAside};
use lumbung_ledger::Source;
use lumbung_node::village::Village;
use lumbung_proto::v1;
use lumbung_telemetry::clock;
use lumbung_tests::district::{District, wait_until};
use lumbung_tests::fictitious::dusun;
use lumbung_tests::fold::Folded;
use lumbung_wire::record::decode;

/// A stopped village is looked at again every 30 s at most.
const WITHIN: Duration = Duration::from_secs(60);

/// Files beside the database that tell how far this very disk has come.
const OUTSIDE: [&str; 3] = ["witness", "acked", "visits"];

/// A district of one village, to which things happen.
struct Scene {
    district: District,
    dir: PathBuf,
}

impl Scene {
    async fn new() -> anyhow::Result<Self> {
        let mut district = District::new(env!("CARGO_BIN_EXE_lumbung-process"), 1)?;
        district.start().await?;
        let dir = district.nodes[0].dir().to_path_buf();
        Ok(Self { district, dir })
    }

    async fn change(&self, id: Option<RecordId>, name: Option<&str>) -> anyhow::Result<RecordId> {
        let change = v1::RecordChange {
            id: id.map_or_else(Bytes::new, |id| Bytes::copy_from_slice(id.as_bytes())),
            kind: u32::from(Kind::Dusun.code().0),
            delete: name.is_none(),
            payload: name.map_or_else(Bytes::new, dusun),
        };
        let reply = self.district.nodes[0].save(vec![change]).await?;
        ensure!(!reply.refused, "a dusun was refused");
        RecordId::from_slice(&reply.ids[0]).context("an id")
    }

    async fn create(&self, name: &str) -> anyhow::Result<RecordId> {
        self.change(None, Some(name)).await
    }

    async fn rename(&self, id: RecordId, name: &str) -> anyhow::Result<()> {
        self.change(Some(id), Some(name)).await.map(drop)
    }

    async fn delete(&self, id: RecordId) -> anyhow::Result<()> {
        self.change(Some(id), None).await.map(drop)
    }

    fn other_dir(&self, name: &str) -> PathBuf {
        self.dir.with_extension(name)
    }

    /// The hub stands where the node stands, proven after `since_ms`, with
    /// nothing left to hand back.
    async fn wait_equal(&mut self, since_ms: i64) -> anyhow::Result<()> {
        let District { nodes, hub, .. } = &mut self.district;
        let node = &nodes[0];
        let equal = wait_until(WITHIN, "the hub is proven equal", async || {
            let status = node.status().await?;
            let state = hub.village(node.village)?;
            let stands = state.position.map(|position| position.seq.0);
            Ok(stands == status["seq"].as_u64()
                && state.proven_seq.0 == stands.unwrap_or_default()
                && state.fingerprint.to_string() == status["fingerprint"]
                && state.last_proof_ms >= since_ms
                && state.trouble.is_empty()
                && state.undelivered == 0)
        });
        if let Err(error) = equal.await {
            let state = self.district.hub.village(self.district.nodes[0].village)?;
            let said = self.district.hub.said();
            anyhow::bail!("{error:#}; {state:?}\n{said}");
        }
        Ok(())
    }

    /// Stops everything and compares the hub with the fold of the log.
    async fn finish(&mut self) -> anyhow::Result<Folded> {
        self.district.stop().await?;
        Ok(self.district.compare()?.remove(0))
    }

    /// The incidents of the village, oldest first: code and sentence.
    fn incidents(&mut self) -> anyhow::Result<Vec<(String, String)>> {
        let village = self.district.nodes[0].village;
        let incidents = self.district.hub.dataset()?.incidents(Some(village), 99)?;
        Ok(incidents.into_iter().rev().map(|it| (it.code, it.sentence)).collect())
    }

    /// The one incident of this kind.
    fn incident(&mut self, code: &str) -> anyhow::Result<String> {
        let incidents = self.incidents()?;
        let mut found: Vec<_> = incidents.iter().filter(|it| it.0 == code).collect();
        ensure!(found.len() == 1, "{code} is not there once: {incidents:?}");
        Ok(found.remove(0).1.clone())
    }

    fn branch(&mut self) -> anyhow::Result<Vec<SetAside>> {
        let village = self.district.nodes[0].village;
        Ok(self.district.hub.dataset()?.branch(village, 10_000)?)
    }

    fn hub_says(&self, args: &[&str]) -> anyhow::Result<String> {
        let done = self.district.hub.run(args)?;
        ensure!(done.status.success(), "{}", String::from_utf8_lossy(&done.stderr));
        Ok(String::from_utf8_lossy(&done.stdout).into_owned())
    }
}

fn copy(from: &Path, to: &Path) -> anyhow::Result<()> {
    std::fs::create_dir_all(to)?;
    for item in std::fs::read_dir(from)? {
        let item = item?;
        let target = to.join(item.file_name());
        if item.file_type()?.is_dir() {
            copy(&item.path(), &target)?;
        } else {
            std::fs::copy(item.path(), target)?;
        }
    }
    Ok(())
}

/// Puts the folder `old` in the place of `dir`.
fn put_back(old: &Path, dir: &Path) -> anyhow::Result<()> {
    std::fs::remove_dir_all(dir)?;
    copy(old, dir)
}

/// The names of the living dusun, by record.
fn names(folded: &Folded) -> BTreeMap<RecordId, String> {
    let read = |bytes: &Bytes| match decode(Kind::Dusun, bytes) {
        Ok(Record::Dusun(Dusun { nama, .. })) => nama,
        other => format!("{other:?}"),
    };
    folded.records.iter().map(|(id, living)| (*id, read(&living.bytes))).collect()
}

/// Lets a village lose its tail of five changes: the folder of before comes
/// back, with or without the files outside the database.
async fn lose_a_tail(with_outside: bool) -> anyhow::Result<()> {
    let mut scene = Scene::new().await?;
    let krajan = scene.create("KRAJAN").await?;
    let sumber = scene.create("SUMBER").await?;
    scene.wait_equal(0).await?;
    scene.district.nodes[0].stop().await?;
    let (old, newer) = (scene.other_dir("old"), scene.other_dir("newer"));
    copy(&scene.dir, &old)?;
    scene.district.nodes[0].start().await?;
    scene.rename(krajan, "KRAJAN LOR").await?;
    let tambak = scene.create("TAMBAK").await?;
    scene.delete(sumber).await?;
    let gone = scene.create("SEMENTARA").await?;
    scene.delete(gone).await?;
    scene.wait_equal(0).await?;
    scene.district.nodes[0].stop().await?;
    copy(&scene.dir, &newer)?;
    put_back(&old, &scene.dir)?;
    if with_outside {
        for file in OUTSIDE {
            std::fs::copy(newer.join(file), scene.dir.join(file))?;
        }
    }
    let since = clock::now_ms();
    scene.district.nodes[0].start().await?;
    scene.wait_equal(since).await?;
    // And life goes on.
    let ngadi = scene.create("NGADI").await?;
    scene.wait_equal(since).await?;
    let folded = scene.finish().await?;
    let expected = [(krajan, "KRAJAN LOR"), (tambak, "TAMBAK"), (ngadi, "NGADI")];
    let expected = expected.map(|(id, name)| (id, name.to_owned()));
    assert_eq!(names(&folded), BTreeMap::from(expected));
    assert_eq!(folded.position.epoch.0, 2);

    let lost = scene.incident("ekor_hilang")?;
    assert!(lost.contains("sama sampai nomor 2."), "{lost}");
    assert!(lost.contains("Hub di 1.7@") && lost.contains("node di 2.2@"), "{lost}");
    assert!(lost.contains("4 versi catatan"), "{lost}");
    let returned = scene.incident("dikembalikan")?;
    assert!(returned.contains("3 ditulis lagi, 1 sudah sama, 0 memakai isi desa"), "{returned}");
    let rewound = scene.incidents()?.iter().any(|(code, _)| code == "disk_mundur");
    assert_eq!(rewound, !with_outside, "only an old visits file tells of an old disk");
    let outcomes: Vec<_> = scene.branch()?.iter().map(|version| version.outcome).collect();
    assert_eq!(outcomes.iter().filter(|it| **it == Outcome::Applied).count(), 3);

    // Who wrote it and when is as it was.
    let village = Village::open(&scene.dir, scene.district.nodes[0].village)?;
    let back = village.barn().get(tambak)?.context("it came back")?.entry.header;
    assert_eq!((back.source, &*back.actor), (Source::RETURNED, "uji"));
    Ok(())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_lost_tail_is_handed_back() -> anyhow::Result<()> {
    lose_a_tail(false).await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_lost_tail_that_the_witness_knows_of_is_handed_back() -> anyhow::Result<()> {
    lose_a_tail(true).await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_restored_village_that_wrote_on_keeps_both_branches() -> anyhow::Result<()> {
    let mut scene = Scene::new().await?;
    let krajan = scene.create("KRAJAN").await?;
    let sumber = scene.create("SUMBER").await?;
    let ngadi = scene.create("NGADI").await?;
    scene.wait_equal(0).await?;
    scene.district.nodes[0].stop().await?;
    let old = scene.other_dir("old");
    copy(&scene.dir, &old)?;
    scene.district.nodes[0].start().await?;
    scene.rename(krajan, "KRAJAN LOR").await?;
    scene.delete(sumber).await?;
    scene.rename(ngadi, "NGADI REJO").await?;
    let tambak = scene.create("TAMBAK").await?;
    scene.wait_equal(0).await?;
    scene.district.hub.stop().await?;
    scene.district.nodes[0].stop().await?;
    put_back(&old, &scene.dir)?;

    // Out of sight of the hub the old state is written on, past the number
    // that the hub has.
    scene.district.nodes[0].start().await?;
    scene.rename(krajan, "KRAJAN KIDUL").await?;
    let mut written = Vec::new();
    for number in 0..6 {
        written.push(scene.create(&format!("BARU {number}")).await?);
    }
    scene.delete(ngadi).await?;
    let since = clock::now_ms();
    scene.district.hub.start().await?;
    scene.wait_equal(since).await?;
    let folded = scene.finish().await?;
    let mut expected =
        BTreeMap::from([(krajan, "KRAJAN KIDUL".to_owned()), (tambak, "TAMBAK".to_owned())]);
    expected.extend(written.into_iter().zip((0..6).map(|number| format!("BARU {number}"))));
    assert_eq!(names(&folded), expected);

    let forked = scene.incident("bercabang")?;
    assert!(forked.contains("sama sampai nomor 3."), "{forked}");
    let returned = scene.incident("dikembalikan")?;
    assert!(returned.contains("2 ditulis lagi, 0 sudah sama, 2 memakai isi desa"), "{returned}");
    // What lost is kept, with its content.
    let kept = scene.branch()?;
    for (id, name, outcome) in [
        (krajan, Some("KRAJAN LOR"), Outcome::Conflict),
        (ngadi, Some("NGADI REJO"), Outcome::Conflict),
        (tambak, Some("TAMBAK"), Outcome::Applied),
        (sumber, None, Outcome::Applied),
    ] {
        let version = kept.iter().find(|version| version.id == id).context("it is kept")?;
        assert_eq!(version.outcome, outcome, "{name:?}");
        assert_eq!(version.bytes, name.map_or_else(Bytes::new, dusun));
    }
    let code = scene.district.nodes[0].village.to_string();
    let listed = scene.hub_says(&["villages", "branch", &code])?;
    assert_eq!(listed.matches("isi desa yang dipakai").count(), 2, "{listed}");
    let shown = scene.hub_says(&["villages", "show", &code])?;
    assert!(shown.contains("sama sampai nomor 3."), "{shown}");
    Ok(())
}
