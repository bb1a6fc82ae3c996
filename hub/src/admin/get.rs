//! Lists: what the desk gives, as columns and rows; one file for what is
//! listed together.

mod audit;
mod findings;
mod machines;
mod notices;
mod person;
mod quality;
mod recap;
mod records;
mod search;
mod troubles;

use lumbung_domain::region::roster;
use lumbung_proto::v1::get_request::What;
use lumbung_telemetry::clock;
use tonic::Status;

pub(super) use recap::file as recap_file;

use super::sheet::{Column, Sheet};
use super::{village, words};
use crate::access::{Account, Operator, Right};
use crate::desk::Desk;

/// The list that is asked for; those of accounts come from the gate.
pub(super) fn sheet(desk: &Desk, who: &Operator, what: What) -> Result<Sheet, Status> {
    match what {
        What::Who(_) => Ok(about(who)),
        What::Villages(asked) => {
            let codes = asked.codes.iter().map(|code| words::village(code));
            village::all(desk, who, &codes.collect::<Result<Vec<_>, _>>()?)
        }
        What::Village(asked) => village::one(desk, who, words::village(&asked.code)?),
        What::Findings(asked) => findings::all(desk, who, &asked),
        What::Finding(asked) => findings::one(desk, who, asked.number),
        What::Quarantine(asked) => troubles::quarantine(desk, who, &asked.village),
        What::Incidents(asked) => troubles::incidents(desk, who, &asked),
        What::Needs(asked) => troubles::needs(desk, who, &asked.village),
        What::Maintenance(_) => troubles::maintenance(desk, who),
        What::Sessions(_) => village::sessions(desk, who),
        What::Tokens(_) => machines::tokens(desk, who),
        What::Keys(_) => machines::keys(desk, who),
        What::Diagnosis(asked) => machines::diagnosis(desk, who, &asked.code),
        What::Versions(_) => machines::versions(desk, who),
        What::Audit(asked) => audit::entries(desk, who, asked),
        What::AuditCheck(_) => audit::check(desk, who),
        What::Recap(asked) => recap::sheet(desk, who, &asked),
        What::Publications(_) => recap::publications(desk, who),
        What::Quality(asked) if asked.stated => quality::stated(desk, who, &asked.region),
        What::Quality(asked) => quality::gaps(desk, who, &asked.region),
        What::Freshness(asked) => quality::freshness(desk, who, &asked),
        What::Records(asked) => records::of_kind(desk, who, &asked),
        What::Search(asked) => search::found(desk, who, &asked),
        What::Nik(asked) => search::by_nik(desk, who, &asked.nik),
        What::Person(asked) => person::closed(desk, who, &asked),
        What::Reveal(asked) => person::opened(desk, who, &asked),
        What::House(asked) => person::house(desk, who, &asked),
        What::Notices(asked) => notices::all(desk, who, words::rows(asked.limit)),
        What::Notice(asked) => notices::one(desk, who, asked.number),
        What::Operators(_) => Err(Status::internal("accounts are the gate's")),
    }
}

/// Who asks, and what they may.
fn about(who: &Operator) -> Sheet {
    let mut sheet = Sheet::new(
        "lumbung/who/1",
        &[
            Column::text("name", "nama", "name"),
            Column::text("role", "peran", "role"),
            Column::text("scope", "wilayah", "scope"),
            Column::text("rights", "boleh", "may"),
        ],
    );
    let own = |code| who.scope().holds(code);
    let mut kecamatan: Vec<String> = roster()
        .villages()
        .iter()
        .filter(|desa| own(desa.code))
        .map(|desa| desa.kecamatan.to_string())
        .collect();
    kecamatan.dedup();
    let scope = if who.scope().is_whole() { "semua".to_owned() } else { kecamatan.join(" ") };
    let rights = Right::ALL.into_iter().filter(|right| who.may(*right));
    let rights: Vec<_> = rights.map(|right| format!("{right:?}")).collect();
    sheet.row([who.name().to_owned(), who.role().to_string(), scope, rights.join(" ")]);
    sheet
}

/// Accounts, as the gate gave them.
pub(super) fn operators(accounts: &[Account]) -> Sheet {
    let now_ms = clock::now_ms();
    let mut sheet = Sheet::new(
        "lumbung/operators/1",
        &[
            Column::text("name", "nama", "name"),
            Column::text("role", "peran", "role"),
            Column::text("kecamatan", "kecamatan", "kecamatan"),
            Column::flag("two_factors", "dua langkah", "two-step"),
            Column::flag("open", "aktif", "active"),
            Column::moment("until_ms", "berlaku sampai", "until"),
            Column::moment("made_ms", "dibuat", "made").wide(),
            Column::flag("first_password", "sandi awal", "first password"),
            Column::moment("first_used_ms", "sandi awal dipakai", "first password used").wide(),
            Column::text("first_used_from", "dari", "from").wide(),
        ],
    );
    for account in accounts {
        let kecamatan: Vec<_> = account.kecamatan.iter().map(ToString::to_string).collect();
        sheet.row([
            account.name.clone(),
            account.role.to_string(),
            kecamatan.join(" "),
            account.totp.is_some().to_string(),
            account.is_open(now_ms).to_string(),
            account.until_ms.unwrap_or(0).to_string(),
            account.made_ms.to_string(),
            account.first_password.to_string(),
            account.first_use.at_ms.to_string(),
            account.first_use.from.clone(),
        ]);
    }
    sheet
}
