//! Lists: asked for, put together from their pages, printed.

use std::io::{self, IsTerminal as _, Write as _};

use lumbung_proto::v1;
use lumbung_proto::v1::admin_client::AdminClient;
use lumbung_proto::v1::get_request::What as Asked;
use tonic::transport::Channel;

use super::commands::{AuditCommand, Command, Describe, GetArgs, What};
use super::outcome::{Exit, Failure};
use super::print::{Format, List};

/// The list a command stands for; `None` = it is no list.
pub(super) fn asked(command: &Command) -> Option<Asked> {
    Some(match command {
        Command::Describe(Describe::Village { code }) => {
            Asked::Village(v1::VillageAsked { code: code.clone() })
        }
        Command::Describe(Describe::Machine { code }) => {
            Asked::Diagnosis(v1::DiagnosisAsked { code: code.clone() })
        }
        Command::Recap { region, date } => Asked::Recap(v1::RecapAsked {
            region: region.clone(),
            date: date.clone().unwrap_or_default(),
        }),
        Command::Query { kind, village, limit } => Asked::Records(v1::RecordsAsked {
            kind: kind.clone(),
            village: village.clone().unwrap_or_default(),
            limit: *limit,
        }),
        Command::Incidents { village, limit } => Asked::Incidents(v1::IncidentsAsked {
            village: village.clone().unwrap_or_default(),
            limit: *limit,
        }),
        Command::Audit(AuditCommand::Verify) => Asked::AuditCheck(v1::AuditCheckAsked {}),
        Command::Whoami => Asked::Who(v1::WhoAsked {}),
        _ => return None,
    })
}

/// What `get` asks for.
fn of(args: &GetArgs) -> Result<Asked, Failure> {
    let one = || match &args.village[..] {
        [] => Ok(String::new()),
        [one] => Ok(one.clone()),
        _ => Err(Failure::new(Exit::Usage, "Daftar ini hanya bisa untuk satu desa.")),
    };
    Ok(match args.what {
        What::Villages => Asked::Villages(v1::VillagesAsked { codes: args.village.clone() }),
        What::Needs => Asked::Needs(v1::NeedsAsked { village: one()? }),
        What::Findings => Asked::Findings(v1::FindingsAsked {
            village: one()?,
            closed_too: args.all,
            limit: args.limit,
        }),
        What::Quarantine => Asked::Quarantine(v1::QuarantineAsked { village: one()? }),
        What::Incidents => {
            Asked::Incidents(v1::IncidentsAsked { village: one()?, limit: args.limit })
        }
        What::Sessions => Asked::Sessions(v1::SessionsAsked {}),
        What::Tokens => Asked::Tokens(v1::TokensAsked {}),
        What::Keys => Asked::Keys(v1::KeysAsked {}),
        What::Operators => Asked::Operators(v1::OperatorsAsked {}),
        What::Notices => Asked::Notices(v1::NoticesAsked { limit: args.limit }),
        What::Audit => Asked::Audit(v1::AuditAsked {
            operator: args.operator.clone().unwrap_or_default(),
            limit: args.limit,
            ..Default::default()
        }),
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
    format: Format,
) -> Result<Exit, Failure> {
    let list = list(admin, what).await?;
    show(&list, format)?;
    let disagrees = |row: &v1::ListRow| list.cell(row, "agrees") == "false";
    let found = list.column("agrees").is_some() && list.rows.iter().any(disagrees);
    Ok(if found { Exit::Findings } else { Exit::Done })
}

/// `get`, once or whenever something moved.
pub(super) async fn lists(
    admin: &mut AdminClient<Channel>,
    args: GetArgs,
    format: Format,
) -> Result<Exit, Failure> {
    let exit = one(admin, of(&args)?, format).await?;
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
        one(admin, of(&args)?, format).await?;
    }
    Err(Failure::new(Exit::Unreachable, "Hub berhenti."))
}

fn show(list: &List, format: Format) -> Result<(), Failure> {
    for note in &list.notes {
        eprintln!("{note}");
    }
    match list.print(format, &mut io::stdout().lock()) {
        // A reader that went away (`| head`) is no error.
        Err(error) if error.kind() == io::ErrorKind::BrokenPipe => Ok(()),
        other => Ok(other?),
    }
}
