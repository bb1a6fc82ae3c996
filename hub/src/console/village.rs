//! The page of one village, and recap sheets as tables.

use jiff::civil::Date;
use lumbung_domain::id::Kind;
use lumbung_domain::recap::{Cell, Isi, tanggal_indonesia};
use maud::{Markup, html};

use super::findings;
use super::frame::{Frame, Tab};
use super::guard::Viewer;
use super::pages::trouble_words;
use super::tile::{State, Tile, thousands, when};
use crate::dataset::{CrossFinding, Incident, QuarantinedEntry, VillageFacts, VillageState};
use crate::live::LiveVillage;
use crate::puller::trouble::waiting;
use crate::recap::{Recap, RegionRef};

/// Quarantined entries that are listed; the rest is a number.
const LISTED_MAX: usize = 50;

/// What the page of one village shows.
pub(super) struct VillagePage {
    pub(super) tile: Tile,
    pub(super) stored: VillageState,
    pub(super) live: Option<LiveVillage>,
    pub(super) facts: VillageFacts,
    pub(super) recap: Recap,
    pub(super) quarantine: Vec<QuarantinedEntry>,
    pub(super) findings: Vec<CrossFinding>,
    pub(super) incidents: Vec<Incident>,
    pub(super) date: Date,
}

impl VillagePage {
    pub(super) fn render(&self, viewer: &Viewer, now_ms: i64) -> Markup {
        let tile = &self.tile;
        let letter = tile.state.letter();
        let region = RegionRef::Desa(tile.desa.code);
        let body = html! {
            h1 { (tile.desa.full_name()) }
            p class=(format!("verdict s{letter}")) {
                span class="mark" aria-hidden="true" { (letter) } " " (self.verdict(now_ms))
            }
            @if let Some(waiting) = waiting(self.stored.leftovers) { p { (waiting) } }
            section aria-labelledby="hubungan" {
                h2 id="hubungan" { "Hubungan" }
                (self.connection(now_ms))
            }
            section aria-labelledby="isi-desa" {
                h2 id="isi-desa" { "Isi" }
                (self.counts())
            }
            @if !self.quarantine.is_empty() {
                section aria-labelledby="karantina" {
                    h2 id="karantina" { "Karantina" }
                    (self.quarantined(now_ms))
                }
            }
            @if !self.incidents.is_empty() {
                section aria-labelledby="kejadian" {
                    h2 id="kejadian" { "Kejadian" }
                    (self.happened(now_ms))
                }
            }
            section aria-labelledby="temuan" {
                h2 id="temuan" { "Temuan" }
                @if self.findings.is_empty() { p class="calm" { "Tidak ada temuan terbuka." } }
                ul class="findings" {
                    @for finding in &self.findings { (findings::row(viewer, finding)) }
                }
            }
            section aria-labelledby="rekap" {
                h2 id="rekap" { "Rekap per " (tanggal_indonesia(self.date)) }
                (sheet(&self.recap, region, self.date))
            }
        };
        Frame::of(viewer, tile.desa.name, Tab::Villages).page(&body)
    }

    fn verdict(&self, now_ms: i64) -> String {
        let tile = &self.tile;
        let contact = || when(tile.last_contact_ms, now_ms);
        match tile.state {
            State::Fresh if tile.proven => format!(
                "Segar. Terbukti sama dengan node desa pada {}.",
                when(tile.last_proof_ms, now_ms)
            ),
            State::Fresh => "Segar. Semua catatan sudah masuk; bukti kesamaan menyusul.".to_owned(),
            State::CatchingUp => {
                format!("Mengejar. Masih kurang {} catatan.", thousands(tile.lag))
            }
            State::Late if tile.last_contact_ms == 0 => {
                "Tidak terhubung. Yang sudah tergabung aman.".to_owned()
            }
            State::Late => format!(
                "Tidak terhubung sejak {}. Yang sudah tergabung aman, desa tetap bisa mencatat.",
                contact()
            ),
            State::Troubled => trouble_words(&tile.trouble).to_owned(),
            State::Never => "Belum pernah terhubung.".to_owned(),
        }
    }

    fn connection(&self, now_ms: i64) -> Markup {
        let tile = &self.tile;
        let at = |at_ms: i64| {
            if at_ms == 0 { "belum pernah".to_owned() } else { when(at_ms, now_ms) }
        };
        let or_dash = |text: &str| if text.is_empty() { "-".to_owned() } else { text.to_owned() };
        let proof = match tile.last_proof_ms {
            0 => "belum pernah".to_owned(),
            proof => {
                format!("{}, pada nomor {}", at(proof), thousands(tile.proven_seq))
            }
        };
        let mut rows = vec![
            ("Tergabung sampai nomor", thousands(tile.merged_seq)),
            ("Tertinggal", format!("{} catatan", thousands(tile.lag))),
            ("Kontak terakhir", at(tile.last_contact_ms)),
            ("Terakhir terbukti sama", proof),
            ("Pembuktian menyeluruh terakhir", at(self.stored.deep_proof_ms)),
            ("Hasil pembuktian menyeluruh", or_dash(&self.stored.deep_proof_words)),
            ("Alamat node", or_dash(&self.stored.address)),
            ("Versi node", or_dash(&self.stored.software)),
        ];
        if let Some(live) = &self.live {
            let (down, up) = (live.traffic.received(), live.traffic.sent());
            let text = format!("{} masuk, {} keluar sejak hub menyala", bytes(down), bytes(up));
            rows.push(("Lalu lintas", text));
        }
        facts(&rows)
    }

    fn counts(&self) -> Markup {
        let regions = |kind| {
            let of_kind = self.facts.regions.iter().filter(|region| region.kind == kind);
            thousands(of_kind.count() as u64)
        };
        facts(&[
            (self.tile.desa.label_dusun(), regions(Kind::Dusun)),
            ("RW", regions(Kind::Rw)),
            ("RT", regions(Kind::Rt)),
            ("Dasawisma", regions(Kind::Dasawisma)),
            ("Rumah tangga", thousands(self.stored.rumah_tangga)),
            ("Keluarga di rumah yang dikenal", thousands(self.facts.families.len() as u64)),
            ("Warga hidup", thousands(self.stored.warga)),
            ("Semua catatan", thousands(self.stored.records)),
        ])
    }

    fn happened(&self, now_ms: i64) -> Markup {
        html! {
            div class="scroll" tabindex="0" role="region" aria-label="Daftar kejadian" {
                table {
                    thead { tr {
                        th scope="col" { "Waktu" } th scope="col" { "Kejadian" }
                        th scope="col" { "Keterangan" }
                    } }
                    tbody {
                        @for incident in &self.incidents {
                            tr {
                                td { (when(incident.at_ms, now_ms)) }
                                td { (incident.heading()) }
                                td { (incident.sentence) }
                            }
                        }
                    }
                }
            }
        }
    }

    fn quarantined(&self, now_ms: i64) -> Markup {
        html! {
            p { "Catatan ini tersimpan utuh, tetapi belum bisa dibaca hub. Setelah hub diperbarui, \
                 jalankan " code { "lumbung-hub quarantine retry" } "." }
            div class="scroll" tabindex="0" role="region" aria-label="Daftar karantina" {
                table {
                    thead { tr {
                        th scope="col" class="n" { "Nomor" } th scope="col" { "Sebab" }
                        th scope="col" { "Sejak" } th scope="col" class="n" { "Ukuran" }
                    } }
                    tbody {
                        @for entry in self.quarantine.iter().take(LISTED_MAX) {
                            tr {
                                td class="n" { (entry.seq) }
                                td { (entry.reason) }
                                td { (when(entry.since_ms, now_ms)) }
                                td class="n" { (bytes(entry.bytes)) }
                            }
                        }
                    }
                }
            }
            @if self.quarantine.len() > LISTED_MAX {
                p { "Dan " (self.quarantine.len() - LISTED_MAX) " lagi." }
            }
        }
    }
}

fn facts(rows: &[(&str, String)]) -> Markup {
    html! {
        dl class="facts" {
            @for (word, value) in rows { div { dt { (word) } dd { (value) } } }
        }
    }
}

fn bytes(count: u64) -> String {
    match count {
        0..1024 => format!("{count} B"),
        1024..1_048_576 => format!("{} KB", count / 1024),
        _ => format!("{} MB", thousands(count / 1_048_576)),
    }
}

/// The page of a recap.
pub(super) fn recap_page(viewer: &Viewer, recap: &Recap, region: RegionRef, date: Date) -> Markup {
    let printed = &recap.sheet;
    let body = html! {
        @if !recap.above.is_empty() {
            nav class="crumbs" aria-label="Wilayah di atasnya" {
                @for (above, name) in &recap.above {
                    a href=(href(*above, date)) { (name) } " › "
                }
                span aria-current="page" { (printed.wilayah) }
            }
        }
        h1 { (printed.wilayah) }
        p class="lead" { (printed.title) " (" (printed.form.number()) ")" }
        form class="pick" action="/rekap" {
            input type="hidden" name="wilayah" value=(region);
            label for="tanggal" { "Keadaan pada" }
            input id="tanggal" type="date" name="tanggal" value=(date);
            button { "Hitung" }
        }
        (sheet(recap, region, date))
    };
    Frame::of(viewer, "Rekap", Tab::Recap).page(&body)
}

/// Ids and codes hold no character that a query would mistake.
fn href(region: RegionRef, date: Date) -> String {
    format!("/rekap?wilayah={region}&tanggal={date}")
}

/// A sheet with its group headers, its total, its footnotes and its files.
fn sheet(recap: &Recap, region: RegionRef, date: Date) -> Markup {
    let sheet = &recap.sheet;
    let columns = &sheet.form.columns;
    let cells = sheet.cells();
    let line = |row: &[Cell], below: Option<RegionRef>| {
        html! {
            @for (cell, column) in row.iter().zip(columns) {
                @match (cell, column.isi) {
                    (Cell::Text(label), Isi::Nama) => th scope="row" {
                        @if let Some(below) = below { a href=(href(below, date)) { (label) } }
                        @else { (label) }
                    },
                    (Cell::Text(text), _) => td { (text) },
                    (Cell::Number(0), _) => td class="n zero" { "0" },
                    (Cell::Number(number), _) => td class="n" { (thousands(*number)) },
                }
            }
        }
    };
    let region_text = format!("wilayah={region}&tanggal={date}");
    html! {
        p class="files" {
            a class="button" href=(format!("/rekap/rekap.xlsx?{region_text}")) { "Unduh Excel" }
            " " a class="button" href=(format!("/rekap/rekap.csv?{region_text}")) { "Unduh CSV" }
        }
        div class="scroll" tabindex="0" role="region" aria-label="Lembar rekap" {
            table class="sheet" {
                thead {
                    tr {
                        @for (group, start, width) in groups(recap) {
                            @if group.is_empty() {
                                th scope="col" rowspan="2" { (columns[start].header) }
                            } @else {
                                th scope="colgroup" colspan=(width) { (group) }
                            }
                        }
                    }
                    tr {
                        @for column in columns.iter().filter(|column| !column.group.is_empty()) {
                            th scope="col" { (column.header) }
                        }
                    }
                }
                tbody {
                    @for (row, below) in cells.rows.iter().zip(&recap.below) {
                        tr { (line(row, *below)) }
                    }
                }
                tfoot { tr { (line(&cells.total, None)) } }
            }
        }
        ul class="notes" { @for note in recap.footnotes() { li { (note) } } }
    }
}

/// Neighbouring columns under one heading: heading, first column, width.
/// Columns without a heading stand alone.
fn groups(recap: &Recap) -> Vec<(&'static str, usize, usize)> {
    let mut groups: Vec<(&str, usize, usize)> = Vec::new();
    for (at, column) in recap.sheet.form.columns.iter().enumerate() {
        match groups.last_mut() {
            Some((group, _, width)) if !group.is_empty() && *group == column.group => *width += 1,
            _ => groups.push((column.group, at, 1)),
        }
    }
    groups
}
