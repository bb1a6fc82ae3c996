//! `findings`.

use lumbung_domain::region::roster;
use lumbung_telemetry::clock;

use super::{table, village};
use crate::dataset::{FindingKind, HubsOwn};
use crate::desk::person::CLOSED;
use crate::words::actor;

#[derive(clap::Args)]
pub(super) struct FindingsArgs {
    /// Hanya yang menyangkut desa ini.
    #[arg(long)]
    village: Option<String>,
    /// Yang sudah tertutup juga.
    #[arg(long)]
    all: bool,
    /// Paling banyak sekian.
    #[arg(long, default_value_t = 100)]
    limit: u32,
}

/// What the finding is about, in words.
fn sentence(kind: FindingKind) -> &'static str {
    match kind {
        FindingKind::NikGanda => "NIK yang sama hidup di dua desa",
        FindingKind::KkGanda => "nomor KK yang sama dipakai di dua desa",
        FindingKind::PindahTanpaDatang => "pindah keluar tanpa kedatangan",
        FindingKind::DatangTanpaPindah => "kedatangan tanpa pindah keluar",
    }
}

pub(super) fn run(args: &FindingsArgs, dataset: &dyn HubsOwn) -> anyhow::Result<()> {
    let of = args.village.as_deref().map(village).transpose()?.map(|desa| desa.code);
    let mut table = table(["no", "temuan", "nomor", "sejak", "pernyataan desa"]);
    for finding in dataset.findings(&dataset.whole().of(of), !args.all, args.limit)? {
        let claims: Vec<_> = finding
            .claims
            .iter()
            .map(|claim| {
                let name = roster()
                    .village(claim.village)
                    .map(|desa| desa.full_name())
                    .unwrap_or_default();
                let made = claim.first.as_ref().map(|first| {
                    let by = actor(&first.actor).id;
                    format!(", dibuat {} oleh {by}", clock::display(first.time_ms))
                });
                let made = made.unwrap_or_default();
                format!(
                    "{name}: {} oleh {} ({}){made}",
                    clock::display(claim.time_ms),
                    actor(&claim.actor).id,
                    claim.source.name()
                )
            })
            .collect();
        table.add_row([
            finding.number.to_string(),
            sentence(finding.kind).to_owned(),
            CLOSED.to_owned(),
            clock::display(finding.since_ms),
            claims.join("\n"),
        ]);
    }
    lumbung_telemetry::say!("{table}");
    Ok(())
}
