//! `erasures`.

use std::path::Path;

use anyhow::Context;
use lumbung_domain::region::roster;
use lumbung_telemetry::clock;

use super::table;
use crate::backup;
use crate::dataset::erasures::{Erasure, Erasures};
use crate::dataset::sqlite::erasures_file;

#[derive(clap::Args)]
pub(super) struct ErasuresArgs {
    /// Sebagai JSON.
    #[arg(long)]
    json: bool,
}

pub(super) fn run(args: &ErasuresArgs, dataset: &Path) -> anyhow::Result<()> {
    let ledger = Erasures::open(erasures_file(dataset))
        .context("Buku penghapusan tidak bisa dibaca. Tidak ada yang diubah")?;
    let folder = dataset.parent().filter(|folder| !folder.as_os_str().is_empty());
    let folder = folder.unwrap_or(Path::new("."));
    let aside: Vec<_> = backup::set_aside(folder)
        .iter()
        .filter_map(|path| Some(path.file_name()?.to_string_lossy().into_owned()))
        .collect();
    let mut erasures: Vec<_> = ledger.iter().collect();
    erasures.sort_by_key(|erasure| (erasure.received_ms, erasure.village, erasure.id));
    if args.json {
        let report = serde_json::json!({
            "erasures": erasures.iter().map(|erasure| as_json(erasure)).collect::<Vec<_>>(),
            "scrub_pending": ledger.scrub_pending(),
            "unreadable": ledger.unreadable(),
            "set_aside": aside,
        });
        lumbung_telemetry::say!("{report}");
        return Ok(());
    }
    let mut table = table(["desa", "catatan", "nomor", "dihapus desa", "diterima", "berkas"]);
    for erasure in erasures {
        let name = roster().village(erasure.village).map(|desa| desa.full_name());
        table.add_row([
            name.unwrap_or_else(|| erasure.village.to_string()),
            erasure.id.to_string(),
            format!("{}:{}", erasure.epoch, erasure.seq),
            clock::display(erasure.at_ms),
            clock::display(erasure.received_ms),
            if erasure.scrubbed { "bersih" } else { "menunggu" }.to_owned(),
        ]);
    }
    lumbung_telemetry::say!("{table}");
    if ledger.scrub_pending() {
        lumbung_telemetry::say!(
            "Isi catatan yang dihapus sudah ditimpa; sisa di ruang kosong berkas dibersihkan saat \
             hub dijalankan lagi."
        );
    }
    if !aside.is_empty() {
        lumbung_telemetry::say!(
            "Isi catatan yang dihapus mungkin masih ada di data lama dari sebelum cadangan dipasang \
             kembali: {}. Hapus folder itu bila semua desa sudah terbukti sama lagi.",
            aside.join(", ")
        );
    }
    if ledger.unreadable() > 0 {
        lumbung_telemetry::say!(
            "{} baris buku penghapusan tidak terbaca. Jangan ubah berkasnya.",
            ledger.unreadable()
        );
    }
    Ok(())
}

fn as_json(erasure: &Erasure) -> serde_json::Value {
    serde_json::json!({
        "village": erasure.village.as_u64(),
        "id": erasure.id.to_string(),
        "epoch": erasure.epoch.0,
        "seq": erasure.seq.0,
        "at_ms": erasure.at_ms,
        "received_ms": erasure.received_ms,
        "scrubbed": erasure.scrubbed,
    })
}
