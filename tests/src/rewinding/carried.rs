//! Sticks on their way: bundles and answers as the commands of node and hub write
//! and take them, which arrive late, twice, in any order or never.

use std::collections::{BTreeMap, BTreeSet};
use std::fs::{self, File};
use std::path::{Path, PathBuf};

use anyhow::{Context, bail, ensure};
use lumbung_hub::bundle::{self, AnswerError, OtherLog, Proof, Refused};
use lumbung_hub::dataset::{Dataset, Recovery as _};
use lumbung_identity::Key;
use lumbung_media::{Bundle, SecretKey};
use lumbung_node::identity::{self, Identity, Membership};
use lumbung_node::serving::{Confirmed, LocalService};
use lumbung_proto::v1::{self, local_server::Local as _};
use lumbung_wire::batch;
use tonic::{Code, Request};

use super::{World, told};

/// How often both go to and fro until they must agree: a log that went back, what it
/// lost, what became of that, and a whole bundle; each once more for what is left over
/// from another log.
const ROUNDS_MAX: usize = 8;

/// What the hub says of a bundle.
enum Said {
    Taken(Proof),
    Refused,
    /// What comes before it is missing.
    ExportFrom(u64),
}

/// What is on its way, and what it is sealed with.
pub(super) struct Carried {
    /// The village's folder. No disk that is put back takes it along.
    desa: PathBuf,
    sticks: PathBuf,
    district: Key,
    secret: SecretKey,
    bundles: Vec<PathBuf>,
    answers: Vec<PathBuf>,
}

impl Carried {
    /// A village that has joined, and nothing on its way.
    pub(super) fn new(folder: &Path) -> anyhow::Result<Self> {
        let (desa, sticks) = (folder.join("desa"), folder.join("stik"));
        fs::create_dir_all(&sticks)?;
        let (district, secret) = (Key::generate()?, SecretKey::generate());
        identity::key(&desa)?;
        let (address, certificate) = (String::new(), String::new());
        let hub_key = district.public().0.iter().map(|byte| format!("{byte:02x}")).collect();
        Identity::keep(&desa, &Membership { address, certificate, anchors: vec![], hub_key })?;
        identity::keep_recipient(&desa, &secret.public().to_string())?;
        Ok(Self { desa, sticks, district, secret, bundles: vec![], answers: vec![] })
    }
}

impl World {
    fn commands(&self) -> anyhow::Result<LocalService> {
        Ok(LocalService::at_rest(self.village()?.clone(), self.carried.desa.clone()))
    }

    /// The hub has told the village over a line how far it is.
    pub(super) fn confirm(&self) -> anyhow::Result<()> {
        let Some(stored) = self.stored()? else { return Ok(()) };
        let confirmed = Confirmed::open(&self.carried.desa, self.village()?.barn())?;
        confirmed.note(stored, self.now_ms);
        confirmed.write();
        Ok(())
    }

    /// The village writes a bundle from entry `from` on; 0 = of what is not confirmed.
    pub(super) async fn export(&mut self, from: u64) -> anyhow::Result<()> {
        let path = self.carried.sticks.to_string_lossy().into_owned();
        let request = v1::ExportBundleRequest { path, from };
        match self.commands()?.export_bundle(Request::new(request)).await {
            Ok(made) => self.carried.bundles.push(made.into_inner().path.into()),
            // There is no such entry.
            Err(status) if status.code() == Code::OutOfRange => {}
            Err(status) => bail!("no bundle: {status}"),
        }
        Ok(())
    }

    /// One of the bundles reaches the hub, by any number.
    pub(super) fn import(&mut self, which: usize) -> anyhow::Result<()> {
        let count = self.carried.bundles.len();
        if count > 0 {
            self.take_in(which % count, OtherLog::Refuse)?;
        }
        Ok(())
    }

    fn take_in(&mut self, which: usize, other_log: OtherLog) -> anyhow::Result<Said> {
        let file = File::open(&self.carried.bundles[which])?;
        let length = file.metadata()?.len();
        let bundle = Bundle::read(file, length, &self.carried.secret)?;
        let done = match bundle::import(&bundle, &self.hub, other_log) {
            Ok(done) => done,
            Err(Refused::TakingTurns(code)) => {
                self.now_ms += 1;
                ensure!(self.hub.resolve_twin(code, &told(0), self.now_ms)?, "nothing is held");
                return Ok(Said::Refused);
            }
            Err(Refused::Gap { next }) => return Ok(Said::ExportFrom(next.0)),
            Err(
                Refused::OtherLog
                | Refused::Outdated
                | Refused::Restarted { .. }
                | Refused::Forked { .. },
            ) => return Ok(Said::Refused),
            Err(refused) => return Err(refused.into()),
        };
        self.replaced_by(&bundle)?;
        // What waits may be what the village has, under another number; what is left of
        // another log is not its.
        let here = bundle.to == self.village()?.barn().head().position;
        let settled = !self.waits()? && self.hub.leftovers(self.code)?.is_empty();
        if done.proof == Proof::Equal && here && settled {
            self.compare()?;
        }
        Ok(Said::Taken(done.proof))
    }

    /// Whether something waits to be handed back.
    fn waits(&self) -> anyhow::Result<bool> {
        Ok(!self.hub.undelivered(&self.hub.whole(), self.code, None, 1)?.is_empty())
    }

    /// A version that the hub had may be replaced by a later one of the same history.
    fn replaced_by(&mut self, bundle: &Bundle) -> anyhow::Result<()> {
        let mut told = BTreeSet::new();
        let mut reached = bundle.from;
        for packed in &bundle.batches {
            let verified = batch::verify(packed.clone(), reached)?;
            told.extend(verified.entries.iter().map(|(entry, _)| entry.header.id));
            reached = verified.last;
        }
        let rows: BTreeMap<_, _> = self.rows(None)?.into_iter().collect();
        let aside = self.hub.branch(&self.hub.whole(), self.code, u32::MAX)?;
        let aside: BTreeSet<_> = aside.into_iter().map(|it| (it.id, it.bytes)).collect();
        self.had.retain(|had| {
            !told.contains(&had.0) || rows.get(&had.0) == Some(&had.1) || aside.contains(had)
        });
        Ok(())
    }

    /// The hub writes its answer, if the village ever sent a bundle.
    pub(super) fn write_answer(&mut self) -> anyhow::Result<()> {
        let (state, waiting) =
            (self.hub.village(self.code)?, bundle::waiting(self.code, &self.hub)?);
        let out = self.carried.sticks.join(format!("{}.jawaban", self.carried.answers.len()));
        match bundle::answer(&state, &waiting, &self.carried.district, &out) {
            Ok(path) => self.carried.answers.push(path),
            Err(AnswerError::NoKey) => {}
            Err(error) => return Err(error.into()),
        }
        Ok(())
    }

    /// One of the answers reaches the village, by any number.
    pub(super) async fn read_answer(&mut self, which: usize) -> anyhow::Result<()> {
        let count = self.carried.answers.len();
        if count > 0 {
            self.take_out(which % count).await?;
        }
        Ok(())
    }

    async fn take_out(&mut self, which: usize) -> anyhow::Result<v1::ImportAnswerReply> {
        let path = self.carried.answers[which].to_string_lossy().into_owned();
        let request = Request::new(v1::ImportAnswerRequest { path });
        let taken = self.commands()?.import_answer(request).await;
        Ok(taken.map_err(|status| anyhow::anyhow!("no answer: {status}"))?.into_inner())
    }

    /// Sticks go to and fro until both are proven equal and nothing waits.
    ///
    /// # Errors
    /// When that takes too long.
    pub(super) async fn agree_by_stick(&mut self) -> anyhow::Result<()> {
        let mut from = 0;
        for _ in 0..ROUNDS_MAX {
            self.export(from).await?;
            let newest = self.carried.bundles.len().checked_sub(1).context("no bundle")?;
            match self.take_in(newest, OtherLog::Begin)? {
                Said::Taken(Proof::Equal) if !self.waits()? => return Ok(()),
                // The hub's file is an older one.
                Said::ExportFrom(next) => {
                    from = next;
                    continue;
                }
                Said::Taken(_) | Said::Refused => {}
            }
            self.write_answer()?;
            let newest = self.carried.answers.len().checked_sub(1).context("no answer")?;
            from = u64::from(self.take_out(newest).await?.wants_whole);
            self.own_saves_stay()?;
        }
        bail!("both are not proven equal after {ROUNDS_MAX} sticks to and fro")
    }
}
