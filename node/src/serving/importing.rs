//! An import by command: read, plan, save in steps, tell how far it is.

use lumbung_ledger::Source;
use lumbung_proto::v1::{self, import_event};
use lumbung_telemetry::clock;
use tokio::sync::mpsc;
use tonic::Status;

use super::refusal::{store_failed, submit_failed};
use crate::barn::{Barn, Expected, Submission};
use crate::import;
use crate::village::{Village, change};

/// Changes of an import that become durable together.
const IMPORT_STEP: usize = 512;

type Events = mpsc::Sender<Result<v1::ImportEvent, Status>>;

fn tell(events: &Events, event: import_event::Event) {
    // An import goes on when nobody listens: half a sheet helps nobody.
    drop(events.blocking_send(Ok(v1::ImportEvent { event: Some(event) })));
}

pub(super) fn run_import(
    village: &Village,
    request: &v1::ImportRequest,
    events: &Events,
) -> Result<(), Status> {
    let sheet = match import::read_sheet(&request.file_name, &request.content) {
        Ok(sheet) => sheet,
        Err(refused) => {
            tell(events, import_event::Event::Refused(refused.to_string()));
            return Ok(());
        }
    };
    let mut census = village.census().map_err(|error| store_failed(&error))?;
    let mut mint = || village.mint().next(clock::now_ms());
    let plan = import::plan(&sheet, &mut census, &mut mint, clock::today());
    if !request.dry_run {
        save_plan(village.barn(), &request.actor, &plan, &sheet, events)?;
    }
    let rejected = match plan.report.rejected {
        0 => Vec::new(),
        _ => import::rejected_sheet(&sheet, &plan.report),
    };
    let report_json = serde_json::to_string(&plan.report)
        .map_err(|_| Status::internal("the report can't be written"))?;
    let done = import_event::Done { report_json, rejected_csv: rejected.into() };
    tell(events, import_event::Event::Done(done));
    Ok(())
}

fn save_plan(
    barn: &Barn,
    actor: &str,
    plan: &import::Plan,
    sheet: &import::Sheet,
    events: &Events,
) -> Result<(), Status> {
    let source = match plan.report.layout.to_lowercase() {
        layout if layout.contains("opensid") => Source::OPENSID,
        layout if layout.contains("siak") => Source::SIAK,
        _ => Source::TEMPLATE,
    };
    let rows = sheet.len() as u64;
    let total = plan.changes.len() as u64;
    let mut done = 0_u64;
    for step in plan.changes.chunks(IMPORT_STEP) {
        let changes = step.iter().map(|planned| {
            let expected = match planned.operation {
                import::Operation::Create => Expected::Absent,
                import::Operation::Update => Expected::Any,
            };
            change(planned.id, planned.record.kind(), Some(&planned.record), expected)
        });
        let submission = Submission {
            actor: actor.into(),
            source,
            time_ms: clock::now_ms(),
            changes: changes.collect(),
        };
        barn.submit_blocking(submission).map_err(|error| submit_failed(&error))?;
        done += step.len() as u64;
        // Progress in rows: people know their sheet, not our records.
        let rows_done = rows * done / total.max(1);
        let progress = import_event::Progress { rows_done, rows_total: rows };
        tell(events, import_event::Event::Progress(progress));
    }
    Ok(())
}
