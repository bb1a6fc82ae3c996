//! A recap on paper: the official sheet, landscape, on A4 or F4 (215 × 330
//! mm), with letterhead, the day it holds for, footnotes and the places to
//! sign. No identity number is on any of the forms.

use lumbung_domain::recap::{Level, tanggal_indonesia};
use lumbung_domain::region::{NAMA_KABUPATEN, roster};
use lumbung_telemetry::clock;
use maud::{DOCTYPE, Markup, html};

use super::super::language::Language;
use super::{href_beside, table};
use crate::recap::{Audience, Printed, Recap, RegionRef};

/// What goes on paper.
pub(super) struct Paper<'a> {
    pub(super) recap: &'a Recap,
    pub(super) printed: &'a Printed,
    pub(super) region: RegionRef,
    pub(super) audience: Audience,
    /// F4 instead of A4.
    pub(super) f4: bool,
}

impl Paper<'_> {
    /// Who draws the sheet up, as its letterhead says.
    fn office(&self) -> String {
        match self.region {
            RegionRef::Kabupaten => format!("TIM PENGGERAK PKK {}", NAMA_KABUPATEN.to_uppercase()),
            RegionRef::Kecamatan(_) => {
                format!("TIM PENGGERAK PKK {}", self.recap.sheet.wilayah.to_uppercase())
            }
            RegionRef::Desa(village) => {
                let name = roster().village(village).map(|desa| desa.short_name());
                format!("TIM PENGGERAK PKK {}", name.unwrap_or_default().to_uppercase())
            }
            RegionRef::Below(..) => {
                format!("KELOMPOK PKK {}", self.recap.sheet.wilayah.to_uppercase())
            }
        }
    }

    /// The regions the sheet names above its table.
    fn places(&self) -> Vec<(&'static str, String)> {
        let mut places = Vec::new();
        for (region, name) in &self.recap.above {
            match region {
                RegionRef::Below(..) => places.push(("Kelompok", name.clone())),
                RegionRef::Desa(_) => places.push(("Desa/Kelurahan", name.clone())),
                RegionRef::Kecamatan(_) => {
                    places.push(("Kecamatan", name.trim_start_matches("Kecamatan ").to_owned()));
                }
                RegionRef::Kabupaten => {}
            }
        }
        places.push(("Kabupaten", NAMA_KABUPATEN.trim_start_matches("Kabupaten ").to_owned()));
        places.push(("Provinsi", "Jawa Timur".to_owned()));
        places
    }

    /// Who signs: who has seen it, and who has drawn it up.
    fn signers(&self) -> [&'static str; 2] {
        let number = self.recap.sheet.form.number();
        if number == Level::Dasawisma.form().number() {
            return ["Ketua Kelompok PKK RT", "Ketua Kelompok Dasa Wisma"];
        }
        match self.region {
            RegionRef::Below(..) => ["Ketua TP PKK Desa/Kelurahan", "Ketua Kelompok PKK"],
            _ => ["Ketua TP PKK", "Sekretaris TP PKK"],
        }
    }

    /// The whole page.
    pub(super) fn render(&self, language: Language) -> Markup {
        let say = |id, en| language.say(id, en);
        let sheet = &self.recap.sheet;
        let date = tanggal_indonesia(sheet.tanggal_acuan);
        let paper = if self.f4 { "f4" } else { "a4" };
        let public = self.audience == Audience::Public;
        html! {
            (DOCTYPE)
            html lang="id" {
                head {
                    meta charset="utf-8";
                    meta name="viewport" content="width=device-width, initial-scale=1";
                    title { (sheet.form.number()) " " (sheet.wilayah) " " (date) }
                    link rel="stylesheet" href="/style.css";
                }
                body class=(format!("paper {paper}")) {
                    p class="on-screen" lang=(language.tag()) {
                        a href=(href_beside(self.recap, self.region)) { (say("Kembali", "Back")) }
                        " · " (say("Cetak dengan Ctrl+P, di ponsel lewat menu peramban. Kertas:",
                            "Print with Ctrl+P, on a telephone by the browser's menu. Paper:"))
                        " " (paper.to_uppercase()) " " (say("mendatar.", "landscape."))
                    }
                    header class="letterhead" {
                        p { (self.office()) }
                        h1 { (sheet.title) }
                        p { "Keadaan pada " (date) }
                    }
                    dl class="places" {
                        @for (word, name) in self.places() { div { dt { (word) } dd { ": " (name) } } }
                        div { dt { "Lembar" } dd { ": " (sheet.form.number())
                            @if public { " (untuk umum)" } } }
                    }
                    // Pushed sideways on a telephone; paper shows all of it.
                    div class="scroll" tabindex="0" role="region" aria-label="Lembar rekap" {
                        (table::table(self.recap, self.printed, Language::Indonesian, |_| None))
                    }
                    ul class="notes" { @for note in &self.printed.footnotes { li { (note.id) } } }
                    @let [left, right] = self.signers();
                    div class="signing" {
                        p { "Mengetahui," br; (left) span { "(....................................)" } }
                        p { ".........................., " (tanggal_indonesia(clock::today())) br; (right)
                            span { "(....................................)" } }
                    }
                }
            }
        }
    }
}
