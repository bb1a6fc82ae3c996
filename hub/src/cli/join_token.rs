//! `join-token`: what a village is handed to join the district once.

use std::path::{Path, PathBuf};

use anyhow::{Context, ensure};
use lumbung_domain::region::{Desa, roster};
use lumbung_identity::write_private;
use lumbung_telemetry::clock;

use super::{table, village};
use crate::dataset::sqlite::SqliteDataset;
use crate::invitation::{self, DAYS, Invitation, InvitationError};
use crate::registry::Registry as _;
use crate::serve::identity_folder;

const TOO_LONG: &str = "Token terlalu panjang untuk QR.";

#[derive(clap::Subcommand)]
pub(super) enum JoinTokenCommand {
    /// Membuat token untuk satu desa.
    Create(CreateArgs),
    /// Semua token yang pernah dibuat.
    List,
    /// Membuat token yang belum dipakai tidak berlaku.
    Cancel {
        /// Nomor dari daftar.
        number: i64,
    },
}

#[derive(clap::Args)]
pub(super) struct CreateArgs {
    /// Kode desa.
    pub(super) code: String,
    /// Alamat umum hub yang bisa dicapai desa, misalnya
    /// lumbung.blitarkab.go.id:8710. Diingat untuk token berikutnya.
    #[arg(long)]
    address: Option<String>,
    /// Berlaku berapa hari.
    #[arg(long, default_value_t = DAYS)]
    days: u32,
    /// Komputer yang bergabung menggantikan yang sekarang (rusak atau hilang);
    /// yang lama langsung tidak diterima lagi.
    #[arg(long)]
    replace: bool,
    /// Menulis halaman siap cetak ke berkas ini.
    #[arg(long)]
    pub(super) page: Option<PathBuf>,
    /// Hanya token, untuk skrip.
    #[arg(long)]
    plain: bool,
}

pub(super) fn run(
    command: &JoinTokenCommand,
    data: &Path,
    dataset: &SqliteDataset,
) -> anyhow::Result<()> {
    match command {
        JoinTokenCommand::Create(args) => create(args, data, dataset),
        JoinTokenCommand::List => list(dataset),
        JoinTokenCommand::Cancel { number } => {
            ensure!(
                dataset.cancel_token(*number)?,
                "Tidak ada token nomor {number} yang masih berlaku. Tidak ada yang diubah."
            );
            lumbung_telemetry::say!("Token nomor {number} tidak berlaku lagi.");
            Ok(())
        }
    }
}

fn create(args: &CreateArgs, data: &Path, dataset: &SqliteDataset) -> anyhow::Result<()> {
    let desa = village(&args.code)?;
    let address = address(args.address.as_deref(), data)?;
    ensure!(args.days > 0, "Token harus berlaku paling sedikit satu hari. Tidak ada yang dibuat.");
    let terms = (address, args.replace, args.days);
    let identity = identity_folder(data);
    let made = Invitation::make(dataset, &identity, desa, terms, clock::now_ms());
    let invitation = made.map_err(|error| match error {
        InvitationError::Occupied(_) => {
            anyhow::anyhow!("{error} Perintahnya: ulangi dengan --replace.")
        }
        error => error.into(),
    })?;
    let Invitation { text, expires_ms, .. } = &invitation;
    if let Some(page) = &args.page {
        let html = printable(&invitation)?;
        // The page is the token: for its owner's eyes only.
        write_private(page, html.as_bytes())
            .with_context(|| format!("Halaman {} tidak bisa ditulis", page.display()))?;
    }
    if args.plain {
        lumbung_telemetry::say!("{text}");
        return Ok(());
    }
    lumbung_telemetry::say!("{}", invitation.qr_text().context(TOO_LONG)?);
    lumbung_telemetry::say!("{text}\n");
    lumbung_telemetry::say!(
        "Token {} untuk {}, sekali pakai, berlaku sampai {}.",
        if args.replace { "PENGGANTI" } else { "bergabung" },
        desa.full_name(),
        clock::display(*expires_ms)
    );
    lumbung_telemetry::say!("Di komputer desa: lumbung-node join TOKEN");
    Ok(())
}

/// The address in the argument, kept for the next time, or the one kept.
fn address(given: Option<&str>, data: &Path) -> anyhow::Result<String> {
    match given {
        Some(address) => {
            invitation::keep_address(&identity_folder(data), address)?;
            Ok(address.to_owned())
        }
        None => Ok(invitation::kept_address(&identity_folder(data))?),
    }
}

fn list(dataset: &SqliteDataset) -> anyhow::Result<()> {
    let now_ms = clock::now_ms();
    let mut table = table(["nomor", "desa", "dibuat", "berlaku sampai", "keadaan"]);
    for token in dataset.tokens()? {
        let name = roster().village(token.village).map(Desa::full_name).unwrap_or_default();
        let state = match token.used_ms {
            Some(used_ms) => format!("dipakai {}", clock::display(used_ms)),
            None if token.expires_ms < now_ms => "habis masa berlaku".to_owned(),
            None if token.replaces => "berlaku, pengganti".to_owned(),
            None => "berlaku".to_owned(),
        };
        table.add_row([
            token.number.to_string(),
            name,
            clock::display(token.made_ms),
            clock::display(token.expires_ms),
            state,
        ]);
    }
    lumbung_telemetry::say!("{table}");
    Ok(())
}

/// One A4 page to hand over.
fn printable(invitation: &Invitation) -> anyhow::Result<String> {
    let Invitation { desa, text: token, expires_ms, replaces } = invitation;
    let code = invitation.qr_svg().context(TOO_LONG)?;
    let page = maud::html! {
        (maud::DOCTYPE)
        html lang="id" {
            head {
                meta charset="utf-8";
                meta name="viewport" content="width=device-width, initial-scale=1";
                title { "Token Lumbung " (desa.full_name()) }
                style { (maud::PreEscaped(STYLE)) }
            }
            body {
                h1 { (desa.full_name()) }
                p {
                    @if *replaces { strong { "Token pengganti" } } @else { "Token bergabung" }
                    " ke Lumbung Kabupaten Blitar. Sekali pakai, berlaku sampai "
                    strong { (clock::display(*expires_ms)) } "."
                }
                div.code { (maud::PreEscaped(code)) }
                pre { (token) }
                ol {
                    li { "Pasang Lumbung di komputer desa." }
                    li { "Jalankan " code { "lumbung-node join" } " lalu ketik atau pindai token di atas." }
                    @if *replaces {
                        li { "Data desa yang sudah ada di kabupaten kembali dengan sendirinya." }
                    }
                    li { "Setelah berhasil, musnahkan kertas ini." }
                }
                p.small { "Siapa pun yang memegang token ini dapat bergabung atas nama desa. Jangan difoto atau dikirim lewat grup." }
            }
        }
    };
    Ok(page.into_string())
}

const STYLE: &str = "body{font:14pt/1.5 sans-serif;max-width:40em;margin:2em auto;padding:0 1em;color:#111;background:#fff}\
    .code svg{width:70mm;height:70mm}\
    pre{font-size:15pt;white-space:pre-wrap;word-break:break-word;border:1px solid #999;padding:.6em}\
    .small{font-size:11pt;color:#444}\
    @page{size:A4;margin:20mm}";
