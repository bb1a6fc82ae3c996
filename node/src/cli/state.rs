//! `status` and `verify`.

use std::path::Path;
use std::process::ExitCode;

use lumbung_domain::region::{VillageCode, roster};
use lumbung_proto::v1;
use lumbung_telemetry::clock;

use super::reach::{node, said};
use crate::serving::report::Report;
use crate::uplink::{LinkState, Missed};

#[derive(clap::Args)]
pub(super) struct StatusArgs {
    /// Sebagai JSON.
    #[arg(long)]
    json: bool,
    /// Mencatat bahwa yang hilang dari disk sudah diisi lagi.
    #[arg(long, alias = "entered-again")]
    sudah_diisi: bool,
}

#[derive(clap::Args)]
pub(super) struct VerifyArgs {
    /// Sebagai JSON.
    #[arg(long)]
    json: bool,
    /// Menyusun ulang keadaan, indeks dan sidik isi dari log bila tidak cocok.
    #[arg(long)]
    repair: bool,
}

pub(super) async fn status(dir: &Path, args: &StatusArgs) -> anyhow::Result<ExitCode> {
    let mut node = node(dir).await?;
    if args.sudah_diisi {
        let reply = node.entered_again(v1::EnteredAgainRequest {}).await.map_err(said)?;
        lumbung_telemetry::say!(
            "{}",
            match reply.into_inner().losses {
                0 => "Tidak ada catatan hilang yang menunggu diisi lagi.",
                _ => "Tercatat: yang hilang sudah diisi lagi, jadi tidak disebut lagi.",
            }
        );
        return Ok(ExitCode::SUCCESS);
    }
    let reply = node.status(v1::StatusRequest {}).await.map_err(said)?.into_inner();
    if args.json {
        lumbung_telemetry::say!("{}", reply.json);
        return Ok(ExitCode::SUCCESS);
    }
    let report: Report = serde_json::from_str(&reply.json)?;
    let desa = VillageCode::from_u64(report.village).and_then(|code| roster().village(code));
    if let Some(desa) = desa {
        lumbung_telemetry::say!("{}", desa.full_name());
    }
    lumbung_telemetry::say!("{} catatan, perubahan terakhir nomor {}.", report.records, report.seq);
    lumbung_telemetry::say!(
        "Sidik isi {} (log {}, epoch {}).",
        report.fingerprint,
        report.log_id,
        report.epoch
    );
    lumbung_telemetry::say!("{}", report.safety_sentence());
    if let Some(link) = report.link.filter(|_| report.serving) {
        tell_link(&link);
    }
    match report.backup_at_ms {
        0 => lumbung_telemetry::say!("Belum ada cadangan otomatis di folder data ini."),
        at => lumbung_telemetry::say!(
            "Cadangan terakhir yang terbukti: {} (sampai nomor {}).",
            clock::display(at),
            report.backup_seq
        ),
    }
    if report.scrub_pending {
        lumbung_telemetry::say!(
            "Sisa catatan yang dihapus permanen masih ada di berkas; dibersihkan saat node \
             dijalankan lagi."
        );
    }
    for step in &report.steps {
        lumbung_telemetry::say!("Saat dibuka: {step}");
    }
    for loss in &report.losses {
        lumbung_telemetry::say!("{loss}");
    }
    for remark in &report.remarks {
        lumbung_telemetry::say!("{remark}");
    }
    Ok(ExitCode::SUCCESS)
}

/// The way to the district, in the clerk's words.
fn tell_link(link: &LinkState) {
    let state = match (link.connected, link.missed) {
        (true, _) if link.tunnelled => {
            "Terhubung dengan kabupaten lewat terowongan (jaringan ini hanya meneruskan gRPC biasa)."
        }
        (true, _) => "Terhubung dengan kabupaten.",
        (false, Missed::Unknown) => "Belum terhubung dengan kabupaten.",
        (false, Missed::Unreachable) => {
            "Kabupaten tidak terjangkau. Data aman di sini dan terkirim sendiri begitu internet ada."
        }
        (false, Missed::Refused) => {
            "Yang menjawab di alamat kabupaten tidak menerima komputer ini: izinnya dicabut, atau \
             jaringan menghalangi. Data aman di sini. Hubungi kabupaten bila ini berlanjut."
        }
        (false, Missed::Full) => "Kabupaten sedang penuh; node mencoba lagi sendiri.",
        (false, Missed::Held) => {
            "Kabupaten menahan desa ini untuk sementara. Data aman di sini dan terkirim sendiri \
             begitu dilepas. Tanyakan ke kabupaten."
        }
        (false, Missed::Twin) => {
            "Komputer lain juga menjawab sebagai desa ini, jadi kabupaten tidak mengambil dari \
             keduanya. Data aman di sini. Matikan yang satu, lalu hubungi kabupaten."
        }
        (false, Missed::Saving) => {
            "Tidak terhubung supaya hemat kuota; node menghubungi kabupaten lagi sendiri."
        }
    };
    lumbung_telemetry::say!("{state}");
    let budget = match link.budget_bytes {
        0 => String::new(),
        bytes => format!(" dari {} kB yang boleh", bytes / 1_000),
    };
    lumbung_telemetry::say!(
        "Sambungan hari ini {} kB{budget}.",
        link.spent_today_bytes.div_ceil(1_000)
    );
}

pub(super) async fn verify(dir: &Path, args: &VerifyArgs) -> anyhow::Result<ExitCode> {
    let request = v1::VerifyRequest { repair: args.repair };
    let reply = node(dir).await?.verify(request).await.map_err(said)?.into_inner();
    if args.json {
        lumbung_telemetry::say!("{}", reply.json);
    } else if reply.mended > 0 {
        lumbung_telemetry::say!(
            "{} hal disusun ulang dari log. Log utuh, tidak ada catatan yang hilang. Lumbung utuh \
             lagi.",
            reply.mended
        );
    } else if reply.sound {
        lumbung_telemetry::say!("Lumbung utuh: rantai, keadaan, indeks dan sidik isi cocok.");
    } else if reply.log_broken {
        lumbung_telemetry::say!(
            "Lumbung TIDAK utuh: log rusak dan tidak bisa disusun ulang di sini. Tidak ada yang \
             diubah. Jangan hapus apa pun. Hentikan node, lalu jalankan lumbung-node recover: yang \
             sudah terkirim diambil kembali dari kabupaten. {}",
            reply.json
        );
    } else {
        lumbung_telemetry::say!(
            "Lumbung TIDAK utuh, tetapi log-nya utuh: tidak ada catatan yang hilang. Jalankan \
             lumbung-node verify --repair. {}",
            reply.json
        );
    }
    Ok(ExitCode::from(if reply.sound { 0 } else { 3 }))
}
