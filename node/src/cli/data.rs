//! `list` and `show`.

use std::path::Path;
use std::process::ExitCode;

use bytes::Bytes;
use lumbung_domain::id::{Kind, KindCode, RecordId};
use lumbung_domain::record::{Numbers, Record};
use lumbung_ledger::Source;
use lumbung_proto::v1;
use lumbung_telemetry::clock;
use lumbung_wire::record as wire;

use super::reach::{node, said};
use crate::config::Config;

#[derive(clap::Args)]
pub(super) struct ListArgs {
    /// dusun, rw, rt, dasawisma, rumah-tangga, keluarga, warga, mutasi,
    /// tanda-terima, atau pernyataan-jumlah.
    kind: String,
    /// Paling banyak sekian baris (0 = semua).
    #[arg(long, default_value_t = 50)]
    limit: u32,
}

#[derive(clap::Args)]
pub(super) struct ShowArgs {
    /// Id catatan, seperti di kolom pertama `list`.
    id: RecordId,
    /// Buka data spesifik (kesehatan, disabilitas).
    #[arg(long)]
    spesifik: bool,
}

fn decoded(record: &v1::LocalRecord) -> Option<Record> {
    let kind = Kind::from_code(KindCode(u16::try_from(record.kind).ok()?))?;
    wire::decode(kind, &record.payload).ok()
}

pub(super) async fn list(dir: &Path, args: &ListArgs) -> anyhow::Result<ExitCode> {
    let kind = Kind::from_name(&args.kind).ok_or_else(|| {
        anyhow::anyhow!("Jenis {} tidak dikenal. Lihat `lumbung-node list --help`.", args.kind)
    })?;
    let request = v1::ListRequest { kind: u32::from(kind.code().0), limit: args.limit };
    let mut records = node(dir).await?.list(request).await.map_err(said)?.into_inner();
    let mut table = super::table(["id", "nama", "diubah", "oleh"]);
    while let Some(record) = records.message().await.map_err(said)? {
        let id = RecordId::from_slice(&record.id).unwrap_or_default();
        let name = decoded(&record).map(|it| it.title(Numbers::Masked)).unwrap_or_default();
        table.add_row([id.to_string(), name, clock::display(record.time_ms), record.actor]);
    }
    lumbung_telemetry::say!("{table}");
    Ok(ExitCode::SUCCESS)
}

pub(super) async fn show(dir: &Path, args: &ShowArgs) -> anyhow::Result<ExitCode> {
    let request = v1::ShowRequest { id: Bytes::copy_from_slice(args.id.as_bytes()) };
    let record = node(dir).await?.show(request).await.map_err(said)?.into_inner();
    let source = Source(u8::try_from(record.source).unwrap_or_default());
    let made = match (record.first_ms, record.first_actor.as_str()) {
        (0, _) => String::new(),
        (at_ms, "") => format!("dibuat {}, ", clock::display(at_ms)),
        (at_ms, actor) => format!("dibuat {} oleh {actor}, ", clock::display(at_ms)),
    };
    lumbung_telemetry::say!(
        "{} nomor {}, {made}diubah {} oleh {} ({})",
        args.id,
        record.seq,
        clock::display(record.time_ms),
        record.actor,
        source.name()
    );
    match decoded(&record) {
        Some(record) => {
            let jenis = Config::load(dir)?.desa.kind();
            let words = record.describe_in(jenis, args.spesifik, Numbers::Masked, clock::today());
            lumbung_telemetry::say!("{words}");
        }
        None => lumbung_telemetry::say!("Jenis {} belum dikenal versi ini.", record.kind),
    }
    Ok(ExitCode::SUCCESS)
}
