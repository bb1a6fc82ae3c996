//! An import by command: read, plan, save in steps, tell how far it is.
//!
//! What it saves rests on the village as it was planned on. A save that came
//! in between is never overwritten: what is left is planned anew.

use std::collections::BTreeMap;

use lumbung_domain::id::Kind;
use lumbung_ledger::Source;
use lumbung_proto::v1::import_event::{Done, Event, Phase, Progress};
use lumbung_proto::v1::{self};
use lumbung_telemetry::clock;
use tonic::Status;

use super::refusal::{store_failed, submit_failed};
use crate::barn::{Barn, Expected, Submission, SubmitError};
use crate::import::{self, KindCount, Operation, Plan, Report};
use crate::village::{Standing, Village, change};

/// Changes of an import that become durable together.
const IMPORT_STEP: usize = 512;

/// How often one import is planned before it gives up on a village that
/// somebody else keeps changing.
const PLANS_MAX: usize = 8;

/// What became durable, by kind.
type Written = BTreeMap<Kind, KindCount>;

fn progress(phase: Phase, rows_done: u64, rows_total: u64) -> Event {
    Event::Progress(Progress { rows_done, rows_total, phase: phase.into() })
}

pub(super) fn run_import(
    village: &Village,
    request: &v1::ImportRequest,
    tell: &mut dyn FnMut(Event),
) -> Result<(), Status> {
    let Some(_turn) = village.begin_import() else {
        let busy = "Impor lain sedang berjalan di desa ini. Tidak ada yang diubah. Tunggu sampai \
                    selesai, lalu ulangi.";
        tell(Event::Refused(busy.to_owned()));
        return Ok(());
    };
    tell(progress(Phase::Reading, 0, 0));
    let sheet = match import::read_sheet(&request.file_name, &request.content) {
        Ok(sheet) => sheet,
        Err(refused) => {
            tell(Event::Refused(refused.to_string()));
            return Ok(());
        }
    };
    let mut written = Written::new();
    let mut plans = 0;
    let report = loop {
        plans += 1;
        tell(progress(Phase::Planning, 0, sheet.len() as u64));
        let before = written.clone();
        let mut standing = village.standing().map_err(|error| store_failed(&error))?;
        let mut mint = || village.mint().next(clock::now_ms());
        let plan = import::plan(&sheet, &mut standing.census, &mut mint, clock::today());
        if request.dry_run {
            break plan.report;
        }
        let saving = Saving { barn: village.barn(), actor: &request.actor, standing: &standing };
        match saving.save(&plan, &sheet, &mut written, tell) {
            Ok(()) => break with_earlier(plan.report, &before),
            // Somebody saved in between what this import saves too.
            Err(
                SubmitError::Stale { .. } | SubmitError::Taken { .. } | SubmitError::Erased { .. },
            ) if plans < PLANS_MAX => {}
            Err(SubmitError::Stale { .. } | SubmitError::Taken { .. }) => {
                return Err(Status::aborted(
                    "Data desa terus diubah selama impor ini. Yang sudah tersimpan aman. \
                     Jalankan impor sekali lagi: yang sudah tersimpan tidak akan berlipat.",
                ));
            }
            Err(error) => return Err(submit_failed(&error)),
        }
    };
    let rejected = match report.rejected {
        0 => Vec::new(),
        _ => import::rejected_sheet(&sheet, &report),
    };
    let report_json = serde_json::to_string(&report)
        .map_err(|_| Status::internal("the report can't be written"))?;
    tell(Event::Done(Done { report_json, rejected_csv: rejected.into() }));
    Ok(())
}

/// Where and as whom a plan is saved, and what it was made on.
struct Saving<'a> {
    barn: &'a Barn,
    actor: &'a str,
    standing: &'a Standing,
}

impl Saving<'_> {
    fn save(
        &self,
        plan: &Plan,
        sheet: &import::Sheet,
        written: &mut Written,
        tell: &mut dyn FnMut(Event),
    ) -> Result<(), SubmitError> {
        let source = match plan.report.layout.to_lowercase() {
            layout if layout.contains("opensid") => Source::OPENSID,
            layout if layout.contains("siak") => Source::SIAK,
            _ => Source::TEMPLATE,
        };
        let rows = sheet.len() as u64;
        let total = plan.changes.len() as u64;
        let mut done = 0_u64;
        tell(progress(Phase::Saving, 0, rows));
        for step in plan.changes.chunks(IMPORT_STEP) {
            let changes = step.iter().map(|planned| {
                let expected = match (planned.operation, self.standing.seen.get(&planned.id)) {
                    (Operation::Update, Some(seen)) => Expected::At(*seen),
                    (Operation::Create, _) | (Operation::Update, None) => Expected::Absent,
                };
                change(planned.id, planned.record.kind(), Some(&planned.record), expected)
            });
            let submission = Submission {
                actor: self.actor.into(),
                source,
                time_ms: clock::now_ms(),
                changes: changes.collect(),
            };
            self.barn.submit_blocking(submission)?;
            for planned in step {
                let count = written.entry(planned.record.kind()).or_default();
                match planned.operation {
                    Operation::Create => count.created += 1,
                    Operation::Update => count.updated += 1,
                }
            }
            done += step.len() as u64;
            // Progress in rows: people know their sheet, not our records.
            tell(progress(Phase::Saving, rows * done / total.max(1), rows));
        }
        Ok(())
    }
}

/// The report of the last plan, in which what `earlier` plans of the same
/// import had saved already counts as read and unchanged, told as it was.
fn with_earlier(mut report: Report, earlier: &Written) -> Report {
    for (kind, count) in earlier {
        let told = report.records.entry(*kind).or_default();
        told.created += count.created;
        told.updated += count.updated;
    }
    if let Some(residents) = earlier.get(&Kind::Warga) {
        report.new += residents.created;
        report.changed += residents.updated;
        report.unchanged = report.unchanged.saturating_sub(residents.created + residents.updated);
    }
    report
}

#[cfg(test)]
mod tests;
