//! Lists, one function each: what the desk gives, as columns and rows.

use lumbung_domain::id::Kind;
use lumbung_domain::recap::{Cell, Isi};
use lumbung_domain::record::Numbers;
use lumbung_domain::region::{Desa, VillageCode, roster};
use lumbung_proto::v1;
use lumbung_proto::v1::CellKind;
use lumbung_proto::v1::get_request::What;
use lumbung_telemetry::clock;
use lumbung_wire::record as wire;
use tonic::Status;

use super::sheet::{Column, Sheet};
use super::{village, words};
use crate::access::audit::{AuditCheck, AuditFilter};
use crate::access::{Account, Operator, Right};
use crate::dataset::{FindingKind, StoredRecord};
use crate::desk::diagnosis::Diagnosis;
use crate::desk::person::CLOSED;
use crate::desk::witness::Compared;
use crate::desk::{Desk, DeskError};
use crate::reason::{Need, Place};
use words::{desk_refused, maybe_village};

/// The list that is asked for; those of accounts come from the gate.
pub(super) fn sheet(desk: &Desk, who: &Operator, what: What) -> Result<Sheet, Status> {
    match what {
        What::Who(_) => Ok(about(who)),
        What::Villages(asked) => {
            let codes = asked.codes.iter().map(|code| words::village(code));
            village::all(desk, who, &codes.collect::<Result<Vec<_>, _>>()?)
        }
        What::Village(asked) => village::one(desk, who, words::village(&asked.code)?),
        What::Findings(asked) => findings(desk, who, &asked),
        What::Quarantine(asked) => quarantine(desk, who, &asked.village),
        What::Incidents(asked) => incidents(desk, who, &asked),
        What::Sessions(_) => village::sessions(desk, who),
        What::Tokens(_) => tokens(desk, who),
        What::Keys(_) => keys(desk, who),
        What::Audit(asked) => audit(desk, who, asked),
        What::AuditCheck(_) => audit_check(desk, who),
        What::Recap(asked) => recap(desk, who, &asked),
        What::Records(asked) => records(desk, who, &asked),
        What::Needs(asked) => needs(desk, who, &asked.village),
        What::Diagnosis(asked) => diagnosis(desk, who, &asked.code),
        What::Notices(asked) => notices(desk, who, words::rows(asked.limit)),
        What::Operators(_) => Err(Status::internal("accounts are the gate's")),
    }
}

/// What a village's machine says of itself.
fn diagnosis(desk: &Desk, who: &Operator, code: &str) -> Result<Sheet, Status> {
    let diagnosis = desk.diagnose(who, words::village(code)?).map_err(desk_refused)?;
    let columns = [Column::text("what", "apa", "what"), Column::text("value", "isi", "value")];
    let mut sheet = Sheet::new("lumbung/diagnosis/1", &columns);
    if let Some((why, _)) = diagnosis.why_not() {
        return Err(Status::failed_precondition(why));
    }
    if let Diagnosis::Told(machine) = diagnosis {
        machine.lines().into_iter().for_each(|((word, _), value)| {
            sheet.row([word.to_owned(), value.id]);
        });
    }
    Ok(sheet)
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

fn name_of(code: VillageCode) -> String {
    roster().village(code).map_or_else(|| code.to_string(), Desa::full_name)
}

/// What a finding is about, in words.
const fn finding_words(kind: FindingKind) -> &'static str {
    match kind {
        FindingKind::NikGanda => "NIK yang sama hidup di dua desa",
        FindingKind::KkGanda => "nomor KK yang sama dipakai di dua desa",
        FindingKind::PindahTanpaDatang => "pindah keluar tanpa kedatangan",
        FindingKind::DatangTanpaPindah => "kedatangan tanpa pindah keluar",
    }
}

fn findings(desk: &Desk, who: &Operator, asked: &v1::FindingsAsked) -> Result<Sheet, Status> {
    let of = maybe_village(&asked.village)?;
    let limit = words::rows(asked.limit);
    let found = desk.findings(who, of, !asked.closed_too, limit).map_err(desk_refused)?;
    let mut sheet = Sheet::new(
        "lumbung/findings/1",
        &[
            Column::number("number", "no", "no"),
            Column::text("finding", "temuan", "finding"),
            Column::text("key", "nomor", "number"),
            Column::moment("since_ms", "sejak", "since"),
            Column::moment("closed_ms", "ditutup", "closed").wide(),
            Column::text("villages", "desa", "villages"),
            Column::text("claims", "pernyataan", "claims").wide(),
        ],
    );
    for finding in found {
        let villages: Vec<_> =
            finding.claims.iter().map(|claim| claim.village.to_string()).collect();
        let claims: Vec<_> = finding
            .claims
            .iter()
            .map(|claim| {
                let when = clock::display(claim.time_ms);
                let source = claim.source.name();
                format!("{}: {when} oleh {} ({source})", name_of(claim.village), claim.actor)
            })
            .collect();
        sheet.row([
            finding.number.to_string(),
            finding_words(finding.kind).to_owned(),
            CLOSED.to_owned(),
            finding.since_ms.to_string(),
            finding.closed_ms.unwrap_or(0).to_string(),
            villages.join(" "),
            claims.join("; "),
        ]);
    }
    Ok(sheet)
}

fn quarantine(desk: &Desk, who: &Operator, of: &str) -> Result<Sheet, Status> {
    let entries = desk.quarantine(who, maybe_village(of)?).map_err(desk_refused)?;
    let mut sheet = Sheet::new(
        "lumbung/quarantine/1",
        &[
            Column::number("number", "no", "no"),
            Column::text("village", "desa", "village"),
            Column::number("seq", "nomor urut", "seq"),
            Column::text("kind", "jenis", "kind"),
            Column::text("reason", "alasan", "reason"),
            Column::moment("since_ms", "sejak", "since"),
            Column::text("record", "catatan", "record").wide(),
            Column::bytes("bytes", "ukuran", "size").wide(),
        ],
    );
    for entry in entries {
        let kind = Kind::from_code(entry.kind);
        sheet.row([
            entry.number.to_string(),
            entry.village.to_string(),
            entry.seq.to_string(),
            kind.map_or_else(|| entry.kind.0.to_string(), |kind| kind.to_string()),
            entry.reason,
            entry.since_ms.to_string(),
            entry.id.to_string(),
            entry.bytes.to_string(),
        ]);
    }
    Ok(sheet)
}

fn incidents(desk: &Desk, who: &Operator, asked: &v1::IncidentsAsked) -> Result<Sheet, Status> {
    let (of, limit) = (maybe_village(&asked.village)?, words::rows(asked.limit));
    let found = desk.incidents(who, of, limit).map_err(desk_refused)?;
    let mut sheet = Sheet::new(
        "lumbung/incidents/1",
        &[
            Column::number("number", "no", "no"),
            Column::moment("at_ms", "waktu", "at"),
            Column::text("village", "desa", "village"),
            Column::text("kind", "jenis", "kind").wide(),
            Column::text("heading", "kejadian", "incident"),
            Column::text("sentence", "keterangan", "what happened"),
        ],
    );
    for incident in found {
        let heading = incident.heading().to_owned();
        sheet.row([
            incident.number.to_string(),
            incident.at_ms.to_string(),
            incident.village.to_string(),
            incident.code,
            heading,
            incident.sentence,
        ]);
    }
    Ok(sheet)
}

fn tokens(desk: &Desk, who: &Operator) -> Result<Sheet, Status> {
    let now_ms = clock::now_ms();
    let mut sheet = Sheet::new(
        "lumbung/tokens/1",
        &[
            Column::number("number", "nomor", "number"),
            Column::text("village", "kode", "code"),
            Column::text("name", "desa", "village"),
            Column::text("state", "keadaan", "state"),
            Column::flag("replaces", "pengganti", "replaces"),
            Column::moment("made_ms", "dibuat", "made"),
            Column::moment("expires_ms", "berlaku sampai", "expires"),
            Column::moment("used_ms", "dipakai", "used").wide(),
        ],
    );
    for token in desk.tokens(who).map_err(desk_refused)? {
        let state = match token.used_ms {
            Some(_) => "dipakai",
            None if token.expires_ms < now_ms => "habis",
            None => "berlaku",
        };
        sheet.row([
            token.number.to_string(),
            token.village.to_string(),
            name_of(token.village),
            state.to_owned(),
            token.replaces.to_string(),
            token.made_ms.to_string(),
            token.expires_ms.to_string(),
            token.used_ms.unwrap_or(0).to_string(),
        ]);
    }
    Ok(sheet)
}

fn keys(desk: &Desk, who: &Operator) -> Result<Sheet, Status> {
    let mut sheet = Sheet::new(
        "lumbung/keys/1",
        &[
            Column::text("village", "kode", "code"),
            Column::text("name", "desa", "village"),
            Column::text("key", "kunci", "key"),
            Column::moment("since_ms", "sejak", "since"),
            Column::moment("certified_until_ms", "sertifikat sampai", "certified until"),
        ],
    );
    for key in desk.keys(who).map_err(desk_refused)? {
        sheet.row([
            key.village.to_string(),
            name_of(key.village),
            key.key.to_string(),
            key.since_ms.to_string(),
            key.certified_until_ms.to_string(),
        ]);
    }
    Ok(sheet)
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
        ]);
    }
    sheet
}

fn audit(desk: &Desk, who: &Operator, asked: v1::AuditAsked) -> Result<Sheet, Status> {
    let some = |text: String| (!text.is_empty()).then_some(text);
    let filter = AuditFilter {
        operator: some(asked.operator),
        act: some(asked.act),
        subject: some(asked.subject),
        before: None,
        limit: words::rows(asked.limit),
    };
    let mut sheet = Sheet::new(
        "lumbung/audit/1",
        &[
            Column::number("seq", "no", "no"),
            Column::moment("at_ms", "waktu", "at"),
            Column::text("operator", "operator", "operator"),
            Column::text("act", "tindakan", "act"),
            Column::text("subject", "tentang", "about"),
            Column::text("words", "alasan", "reason"),
            Column::text("hash", "sidik", "hash").wide(),
        ],
    );
    for entry in desk.audit(who, &filter).map_err(desk_refused)? {
        sheet.row([
            entry.seq.to_string(),
            entry.at_ms.to_string(),
            entry.operator,
            entry.act,
            entry.subject,
            entry.words,
            blake3::Hash::from(entry.hash).to_hex().to_string(),
        ]);
    }
    Ok(sheet)
}

/// Whether the audit log is whole.
fn audit_check(desk: &Desk, who: &Operator) -> Result<Sheet, Status> {
    let mut sheet = Sheet::new(
        "lumbung/audit-check/1",
        &[
            Column::text("witness", "saksi", "witness"),
            Column::flag("agrees", "cocok", "agrees"),
            Column::number("seq", "sampai nomor", "up to"),
            Column::text("hash", "sidik", "hash"),
            Column::text("words", "keterangan", "remark"),
        ],
    );
    let hex = |hash: [u8; 32]| blake3::Hash::from(hash).to_hex().to_string();
    let (agrees, seq, hash, words) = match desk.check_audit(who).map_err(desk_refused)? {
        AuditCheck::Whole(head) => {
            let words = "Setiap catatan mengikuti yang sebelumnya.".to_owned();
            (true, head.seq, hex(head.hash), words)
        }
        AuditCheck::BrokenAt(seq) => {
            let words = format!("Catatan nomor {seq} hilang atau diubah.");
            (false, seq, String::new(), words)
        }
    };
    sheet.row(["rantai".to_owned(), agrees.to_string(), seq.to_string(), hash, words]);
    for Compared { witness, passes } in desk.compare_witnesses(who).map_err(desk_refused)? {
        let words = match (witness.doubted, passes) {
            (Some(doubted), _) => doubted.incident().sentence.id,
            (None, true) => "Buku melewati yang dipegang desa ini.".to_owned(),
            (None, false) => "Buku tidak melewati yang dipegang desa ini.".to_owned(),
        };
        sheet.row([
            witness.village.to_string(),
            (passes && witness.doubted.is_none()).to_string(),
            witness.held.seq.to_string(),
            hex(witness.held.hash),
            words,
        ]);
    }
    Ok(sheet)
}

fn recap(desk: &Desk, who: &Operator, asked: &v1::RecapAsked) -> Result<Sheet, Status> {
    let (region, date) = (words::region(&asked.region)?, words::date(&asked.date)?);
    let recap = desk.recap(who, region, date).map_err(desk_refused)?;
    let form = &recap.sheet.form;
    let columns = form.columns.iter().zip(1..).map(|(column, number)| {
        let label = match column.group {
            "" => column.header.to_owned(),
            group => format!("{group}: {}", column.header),
        };
        let number_kind = matches!(column.isi, Isi::Jumlah(_));
        v1::ListColumn {
            key: format!("kolom_{number}"),
            label_id: label.clone(),
            label_en: label,
            kind: if number_kind { CellKind::Number } else { CellKind::Text }.into(),
            wide: false,
        }
    });
    let mut sheet = Sheet::with_columns("lumbung/recap/1", columns.collect());
    sheet.note(format!("{} {}: {}, {date}", form.number(), form.title, recap.sheet.wilayah));
    let cells = recap.cells();
    for row in cells.rows.iter().chain([&cells.total]) {
        sheet.row(row.iter().map(|cell| match cell {
            Cell::Number(number) => number.to_string(),
            Cell::Text(text) => text.clone(),
        }));
    }
    for note in recap.footnotes() {
        sheet.note(note);
    }
    Ok(sheet)
}

fn title(record: &StoredRecord) -> String {
    let decoded =
        Kind::from_code(record.kind).and_then(|kind| wire::decode(kind, &record.bytes).ok());
    decoded.as_ref().map(|it| it.title(Numbers::Closed)).unwrap_or_default()
}

fn records(desk: &Desk, who: &Operator, asked: &v1::RecordsAsked) -> Result<Sheet, Status> {
    let (kind, of) = (words::kind(&asked.kind)?, maybe_village(&asked.village)?);
    let records = desk.records_of(who, kind, of, words::rows(asked.limit)).map_err(desk_refused)?;
    let mut sheet = Sheet::new(
        "lumbung/records/1",
        &[
            Column::text("village", "desa", "village"),
            Column::text("id", "id", "id"),
            Column::text("title", "nama", "name"),
            Column::moment("changed_ms", "diubah", "changed"),
            Column::text("actor", "oleh", "by"),
            Column::number("seq", "nomor", "seq").wide(),
            Column::text("source", "sumber", "source").wide(),
        ],
    );
    for record in &records {
        sheet.row([
            record.village.to_string(),
            record.id.to_string(),
            title(record),
            record.time_ms.to_string(),
            record.actor.clone(),
            record.seq.to_string(),
            record.source.name().to_owned(),
        ]);
    }
    Ok(sheet)
}

fn notices(desk: &Desk, who: &Operator, limit: u32) -> Result<Sheet, Status> {
    let today = clock::today();
    let mut sheet = Sheet::new(
        "lumbung/notices/1",
        &[
            Column::number("number", "no", "no"),
            Column::text("title", "judul", "title"),
            Column::text("state", "keadaan", "state"),
            Column::number("targeted", "tujuan", "targeted"),
            Column::number("delivered", "sampai", "delivered"),
            Column::number("read", "dibaca", "read"),
            Column::moment("made_ms", "dibuat", "made"),
            Column::moment("changed_ms", "diubah", "changed").wide(),
            Column::text("written_by", "oleh", "by").wide(),
        ],
    );
    for listed in desk.notices(who, limit).map_err(desk_refused)? {
        let notice = listed.notice;
        sheet.row([
            notice.number.to_string(),
            notice.informasi.judul.clone(),
            notice.informasi.keberlakuan(today).label().to_owned(),
            listed.reach.targeted.to_string(),
            listed.reach.delivered.to_string(),
            listed.reach.read.to_string(),
            notice.made_ms.to_string(),
            notice.changed_ms.to_string(),
            notice.written_by,
        ]);
    }
    Ok(sheet)
}

fn needs(desk: &Desk, who: &Operator, of: &str) -> Result<Sheet, Status> {
    let of = maybe_village(of)?;
    if of.is_some_and(|code| !who.scope().holds(code)) {
        return Err(desk_refused(DeskError::NotThere));
    }
    let (_, reasons) = desk.overview(who).map_err(desk_refused)?;
    let mut sheet = Sheet::new(
        "lumbung/needs/1",
        &[
            Column::text("code", "kode", "code"),
            Column::text("severity", "tingkat", "severity"),
            Column::text("place", "tempat", "place"),
            Column::moment("since_ms", "sejak", "since"),
            Column::text("what", "apa", "what"),
            Column::text("todo", "tindakan", "to do"),
            Column::text("village", "kode desa", "village").wide(),
        ],
    );
    let about = |need: &&Need| of.is_none_or(|code| need.villages.contains(&code));
    for need in reasons.needs.iter().filter(about) {
        let code = match need.place {
            Place::Village(code) => code.to_string(),
            _ => String::new(),
        };
        sheet.row([
            need.code.to_owned(),
            need.severity.code().to_owned(),
            need.place.name(),
            need.since_ms.to_string(),
            need.what.id.clone(),
            need.todo.id.clone(),
            code,
        ]);
    }
    Ok(sheet)
}
