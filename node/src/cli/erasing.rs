//! `erase` and `erasures`: the right to erasure (UU 27/2022 pasal 8).

use std::path::Path;
use std::process::ExitCode;

use bytes::Bytes;
use clap::ValueEnum;
use lumbung_domain::id::RecordId;
use lumbung_proto::v1;
use lumbung_telemetry::clock;

use super::reach::{self, node, said};
use crate::barn::ErasureReason;
use crate::config::Config;
use crate::serving::Confirmed;
use crate::serving::erasing::{ErasureReport, erase_failed};
use crate::serving::report::happenings;
use crate::village::Village;

/// Why, on the command line.
#[derive(Clone, Copy, Debug, ValueEnum)]
enum Reason {
    /// Orangnya sendiri (atau walinya) meminta.
    PermintaanWarga,
    /// Putusan pengadilan atau lembaga berwenang.
    Putusan,
    /// Catatan itu salah dimasukkan.
    SalahInput,
}

impl From<Reason> for ErasureReason {
    fn from(reason: Reason) -> Self {
        match reason {
            Reason::PermintaanWarga => Self::PermintaanWarga,
            Reason::Putusan => Self::Putusan,
            Reason::SalahInput => Self::SalahInput,
        }
    }
}

#[derive(clap::Args)]
pub(super) struct EraseArgs {
    /// Id catatan, seperti di kolom pertama `list`.
    id: RecordId,
    /// Alasannya. Hanya pilihan ini, supaya buku penghapusan tidak memuat
    /// data pribadi.
    #[arg(long)]
    alasan: Reason,
    /// Ya, hapus sungguh-sungguh. Tanpa ini hanya dihitung.
    #[arg(long)]
    ya: bool,
    /// Bersihkan berkasnya sekarang juga (node harus berhenti).
    #[arg(long)]
    now: bool,
}

#[derive(clap::Args)]
pub(super) struct ErasuresArgs {
    /// Sebagai JSON.
    #[arg(long)]
    json: bool,
}

pub(super) async fn erase(dir: &Path, actor: &str, args: &EraseArgs) -> anyhow::Result<ExitCode> {
    let reason = ErasureReason::from(args.alasan);
    if args.ya && args.now {
        let running = reach::running(dir).await.is_some();
        anyhow::ensure!(
            !running,
            "Node sedang berjalan. Belum ada yang dihapus. Hentikan node dulu, atau ulangi tanpa \
             --now: berkasnya dibersihkan saat node dijalankan lagi."
        );
        let (dir, id, actor) = (dir.to_path_buf(), args.id, actor.to_owned());
        return tokio::task::spawn_blocking(move || erase_now(&dir, &actor, id, reason)).await?;
    }
    let request = v1::EraseRequest {
        id: Bytes::copy_from_slice(args.id.as_bytes()),
        reason: reason.code().to_owned(),
        actor: actor.to_owned(),
        dry_run: !args.ya,
    };
    let reply = node(dir).await?.erase(request).await.map_err(said)?.into_inner();
    if !args.ya {
        lumbung_telemetry::say!(
            "{} catatan akan dihapus permanen (catatan ini dan mutasinya). Belum ada yang dihapus. \
             Ulangi dengan --ya bila yakin: ini tidak bisa dibatalkan.",
            reply.ids.len()
        );
        return Ok(ExitCode::from(3));
    }
    tell(reply.ids.len(), reply.written);
    if reply.written > 0 {
        lumbung_telemetry::say!(
            "Sisanya di berkas dibersihkan saat node dijalankan lagi; lihat `lumbung-node erasures`."
        );
    }
    Ok(ExitCode::SUCCESS)
}

fn tell(records: usize, written: u64) {
    if written == 0 {
        lumbung_telemetry::say!("Catatan itu sudah dihapus permanen sebelumnya.");
    } else {
        lumbung_telemetry::say!("{records} catatan dihapus permanen. Kabupaten akan diberi tahu.");
    }
}

fn erase_now(
    dir: &Path,
    actor: &str,
    id: RecordId,
    reason: ErasureReason,
) -> anyhow::Result<ExitCode> {
    let desa = Config::load(dir)?.desa;
    let village = Village::open(dir, desa).map_err(reach::open_failed)?;
    let erased = village.erase(id, reason, actor).map_err(|error| said(erase_failed(&error)))?;
    village.close();
    tell(erased.ids.len(), erased.receipt.written);
    let village = Village::open(dir, desa).map_err(reach::open_failed)?;
    let confirmed = Confirmed::open(dir, village.barn()).unwrap_or_default();
    let (steps, losses) = happenings(village.barn(), confirmed.before());
    for sentence in steps.into_iter().chain(losses) {
        lumbung_telemetry::say!("{sentence}");
    }
    let pending = village.barn().scrub_pending();
    village.close();
    Ok(ExitCode::from(if pending { 3 } else { 0 }))
}

pub(super) async fn erasures(dir: &Path, args: &ErasuresArgs) -> anyhow::Result<ExitCode> {
    let reply = node(dir).await?.erasures(v1::ErasuresRequest {}).await.map_err(said)?;
    let json = reply.into_inner().json;
    if args.json {
        lumbung_telemetry::say!("{json}");
        return Ok(ExitCode::SUCCESS);
    }
    let report: ErasureReport = serde_json::from_str(&json)?;
    let mut table = super::table(["catatan", "nomor", "dihapus", "alasan", "kabupaten", "berkas"]);
    for entry in &report.erasures {
        let confirmed = entry.confirmed_ms.map_or_else(
            || "belum dikonfirmasi".to_owned(),
            |at| format!("dikonfirmasi kabupaten {}", clock::display(at)),
        );
        table.add_row([
            entry.id.clone(),
            format!("{}:{}", entry.epoch, entry.seq),
            clock::display(entry.at_ms),
            entry.reason.clone(),
            confirmed,
            if entry.scrubbed { "bersih" } else { "menunggu" }.to_owned(),
        ]);
    }
    lumbung_telemetry::say!("{table}");
    if report.scrub_pending {
        lumbung_telemetry::say!(
            "Sisa catatan yang dihapus masih ada di berkas. Jalankan ulang node untuk \
             membersihkannya."
        );
    }
    if !report.erasures.is_empty() && !report.set_aside.is_empty() {
        lumbung_telemetry::say!(
            "Penyimpanan lama yang disisihkan ({}) mungkin masih memuat catatan yang dihapus. \
             Hapus foldernya bila kabupaten sudah memastikan semua perubahan.",
            report.set_aside.join(", ")
        );
    }
    if report.unreadable > 0 {
        lumbung_telemetry::say!(
            "{} baris buku penghapusan tidak terbaca. Jangan ubah berkasnya; hubungi kabupaten.",
            report.unreadable
        );
    }
    Ok(ExitCode::SUCCESS)
}
