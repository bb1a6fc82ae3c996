//! What is refused, what is warned about, and that messages tell no secrets.

mod events;
mod families;
mod places;
mod residents;

use jiff::civil::{Date, date};

use super::{Outcome, Severity, Verdict};
use crate::id::RecordId;
use crate::identity::Nik;

const TODAY: Date = date(2026, 11, 24);
const RT: RecordId = RecordId([7; 16]);

fn nik(digits: &str) -> Option<Nik> {
    Nik::parse(digits).unwrap().nik()
}

/// The verdict is exactly these codes, rejections marked with `!`.
fn check(verdict: &Verdict, wanted: &[&str]) {
    let found: Vec<String> = verdict
        .0
        .iter()
        .map(|finding| match finding.severity {
            Severity::Reject => format!("!{}", finding.code),
            Severity::Warn => finding.code.to_owned(),
        })
        .collect();
    assert_eq!(found, wanted, "{verdict:?}");
    let rejected = wanted.iter().any(|code| code.starts_with('!'));
    let outcome = match (rejected, wanted.is_empty()) {
        (true, _) => Outcome::Reject,
        (false, true) => Outcome::Accept,
        (false, false) => Outcome::Warn,
    };
    assert_eq!(verdict.outcome(), outcome);
    assert_eq!(verdict.may_save(), !rejected);
    for finding in &verdict.0 {
        assert!(!finding.message.contains("CONTOH"), "{finding:?}");
        assert!(!finding.message.contains("3505"), "{finding:?}");
        assert!(finding.message.ends_with('.'), "{finding:?}");
    }
}
