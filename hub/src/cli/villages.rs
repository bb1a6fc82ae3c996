//! `villages` and `status`.

use lumbung_domain::region::roster;
use lumbung_telemetry::clock;
use serde_json::json;

use super::{table, village};
use crate::dataset::{Dataset, VillageState};
use crate::puller::trouble::Trouble;

#[derive(clap::Subcommand)]
pub(super) enum VillagesCommand {
    /// Semua desa terdaftar.
    List,
    /// Mendaftarkan desa atau mengganti alamatnya.
    Add {
        /// Kode desa.
        code: String,
        /// Alamat node, misalnya 10.1.2.3:8701.
        address: String,
    },
    /// Mendaftarkan semua 248 desa tanpa alamat.
    AddRoster,
    /// Satu desa.
    Show {
        /// Kode desa.
        code: String,
    },
}

#[derive(clap::Args)]
pub(super) struct StatusArgs {
    /// Sebagai JSON.
    #[arg(long)]
    json: bool,
}

fn when(at_ms: i64) -> String {
    if at_ms == 0 { "belum pernah".to_owned() } else { clock::display(at_ms) }
}

fn seq(state: &VillageState) -> u64 {
    state.position.map_or(0, |position| position.seq.0)
}

/// Proven equal at everything merged.
fn proven(state: &VillageState) -> bool {
    state.last_proof_ms > 0 && state.proven_seq.0 == seq(state)
}

pub(super) fn villages(command: &VillagesCommand, dataset: &dyn Dataset) -> anyhow::Result<()> {
    match command {
        VillagesCommand::List => list(&dataset.villages()?),
        VillagesCommand::Add { code, address } => {
            let desa = village(code)?;
            dataset.register(desa.code, address)?;
            println!("{} terdaftar di {address}.", desa.full_name());
        }
        VillagesCommand::AddRoster => {
            let known = dataset.villages()?;
            let is_known = |code| known.iter().any(|state| state.village == code);
            let missing = || roster().villages().iter().filter(|desa| !is_known(desa.code));
            for desa in missing() {
                dataset.register(desa.code, "")?;
            }
            println!("{} desa ditambahkan ke daftar.", missing().count());
        }
        VillagesCommand::Show { code } => show(&dataset.village(village(code)?.code)?),
    }
    Ok(())
}

fn list(states: &[VillageState]) {
    let mut table =
        table(["kode", "nama", "alamat", "catatan", "kontak terakhir", "terbukti sama"]);
    for state in states {
        let name = roster().village(state.village).map(|desa| desa.name).unwrap_or_default();
        let proof = if proven(state) { when(state.last_proof_ms) } else { "belum".to_owned() };
        table.add_row([
            state.village.to_string(),
            name.to_owned(),
            state.address.clone(),
            state.records.to_string(),
            when(state.last_contact_ms),
            proof,
        ]);
    }
    println!("{table}");
}

fn show(state: &VillageState) {
    if let Some(desa) = roster().village(state.village) {
        println!("{} ({})", desa.full_name(), state.village);
    }
    println!("Alamat: {}", if state.address.is_empty() { "-" } else { &state.address });
    println!(
        "Tergabung sampai nomor {}; {} catatan, {} warga, {} rumah tangga.",
        seq(state),
        state.records,
        state.warga,
        state.rumah_tangga
    );
    println!(
        "Kontak terakhir: {}. Terbukti sama: {} (nomor {}).",
        when(state.last_contact_ms),
        when(state.last_proof_ms),
        state.proven_seq
    );
    println!("Karantina {}, temuan terbuka {}.", state.quarantined, state.findings);
    if let Some(trouble) = Trouble::from_code(&state.trouble) {
        println!("Masalah: {}", trouble.sentence());
    }
}

pub(super) fn status(args: &StatusArgs, dataset: &dyn Dataset) -> anyhow::Result<()> {
    let states = dataset.villages()?;
    let totals = dataset.totals()?;
    let count = |what: fn(&VillageState) -> bool| states.iter().filter(|s| what(s)).count();
    let equal = count(proven);
    let troubled = count(|state| !state.trouble.is_empty());
    let unseen = count(|state| state.last_contact_ms == 0);
    if args.json {
        let villages: Vec<_> = states
            .iter()
            .map(|state| {
                json!({
                    "code": state.village.to_string(),
                    "seq": seq(state),
                    "records": state.records,
                    "residents": state.warga,
                    "proven": proven(state),
                    "proven_seq": state.proven_seq.0,
                    "last_contact_ms": state.last_contact_ms,
                    "last_proof_ms": state.last_proof_ms,
                    "quarantined": state.quarantined,
                    "findings": state.findings,
                    "trouble": state.trouble,
                })
            })
            .collect();
        let status = json!({
            "villages": states.len(),
            "proven": equal,
            "troubled": troubled,
            "unseen": unseen,
            "residents": totals.warga,
            "households": totals.rumah_tangga,
            "records": totals.records,
            "findings": totals.findings,
            "quarantined": totals.quarantined,
            "by_village": villages,
        });
        println!("{status}");
        return Ok(());
    }
    println!(
        "{equal} dari {} desa terbukti sama, {troubled} bermasalah, {unseen} belum pernah dihubungi.",
        states.len()
    );
    println!(
        "{} warga, {} rumah tangga, {} catatan; {} temuan terbuka, {} di karantina.",
        totals.warga, totals.rumah_tangga, totals.records, totals.findings, totals.quarantined
    );
    for state in states.iter().filter(|state| !state.trouble.is_empty()) {
        let sentence = Trouble::from_code(&state.trouble).map_or("", Trouble::sentence);
        println!("{}: {sentence}", state.village);
    }
    Ok(())
}
