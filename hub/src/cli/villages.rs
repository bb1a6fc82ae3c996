//! `villages` and `status`.

use std::collections::HashSet;

use lumbung_domain::region::{VillageCode, roster};
use lumbung_telemetry::clock;
use serde_json::json;

use super::decisions::{self, BranchArgs, LeftoversArgs};
use super::{table, village};
use crate::dataset::sqlite::SqliteDataset;
use crate::dataset::{Dataset as _, DatasetError, HubsOwn, VillageState};
use crate::invitation::is_address;
use crate::puller::trouble::{self, Trouble};
use crate::registry::Registry as _;
use crate::uplink::Way;

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
    /// Mencabut izin komputer desa: sambungannya putus dan tidak diterima lagi.
    Revoke {
        /// Kode desa.
        code: String,
    },
    /// Berapa yang boleh dihabiskan sambungan desa per hari.
    Budget {
        /// Kode desa.
        code: String,
        /// Kilobita per hari; 0 = tanpa batas.
        kilobytes: u64,
    },
    /// Meminta hub yang sedang berjalan membuktikan semua baris satu desa
    /// terhadap log-nya sekarang, dan memperbaiki yang beda.
    Prove {
        /// Kode desa.
        code: String,
    },
    /// Satu desa.
    Show {
        /// Kode desa.
        code: String,
    },
    /// Catatan dari log lama desa yang dipasang ulang.
    Leftovers(LeftoversArgs),
    /// Versi catatan yang pernah hilang di desa, dan nasibnya.
    Branch(BranchArgs),
    /// Berkas rusak yang disisihkan di komputer desa boleh dihapus: tidak ada
    /// lagi yang dicari di sana.
    ReleaseAside {
        /// Kode desa.
        code: String,
    },
    /// Setelah dua komputer menjawab untuk satu desa: tinggal satu, lanjutkan.
    Resolve {
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

/// A contact this recent means that the village is followed: an idle link
/// shows a sign of life every quarter of an hour at the latest, and two
/// minutes are left for a link that is being made anew.
const FRESH_MS: i64 = 17 * 60_000;

/// A clock this far off is worth a sentence.
const CLOCK_OFF_SECONDS: i64 = 120;

/// Incidents that `show` lists, newest first.
const INCIDENTS_SHOWN: u32 = 10;

fn when(at_ms: i64) -> String {
    if at_ms == 0 { "belum pernah".to_owned() } else { clock::display(at_ms) }
}

fn seq(state: &VillageState) -> u64 {
    state.position.map_or(0, |position| position.seq.0)
}

/// Proven equal at everything merged, and nothing has contradicted it since.
fn proven(state: &VillageState) -> bool {
    state.last_proof_ms > 0 && state.proven_seq.0 == seq(state) && state.trouble.is_empty()
}

pub(super) fn villages(command: &VillagesCommand, dataset: &SqliteDataset) -> anyhow::Result<()> {
    match command {
        VillagesCommand::List => list(&dataset.villages()?),
        VillagesCommand::Add { code, address } => {
            let desa = village(code)?;
            anyhow::ensure!(
                is_address(address),
                "Alamat harus berbentuk nama:porta, misalnya 10.1.2.3:8701. Tidak ada yang diubah."
            );
            dataset.register(desa.code, address)?;
            lumbung_telemetry::say!("{} terdaftar di {address}.", desa.full_name());
            let joined = dataset.joined()?.contains(&desa.code.as_u64());
            if Way::of(address, joined) == Way::Arrives {
                lumbung_telemetry::say!(
                    "Hub menghubunginya setelah desa itu bergabung dengan token; sebelum itu tidak \
                     ada yang diambil dari alamat ini."
                );
            }
        }
        VillagesCommand::AddRoster => {
            let known: HashSet<_> =
                dataset.villages()?.iter().map(|state| state.village.as_u64()).collect();
            let mut added = 0;
            for desa in roster().villages() {
                if !known.contains(&desa.code.as_u64()) {
                    dataset.register(desa.code, "")?;
                    added += 1;
                }
            }
            lumbung_telemetry::say!("{added} desa ditambahkan ke daftar.");
        }
        VillagesCommand::Revoke { code } => {
            let desa = village(code)?;
            anyhow::ensure!(
                dataset.revoke(desa.code, clock::now_ms())?,
                "{} tidak punya komputer yang terdaftar. Tidak ada yang diubah.",
                desa.full_name()
            );
            lumbung_telemetry::say!(
                "Komputer {} tidak diterima lagi. Data yang sudah tergabung tetap ada. Untuk \
                 komputer baru buat token: lumbung-hub join-token create {}",
                desa.full_name(),
                desa.code
            );
        }
        VillagesCommand::Prove { code } => {
            let desa = village(code)?;
            dataset.ask_proof(desa.code, clock::now_ms()).map_err(|error| match error {
                DatasetError::UnknownVillage(_) => anyhow::anyhow!(
                    "{} belum terdaftar di hub ini. Tidak ada yang diubah.",
                    desa.full_name()
                ),
                error => error.into(),
            })?;
            lumbung_telemetry::say!(
                "{} akan dibuktikan begitu hub berjalan dan desanya terhubung. Hasilnya ada di: \
                lumbung-hub villages show {}",
                desa.full_name(),
                desa.code
            );
        }
        VillagesCommand::Budget { code, kilobytes } => {
            let desa = village(code)?;
            dataset.set_budget(desa.code, kilobytes.saturating_mul(1_000))?;
            lumbung_telemetry::say!(
                "Berlaku sejak {} menghubungi hub berikutnya.",
                desa.full_name()
            );
        }
        VillagesCommand::Leftovers(args) => decisions::leftovers(args, dataset)?,
        VillagesCommand::Branch(args) => decisions::branch(args, dataset)?,
        VillagesCommand::Resolve { code } => decisions::resolve(code, dataset)?,
        VillagesCommand::ReleaseAside { code } => decisions::release_aside(code, dataset)?,
        VillagesCommand::Show { code } => {
            let desa = village(code)?;
            show(&dataset.village(desa.code)?);
            show_link(desa.code, dataset)?;
            decisions::show_aside(desa.code, dataset)?;
            for incident in
                dataset.incidents(&dataset.whole().village(desa.code), INCIDENTS_SHOWN)?
            {
                lumbung_telemetry::say!("{}: {}", when(incident.at_ms), incident.sentence);
            }
        }
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
    lumbung_telemetry::say!("{table}");
}

fn show(state: &VillageState) {
    if let Some(desa) = roster().village(state.village) {
        lumbung_telemetry::say!("{} ({})", desa.full_name(), state.village);
    }
    lumbung_telemetry::say!(
        "Alamat: {}",
        if state.address.is_empty() { "-" } else { &state.address }
    );
    lumbung_telemetry::say!(
        "Tergabung sampai nomor {}; {} catatan, {} warga, {} rumah tangga.",
        seq(state),
        state.records,
        state.warga,
        state.rumah_tangga
    );
    lumbung_telemetry::say!(
        "Kontak terakhir: {}. Terbukti sama: {} (nomor {}).",
        when(state.last_contact_ms),
        when(state.last_proof_ms),
        state.proven_seq
    );
    if state.last_stick_ms > 0 {
        lumbung_telemetry::say!("Terakhir lewat stik: {}.", when(state.last_stick_ms));
    }
    lumbung_telemetry::say!("Pembuktian menyeluruh terakhir: {}.", when(state.deep_proof_ms));
    if !state.deep_proof_words.is_empty() {
        lumbung_telemetry::say!("Hasilnya: {}", state.deep_proof_words);
    }
    lumbung_telemetry::say!("Karantina {}, temuan terbuka {}.", state.quarantined, state.findings);
    if let Some(waiting) = trouble::waiting(state.leftovers) {
        lumbung_telemetry::say!("{waiting}");
    }
    if let Some(trouble) = Trouble::from_code(&state.trouble) {
        lumbung_telemetry::say!("Masalah: {} {}", trouble.sentence(), trouble.todo().id);
    }
}

/// How the village is connected: its key, its link, its clock.
fn show_link(village: VillageCode, dataset: &SqliteDataset) -> anyhow::Result<()> {
    match dataset.allowed_keys()?.into_iter().find(|key| key.village == village) {
        None if dataset.joined()?.contains(&village.as_u64()) => {
            lumbung_telemetry::say!("Komputer: kuncinya dicabut; buat token baru.");
        }
        None => lumbung_telemetry::say!("Komputer: belum ada yang bergabung."),
        Some(key) => lumbung_telemetry::say!(
            "Komputer: kunci {}, bergabung {}, sertifikat sampai {}.",
            key.key,
            clock::display(key.since_ms),
            clock::display(key.certified_until_ms)
        ),
    }
    let Some(link) = dataset.link(village)? else { return Ok(()) };
    let budget = match dataset.budget(village)? {
        0 => "tanpa batas".to_owned(),
        bytes => format!("batas {} kB", bytes / 1_000),
    };
    let quiet = match link.quiet_held_seconds {
        0 => "belum diketahui".to_owned(),
        seconds => format!("{seconds} detik"),
    };
    lumbung_telemetry::say!(
        "Sambungan {}{}: {} kB hari itu ({budget}); tahan diam {quiet}.",
        clock::display(link.at_ms),
        if link.tunnelled { " lewat terowongan" } else { "" },
        link.spent_today_bytes.div_ceil(1_000)
    );
    let ahead_seconds = link.clock_ahead_ms / 1_000;
    if ahead_seconds.abs() >= CLOCK_OFF_SECONDS {
        lumbung_telemetry::say!(
            "Jam komputer desa {} {} detik dari jam kabupaten. Data tidak terpengaruh; minta desa \
             menyetel jamnya.",
            if ahead_seconds > 0 { "lebih cepat" } else { "lebih lambat" },
            ahead_seconds.abs()
        );
    }
    Ok(())
}

/// `aside` counts folders with what was there before a backup was put back.
pub(super) fn status(args: &StatusArgs, aside: usize, dataset: &dyn HubsOwn) -> anyhow::Result<()> {
    let states = dataset.villages()?;
    let totals = dataset.totals(&dataset.whole())?;
    let count = |what: fn(&VillageState) -> bool| states.iter().filter(|s| what(s)).count();
    let equal = count(proven);
    let troubled = count(|state| !state.trouble.is_empty());
    let unseen = count(|state| state.last_contact_ms == 0 && state.last_stick_ms == 0);
    let now = clock::now_ms();
    let by_stick = states.iter().filter(|state| state.is_fresh_by_stick(now)).count();
    let is_fresh = |state: &VillageState| {
        let linked =
            state.last_contact_ms > 0 && now.saturating_sub(state.last_contact_ms) < FRESH_MS;
        linked || state.is_fresh_by_stick(now)
    };
    let fresh = states.iter().filter(|state| is_fresh(state)).count();
    let late = states.len() - fresh - unseen;
    if args.json {
        let villages: Vec<_> = states
            .iter()
            .map(|state| {
                json!({
                    "code": state.village.to_string(),
                    "seq": seq(state),
                    "records": state.records,
                    "residents": state.warga,
                    "fresh": is_fresh(state),
                    "by_stick": state.is_fresh_by_stick(now),
                    "last_stick_ms": state.last_stick_ms,
                    "proven": proven(state),
                    "proven_seq": state.proven_seq.0,
                    "last_contact_ms": state.last_contact_ms,
                    "last_proof_ms": state.last_proof_ms,
                    "deep_proof_ms": state.deep_proof_ms,
                    "deep_proof": state.deep_proof_words,
                    "quarantined": state.quarantined,
                    "leftovers": state.leftovers,
                    "findings": state.findings,
                    "trouble": state.trouble,
                })
            })
            .collect();
        let status = json!({
            "villages": states.len(),
            "proven": equal,
            "troubled": troubled,
            "fresh": fresh,
            "late": late,
            "by_stick": by_stick,
            "unseen": unseen,
            "residents": totals.warga,
            "households": totals.rumah_tangga,
            "records": totals.records,
            "findings": totals.findings,
            "quarantined": totals.quarantined,
            "set_aside": aside,
            "by_village": villages,
        });
        lumbung_telemetry::say!("{status}");
        return Ok(());
    }
    lumbung_telemetry::say!(
        "{equal} dari {} desa terbukti sama, {troubled} bermasalah; \
        {fresh} segar ({by_stick} lewat stik), {late} terlambat, {unseen} belum pernah dihubungi.",
        states.len()
    );
    lumbung_telemetry::say!(
        "{} warga, {} rumah tangga, {} catatan; {} temuan terbuka, {} di karantina.",
        totals.warga,
        totals.rumah_tangga,
        totals.records,
        totals.findings,
        totals.quarantined
    );
    if aside > 0 {
        lumbung_telemetry::say!(
            "{aside} folder sebelum-pulih-… masih menyimpan data dari sebelum cadangan hub dipasang \
             kembali. Hapus bila semua desa sudah terbukti sama lagi."
        );
    }
    for state in &states {
        if let Some(trouble) = Trouble::from_code(&state.trouble) {
            let (told, todo) = (trouble.sentence(), trouble.todo().id);
            lumbung_telemetry::say!("{}: {told} {todo}", state.village);
        }
    }
    Ok(())
}
