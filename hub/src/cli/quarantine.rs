//! `quarantine`.

use anyhow::Context;
use lumbung_domain::id::Kind;
use lumbung_domain::region::roster;
use lumbung_telemetry::clock;

use super::{table, village};
use crate::dataset::{Content, HubsOwn};
use crate::merge::decode;

#[derive(clap::Subcommand)]
pub(super) enum QuarantineCommand {
    /// Semua catatan di karantina.
    List {
        /// Hanya desa ini.
        #[arg(long)]
        village: Option<String>,
    },
    /// Satu catatan di karantina, tanpa isinya.
    Show {
        /// Nomor di daftar.
        number: i64,
    },
    /// Mencoba lagi, misalnya setelah hub diperbarui.
    Replay {
        /// Nomor di daftar; tanpa nomor berarti semua.
        number: Option<i64>,
    },
}

pub(super) fn run(command: &QuarantineCommand, dataset: &dyn HubsOwn) -> anyhow::Result<()> {
    match command {
        QuarantineCommand::List { village } => list(village.as_deref(), dataset),
        QuarantineCommand::Show { number } => show(*number, dataset),
        QuarantineCommand::Replay { number } => replay(*number, dataset),
    }
}

fn list(of: Option<&str>, dataset: &dyn HubsOwn) -> anyhow::Result<()> {
    let of = of.map(village).transpose()?.map(|desa| desa.code);
    let mut table = table(["no", "desa", "nomor urut", "catatan", "alasan", "sejak"]);
    for entry in dataset.quarantine(&dataset.whole().of(of))? {
        table.add_row([
            entry.number.to_string(),
            entry.village.to_string(),
            entry.seq.to_string(),
            entry.id.to_string(),
            entry.reason,
            clock::display(entry.since_ms),
        ]);
    }
    lumbung_telemetry::say!("{table}");
    Ok(())
}

fn absent(number: i64) -> String {
    format!("Nomor {number} tidak ada di karantina. Tidak ada yang diubah")
}

fn show(number: i64, dataset: &dyn HubsOwn) -> anyhow::Result<()> {
    let entries = dataset.quarantine(&dataset.whole())?;
    let entry = entries.iter().find(|entry| entry.number == number);
    let entry = entry.with_context(|| absent(number))?;
    let change =
        dataset.quarantined_change(&dataset.whole(), number)?.with_context(|| absent(number))?;
    let name = roster().village(entry.village).map(|desa| desa.full_name()).unwrap_or_default();
    let kind = Kind::from_code(entry.kind)
        .map_or_else(|| format!("jenis {}", entry.kind.0), |kind| kind.to_string());
    lumbung_telemetry::say!("{name} ({}), nomor urut {}", entry.village, entry.seq);
    lumbung_telemetry::say!(
        "Catatan {} ({kind}, skema {}), {} bita",
        entry.id,
        change.schema,
        entry.bytes
    );
    lumbung_telemetry::say!(
        "Ditulis {} oleh {} ({})",
        clock::display(change.time_ms),
        change.actor,
        change.source.name()
    );
    lumbung_telemetry::say!(
        "Di karantina sejak {}: {}",
        clock::display(entry.since_ms),
        entry.reason
    );
    lumbung_telemetry::say!("Isinya disimpan utuh dan dihitung dalam bukti kesamaan dengan desa.");
    Ok(())
}

fn replay(number: Option<i64>, dataset: &dyn HubsOwn) -> anyhow::Result<()> {
    let numbers = match number {
        Some(number) => vec![number],
        None => dataset.quarantine(&dataset.whole())?.iter().map(|entry| entry.number).collect(),
    };
    let mut taken = 0;
    for number in &numbers {
        let Some(change) = dataset.quarantined_change(&dataset.whole(), *number)? else {
            // A newer entry of the record may have taken its place meanwhile.
            anyhow::ensure!(numbers.len() > 1, absent(*number));
            continue;
        };
        let change = decode::again(change);
        taken += u32::from(!matches!(change.content, Content::Quarantined(_)));
        dataset.release(*number, &change, clock::now_ms())?;
    }
    lumbung_telemetry::say!("{taken} dari {} catatan sekarang diterima.", numbers.len());
    Ok(())
}
