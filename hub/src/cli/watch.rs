//! `needs`, `narahubung`, `maintenance`, `alert`: what needs somebody, whom to
//! call, when nobody is to be told, and whether letters arrive.

use std::path::Path;

use anyhow::Context;
use lumbung_domain::region::{KecamatanCode, roster};
use lumbung_telemetry::clock;
use serde_json::json;

use super::{table, village};
use crate::alerting::{self, Config};
use crate::dataset::sqlite::SqliteDataset;
use crate::dataset::{Alerts as _, Maintenance, Narahubung, Watch as _};
use crate::live::Live;
use crate::outlook::Outlook;
use crate::reason::{Place, Reasons};

#[derive(clap::Args)]
pub(super) struct NeedsArgs {
    /// Sebagai JSON.
    #[arg(long)]
    json: bool,
}

#[derive(clap::Subcommand)]
pub(super) enum NarahubungCommand {
    /// Mencatat siapa yang dihubungi di satu desa.
    Set {
        /// Kode desa.
        code: String,
        /// Nama.
        #[arg(long)]
        nama: String,
        /// Nomor telepon.
        #[arg(long)]
        telepon: String,
    },
    /// Menghapus catatan itu.
    Clear {
        /// Kode desa.
        code: String,
    },
    /// Siapa yang dihubungi di tiap desa.
    List,
}

#[derive(clap::Subcommand)]
pub(super) enum MaintenanceCommand {
    /// Mulai sekarang tidak ada yang diberi tahu tentang wilayah ini.
    Start {
        /// Kode desa, kode kecamatan, atau 0 untuk semuanya.
        wilayah: String,
        /// Selama berapa jam.
        #[arg(long)]
        jam: u32,
        /// Sebabnya.
        #[arg(long, default_value = "")]
        alasan: String,
    },
    /// Mengakhiri lebih awal.
    End {
        /// Nomornya di daftar.
        number: i64,
    },
    /// Yang sedang berjalan.
    List,
}

#[derive(clap::Subcommand)]
pub(super) enum AlertCommand {
    /// Mengirim surat percobaan lewat semua saluran di pemberitahuan.toml.
    Test,
}

pub(super) fn needs(args: &NeedsArgs, dataset: &SqliteDataset) -> anyhow::Result<()> {
    // Without the running hub nobody's line is known to be open: one that was
    // heard of lately is judged by that.
    let outlook = Outlook::now(dataset, &Live::default())?;
    let reasons = Reasons::of(&outlook);
    if args.json {
        let needs: Vec<_> = reasons
            .needs
            .iter()
            .map(|need| {
                json!({
                    "code": need.code,
                    "severity": need.severity.code(),
                    "place": need.place.code().to_string(),
                    "since_ms": need.since_ms,
                    "what": need.what.id,
                    "todo": need.todo.id,
                    "message": need.message,
                })
            })
            .collect();
        lumbung_telemetry::say!("{}", json!({ "needs": needs }));
        return Ok(());
    }
    let act = reasons.to_act().count();
    let advice = reasons.needs.len() - act;
    lumbung_telemetry::say!("{act} perlu tindakan, {advice} saran.");
    for need in reasons.to_act() {
        let since = if need.since_ms > 0 {
            format!(" (sejak {})", clock::display(need.since_ms))
        } else {
            String::new()
        };
        lumbung_telemetry::say!("\n{}{since}\n{}", need.place.name(), need.what.id);
        lumbung_telemetry::say!("Yang perlu dilakukan: {}", need.todo.id);
        if let Some(call) = &need.call {
            lumbung_telemetry::say!("Hubungi: {}, {}", call.nama, call.telepon);
        }
    }
    Ok(())
}

pub(super) fn narahubung(
    command: &NarahubungCommand,
    dataset: &SqliteDataset,
) -> anyhow::Result<()> {
    match command {
        NarahubungCommand::Set { code, nama, telepon } => {
            let desa = village(code)?;
            let dialled = telepon.chars().any(|c| c.is_ascii_digit())
                && telepon.chars().all(|c| c.is_ascii_digit() || "+-() ".contains(c));
            anyhow::ensure!(
                dialled && !nama.trim().is_empty(),
                "Nama harus terisi dan nomor telepon hanya angka, +, - dan spasi. Tidak ada yang \
                 diubah."
            );
            let narahubung = Narahubung { nama: nama.clone(), telepon: telepon.clone() };
            dataset
                .set_narahubung(desa.code, Some(&narahubung), clock::now_ms())
                .with_context(|| format!("{} tidak ada yang diubah", desa.full_name()))?;
            lumbung_telemetry::say!("Narahubung {} dicatat.", desa.full_name());
        }
        NarahubungCommand::Clear { code } => {
            let desa = village(code)?;
            dataset.set_narahubung(desa.code, None, clock::now_ms())?;
            lumbung_telemetry::say!("Narahubung {} dihapus.", desa.full_name());
        }
        NarahubungCommand::List => {
            let mut table = table(["kode", "desa", "nama", "telepon"]);
            for upkeep in dataset.upkeep()? {
                let Some(call) = upkeep.narahubung else { continue };
                let village = upkeep.heard.village;
                let place = Place::Village(village).name();
                table.add_row([village.to_string(), place, call.nama, call.telepon]);
            }
            lumbung_telemetry::say!("{table}");
        }
    }
    Ok(())
}

fn place(text: &str) -> anyhow::Result<Place> {
    if text == "0" {
        return Ok(Place::Hub);
    }
    match KecamatanCode::parse(text).filter(|code| roster().kecamatan_of(*code).is_some()) {
        Some(code) => Ok(Place::Kecamatan(code)),
        None => Ok(Place::Village(village(text)?.code)),
    }
}

pub(super) fn maintenance(
    command: &MaintenanceCommand,
    dataset: &SqliteDataset,
) -> anyhow::Result<()> {
    let now_ms = clock::now_ms();
    match command {
        MaintenanceCommand::Start { wilayah, jam, alasan } => {
            let scope = place(wilayah)?;
            let until_ms = now_ms + i64::from(*jam) * 3_600_000;
            let number = dataset.add_maintenance(&Maintenance {
                number: 0,
                scope: scope.code(),
                from_ms: now_ms,
                until_ms,
                reason: alasan.clone(),
            })?;
            lumbung_telemetry::say!(
                "Nomor {number}: tidak ada pemberitahuan tentang {} sampai {}. Penggabungan data \
                 berjalan terus.",
                named(scope),
                clock::display(until_ms)
            );
        }
        MaintenanceCommand::End { number } => {
            anyhow::ensure!(
                dataset.end_maintenance(*number, now_ms)?,
                "Tidak ada yang sedang berjalan dengan nomor {number}. Tidak ada yang diubah."
            );
            lumbung_telemetry::say!("Nomor {number} diakhiri.");
        }
        MaintenanceCommand::List => {
            let mut table = table(["nomor", "wilayah", "sampai", "sebab"]);
            for window in dataset.maintenance(now_ms)? {
                let code = window.scope.to_string();
                let scope = place(&code).map_or(code, named);
                let until = clock::display(window.until_ms);
                table.add_row([window.number.to_string(), scope, until, window.reason]);
            }
            lumbung_telemetry::say!("{table}");
        }
    }
    Ok(())
}

fn named(place: Place) -> String {
    if place == Place::Hub { "semuanya".to_owned() } else { place.name() }
}

pub(super) fn alert(command: &AlertCommand, data: &Path) -> anyhow::Result<()> {
    let AlertCommand::Test = command;
    let file = alerting::config_file(data);
    let config = Config::load(&file)
        .with_context(|| format!("{} tidak bisa dipakai", file.display()))?
        .with_context(|| format!("{} belum ada. Tidak ada yang dikirim", file.display()))?;
    let mut failed = 0;
    for (channel, delivered) in alerting::test(&config) {
        match delivered {
            Ok(()) => lumbung_telemetry::say!("{channel}: terkirim."),
            Err(error) => {
                failed += 1;
                lumbung_telemetry::say!("{channel}: tidak terkirim ({error}).");
            }
        }
    }
    anyhow::ensure!(failed == 0, "{failed} saluran gagal. Periksa {}", file.display());
    Ok(())
}
