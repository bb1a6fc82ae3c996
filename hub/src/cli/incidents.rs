//! `incidents`.

use lumbung_telemetry::clock;
use serde_json::json;

use super::{table, village};
use crate::dataset::HubsOwn;

#[derive(clap::Args)]
pub(super) struct IncidentsArgs {
    /// Hanya desa ini.
    code: Option<String>,
    /// Sebagai JSON.
    #[arg(long)]
    json: bool,
    /// Paling banyak sekian.
    #[arg(long, default_value_t = 100)]
    limit: u32,
}

pub(super) fn run(args: &IncidentsArgs, dataset: &dyn HubsOwn) -> anyhow::Result<()> {
    let of = args.code.as_deref().map(village).transpose()?.map(|desa| desa.code);
    let incidents = dataset.incidents(&dataset.whole().of(of), args.limit)?;
    if args.json {
        let list: Vec<_> = incidents
            .iter()
            .map(|incident| {
                json!({
                    "number": incident.number,
                    "village": incident.village.to_string(),
                    "kind": incident.code,
                    "sentence": incident.sentence,
                    "at_ms": incident.at_ms,
                })
            })
            .collect();
        lumbung_telemetry::say!("{}", json!(list));
        return Ok(());
    }
    if incidents.is_empty() {
        lumbung_telemetry::say!("Belum ada kejadian.");
        return Ok(());
    }
    let mut table = table(["no", "waktu", "desa", "kejadian", "keterangan"]);
    for incident in incidents {
        let heading = incident.heading().to_owned();
        table.add_row([
            incident.number.to_string(),
            clock::display(incident.at_ms),
            incident.village.to_string(),
            heading,
            incident.sentence,
        ]);
    }
    lumbung_telemetry::say!("{table}");
    Ok(())
}
