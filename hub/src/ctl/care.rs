//! What operators write to villages, note about them and decide, as acts of
//! the API.

use std::io::{self, Read as _};

use lumbung_proto::v1;
use lumbung_proto::v1::act_request::Act;

use super::act::{confirm, on};
use super::commands::{
    AlertCommand, AskCommand, Command, ContactCommand, LeftoversCommand, MachineCommand,
    MaintenanceCommand, NoticeCommand, NoticeTerms, RemarkCommand,
};
use super::outcome::{Exit, Failure};

/// The most that is read from standard input, bytes: no text is longer.
const TEXT_BYTES_MAX: u64 = 64 * 1024;

/// What the command does; `None` = it is none of these.
pub(super) fn act(command: Command) -> Result<Option<Act>, Failure> {
    Ok(Some(match command {
        Command::Ask(AskCommand::Finding { number, message }) => {
            Act::AskFinding(v1::AskAct { number, message: typed(message)? })
        }
        Command::Notice(command) => notice(command)?,
        Command::Contact(ContactCommand::Set { village: code, name, telephone }) => {
            Act::Contact(v1::ContactAct { code, name, telephone })
        }
        Command::Contact(ContactCommand::Clear { village: code }) => {
            Act::Contact(v1::ContactAct { code, ..Default::default() })
        }
        Command::Remark(RemarkCommand::Set { village: code, words }) => {
            Act::Remark(v1::RemarkAct { code, words: typed(words)? })
        }
        Command::Remark(RemarkCommand::Clear { village: code }) => {
            Act::Remark(v1::RemarkAct { code, ..Default::default() })
        }
        Command::Budget { village: code, kilobytes } => {
            Act::Budget(v1::BudgetAct { code, kilobytes_a_day: kilobytes })
        }
        Command::Machine(MachineCommand::OneLeft { village, sure }) => {
            confirm(&sure, &village, "Komputer yang lain harus sudah berhenti")?;
            Act::OneMachineLeft(on(village, String::new()))
        }
        Command::Machine(MachineCommand::ReleaseDamaged { village, sure }) => {
            confirm(&sure, &village, "Yang hanya ada di berkas itu hilang sesudah 30 hari")?;
            Act::ReleaseDamaged(on(village, String::new()))
        }
        Command::Publish { day, sure } => {
            confirm(&sure, &day, "Terbitan tidak bisa diubah atau dibuat ulang")?;
            Act::Publish(v1::PublishAct { day })
        }
        Command::Leftovers(LeftoversCommand::Return { village: code }) => {
            Act::Leftovers(v1::LeftoversAct { code, end: false })
        }
        Command::Leftovers(LeftoversCommand::End { village: code, sure }) => {
            confirm(&sure, &code, "Catatan lama desa ini tidak terbaca lagi")?;
            Act::Leftovers(v1::LeftoversAct { code, end: true })
        }
        Command::Maintenance(MaintenanceCommand::Start { region, hours, reason }) => {
            Act::StartMaintenance(v1::MaintenanceAct { region, hours, reason })
        }
        Command::Maintenance(MaintenanceCommand::End { number }) => {
            Act::EndMaintenance(v1::NumberAct { number })
        }
        Command::Alert(AlertCommand::Test) => Act::TestAlerts(v1::TestAlertsAct {}),
        _ => return Ok(None),
    }))
}

fn notice(command: NoticeCommand) -> Result<Act, Failure> {
    let of = |NoticeTerms { category, from, until }: NoticeTerms| v1::NoticeAct {
        category,
        from,
        until,
        ..Default::default()
    };
    Ok(match command {
        NoticeCommand::Write { title, text, to, when, dry_run } => {
            Act::WriteNotice(v1::NoticeAct {
                title: Some(title),
                text: Some(typed(text)?),
                targets: to,
                only_try: dry_run,
                ..of(when)
            })
        }
        NoticeCommand::Correct { number, title, text, when } => Act::CorrectNotice(v1::NoticeAct {
            number,
            title,
            text: text.map(typed).transpose()?,
            ..of(when)
        }),
        NoticeCommand::Withdraw { number, sure } => {
            confirm(&sure, &number.to_string(), "Ini tidak bisa dibatalkan")?;
            Act::WithdrawNotice(v1::NumberAct { number })
        }
    })
}

/// A text of the command line, or of standard input where that says `-`.
pub(super) fn typed(text: String) -> Result<String, Failure> {
    if text != "-" {
        return Ok(text);
    }
    let mut read = String::new();
    io::stdin().lock().take(TEXT_BYTES_MAX).read_to_string(&mut read).map_err(|_| {
        Failure::new(Exit::Usage, "Masukan baku bukan teks UTF-8. Tidak ada yang dikirim.")
    })?;
    Ok(read)
}
