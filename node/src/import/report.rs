//! What an import found and did, row by row, for the clerk.
//!
//! Messages name columns and rules, never what stands in a cell: a report may
//! be stored, shown on a page and sent to whoever helps.

use std::collections::BTreeMap;
use std::fmt;

use lumbung_domain::id::Kind;
use lumbung_domain::region::JenisDesa;
use serde::{Deserialize, Serialize};

use super::limits::ISSUES_MAX;

/// How much a finding weighs.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Severity {
    /// The row is taken; a person should look at it.
    Warning,
    /// The row is left out.
    Reject,
}

/// One finding in one row.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct RowIssue {
    /// Row number in the spreadsheet, counted from 1.
    pub row: u32,
    /// Header of the column, when the finding is about one.
    pub column: Option<String>,
    /// Whether the row was left out.
    pub severity: Severity,
    /// Stable name of the rule.
    pub code: String,
    /// What is wrong and what to do, Bahasa Indonesia.
    pub message: String,
}

/// How often one rule spoke, over all rows.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Problem {
    /// Whether it leaves rows out.
    pub severity: Severity,
    /// Number of findings.
    pub count: u64,
    /// Its sentence, as in the first row it was found in.
    pub message: String,
    /// Whether other rows were told something else (another age, another row).
    pub varies: bool,
}

/// A row that was left out.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct RejectedRow {
    /// Row number in the spreadsheet, counted from 1.
    pub row: u32,
    /// Every reason, as one text.
    pub reasons: String,
}

/// Records of one kind that the import writes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct KindCount {
    /// New records.
    pub created: u64,
    /// Records that change.
    pub updated: u64,
}

/// The outcome of one import.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Report {
    /// What the sheet is, in words.
    pub layout: String,
    /// Rows read under the headers.
    pub read: u64,
    /// Rows that bring a resident the village didn't know.
    pub new: u64,
    /// Rows that change a known resident.
    pub changed: u64,
    /// Rows that say what the village already knows.
    pub unchanged: u64,
    /// Rows taken with at least one warning.
    pub warned: u64,
    /// Rows left out.
    pub rejected: u64,
    /// Records written, by kind.
    pub records: BTreeMap<Kind, KindCount>,
    /// What holds for the whole sheet, in sentences.
    pub notes: Vec<String>,
    /// How often each rule spoke, complete.
    pub problems: BTreeMap<String, Problem>,
    /// Findings in the order they were made: the first 1,000.
    pub issues: Vec<RowIssue>,
    /// Every row left out, by row.
    pub rejected_rows: Vec<RejectedRow>,
}

impl Report {
    /// Adds a finding to the counts, and to the list while there is room.
    pub(super) fn add(&mut self, issue: RowIssue) {
        self.problems
            .entry(issue.code.clone())
            .and_modify(|problem| {
                problem.count += 1;
                problem.severity = problem.severity.max(issue.severity);
                problem.varies |= problem.message != issue.message;
            })
            .or_insert_with(|| Problem {
                severity: issue.severity,
                count: 1,
                message: issue.message.clone(),
                varies: false,
            });
        if self.issues.len() < ISSUES_MAX {
            self.issues.push(issue);
        }
    }

    /// Number of findings, listed or not.
    #[must_use]
    pub fn issue_count(&self) -> u64 {
        self.problems.values().map(|problem| problem.count).sum()
    }
}

/// Rows that the printed form describes one by one.
const PRINTED_ROWS: usize = 20;

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.write(f, JenisDesa::Desa)
    }
}

/// A report in the words of a desa or of a kelurahan.
#[derive(Clone, Copy, Debug)]
pub struct Told<'a> {
    report: &'a Report,
    jenis: JenisDesa,
}

impl fmt::Display for Told<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.report.write(f, self.jenis)
    }
}

impl Report {
    /// The printed form for a village of this kind.
    #[must_use]
    pub const fn told(&self, jenis: JenisDesa) -> Told<'_> {
        Told { report: self, jenis }
    }

    fn write(&self, f: &mut fmt::Formatter<'_>, jenis: JenisDesa) -> fmt::Result {
        writeln!(f, "Lembar: {}", self.layout)?;
        writeln!(
            f,
            "Baris dibaca {}: baru {}, berubah {}, sama {}, ditolak {}. Dengan peringatan {}.",
            self.read, self.new, self.changed, self.unchanged, self.rejected, self.warned
        )?;
        self.write_records(f, jenis)?;
        for note in &self.notes {
            writeln!(f, "Catatan: {note}")?;
        }
        self.write_problems(f)?;
        self.write_issues(f)
    }

    fn write_records(&self, f: &mut fmt::Formatter<'_>, jenis: JenisDesa) -> fmt::Result {
        if self.records.is_empty() {
            return writeln!(f, "Tidak ada data yang berubah.");
        }
        write!(f, "Data yang ditulis:")?;
        for (at, (kind, count)) in self.records.iter().enumerate() {
            let comma = if at == 0 { "" } else { "," };
            let word = match kind {
                Kind::Dusun => jenis.label_dusun().to_lowercase(),
                _ => kind.to_string(),
            };
            write!(f, "{comma} {word} {} baru {} berubah", count.created, count.updated)?;
        }
        writeln!(f, ".")
    }

    fn write_problems(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut problems: Vec<_> = self.problems.values().collect();
        problems.sort_by_key(|problem| std::cmp::Reverse((problem.severity, problem.count)));
        for problem in problems {
            writeln!(
                f,
                "  {:>6} x {}{}: {}",
                problem.count,
                problem.severity.word(),
                if problem.varies { ", misalnya" } else { "" },
                problem.message
            )?;
        }
        Ok(())
    }

    fn write_issues(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut issues: Vec<_> = self.issues.iter().collect();
        // What was left out needs hands first.
        issues.sort_by_key(|issue| (std::cmp::Reverse(issue.severity), issue.row));
        for issue in issues.iter().take(PRINTED_ROWS) {
            let column = issue.column.as_deref();
            let column = column.map_or_else(String::new, |name| format!(", kolom {name}"));
            writeln!(
                f,
                "  baris {}{column}: {} ({})",
                issue.row,
                issue.message,
                issue.severity.word()
            )?;
        }
        let more = self.issue_count().saturating_sub(PRINTED_ROWS as u64);
        if more > 0 {
            writeln!(f, "  ... dan {more} temuan lain.")?;
        }
        Ok(())
    }
}

impl Severity {
    const fn word(self) -> &'static str {
        match self {
            Self::Warning => "peringatan",
            Self::Reject => "ditolak",
        }
    }
}
