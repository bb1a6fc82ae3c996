//! What a command of the hub's own machine leaves in the audit log.

use anyhow::Context;
use lumbung_domain::region::VillageCode;
use lumbung_telemetry::clock;

use super::join_token::JoinTokenCommand;
use super::quarantine::QuarantineCommand;
use super::villages::VillagesCommand;
use super::watch::{MaintenanceCommand, NarahubungCommand};
use super::{Command, Workplace};
use crate::access::audit::{Act, AuditLog as _, AuditNote};
use crate::desk::fit_words;

/// What a command does, on what, and in which words; `None` = it only reads,
/// or notes by itself.
fn act(command: &Command) -> Option<(Act, String, String)> {
    let code = |code: &String| {
        VillageCode::parse(code).map_or_else(|_| "?".to_owned(), VillageCode::compact)
    };
    let noted = |act, subject, words: &str| Some((act, subject, words.to_owned()));
    match command {
        Command::JoinToken(JoinTokenCommand::Create(args)) => {
            noted(Act::Token, code(&args.code), "dibuat")
        }
        Command::JoinToken(JoinTokenCommand::Cancel { number }) => {
            noted(Act::Token, String::new(), &format!("nomor {number} dibatalkan"))
        }
        Command::Villages(command) => match command {
            VillagesCommand::Add { code: it, .. } => noted(Act::VillageNoted, code(it), "alamat"),
            VillagesCommand::AddRoster => noted(Act::VillageNoted, "semua".into(), "didaftarkan"),
            VillagesCommand::Revoke { code: it } => noted(Act::Revoked, code(it), ""),
            VillagesCommand::Budget { code: it, kilobytes } => {
                noted(Act::VillageNoted, code(it), &format!("batas {kilobytes} kB sehari"))
            }
            VillagesCommand::Prove { code: it } => noted(Act::SyncAsked, code(it), "bukti"),
            VillagesCommand::Leftovers(args) if args.decides() => {
                noted(Act::Decided, code(&args.code), "catatan log lama")
            }
            VillagesCommand::ReleaseAside { code: it } => {
                noted(Act::Decided, code(it), "berkas rusak boleh dihapus")
            }
            VillagesCommand::Resolve { code: it } => {
                noted(Act::Decided, code(it), "tinggal satu komputer")
            }
            _ => None,
        },
        Command::Narahubung(command) => match command {
            NarahubungCommand::Set { code: it, .. } | NarahubungCommand::Clear { code: it } => {
                noted(Act::VillageNoted, code(it), "narahubung")
            }
            NarahubungCommand::List => None,
        },
        Command::Maintenance(command) => match command {
            MaintenanceCommand::Start { jam, alasan, .. } => {
                noted(Act::Maintenance, String::new(), &format!("{jam} jam {alasan}"))
            }
            MaintenanceCommand::End { number } => {
                noted(Act::Maintenance, String::new(), &format!("nomor {number} diakhiri"))
            }
            MaintenanceCommand::List => None,
        },
        Command::Quarantine(QuarantineCommand::Replay { number }) => {
            let which = number.map_or("semua".to_owned(), |number| format!("nomor {number}"));
            noted(Act::Quarantine, String::new(), &format!("{which} dicoba lagi"))
        }
        _ => None,
    }
}

/// Notes what the command is about to do.
pub(super) fn note(command: &Command, place: &Workplace<'_>) -> anyhow::Result<()> {
    let Some((act, subject, words)) = act(command) else { return Ok(()) };
    let operator = format!("lokal:{}", place.user);
    let note = AuditNote { operator, act, subject, words: fit_words(&words)? };
    place
        .dataset
        .note(&note, clock::now_ms())
        .context("Buku catatan tidak bisa ditulisi. Tidak ada yang diubah")?;
    Ok(())
}
