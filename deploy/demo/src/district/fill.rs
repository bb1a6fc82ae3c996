//! Fills the villages' barns with fictitious residents.
//!
//! A village counts as filled once its settings file is there, which is
//! written last: an interrupted fill is begun again, a finished one kept.

use std::path::{Path, PathBuf};
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};

use anyhow::Context;
use lumbung_domain::region::VillageCode;
use lumbung_ledger::{Seq, Source};
use lumbung_node::barn::{Expected, Submission};
use lumbung_node::config::Config;
use lumbung_node::village::{Village, change};
use lumbung_telemetry::clock;

use super::progress;
use crate::population::{self, VillagePlan};

/// Records that become durable together.
const STEP: usize = 1_024;

/// A filled village.
#[derive(Clone, Copy, Debug)]
pub(super) struct Filled {
    pub(super) code: VillageCode,
    /// The last entry of its log.
    pub(super) head: Seq,
}

/// The folder of one village.
pub(super) fn folder(dir: &Path, code: VillageCode) -> PathBuf {
    dir.join("desa").join(code.to_string())
}

/// Fills every village that isn't yet, on every core.
pub(super) fn villages(dir: &Path, plans: &[VillagePlan]) -> anyhow::Result<Vec<Filled>> {
    let bar = progress::bar("Mengisi", plans.len() as u64, "desa");
    let next = AtomicUsize::new(0);
    let filled = Mutex::new(Vec::with_capacity(plans.len()));
    let workers = std::thread::available_parallelism().map_or(1, usize::from);
    std::thread::scope(|scope| {
        let work = || -> anyhow::Result<()> {
            while let Some(plan) = plans.get(next.fetch_add(1, Ordering::Relaxed)) {
                let village = one(dir, plan)?;
                bar.inc(1);
                filled.lock().map_err(|_| anyhow::anyhow!("a worker failed"))?.push(village);
            }
            Ok(())
        };
        let workers: Vec<_> = (0..workers).map(|_| scope.spawn(work)).collect();
        for worker in workers {
            worker.join().map_err(|_| anyhow::anyhow!("a worker failed"))??;
        }
        anyhow::Ok(())
    })?;
    bar.finish_and_clear();
    let mut filled = filled.into_inner().map_err(|_| anyhow::anyhow!("a worker failed"))?;
    filled.sort_by_key(|village| village.code.as_u64());
    Ok(filled)
}

fn one(dir: &Path, plan: &VillagePlan) -> anyhow::Result<Filled> {
    let folder = folder(dir, plan.code);
    if let Ok(config) = Config::load(&folder) {
        let village = Village::open(&folder, config.desa)?;
        let head = village.barn().head().position.seq;
        village.close();
        return Ok(Filled { code: plan.code, head });
    }
    if folder.exists() {
        std::fs::remove_dir_all(&folder)
            .with_context(|| format!("Folder {} tidak bisa dibersihkan", folder.display()))?;
    }
    let village = Village::create(&folder, plan.code)?;
    let now = clock::now_ms();
    let mut mint = || village.mint().next(now);
    let records = population::village(plan, clock::today(), &mut mint);
    for step in records.chunks(STEP) {
        let changes = step
            .iter()
            .map(|(id, record)| change(*id, record.kind(), Some(record), Expected::Absent));
        village.barn().submit_blocking(Submission {
            actor: "kader-demo".into(),
            source: Source::MANUAL,
            time_ms: now,
            changes: changes.collect(),
        })?;
    }
    let head = village.barn().head().position.seq;
    village.close();
    Config::new(plan.code).create(&folder)?;
    Ok(Filled { code: plan.code, head })
}
