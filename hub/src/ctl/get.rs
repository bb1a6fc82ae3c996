//! Lists: asked for, put together from their pages, printed.

use std::io::{self, BufRead as _, IsTerminal as _, Read as _, Write as _};

use lumbung_proto::v1;
use lumbung_proto::v1::admin_client::AdminClient;
use lumbung_proto::v1::get_request::What as Asked;
use tonic::transport::Channel;

use super::care;
use super::commands::{
    AuditArgs, AuditCommand, Command, Describe, GetArgs, HouseArgs, Search, WargaArgs, What,
};
use super::outcome::{Exit, Failure};
use super::print::{List, View};

/// The most that is read as a NIK, bytes.
const NIK_BYTES_MAX: u64 = 64;

/// The list a command stands for; `None` = it is no list.
pub(super) fn asked(command: &Command) -> Result<Option<Asked>, Failure> {
    Ok(Some(match command {
        Command::Describe(one) => described(one),
        Command::Recap { region, date, public, edisi, out: None } => Asked::Recap(v1::RecapAsked {
            region: region.clone(),
            date: date.clone().unwrap_or_default(),
            public: *public,
            edition: edisi.clone(),
        }),
        Command::Query { kind, village, limit } => Asked::Records(v1::RecordsAsked {
            kind: kind.clone(),
            village: village.clone().unwrap_or_default(),
            limit: *limit,
        }),
        Command::FindNik => Asked::Nik(v1::NikAsked { nik: nik()? }),
        Command::Reveal { reference, reason, numbers, specific } => {
            Asked::Reveal(v1::RevealAsked {
                village: reference.village.clone(),
                id: reference.id.clone(),
                numbers: *numbers || !specific,
                specific: *specific,
                reason: reason.clone(),
            })
        }
        Command::Incidents { village, limit } => Asked::Incidents(v1::IncidentsAsked {
            village: village.clone().unwrap_or_default(),
            limit: *limit,
        }),
        Command::Audit(AuditCommand::Verify) => Asked::AuditCheck(v1::AuditCheckAsked {}),
        Command::Whoami => Asked::Who(v1::WhoAsked {}),
        _ => return Ok(None),
    }))
}

fn described(one: &Describe) -> Asked {
    match one {
        Describe::Village { code } => Asked::Village(v1::VillageAsked { code: code.clone() }),
        Describe::Machine { code } => Asked::Diagnosis(v1::DiagnosisAsked { code: code.clone() }),
        Describe::Finding { number } => Asked::Finding(v1::FindingAsked { number: *number }),
        Describe::Notice { number } => Asked::Notice(v1::NoticeAsked { number: *number }),
        Describe::Warga { reference } => {
            let (village, id) = (reference.village.clone(), reference.id.clone());
            Asked::Person(v1::PersonAsked { village, id })
        }
        Describe::RumahTangga { reference } => {
            let (village, id) = (reference.village.clone(), reference.id.clone());
            Asked::House(v1::HouseAsked { village, id })
        }
    }
}

/// A NIK from standard input: arguments are seen by everybody on a machine.
fn nik() -> Result<String, Failure> {
    if io::stdin().is_terminal() {
        eprint!("NIK: ");
        io::stderr().flush()?;
    }
    let mut typed = String::new();
    io::stdin().lock().take(NIK_BYTES_MAX).read_line(&mut typed)?;
    Ok(typed.trim().to_owned())
}

/// What `get` asks for.
fn of(what: &What) -> Result<Asked, Failure> {
    let blank = |text: &Option<String>| text.clone().unwrap_or_default();
    Ok(match what {
        What::Villages { village } => Asked::Villages(v1::VillagesAsked { codes: village.clone() }),
        What::Needs(of) => Asked::Needs(v1::NeedsAsked { village: blank(&of.village) }),
        What::Findings { of, all, most } => Asked::Findings(v1::FindingsAsked {
            village: blank(&of.village),
            closed_too: *all,
            limit: most.limit,
        }),
        What::Quarantine(of) => {
            Asked::Quarantine(v1::QuarantineAsked { village: blank(&of.village) })
        }
        What::Incidents { of, most } => {
            Asked::Incidents(v1::IncidentsAsked { village: blank(&of.village), limit: most.limit })
        }
        What::Sessions => Asked::Sessions(v1::SessionsAsked {}),
        What::Versions => Asked::Versions(v1::VersionsAsked {}),
        What::Tokens => Asked::Tokens(v1::TokensAsked {}),
        What::Keys => Asked::Keys(v1::KeysAsked {}),
        What::Operators => Asked::Operators(v1::OperatorsAsked {}),
        What::Notices(most) => Asked::Notices(v1::NoticesAsked { limit: most.limit }),
        What::Audit(args) => Asked::Audit(audit(args)),
        What::Quality { region, declared } => {
            Asked::Quality(v1::QualityAsked { region: blank(region), stated: *declared })
        }
        What::Freshness { region, days } => {
            Asked::Freshness(v1::FreshnessAsked { days: *days, region: blank(region) })
        }
        What::Maintenance => Asked::Maintenance(v1::MaintenanceAsked {}),
        What::Publications => Asked::Publications(v1::PublicationsAsked {}),
        What::Warga(args) => Asked::Search(warga(args)?),
        What::Keluarga { search: terms, without_head, without_number, gap } => {
            Asked::Search(v1::SearchAsked {
                without_head: *without_head,
                without_number: *without_number,
                gap: blank(gap),
                ..search("keluarga", terms)?
            })
        }
        What::RumahTangga(args) => Asked::Search(house(args)?),
        What::Rt(terms) => Asked::Search(search("rt", terms)?),
        What::Dasawisma(terms) => Asked::Search(search("dasawisma", terms)?),
    })
}

fn audit(args: &AuditArgs) -> v1::AuditAsked {
    v1::AuditAsked {
        operator: args.operator.clone().unwrap_or_default(),
        act: args.act.clone().unwrap_or_default(),
        subject: args.about.clone().unwrap_or_default(),
        limit: args.most.limit,
        since_ms: args.since.unwrap_or(0),
        until_ms: args.until.unwrap_or(0),
    }
}

fn search(kind: &str, terms: &Search) -> Result<v1::SearchAsked, Failure> {
    Ok(v1::SearchAsked {
        kind: kind.to_owned(),
        name: terms.name.clone().map(care::typed).transpose()?.unwrap_or_default(),
        region: terms.region.clone().unwrap_or_default(),
        limit: terms.most.limit,
        ..Default::default()
    })
}

fn warga(args: &WargaArgs) -> Result<v1::SearchAsked, Failure> {
    Ok(v1::SearchAsked {
        sex: args.sex.clone().unwrap_or_default(),
        age_from: args.age_from,
        age_to: args.age_to,
        date: args.date.clone().unwrap_or_default(),
        pendidikan: args.pendidikan.unwrap_or(0),
        pekerjaan: args.pekerjaan.unwrap_or(0),
        agama: args.agama.unwrap_or(0),
        status_kawin: args.kawin.unwrap_or(0),
        heads: args.heads,
        without_number: args.without_nik,
        unplaced: args.unplaced,
        gone_too: args.gone_too,
        gap: args.gap.clone().unwrap_or_default(),
        ..search("warga", &args.search)?
    })
}

fn house(args: &HouseArgs) -> Result<v1::SearchAsked, Failure> {
    Ok(v1::SearchAsked {
        house_with: args.with.clone(),
        house_without: args.without.clone(),
        without_dasawisma: args.without_dasawisma,
        gap: args.gap.clone().unwrap_or_default(),
        ..search("rumah-tangga", &args.search)?
    })
}

/// A list with all of its pages.
pub(super) async fn list(admin: &mut AdminClient<Channel>, what: Asked) -> Result<List, Failure> {
    let mut pages = admin.get(v1::GetRequest { what: Some(what) }).await?.into_inner();
    let mut list = List::default();
    while let Some(page) = pages.message().await? {
        if !page.columns.is_empty() {
            list.schema = page.schema;
            list.columns = page.columns;
        }
        list.rows.extend(page.rows);
        list.notes.extend(page.notes);
    }
    Ok(list)
}

/// Prints one list. A check that did not come out well is a finding.
pub(super) async fn one(
    admin: &mut AdminClient<Channel>,
    what: Asked,
    view: View,
) -> Result<Exit, Failure> {
    let list = list(admin, what).await?;
    show(&list, view)?;
    let disagrees = |row: &v1::ListRow| list.cell(row, "agrees") == "false";
    let found = list.column("agrees").is_some() && list.rows.iter().any(disagrees);
    Ok(if found { Exit::Findings } else { Exit::Done })
}

/// `get`, once or whenever something moved.
pub(super) async fn lists(
    admin: &mut AdminClient<Channel>,
    args: &GetArgs,
    view: View,
) -> Result<Exit, Failure> {
    let asked = of(&args.what)?;
    let exit = one(admin, asked.clone(), view).await?;
    if !args.watch {
        return Ok(exit);
    }
    let mut moved = admin.watch(v1::WatchRequest::default()).await?.into_inner();
    // The first one tells how things are: they were just printed.
    moved.message().await?;
    while moved.message().await?.is_some() {
        if io::stdout().is_terminal() {
            // Clears the screen and goes to its corner.
            write!(io::stdout(), "\x1b[2J\x1b[H")?;
        }
        one(admin, asked.clone(), view).await?;
    }
    Err(Failure::new(Exit::Unreachable, "Hub berhenti."))
}

fn show(list: &List, view: View) -> Result<(), Failure> {
    for note in &list.notes {
        eprintln!("{note}");
    }
    match list.print(view, &mut io::stdout().lock()) {
        // A reader that went away (`| head`) is no error.
        Err(error) if error.kind() == io::ErrorKind::BrokenPipe => Ok(()),
        other => Ok(other?),
    }
}
