//! The audit log, and whether it is whole.

use lumbung_domain::region::VillageCode;
use lumbung_proto::v1;
use tonic::Status;

use super::super::sheet::{Column, Sheet};
use super::super::words::{self, name_of};
use crate::access::Operator;
use crate::access::audit::{AuditCheck, AuditFilter};
use crate::desk::Desk;
use crate::desk::witness::Compared;

/// Who saw and decided what, newest first.
pub(super) fn entries(desk: &Desk, who: &Operator, asked: v1::AuditAsked) -> Result<Sheet, Status> {
    let some = |text: String| (!text.is_empty()).then_some(text);
    let filter = AuditFilter {
        operator: some(asked.operator),
        act: some(asked.act),
        subject: some(asked.subject),
        since_ms: (asked.since_ms != 0).then_some(asked.since_ms),
        until_ms: (asked.until_ms != 0).then_some(asked.until_ms),
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
            Column::text("name", "desa", "village"),
            Column::text("words", "alasan", "reason"),
            Column::text("hash", "sidik", "hash").wide(),
        ],
    );
    for entry in desk.audit(who, &filter)? {
        let name = about(&entry.subject);
        sheet.row([
            entry.seq.to_string(),
            entry.at_ms.to_string(),
            entry.operator,
            entry.act,
            entry.subject,
            name,
            entry.words,
            blake3::Hash::from(entry.hash).to_hex().to_string(),
        ]);
    }
    Ok(sheet)
}

/// The village that an entry is about, or that the record it is about lies in.
fn about(subject: &str) -> String {
    let code = subject.split('/').next().and_then(|code| VillageCode::parse(code).ok());
    code.map(name_of).unwrap_or_default()
}

/// Whether the audit log is whole.
pub(super) fn check(desk: &Desk, who: &Operator) -> Result<Sheet, Status> {
    let mut sheet = Sheet::new(
        "lumbung/audit-check/1",
        &[
            Column::text("witness", "saksi", "witness"),
            Column::text("name", "desa", "village"),
            Column::flag("agrees", "cocok", "agrees"),
            Column::number("seq", "sampai nomor", "up to"),
            Column::text("hash", "sidik", "hash"),
            Column::text("words", "keterangan", "remark"),
        ],
    );
    let hex = |hash: [u8; 32]| blake3::Hash::from(hash).to_hex().to_string();
    let (agrees, seq, hash, words) = match desk.check_audit(who)? {
        AuditCheck::Whole(head) => {
            let words = "Setiap catatan mengikuti yang sebelumnya.".to_owned();
            (true, head.seq, hex(head.hash), words)
        }
        AuditCheck::BrokenAt(seq) => {
            let words = format!("Catatan nomor {seq} hilang atau diubah.");
            (false, seq, String::new(), words)
        }
    };
    sheet.row([
        "rantai".to_owned(),
        String::new(),
        agrees.to_string(),
        seq.to_string(),
        hash,
        words,
    ]);
    for Compared { witness, passes } in desk.compare_witnesses(who)? {
        let words = match (witness.doubted, passes) {
            (Some(doubted), _) => doubted.incident().sentence.id,
            (None, true) => "Buku melewati yang dipegang desa ini.".to_owned(),
            (None, false) => "Buku tidak melewati yang dipegang desa ini.".to_owned(),
        };
        sheet.row([
            witness.village.to_string(),
            name_of(witness.village),
            (passes && witness.doubted.is_none()).to_string(),
            witness.held.seq.to_string(),
            hex(witness.held.hash),
            words,
        ]);
    }
    Ok(sheet)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_entry_names_the_village_it_is_about() {
        let desa = &lumbung_domain::region::roster().villages()[0];
        for subject in [desa.code.to_string(), format!("{}/0123", desa.code)] {
            assert_eq!(about(&subject), name_of(desa.code));
        }
        for other in ["", "demo", "35.05.01", "ekspor/1"] {
            assert_eq!(about(other), "", "{other}");
        }
    }
}
