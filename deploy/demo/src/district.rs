//! The district at work: fill, start, watch it merge, keep it alive.

mod edits;
mod fill;
mod operator;
mod parts;
mod progress;
mod size;

use std::fs::{File, TryLockError};
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use anyhow::Context;
use lumbung_hub::dataset::sqlite::SqliteDataset;
use lumbung_hub::dataset::{Dataset, VillageState};
use lumbung_telemetry::clock;
use serde_json::json;

use crate::population;
use fill::Filled;
use operator::SignIn;
use parts::Parts;
use size::Size;

/// How often the merged dataset is looked at.
const LOOK_EVERY: Duration = Duration::from_millis(300);

/// Kabupaten Blitar di satu komputer: satu hub dan 248 node desa dengan warga
/// rekaan.
#[derive(Clone, Debug, clap::Parser)]
#[command(name = "lumbung-demo", version)]
pub struct Options {
    /// Bagian dari jumlah warga sebenarnya; 1 = seluruh 1,26 juta jiwa. Tanpa
    /// ini 0.03, atau sebanyak yang sudah ada di folder data.
    #[arg(long)]
    scale: Option<f64>,
    /// Folder data; demo berikutnya meneruskan dari sini.
    #[arg(long, default_value = "lumbung-demo")]
    dir: PathBuf,
    /// Berhenti begitu semua desa tergabung dan terbukti sama; baris terakhir
    /// berupa JSON.
    #[arg(long)]
    once: bool,
    /// Benih penduduk rekaan. Tanpa ini 3505, atau yang sudah ada di folder
    /// data.
    #[arg(long)]
    seed: Option<u64>,
    /// Alamat konsol kabupaten.
    #[arg(long, default_value = "127.0.0.1:8700")]
    console: SocketAddr,
    /// Alamat tempat node desa bergabung dan menghubungi hub.
    #[arg(long, default_value = "127.0.0.1:8710")]
    uplink: SocketAddr,
}

/// Runs the demo until Ctrl-C, or until everything is proven with `--once`.
///
/// # Errors
/// When the folder can't be used or a part can't be started.
pub async fn run(options: Options) -> anyhow::Result<()> {
    std::fs::create_dir_all(options.dir.join("log"))
        .with_context(|| format!("Folder {} tidak bisa dipakai", options.dir.display()))?;
    let _lock = alone(&options.dir)?;
    let begun = Instant::now();
    let size = Size::of(&options.dir, options.scale, options.seed)?;
    let plans = population::plans(size.seed, size.scale);
    let dir = options.dir.clone();
    let filled = tokio::task::spawn_blocking(move || fill::villages(&dir, &plans)).await??;
    let fill_s = begun.elapsed().as_secs_f64();

    let starting = Instant::now();
    std::fs::create_dir_all(options.dir.join("hub"))?;
    let sign_in = SignIn::of(&options.dir)?;
    let mut parts = Parts::start(&options.dir, options.console, options.uplink, &filled).await?;
    let interrupted = lumbung_telemetry::stop::asked();
    tokio::pin!(interrupted);
    let dataset = SqliteDataset::open(parts::hub_file(&options.dir))?;
    lumbung_telemetry::say!(
        "Konsol kabupaten: http://{}/ - {}",
        options.console,
        sign_in.words(&options.dir)
    );
    let states = tokio::select! {
        () = &mut interrupted => {
            parts.stop().await;
            return Ok(());
        }
        states = proven(&dataset, &filled, &mut parts) => states?,
    };
    let sync_s = starting.elapsed().as_secs_f64();
    let totals = dataset.totals(&dataset.whole())?;
    let wire = edits::traffic(&options.dir, &filled).await;
    print_recap(&dataset)?;
    lumbung_telemetry::say!(
        "{} desa tergabung dan terbukti sama: {} warga, {} rumah tangga, {} catatan, {} temuan, \
         {} karantina. Isi {fill_s:.1} detik, gabung {sync_s:.1} detik.",
        states.len(),
        totals.warga,
        totals.rumah_tangga,
        totals.records,
        totals.findings,
        totals.quarantined
    );
    if options.once {
        parts.stop().await;
        let line = json!({
            "villages": states.len(),
            "proven": states.iter().filter(|state| state.last_proof_ms > 0).count(),
            "residents": totals.warga,
            "households": totals.rumah_tangga,
            "records": totals.records,
            "findings": totals.findings,
            "quarantined": totals.quarantined,
            "seconds": { "fill": fill_s, "sync": sync_s, "total": begun.elapsed().as_secs_f64() },
            "bytes_on_the_wire": wire,
        });
        lumbung_telemetry::say!("{line}");
        return Ok(());
    }
    lumbung_telemetry::say!(
        "Konsol: http://{}/ - {}. Ctrl-C menghentikan semuanya.",
        options.console,
        SignIn::of(&options.dir)?.words(&options.dir)
    );
    tokio::select! {
        () = &mut interrupted => {}
        done = edits::keep_making(&options.dir, &filled, size.seed) => done?,
        () = parts.keep_alive() => {}
    }
    lumbung_telemetry::say!("Berhenti; semua yang tersimpan ada di {}.", options.dir.display());
    parts.stop().await;
    Ok(())
}

/// Holds the folder as long as the demo runs; it ends with the process,
/// however that ends.
fn alone(dir: &Path) -> anyhow::Result<File> {
    let lock = File::create(dir.join("demo.lock"))
        .with_context(|| format!("Folder {} tidak bisa dipakai", dir.display()))?;
    match lock.try_lock() {
        Ok(()) => Ok(lock),
        Err(TryLockError::WouldBlock) => anyhow::bail!(
            "Demo lain sedang berjalan di folder {}. Tidak ada yang diubah. Pakai yang itu, atau \
             hentikan dulu (Ctrl-C di tempatnya). Untuk demo kedua pilih folder dan alamat lain: \
             --dir lumbung-demo-2 --console 127.0.0.1:8720 --uplink 127.0.0.1:8730",
            dir.display()
        ),
        Err(TryLockError::Error(error)) => {
            Err(error).with_context(|| format!("Folder {} tidak bisa dipakai", dir.display()))
        }
    }
}

/// Waits until every village is merged up to what it was filled with, and
/// proven equal there.
async fn proven(
    dataset: &SqliteDataset,
    filled: &[Filled],
    parts: &mut Parts,
) -> anyhow::Result<Vec<VillageState>> {
    let total: u64 = filled.iter().map(|village| village.head.0).sum();
    let bar = progress::bar("Menggabungkan", total, "catatan");
    loop {
        let states = dataset.villages()?;
        let seq = |state: &VillageState| state.position.map_or(0, |position| position.seq.0);
        bar.set_position(states.iter().map(seq).sum());
        let done = filled.iter().all(|village| {
            states.iter().any(|state| {
                state.village == village.code
                    && seq(state) >= village.head.0
                    && state.last_proof_ms > 0
                    && state.proven_seq == lumbung_ledger::Seq(seq(state))
            })
        });
        if done {
            bar.finish_and_clear();
            return Ok(states);
        }
        parts.revive()?;
        tokio::time::sleep(LOOK_EVERY).await;
    }
}

fn print_recap(dataset: &SqliteDataset) -> anyhow::Result<()> {
    let region = lumbung_hub::recap::RegionRef::parse("3505")?;
    let recap = lumbung_hub::recap::Recap::of(dataset, region, clock::today())?;
    lumbung_telemetry::say!("{}", lumbung_hub::exports::recap_table(&recap));
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_second_demo_on_the_same_folder_is_told_so() {
        let folder = tempfile::tempdir().unwrap();
        let first = alone(folder.path()).unwrap();
        let told = alone(folder.path()).unwrap_err().to_string();
        assert!(told.contains("Demo lain sedang berjalan") && told.contains("--dir"), "{told}");
        drop(first);
        assert!(alone(folder.path()).is_ok(), "the first one has ended");
    }
}
