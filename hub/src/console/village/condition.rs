//! The page's lists of facts: the line, the machine, what waits, what is
//! there.

use maud::{Markup, html};

use super::super::guard::Viewer;
use super::super::language::Language;
use super::super::tile::said;
use super::VillagePage;
use crate::access::Right;
use crate::reason::{clock_off, duration};
use crate::recap::RegionRef;
use crate::words::Words;

/// A clock this far off is shown as wrong, milliseconds.
const CLOCK_OFF_MS: i64 = 60_000;

impl VillagePage<'_> {
    /// Rows of what is known of the line and the machine behind it.
    pub(super) fn rows(&self, language: Language) -> Vec<(&'static str, String)> {
        let say = |id, en| language.say(id, en);
        let now_ms = self.sight.outlook.now_ms;
        let at = |at_ms: i64| match at_ms {
            0 => say("belum pernah", "never").to_owned(),
            at_ms => {
                let ago = duration((now_ms - at_ms).max(0));
                let ago = said(language, &ago);
                format!("{} ({ago} {})", language.moment(at_ms, now_ms), say("lalu", "ago"))
            }
        };
        let mut rows = vec![
            (say("Kontak terakhir", "Last contact"), at(self.outlook.last_ms())),
            (say("Jeda biasanya", "Usual silence"), self.usual(language)),
        ];
        rows.extend(self.waiting(language));
        let proof = match self.proof() {
            (0, _) => say("belum pernah", "never").to_owned(),
            (at_ms, seq) => {
                format!("{}, {} {}", at(at_ms), say("nomor", "entry"), language.count(seq))
            }
        };
        rows.push((say("Terakhir terbukti sama", "Last proven equal"), proof));
        let deep = say("Pembuktian menyeluruh", "Full proof");
        let result = match self.stored.deep_proof_words_en.as_str() {
            "" => self.stored.deep_proof_words.as_str(),
            english => language.say(self.stored.deep_proof_words.as_str(), english),
        };
        rows.push((deep, at(self.stored.deep_proof_ms)));
        if !result.is_empty() {
            rows.push((say("Hasilnya", "Its result"), result.to_owned()));
        }
        rows.extend(self.line(language));
        rows.extend(self.machine(language));
        rows
    }

    pub(super) fn connection(&self, language: Language) -> Markup {
        facts(&self.rows(language))
    }

    fn usual(&self, language: Language) -> String {
        let say = |id, en| language.say(id, en);
        let rhythm = &self.outlook.rhythm;
        let (usual, long) = (duration(rhythm.p50_ms), duration(rhythm.p95_ms));
        let (usual, long) = (said(language, &usual), said(language, &long));
        match rhythm.learned_from {
            0 => format!("{} {long} ({})", say("sampai", "up to"), say("perkiraan", "estimate")),
            gaps => match language {
                Language::Indonesian => {
                    format!("{usual}, paling lama {long} (dari {gaps} jeda)")
                }
                Language::English => format!("{usual}, at most {long} (silences seen: {gaps})"),
            },
        }
    }

    /// What waits in the village, here, and for whom.
    fn waiting(&self, language: Language) -> Vec<(&'static str, String)> {
        let say = |id, en| language.say(id, en);
        let now_ms = self.sight.outlook.now_ms;
        let records = say("catatan", "records");
        let lag = self.outlook.live.as_ref().map_or(0, crate::live::LiveVillage::lag);
        let oldest = |at_ms: i64| match at_ms {
            0 => String::new(),
            at_ms => {
                let age = duration((now_ms - at_ms).max(0));
                format!(", {} {}", say("paling lama", "for up to"), said(language, &age))
            }
        };
        let there = match lag {
            0 => say("tidak ada yang diketahui", "nothing known").to_owned(),
            lag => format!("{} {records}{}", language.count(lag), oldest(self.proof().0)),
        };
        let mut rows = vec![(say("Menunggu di desa", "Waiting in the village"), there)];
        if let Some(upkeep) = self.outlook.upkeep.as_ref().filter(|it| it.quarantined > 0) {
            let text = format!(
                "{} {records}{}",
                language.count(upkeep.quarantined),
                oldest(upkeep.quarantine_since_ms)
            );
            rows.push((say("Di karantina hub", "In the hub's quarantine"), text));
        }
        if let Some(upkeep) = self.outlook.upkeep.as_ref().filter(|it| it.notices_waiting > 0) {
            let text = format!(
                "{} {}{}",
                language.count(upkeep.notices_waiting),
                say("informasi atau pertanyaan", "notices or questions"),
                oldest(upkeep.notices_since_ms)
            );
            rows.push((say("Menunggu di sini untuk desa", "Waiting here for the village"), text));
        }
        if let Some(upkeep) = self.outlook.upkeep.as_ref().filter(|it| it.undelivered > 0) {
            let text = format!(
                "{} {records}{}",
                language.count(upkeep.undelivered),
                oldest(upkeep.undelivered_since_ms)
            );
            rows.push((say("Menunggu dikembalikan", "Waiting to be handed back"), text));
        }
        if self.stored.leftovers > 0 {
            let text = format!("{} {records}", language.count(self.stored.leftovers));
            rows.push((say("Menunggu keputusan", "Waiting for a decision"), text));
        }
        rows
    }

    /// When it was proven equal last, and at which entry.
    fn proof(&self) -> (i64, u64) {
        self.outlook.live.as_ref().map_or_else(
            || (self.stored.last_proof_ms, self.stored.proven_seq.0),
            |live| (live.last_proof_ms, live.proven_seq),
        )
    }

    /// The line: what it cost, how it holds, whether its clock is right.
    fn line(&self, language: Language) -> Vec<(&'static str, String)> {
        let say = |id, en| language.say(id, en);
        let mut rows = Vec::new();
        if let Some(live) = &self.outlook.live {
            let (down, up) = (live.traffic.received(), live.traffic.sent());
            let text = format!(
                "{} {}, {} {} {}",
                bytes(language, down),
                say("masuk", "in"),
                bytes(language, up),
                say("keluar", "out"),
                say("sejak hub menyala", "since the hub started")
            );
            rows.push((say("Lalu lintas", "Traffic"), text));
        }
        let Some(upkeep) = &self.outlook.upkeep else { return rows };
        let bound = match upkeep.budget_bytes {
            0 => None,
            budget => Some(format!("{} kB", language.count(budget / 1_000))),
        };
        let title = say("Kuota sehari", "Budget a day");
        let Some(link) = &upkeep.link else {
            rows.push((title, bound.unwrap_or_else(|| say("tanpa batas", "no bound").to_owned())));
            return rows;
        };
        let spent = language.count(link.spent_today_bytes.div_ceil(1_000));
        let spent = format!("{spent} kB {}", say("terpakai", "spent"));
        let budget = match bound {
            None => format!("{spent}, {}", say("tanpa batas", "no bound")),
            Some(bound) => format!("{spent} {} {bound}", say("dari", "of")),
        };
        rows.push((title, budget));
        rows.push((
            say("Jam komputer desa", "The village's clock"),
            clock_words(link.clock_ahead_ms, language),
        ));
        let quiet = match link.quiet_held_seconds {
            0 => say("belum diketahui", "not known").to_owned(),
            seconds => format!("{seconds} {}", say("detik", "seconds")),
        };
        rows.push((say("Sambungan tahan diam", "The line survives silence"), quiet));
        let way = if link.tunnelled {
            say("lewat terowongan", "through the tunnel")
        } else {
            say("langsung", "direct")
        };
        rows.push((say("Jalan", "Way"), way.to_owned()));
        rows
    }

    /// The machine: its software, its key, how long that is certified.
    fn machine(&self, language: Language) -> Vec<(&'static str, String)> {
        let say = |id, en| language.say(id, en);
        let mut rows = Vec::new();
        let software = match self.stored.software.as_str() {
            "" => "-",
            software => software,
        };
        rows.push((say("Versi node", "Node version"), software.to_owned()));
        let key = match &self.key {
            None if self.outlook.is_turned_away() => say("dicabut", "revoked").to_owned(),
            None => say("belum ada yang bergabung", "none has joined").to_owned(),
            Some(key) => {
                format!(
                    "{}, {} {}",
                    key.key,
                    say("sejak", "since"),
                    language.moment(key.since_ms, self.sight.outlook.now_ms)
                )
            }
        };
        rows.push((say("Kunci komputer", "The machine's key"), key));
        if let Some(key) = &self.key {
            let until = Words::moment(key.certified_until_ms);
            let until = said(language, &until).to_owned();
            rows.push((say("Sertifikat sampai", "Certificate until"), until));
        }
        if !self.stored.address.is_empty() {
            rows.push((say("Alamat node", "Node's address"), self.stored.address.clone()));
        }
        rows
    }

    /// What is there, with the way to the sheets.
    pub(super) fn content(&self, viewer: &Viewer) -> Markup {
        let language = viewer.language;
        let say = |id, en| language.say(id, en);
        let region = RegionRef::Desa(self.outlook.desa.code);
        let merged = self.stored.position.map_or(0, |position| position.seq.0);
        let merged = self.outlook.live.as_ref().map_or(merged, |live| live.merged_seq);
        html! {
            (facts(&[
                (say("Warga hidup", "Living residents"), language.count(self.stored.warga)),
                (say("Rumah tangga", "Households"), language.count(self.stored.rumah_tangga)),
                (say("Semua catatan", "All records"), language.count(self.stored.records)),
                (say("Tergabung sampai nomor", "Merged up to entry"), language.count(merged)),
                (say("Temuan terbuka", "Open findings"), language.count(self.stored.findings)),
            ]))
            p class="files" {
                a class="button" href=(format!("/rekap?wilayah={region}")) {
                    (say("Lihat rekap", "See its recap"))
                }
                (self.lists(viewer))
                a class="button" href="/versi" { (say("Versi node semua desa", "All nodes' versions")) }
            }
        }
    }
}

impl VillagePage<'_> {
    /// The ways to what is of this village only.
    fn lists(&self, viewer: &Viewer) -> Markup {
        let say = |id, en| viewer.language.say(id, en);
        let code = self.outlook.desa.code;
        html! {
            @if viewer.who.may(Right::SeeRecords) {
                a class="button" href=(format!("/temuan?desa={code}")) {
                    (say("Temuan desa ini", "Its findings"))
                }
            }
            a class="button" href=(format!("/karantina?desa={code}")) {
                (say("Karantina desa ini", "Its quarantine"))
            }
            a class="button" href=(format!("/mutu?wilayah={code}")) {
                (say("Mutu datanya", "Its data's quality"))
            }
        }
    }
}

/// How far a clock is off.
fn clock_words(ahead_ms: i64, language: Language) -> String {
    let say = |id, en| language.say(id, en);
    if ahead_ms.saturating_abs() < CLOCK_OFF_MS {
        return say("tepat", "right").to_owned();
    }
    let off = clock_off(ahead_ms);
    let way =
        if ahead_ms > 0 { say("lebih cepat", "ahead") } else { say("lebih lambat", "behind") };
    format!("{} {way}", said(language, &off))
}

pub(super) fn facts(rows: &[(&str, String)]) -> Markup {
    html! {
        dl class="facts" {
            @for (word, value) in rows { div { dt { (word) } dd { (value) } } }
        }
    }
}

fn bytes(language: Language, count: u64) -> String {
    match count {
        0..1_000 => format!("{count} B"),
        1_000..1_000_000 => format!("{} kB", count / 1_000),
        _ => format!("{} MB", language.count(count / 1_000_000)),
    }
}
