//! Villages as lists: all of them, and everything about one.

use std::collections::HashMap;

use lumbung_domain::id::Kind;
use lumbung_domain::region::{VillageCode, roster};
use lumbung_telemetry::clock;
use tonic::Status;

use super::sheet::{Column, Sheet};
use crate::access::Operator;
use crate::dataset::VillageState;
use crate::desk::{Desk, DeskError};
use crate::live::{LiveVillage, Phase};
use crate::outlook::VillageOutlook;
use crate::puller::trouble::Trouble;
use crate::reason::{KEY_REVOKED, Words};

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
    Column::text("reason_en", "sebab (Inggris)", "reason").wide(),
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
    reason: Option<&'a Words>,
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
        let told = live.map(|live| live.trouble.clone());
        let told = told.or_else(|| stored.map(|state| state.trouble.clone()));
        let trouble = match told.unwrap_or_default() {
            // As what needs somebody calls it.
            none if none.is_empty() && outlook.is_turned_away() => KEY_REVOKED.to_owned(),
            told => told,
        };
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
            trouble,
            reason.map(|words| words.id.clone()).unwrap_or_default(),
            reason.map(|words| words.en.clone()).unwrap_or_default(),
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
        false => Err(DeskError::NotThere.into()),
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
    let (outlook, reasons) = desk.overview(who)?;
    let stored = desk.villages(who)?;
    let stored: HashMap<u64, &VillageState> =
        stored.iter().map(|state| (state.village.as_u64(), state)).collect();
    let mut sheet = Sheet::new(schema, COLUMNS);
    let mut count = 0;
    for outlook in outlook.villages.iter().filter(|outlook| wanted(outlook)) {
        let code = outlook.desa.code;
        let reason = reasons.line(code);
        sheet.row(Row { outlook, stored: stored.get(&code.as_u64()).copied(), reason }.cells());
        count += 1;
    }
    Ok((sheet, count))
}

/// Everything about one village: what and how it is.
pub(super) fn one(desk: &Desk, who: &Operator, code: VillageCode) -> Result<Sheet, Status> {
    let (state, live) = desk.village(who, code)?;
    let (outlook, reasons) = desk.overview(who)?;
    let found = outlook.villages.iter().find(|outlook| outlook.desa.code == code);
    let outlook = found.ok_or(DeskError::NotThere)?;
    let mut about = About::new();
    about.say(("desa", "village"), outlook.desa.full_name());
    about.say(("kode", "code"), code.to_string());
    about.say(("keadaan", "state"), outlook.freshness.code().to_owned());
    if let Some(line) = reasons.line(code) {
        about.tell(("sebab", "reason"), line.clone());
    }
    if let Some(live) = &live {
        about.say(("sambungan", "link"), phase(live.phase).to_owned());
        about.say(("antre", "lag"), live.lag().to_string());
    }
    about.merged(&state);
    about.say(("kontak terakhir", "last contact"), when(outlook.last_ms()));
    about.proofs(&state);
    about.say(("karantina", "quarantined"), state.quarantined.to_string());
    about.say(("temuan terbuka", "open findings"), state.findings.to_string());
    about.say(("alamat", "address"), state.address.clone());
    about.say(("versi", "software"), state.software.clone());
    if let Some(upkeep) = &outlook.upkeep {
        let budget = match upkeep.budget_bytes {
            0 => "tanpa batas".to_owned(),
            bytes => format!("{} kB", bytes / 1_000),
        };
        about.say(("kuota sehari", "budget a day"), budget);
        if let Some(call) = &upkeep.narahubung {
            about.say(("narahubung", "contact"), format!("{}, {}", call.nama, call.telepon));
        }
    }
    if let Some(key) = desk.key(who, code)? {
        about.say(("kunci komputer", "machine's key"), key.key.to_string());
        about.say(("sertifikat sampai", "certificate until"), when(key.certified_until_ms));
    }
    if let Some(hold) = &state.hold {
        about.say(("ditahan sampai", "held until"), when(hold.until_ms));
        about.say(("sebab ditahan", "held because"), format!("{} ({})", hold.reason, hold.by));
    }
    if let Some(remark) = desk.remark(who, code)? {
        let at = clock::display(remark.changed_ms);
        about
            .say(("catatan operator", "remark"), format!("{} ({}, {at})", remark.words, remark.by));
    }
    if let Some(trouble) = Trouble::from_code(&state.trouble) {
        about.tell(("masalah", "trouble"), trouble.words());
    }
    if state.twin_ms > 0 {
        let since = format!("sejak {}; putuskan dengan machine one-left", when(state.twin_ms));
        about.say(("dua komputer", "two machines"), since);
    }
    for (kind, count) in desk.leftovers(who, code)? {
        let kind = Kind::from_code(kind)
            .map_or_else(|| format!("jenis {}", kind.0), |kind| kind.to_string());
        about.say(("sisa log lama", "leftovers of an old log"), format!("{count} {kind}"));
    }
    for need in reasons.of_village(code) {
        let words = Words::new(
            format!("{} {}", need.what.id, need.todo.id),
            format!("{} {}", need.what.en, need.todo.en),
        );
        about.tell(("perlu", "needs"), words);
    }
    for incident in desk.incidents(who, Some(code), INCIDENTS_MAX)? {
        let at = when(incident.at_ms);
        let words = Words::new(incident.sentence.as_str(), incident.english());
        about.tell((&format!("kejadian {at}"), &format!("incident {at}")), words);
    }
    Ok(about.0)
}

/// What is said of one village, line by line.
struct About(Sheet);

impl About {
    fn new() -> Self {
        Self(Sheet::new(
            "lumbung/village/1",
            &[
                Column::text("what", "tentang", "about"),
                Column::text("what_en", "tentang (Inggris)", "about"),
                Column::text("value", "isi", "value"),
                Column::text("value_en", "isi (Inggris)", "value"),
            ],
        ))
    }

    /// What is the same in both languages.
    fn say(&mut self, label: (&str, &str), value: String) {
        self.tell(label, Words::new(value.clone(), value));
    }

    fn tell(&mut self, (id, en): (&str, &str), words: Words) {
        self.0.row([id.to_owned(), en.to_owned(), words.id, words.en]);
    }

    fn merged(&mut self, state: &VillageState) {
        let seq = state.position.map_or(0, |position| position.seq.0);
        self.say(("tergabung sampai", "merged up to"), seq.to_string());
        self.say(("catatan", "records"), state.records.to_string());
        self.say(("warga", "residents"), state.warga.to_string());
        self.say(("rumah tangga", "houses"), state.rumah_tangga.to_string());
    }

    fn proofs(&mut self, state: &VillageState) {
        let proof = format!("{} (nomor {})", when(state.last_proof_ms), state.proven_seq);
        self.say(("terbukti sama", "proven equal"), proof);
        self.say(("dibuktikan per baris", "proven row by row"), when(state.deep_proof_ms));
        self.say(("hasilnya", "its result"), state.deep_proof_words.clone());
    }
}

fn when(at_ms: i64) -> String {
    if at_ms == 0 { "belum pernah".to_owned() } else { clock::display(at_ms) }
}
