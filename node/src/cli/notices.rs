//! `notices`: what the district tells, and that it was read.

use std::path::Path;
use std::process::ExitCode;

use anyhow::Context;
use bytes::Bytes;
use lumbung_domain::code_list::Code;
use lumbung_domain::id::RecordId;
use lumbung_domain::informasi::{Informasi, Keberlakuan, Sasaran};
use lumbung_domain::recap::tanggal_indonesia;
use lumbung_domain::region::roster;
use lumbung_proto::v1;
use lumbung_telemetry::clock;
use lumbung_wire::informasi;

use super::reach::{node, said};

#[derive(clap::Subcommand)]
pub(super) enum NoticesCommand {
    /// Daftar informasi dari kabupaten.
    List {
        /// Hanya yang ditujukan ke RT ini (id, seperti di `list rt`).
        #[arg(long)]
        rt: Option<RecordId>,
        /// Juga yang sudah lewat atau ditarik.
        #[arg(long, alias = "all")]
        semua: bool,
        /// Sebagai JSON.
        #[arg(long)]
        json: bool,
    },
    /// Satu informasi lengkap.
    Show {
        /// Id informasi, seperti di kolom pertama `notices list`.
        id: RecordId,
    },
    /// Mencatat bahwa informasi sudah dibaca; kabupaten ikut tahu.
    Read {
        /// Id informasi.
        id: RecordId,
        /// RT yang membaca (id); tanpa ini: perangkat desa.
        #[arg(long)]
        rt: Option<RecordId>,
    },
}

fn id_bytes(id: Option<RecordId>) -> Bytes {
    id.map_or_else(Bytes::new, |id| Bytes::copy_from_slice(id.as_bytes()))
}

pub(super) async fn notices(
    dir: &Path,
    actor: &str,
    command: &NoticesCommand,
) -> anyhow::Result<ExitCode> {
    match command {
        NoticesCommand::List { rt, semua, json } => {
            let request =
                v1::NoticesRequest { rt: id_bytes(*rt), all: *semua, ..Default::default() };
            let (notices, past) = asked(dir, request).await?;
            list(&notices, past, *json)
        }
        NoticesCommand::Show { id } => {
            let request = v1::NoticesRequest { id: id_bytes(Some(*id)), ..Default::default() };
            let (notices, _) = asked(dir, request).await?;
            show(notices.first().context("Informasi itu tidak ada di desa ini.")?)
        }
        NoticesCommand::Read { id, rt } => {
            let request = v1::ReadNoticeRequest {
                id: id_bytes(Some(*id)),
                rt: id_bytes(*rt),
                actor: actor.to_owned(),
            };
            let reply = node(dir).await?.read_notice(request).await.map_err(said)?.into_inner();
            lumbung_telemetry::say!(
                "{}",
                match reply.known {
                    true => "Informasi itu sudah tercatat dibaca.",
                    false => "Tercatat: informasi sudah dibaca. Kabupaten akan diberi tahu.",
                }
            );
            Ok(ExitCode::SUCCESS)
        }
    }
}

/// A notice of the answer, read.
struct Shown {
    informasi: Informasi,
    kept: v1::KeptNotice,
}

/// What was asked for, and how many that are past were left out.
async fn asked(dir: &Path, request: v1::NoticesRequest) -> anyhow::Result<(Vec<Shown>, u32)> {
    let reply = node(dir).await?.notices(request).await.map_err(said)?.into_inner();
    let read = |kept: v1::KeptNotice| {
        let informasi = kept.notice.as_ref().and_then(informasi::from_wire)?;
        Some(Shown { informasi, kept })
    };
    Ok((reply.notices.into_iter().filter_map(read).collect(), reply.past))
}

impl Shown {
    fn is_read(&self) -> bool {
        self.kept.readings.iter().any(|reading| reading.version == self.informasi.versi)
    }

    fn kategori(&self) -> String {
        self.informasi.kategori.map(words).unwrap_or_default()
    }
}

fn words<L: lumbung_domain::code_list::CodeList>(code: Code<L>) -> String {
    code.label().map_or_else(|| format!("kode {}", code.number()), str::to_owned)
}

/// What a notice is worth today: a word that says at once that nobody needs to
/// follow it any more.
fn state(informasi: &Informasi) -> &'static str {
    match informasi.keberlakuan(clock::today()) {
        Keberlakuan::Berakhir => "sudah lewat",
        state => state.label(),
    }
}

fn list(notices: &[Shown], past: u32, json: bool) -> anyhow::Result<ExitCode> {
    let today = clock::today();
    if json {
        let told: Vec<_> = notices
            .iter()
            .map(|shown| {
                let Informasi { id, versi, judul, .. } = &shown.informasi;
                serde_json::json!({
                    "id": id.to_string(),
                    "versi": versi,
                    "judul": judul,
                    "keadaan": shown.informasi.keberlakuan(today).label(),
                    "diterima_ms": shown.kept.arrived_ms,
                    "dibaca": shown.is_read(),
                })
            })
            .collect();
        lumbung_telemetry::say!("{}", serde_json::to_string(&told)?);
        return Ok(ExitCode::SUCCESS);
    }
    if notices.is_empty() {
        lumbung_telemetry::say!("Tidak ada informasi dari kabupaten yang berlaku.");
        left_out(past);
        return Ok(ExitCode::SUCCESS);
    }
    let mut table = super::table(["id", "judul", "kategori", "keadaan", "diterima", "dibaca"]);
    for shown in notices {
        table.add_row([
            shown.informasi.id.to_string(),
            shown.informasi.judul.clone(),
            shown.kategori(),
            state(&shown.informasi).to_owned(),
            clock::display(shown.kept.arrived_ms),
            if shown.is_read() { "ya" } else { "belum" }.to_owned(),
        ]);
    }
    lumbung_telemetry::say!("{table}");
    left_out(past);
    Ok(ExitCode::SUCCESS)
}

fn left_out(past: u32) {
    if past > 0 {
        lumbung_telemetry::say!(
            "{past} informasi yang sudah lewat atau ditarik tidak ditampilkan: notices list --semua."
        );
    }
}

fn show(shown: &Shown) -> anyhow::Result<ExitCode> {
    let informasi = &shown.informasi;
    let (judul, state, versi) = (&informasi.judul, state(informasi), informasi.versi);
    lumbung_telemetry::say!("{judul} ({state}, versi {versi})");
    if informasi.kategori.is_some() {
        lumbung_telemetry::say!("Kategori: {}", shown.kategori());
    }
    if let Some(terbit) = informasi.terbit {
        lumbung_telemetry::say!("Terbit: {}", tanggal_indonesia(terbit));
    }
    if let Some(sampai) = informasi.berlaku_sampai {
        lumbung_telemetry::say!("Berlaku sampai: {}", tanggal_indonesia(sampai));
    }
    let places: Vec<_> = informasi.sasaran.iter().copied().map(place).collect();
    lumbung_telemetry::say!("Untuk: {}", places.join("; "));
    lumbung_telemetry::say!("Diterima: {}", clock::display(shown.kept.arrived_ms));
    lumbung_telemetry::say!("\n{}\n", informasi.isi);
    for reading in &shown.kept.readings {
        let who = match (reading.rt.is_empty(), reading.nomor.is_empty()) {
            (true, _) => "perangkat desa".to_owned(),
            (false, true) => "RT yang sudah dihapus".to_owned(),
            (false, false) => format!("RT {}", reading.nomor),
        };
        let when = clock::display(reading.read_ms);
        lumbung_telemetry::say!("Dibaca {who} pada {when} (versi {}).", reading.version);
    }
    Ok(ExitCode::SUCCESS)
}

fn place(sasaran: Sasaran) -> String {
    match sasaran {
        Sasaran::Kabupaten => "seluruh kabupaten".to_owned(),
        Sasaran::Kecamatan(code) => {
            let name =
                roster().kecamatan_of(code).map_or_else(|| code.compact(), |k| k.name.into());
            format!("Kecamatan {name}")
        }
        Sasaran::Desa(code) => {
            roster().village(code).map_or_else(|| code.to_string(), |desa| desa.full_name())
        }
        Sasaran::Rt(_, rt) => format!("RT {rt}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_notice_says_at_once_that_it_is_past() {
        let mut informasi = Informasi {
            id: RecordId::default(),
            versi: 1,
            judul: "Contoh".to_owned(),
            isi: "Isi".to_owned(),
            kategori: None,
            terbit: None,
            berlaku_sampai: clock::today().yesterday().ok(),
            sasaran: vec![Sasaran::Kabupaten],
            ditarik: false,
        };
        assert_eq!(state(&informasi), "sudah lewat");
        informasi.ditarik = true;
        assert_eq!(state(&informasi), "ditarik");
        informasi.ditarik = false;
        informasi.berlaku_sampai = None;
        assert_eq!(state(&informasi), "berlaku");
    }
}
