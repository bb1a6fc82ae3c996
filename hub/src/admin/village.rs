//! Villages as lists: all of them, and everything about one.

use std::collections::HashMap;

use lumbung_domain::region::{VillageCode, roster};
use lumbung_telemetry::clock;
use tonic::Status;

use super::sheet::{Column, Sheet};
use super::words::desk_refused;
use crate::access::Operator;
use crate::dataset::VillageState;
use crate::desk::{Desk, DeskError};
use crate::live::{LiveVillage, Phase};
use crate::outlook::VillageOutlook;
use crate::puller::trouble::Trouble;
use crate::reason::Reasons;

/// Incidents told of one village.
const INCIDENTS_MAX: u32 = 10;

const COLUMNS: &[Column] = &[
    Column::text("code", "kode", "code"),
    Column::text("name", "desa", "village"),
    Column::text("kecamatan", "kecamatan", "kecamatan"),
    Column::text("state", "keadaan", "state"),
    Column::text("phase", "sambungan", "link"),
    Column::number("lag", "antre", "lag"),
    Column::flag("proven", "terbukti", "proven"),
    Column::moment("last_contact_ms", "kontak terakhir", "last contact"),
    Column::number("records", "catatan", "records"),
    Column::text("trouble", "masalah", "trouble"),
    Column::text("reason", "sebab", "reason").wide(),
    Column::span("silence_ms", "diam", "silent").wide(),
    Column::number("merged_seq", "tergabung", "merged").wide(),
    Column::number("head_seq", "di desa", "at the village").wide(),
    Column::moment("last_proof_ms", "bukti terakhir", "last proof").wide(),
    Column::moment("last_stick_ms", "stik terakhir", "last stick").wide(),
    Column::number("quarantined", "karantina", "quarantined").wide(),
    Column::number("findings", "temuan", "findings").wide(),
    Column::number("leftovers", "sisa log lama", "leftovers").wide(),
    Column::bytes("received_bytes", "diterima", "received").wide(),
    Column::bytes("sent_bytes", "dikirim", "sent").wide(),
    Column::text("address", "alamat", "address").wide(),
    Column::text("software", "versi", "software").wide(),
];

/// What a village's puller is doing, as a stable code.
const fn phase(phase: Phase) -> &'static str {
    match phase {
        Phase::Waiting => "menunggu",
        Phase::Connecting => "menyambung",
        Phase::CatchingUp => "mengejar",
        Phase::Live => "tersambung",
        Phase::Retrying => "mencoba_lagi",
        Phase::Stopped => "berhenti",
        Phase::Held => "ditahan",
    }
}

/// A village in one row.
struct Row<'a> {
    outlook: &'a VillageOutlook,
    stored: Option<&'a VillageState>,
    reason: &'a str,
}

impl Row<'_> {
    fn live(&self) -> Option<&LiveVillage> {
        self.outlook.live.as_ref()
    }

    fn is_proven(&self) -> bool {
        match (self.live(), self.stored) {
            (Some(live), _) => live.proven(),
            (None, Some(state)) => {
                let seq = state.position.map_or(0, |position| position.seq.0);
                state.last_proof_ms > 0 && state.proven_seq.0 == seq && state.trouble.is_empty()
            }
            (None, None) => false,
        }
    }

    fn cells(&self) -> Vec<String> {
        let Self { outlook, stored, reason } = self;
        let desa = outlook.desa;
        let kecamatan = roster().kecamatan_of(desa.kecamatan).map_or("", |it| it.name);
        let live = self.live();
        let of_live = |what: fn(&LiveVillage) -> u64| live.map_or(0, what).to_string();
        let of_stored = |what: fn(&VillageState) -> i64| stored.map_or(0, what).to_string();
        let trouble = live.map(|live| live.trouble.clone());
        let trouble = trouble.or_else(|| stored.map(|state| state.trouble.clone()));
        vec![
            desa.code.to_string(),
            desa.short_name(),
            kecamatan.to_owned(),
            outlook.freshness.code().to_owned(),
            live.map_or("", |live| phase(live.phase)).to_owned(),
            of_live(LiveVillage::lag),
            self.is_proven().to_string(),
            outlook.last_ms().to_string(),
            stored.map_or(0, |state| state.records).to_string(),
            trouble.unwrap_or_default(),
            (*reason).to_owned(),
            outlook.silence_ms.map(|ms| ms.to_string()).unwrap_or_default(),
            of_live(|live| live.merged_seq),
            of_live(|live| live.head_seq),
            of_stored(|state| state.last_proof_ms),
            of_stored(|state| state.last_stick_ms),
            of_live(|live| live.quarantined),
            stored.map_or(0, |state| state.findings).to_string(),
            stored.map_or(0, |state| state.leftovers).to_string(),
            of_live(|live| live.traffic.received()),
            of_live(|live| live.traffic.sent()),
            stored.map(|state| state.address.clone()).unwrap_or_default(),
            stored.map(|state| state.software.clone()).unwrap_or_default(),
        ]
    }
}

/// All villages of the operator, or those that are named.
pub(super) fn all(desk: &Desk, who: &Operator, codes: &[VillageCode]) -> Result<Sheet, Status> {
    villages(desk, who, "lumbung/villages/1", |outlook| {
        codes.is_empty() || codes.contains(&outlook.desa.code)
    })
    .and_then(|(sheet, found)| match codes.is_empty() || found == codes.len() {
        true => Ok(sheet),
        false => Err(desk_refused(DeskError::NotThere)),
    })
}

/// Villages whose line is open.
pub(super) fn sessions(desk: &Desk, who: &Operator) -> Result<Sheet, Status> {
    Ok(villages(desk, who, "lumbung/sessions/1", |outlook| outlook.in_touch)?.0)
}

fn villages(
    desk: &Desk,
    who: &Operator,
    schema: &'static str,
    wanted: impl Fn(&VillageOutlook) -> bool,
) -> Result<(Sheet, usize), Status> {
    let (outlook, reasons) = desk.overview(who).map_err(desk_refused)?;
    let stored = desk.villages(who).map_err(desk_refused)?;
    let stored: HashMap<u64, &VillageState> =
        stored.iter().map(|state| (state.village.as_u64(), state)).collect();
    let mut sheet = Sheet::new(schema, COLUMNS);
    let mut count = 0;
    for outlook in outlook.villages.iter().filter(|outlook| wanted(outlook)) {
        let code = outlook.desa.code;
        let reason = reasons.line(code).map_or("", |words| &words.id);
        sheet.row(Row { outlook, stored: stored.get(&code.as_u64()).copied(), reason }.cells());
        count += 1;
    }
    Ok((sheet, count))
}

/// Everything about one village: what and how it is.
pub(super) fn one(desk: &Desk, who: &Operator, code: VillageCode) -> Result<Sheet, Status> {
    let (state, live) = desk.village(who, code).map_err(desk_refused)?;
    let (outlook, reasons) = desk.overview(who).map_err(desk_refused)?;
    let found = outlook.villages.iter().find(|outlook| outlook.desa.code == code);
    let outlook = found.ok_or_else(|| desk_refused(DeskError::NotThere))?;
    let mut sheet = Sheet::new(
        "lumbung/village/1",
        &[Column::text("what", "tentang", "about"), Column::text("value", "isi", "value")],
    );
    let mut say = |what: &str, value: String| sheet.row([what.to_owned(), value]);
    say("desa", outlook.desa.full_name());
    say("kode", code.to_string());
    say("keadaan", outlook.freshness.code().to_owned());
    say("sebab", reasons.line(code).map_or_else(String::new, |words| words.id.clone()));
    if let Some(live) = &live {
        say("sambungan", phase(live.phase).to_owned());
        say("antre", live.lag().to_string());
    }
    let seq = state.position.map_or(0, |position| position.seq.0);
    say("tergabung sampai", seq.to_string());
    say("catatan", state.records.to_string());
    say("warga", state.warga.to_string());
    say("rumah tangga", state.rumah_tangga.to_string());
    say("kontak terakhir", when(outlook.last_ms()));
    say("terbukti sama", format!("{} (nomor {})", when(state.last_proof_ms), state.proven_seq));
    say("dibuktikan per baris", when(state.deep_proof_ms));
    say("hasilnya", state.deep_proof_words.clone());
    say("karantina", state.quarantined.to_string());
    say("temuan terbuka", state.findings.to_string());
    say("alamat", state.address.clone());
    say("versi", state.software.clone());
    if let Some(hold) = &state.hold {
        say("ditahan sampai", when(hold.until_ms));
        say("sebab ditahan", format!("{} ({})", hold.reason, hold.by));
    }
    if let Some(trouble) = Trouble::from_code(&state.trouble) {
        say("masalah", trouble.sentence().to_owned());
    }
    needs(&reasons, code, &mut say);
    for incident in desk.incidents(who, Some(code), INCIDENTS_MAX).map_err(desk_refused)? {
        say(&format!("kejadian {}", when(incident.at_ms)), incident.sentence);
    }
    Ok(sheet)
}

fn needs(reasons: &Reasons, code: VillageCode, say: &mut impl FnMut(&str, String)) {
    for need in reasons.of_village(code) {
        say("perlu", format!("{} {}", need.what.id, need.todo.id));
    }
}

fn when(at_ms: i64) -> String {
    if at_ms == 0 { "belum pernah".to_owned() } else { clock::display(at_ms) }
}
