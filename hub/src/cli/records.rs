//! `query` and `show`.

use anyhow::Context;
use lumbung_domain::id::{Kind, RecordId};
use lumbung_domain::record::{Numbers, Record};
use lumbung_telemetry::clock;
use lumbung_wire::record as wire;

use super::{Workplace, table, village};
use crate::dataset::{Dataset as _, FirstEntry, HubsOwn, RecordFilter, StoredRecord};
use crate::desk::person::revealed;
use crate::words::actor;

#[derive(clap::Args)]
pub(super) struct QueryArgs {
    /// dusun, rw, rt, dasawisma, rumah-tangga, keluarga, warga, atau mutasi.
    kind: String,
    /// Hanya desa ini.
    #[arg(long)]
    village: Option<String>,
    /// Paling banyak sekian baris.
    #[arg(long, default_value_t = 50)]
    limit: u32,
}

#[derive(clap::Args)]
pub(super) struct ShowArgs {
    /// Kode desa.
    village: String,
    /// Id catatan.
    id: RecordId,
    /// Isi asli apa adanya, heksadesimal; memuat NIK.
    #[arg(long, requires = "reason")]
    raw: bool,
    /// Buka data spesifik (kesehatan, disabilitas).
    #[arg(long, requires = "reason")]
    spesifik: bool,
    /// Untuk keperluan apa dibuka; tertulis di buku catatan.
    #[arg(long)]
    reason: Option<String>,
}

fn decoded(record: &StoredRecord) -> Option<Record> {
    wire::decode(Kind::from_code(record.kind)?, &record.bytes).ok()
}

pub(super) fn query(args: &QueryArgs, dataset: &dyn HubsOwn) -> anyhow::Result<()> {
    let kind = Kind::from_name(&args.kind)
        .with_context(|| format!("Jenis {} tidak dikenal", args.kind))?;
    let of = args.village.as_deref().map(village).transpose()?.map(|desa| desa.code);
    let filter = RecordFilter {
        scope: dataset.whole().of(of),
        kind: Some(kind),
        after: None,
        limit: args.limit,
    };
    let mut table = table(["desa", "id", "nama", "diubah", "oleh"]);
    for record in dataset.records(&filter)? {
        table.add_row([
            record.village.to_string(),
            record.id.to_string(),
            decoded(&record).map(|it| it.title(Numbers::Closed)).unwrap_or_default(),
            clock::display(record.time_ms),
            record.actor,
        ]);
    }
    lumbung_telemetry::say!("{table}");
    Ok(())
}

pub(super) fn show(args: &ShowArgs, place: &Workplace<'_>) -> anyhow::Result<()> {
    let desa = village(&args.village)?;
    let record = place
        .dataset
        .record(&place.dataset.whole(), desa.code, args.id)?
        .with_context(|| format!("Catatan {} tidak ada di {}", args.id, desa.full_name()))?;
    if args.raw || args.spesifik {
        let what = if args.raw { "isi asli" } else { "data spesifik" };
        let (desk, who) = place.desk();
        let reason = args.reason.as_deref().unwrap_or_default();
        // Only residents have a page that the log could lead to.
        let subject = match record.kind == Kind::Warga.code() {
            true => revealed(desa.code, args.id),
            false => args.id.to_string(),
        };
        desk.note_reveal(&who, subject, what, reason)?;
    }
    if args.raw {
        let hex: String = record.bytes.iter().map(|byte| format!("{byte:02x}")).collect();
        lumbung_telemetry::say!("{hex}");
        return Ok(());
    }
    let minted_ms = record.id.minted_ms().filter(|_| record.kind != Kind::TandaTerima.code());
    let kept = place.dataset.first_entry(&place.dataset.whole(), desa.code, record.id)?;
    let first = FirstEntry::of(kept, record.id, record.time_ms, &record.actor);
    let made = first
        .map(|first| {
            let by = actor(&first.actor).id;
            format!("dibuat {} oleh {by}, ", clock::display(first.time_ms))
        })
        .or_else(|| minted_ms.map(|at_ms| format!("dibuat {}, ", clock::display(at_ms))));
    lumbung_telemetry::say!(
        "{}, nomor {}, {}diubah {} oleh {} ({})",
        desa.full_name(),
        record.seq,
        made.unwrap_or_default(),
        clock::display(record.time_ms),
        actor(&record.actor).id,
        record.source.name()
    );
    match decoded(&record) {
        Some(record) => {
            lumbung_telemetry::say!(
                "{}",
                record.describe(args.spesifik, Numbers::Closed, clock::today())
            )
        }
        None => lumbung_telemetry::say!(
            "Jenis {} belum dikenal versi ini; isinya disimpan utuh.",
            record.kind.0
        ),
    }
    Ok(())
}
