//! `quarantine`.

use anyhow::Context;
use lumbung_telemetry::clock;

use super::{table, village};
use crate::dataset::{Content, Dataset};
use crate::merge::decode;

#[derive(clap::Subcommand)]
pub(super) enum QuarantineCommand {
    /// Semua catatan di karantina.
    List {
        /// Hanya desa ini.
        #[arg(long)]
        village: Option<String>,
    },
    /// Mencoba lagi, misalnya setelah hub diperbarui.
    Replay {
        /// Nomor di daftar; tanpa nomor berarti semua.
        number: Option<i64>,
    },
}

pub(super) fn run(command: &QuarantineCommand, dataset: &dyn Dataset) -> anyhow::Result<()> {
    match command {
        QuarantineCommand::List { village: of } => {
            let of = of.as_deref().map(village).transpose()?.map(|desa| desa.code);
            let mut table = table(["no", "desa", "nomor urut", "catatan", "alasan", "sejak"]);
            for entry in dataset.quarantine(of)? {
                table.add_row([
                    entry.number.to_string(),
                    entry.village.to_string(),
                    entry.seq.to_string(),
                    entry.id.to_string(),
                    entry.reason,
                    clock::display(entry.since_ms),
                ]);
            }
            println!("{table}");
            Ok(())
        }
        QuarantineCommand::Replay { number } => {
            let numbers = match number {
                Some(number) => vec![*number],
                None => dataset.quarantine(None)?.iter().map(|entry| entry.number).collect(),
            };
            let mut taken = 0;
            for number in &numbers {
                let change = dataset
                    .quarantined_change(*number)?
                    .with_context(|| format!("Nomor {number} tidak ada di karantina"))?;
                let change = decode::again(change);
                taken += u32::from(!matches!(change.content, Content::Quarantined(_)));
                dataset.release(*number, &change, clock::now_ms())?;
            }
            println!("{taken} dari {} catatan sekarang diterima.", numbers.len());
            Ok(())
        }
    }
}
