//! The villages' machines: what they say of themselves, what they run, and who
//! may speak for a village.

use lumbung_telemetry::clock;
use tonic::Status;

use super::super::sheet::{Column, Sheet};
use super::super::words::{self, name_of};
use crate::access::Operator;
use crate::desk::Desk;
use crate::desk::diagnosis::Diagnosis;
use crate::desk::versions::Runs;

/// What a village's machine says of itself.
pub(super) fn diagnosis(desk: &Desk, who: &Operator, code: &str) -> Result<Sheet, Status> {
    let diagnosis = desk.diagnose(who, words::village(code)?)?;
    let columns = [
        Column::text("what", "apa", "what"),
        Column::text("what_en", "apa (Inggris)", "what"),
        Column::text("value", "isi", "value"),
        Column::text("value_en", "isi (Inggris)", "value"),
    ];
    let mut sheet = Sheet::new("lumbung/diagnosis/1", &columns);
    if let Some((why, _)) = diagnosis.why_not() {
        return Err(Status::failed_precondition(why));
    }
    if let Diagnosis::Told(machine) = diagnosis {
        machine.lines().into_iter().for_each(|((id, en), value)| {
            sheet.row([id.to_owned(), en.to_owned(), value.id, value.en]);
        });
    }
    Ok(sheet)
}

/// Tokens that were handed out, newest first.
pub(super) fn tokens(desk: &Desk, who: &Operator) -> Result<Sheet, Status> {
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
    for token in desk.tokens(who)? {
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

/// Keys that speak for villages.
pub(super) fn keys(desk: &Desk, who: &Operator) -> Result<Sheet, Status> {
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
    for key in desk.keys(who)? {
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

/// Which software the villages' nodes run, the newest first.
pub(super) fn versions(desk: &Desk, who: &Operator) -> Result<Sheet, Status> {
    let versions = desk.versions(who)?;
    let mut sheet = Sheet::new(
        "lumbung/versions/1",
        &[
            Column::text("software", "versi", "version"),
            Column::text("channel", "kanal", "channel"),
            Column::flag("behind", "tertinggal", "behind"),
            Column::number("villages", "desa", "villages"),
            Column::text("codes", "kode desa", "villages' codes").wide(),
        ],
    );
    let mut row = |software: &str, channel: &str, behind: bool, runs: &[Runs]| {
        let codes: Vec<_> = runs.iter().map(|runs| runs.desa.code.to_string()).collect();
        sheet.row([
            software.to_owned(),
            channel.to_owned(),
            behind.to_string(),
            runs.len().to_string(),
            codes.join(" "),
        ]);
    };
    for version in &versions.known {
        row(&version.software, &version.channel, version.behind, &version.villages);
    }
    if !versions.unknown.is_empty() {
        row("", "", false, &versions.unknown);
    }
    sheet.note(format!("{} desa belum pernah bergabung.", versions.never));
    Ok(sheet)
}
