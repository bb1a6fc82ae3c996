//! `list` and `show`.

use std::collections::HashSet;
use std::path::Path;
use std::process::ExitCode;

use bytes::Bytes;
use lumbung_domain::code_list::Code;
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
    /// Hanya warga hidup yang keluarganya tidak ada di sini: tidak ikut dihitung
    /// di rekap.
    #[arg(long)]
    tanpa_keluarga: bool,
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
    if args.tanpa_keluarga {
        anyhow::ensure!(kind == Kind::Warga, "--tanpa-keluarga hanya untuk warga.");
        return unplaced(dir, args.limit).await;
    }
    let request = v1::ListRequest { kind: u32::from(kind.code().0), limit: args.limit };
    let mut records = node(dir).await?.list(request).await.map_err(said)?.into_inner();
    let mut table = super::table(HEADINGS);
    while let Some(record) = records.message().await.map_err(said)? {
        let known = decoded(&record);
        table.add_row(row(record, known.as_ref()));
    }
    lumbung_telemetry::say!("{table}");
    Ok(ExitCode::SUCCESS)
}

const HEADINGS: [&str; 4] = ["id", "nama", "diubah", "oleh"];

fn row(record: v1::LocalRecord, known: Option<&Record>) -> [String; 4] {
    let id = RecordId::from_slice(&record.id).unwrap_or_default();
    let name = known.map(|it| it.title(Numbers::Masked)).unwrap_or_default();
    [id.to_string(), name, clock::display(record.time_ms), record.actor]
}

/// Living residents who name no family, or one that isn't here.
async fn unplaced(dir: &Path, limit: u32) -> anyhow::Result<ExitCode> {
    let mut node = node(dir).await?;
    let all = |kind: Kind| v1::ListRequest { kind: u32::from(kind.code().0), limit: 0 };
    let mut families = HashSet::new();
    let mut records = node.list(all(Kind::Keluarga)).await.map_err(said)?.into_inner();
    while let Some(record) = records.message().await.map_err(said)? {
        families.extend(RecordId::from_slice(&record.id));
    }
    let mut table = super::table(HEADINGS);
    let mut found: usize = 0;
    let mut records = node.list(all(Kind::Warga)).await.map_err(said)?.into_inner();
    while let Some(record) = records.message().await.map_err(said)? {
        let Some(Record::Warga(warga)) = decoded(&record) else { continue };
        let gone = warga.status_dasar.is_some_and(|status| status != Code::HIDUP);
        if gone || warga.keluarga_id.is_some_and(|family| families.contains(&family)) {
            continue;
        }
        found += 1;
        if limit == 0 || found <= limit as usize {
            table.add_row(row(record, Some(&Record::Warga(warga))));
        }
    }
    if found == 0 {
        lumbung_telemetry::say!("Semua warga hidup ada di keluarga yang dikenal.");
        return Ok(ExitCode::SUCCESS);
    }
    lumbung_telemetry::say!("{table}");
    lumbung_telemetry::say!(
        "{found} warga hidup tanpa keluarga yang dikenal. Impor lagi barisnya dengan NIK dan nomor \
         KK keluarganya; yang sudah meninggal atau pindah, catat itu."
    );
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
