//! Contradictions between villages, and one with its two sides.

use lumbung_domain::region::VillageCode;
use lumbung_proto::v1::{self, CellKind};
use lumbung_telemetry::clock;
use tonic::Status;

use super::super::sheet::{Column, Sheet};
use super::super::words::{self, name_of};
use crate::access::Operator;
use crate::dataset::{CrossFinding, FindingKind, FirstEntry};
use crate::desk::person::CLOSED;
use crate::desk::{Desk, Side, differ};
use crate::words::actor;

/// What a finding is about, in words.
const fn kind_words(kind: FindingKind) -> (&'static str, &'static str) {
    match kind {
        FindingKind::NikGanda => {
            ("NIK yang sama hidup di dua desa", "the same NIK is alive in two villages")
        }
        FindingKind::KkGanda => (
            "nomor KK yang sama dipakai di dua desa",
            "the same family card number is used in two villages",
        ),
        FindingKind::PindahTanpaDatang => {
            ("pindah keluar tanpa kedatangan", "moved out without an arrival")
        }
        FindingKind::DatangTanpaPindah => {
            ("kedatangan tanpa pindah keluar", "arrived without moving out")
        }
    }
}

/// Contradictions between villages, newest first. The number that both name
/// is not told: beside the birth date a part of it gives all of it away.
pub(super) fn all(desk: &Desk, who: &Operator, asked: &v1::FindingsAsked) -> Result<Sheet, Status> {
    let of = words::maybe_village(&asked.village)?;
    let limit = words::rows(asked.limit);
    let found = desk.findings(who, of, !asked.closed_too, limit)?;
    let mut sheet = Sheet::new(
        "lumbung/findings/1",
        &[
            Column::number("number", "no", "no"),
            Column::text("finding", "temuan", "finding"),
            Column::text("finding_en", "temuan (Inggris)", "finding"),
            Column::text("key", "nomor", "number").wide(),
            Column::moment("since_ms", "sejak", "since"),
            Column::moment("closed_ms", "ditutup", "closed").wide(),
            Column::text("villages", "kode", "codes"),
            Column::text("names", "desa", "villages"),
            Column::text("claims", "pernyataan", "claims").wide(),
        ],
    );
    for finding in found {
        let villages: Vec<_> =
            finding.claims.iter().map(|claim| claim.village.to_string()).collect();
        let names: Vec<_> = finding.claims.iter().map(|claim| name_of(claim.village)).collect();
        let claims: Vec<_> = finding
            .claims
            .iter()
            .map(|claim| {
                let when = clock::display(claim.time_ms);
                let source = claim.source.name();
                let by = actor(&claim.actor).id;
                let made = claim.first.as_ref().map(made).map(|made| format!(", dibuat {made}"));
                let made = made.unwrap_or_default();
                format!("{}: {when} oleh {by} ({source}){made}", name_of(claim.village))
            })
            .collect();
        let (id, en) = kind_words(finding.kind);
        sheet.row([
            finding.number.to_string(),
            id.to_owned(),
            en.to_owned(),
            CLOSED.to_owned(),
            finding.since_ms.to_string(),
            finding.closed_ms.unwrap_or(0).to_string(),
            villages.join(" "),
            names.join("; "),
            claims.join("; "),
        ]);
    }
    Ok(sheet)
}

/// When and by whom a record was made.
fn made(first: &FirstEntry) -> String {
    format!("{} oleh {}", clock::display(first.time_ms), actor(&first.actor).id)
}

/// What a line beside both sides is about, in both languages.
type Label = (&'static str, &'static str);

/// One contradiction, a column for each village.
pub(super) fn one(desk: &Desk, who: &Operator, number: i64) -> Result<Sheet, Status> {
    let (finding, sides) = desk.finding(who, number)?;
    let claiming = sides.iter().map(|side| side.claim.village);
    let villages: Vec<VillageCode> = claiming.chain(finding.other_village).collect();
    let mut sheet = Sheet::with_columns("lumbung/finding/1", columns(&villages));
    let (id, en) = kind_words(finding.kind);
    sheet.note(format!("Temuan {number}: {id} ({en})."));
    sheet.note(standing(&finding));
    for entry in desk.asked(who, number)? {
        let (at, by) = (clock::display(entry.at_ms), entry.operator);
        sheet.note(format!("Ditanyakan {at} oleh {by}: {}", entry.words));
    }
    let mut line = |(id, en): Label, of: &dyn Fn(&Side) -> String| {
        let mut cells = vec![id.to_owned(), en.to_owned()];
        cells.extend(sides.iter().map(of));
        // A village that is only named has recorded nothing.
        cells.resize(villages.len() + 2, String::new());
        sheet.row(cells);
    };
    line(("kode desa", "village's code"), &|side| side.claim.village.to_string());
    line(("dibuat", "made"), &|side| {
        let minted = || side.claim.id.minted_ms().map(clock::display);
        side.claim.first.as_ref().map(made).or_else(minted).unwrap_or_default()
    });
    line(("ditulis", "written"), &|side| clock::display(side.claim.time_ms));
    line(("oleh", "by"), &|side| actor(&side.claim.actor).id);
    line(("sumber", "source"), &|side| side.claim.source.name().to_owned());
    line(("nomor urut", "entry"), &|side| side.claim.seq.to_string());
    line(("catatan", "record"), &|side| format!("{}/{}", side.claim.village, side.claim.id));
    if sides.iter().any(|side| !content(side).is_empty()) {
        line(("isi", "content"), &|side| content(side).to_owned());
    }
    for label in labels(&sides) {
        line((label, label), &|side| value(side, label, &sides));
    }
    Ok(sheet)
}

fn columns(villages: &[VillageCode]) -> Vec<v1::ListColumn> {
    let text = |key: String, label_id: String, label_en: String| v1::ListColumn {
        key,
        label_id,
        label_en,
        kind: CellKind::Text.into(),
        wide: false,
    };
    let mut columns = vec![
        text("what".into(), "tentang".into(), "about".into()),
        text("what_en".into(), "tentang (Inggris)".into(), "about".into()),
    ];
    columns.extend(villages.iter().zip(1..).map(|(village, number)| {
        text(format!("side_{number}"), name_of(*village), name_of(*village))
    }));
    columns
}

fn standing(finding: &CrossFinding) -> String {
    let since = clock::display(finding.since_ms);
    match finding.closed_ms {
        None => format!("Terbuka sejak {since}."),
        Some(closed) => {
            format!("Terlihat sejak {since}, tertutup sendiri {}.", clock::display(closed))
        }
    }
}

/// Why a side says nothing.
const fn content(side: &Side) -> &'static str {
    match &side.says {
        None => "di luar wilayah Anda",
        Some(says) if says.is_empty() => "sudah tidak ada atau tidak bisa dibaca",
        Some(_) => "",
    }
}

/// What any side says something about, as the forms order it.
fn labels(sides: &[Side]) -> Vec<&'static str> {
    let mut labels = Vec::new();
    for said in sides.iter().filter_map(|side| side.says.as_ref()).flatten() {
        if !said.value.is_empty() && !labels.contains(&said.label) {
            labels.push(said.label);
        }
    }
    labels
}

/// What a side says; of what is closed, whether it is what the others say.
fn value(side: &Side, label: &str, sides: &[Side]) -> String {
    match side.said(label) {
        Some(said) if said.is_closed() && differ(label, sides) => {
            format!("{} (berbeda)", said.value)
        }
        said => said.map(|said| said.value.clone()).unwrap_or_default(),
    }
}
