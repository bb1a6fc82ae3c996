//! The form of a search: from the browser and back.

use lumbung_domain::code_list::{Agama, CodeList, Pekerjaan, PendidikanKk, StatusKawin};
use lumbung_domain::id::{Kind, RecordId};
use lumbung_domain::record::JenisKelamin;
use lumbung_domain::region::{Desa, Kecamatan, VillageCode, roster};
use maud::{Markup, html};
use serde::Deserialize;

use super::super::Trouble;
use super::super::guard::Viewer;
use super::super::language::Language;
use super::super::quality::gap_words;
use super::super::recap::DATE_WORDS;
use crate::dataset::bits::house;
use crate::dataset::search::{Gap, PlaceLine};
use crate::desk::DeskError;
use crate::desk::search::{Name, Question, What};
use crate::recap::RegionRef;

/// What a browser sends; blanks are conditions that aren't set.
#[derive(Deserialize, Default)]
#[serde(default)]
pub(super) struct Asked {
    apa: String,
    nama: String,
    wilayah: String,
    bawah: String,
    bawah_desa: String,
    jk: String,
    umur_dari: String,
    umur_sampai: String,
    tanggal: String,
    pendidikan: String,
    pekerjaan: String,
    agama: String,
    kawin: String,
    kepala: String,
    tanpa_nomor: String,
    tanpa_tempat: String,
    termasuk_pergi: String,
    tanpa_kepala: String,
    tanpa_dasawisma: String,
    kriteria: String,
    air: String,
    jamban: String,
    tps: String,
    spal: String,
    kekurangan: String,
}

const fn what_name(what: What) -> &'static str {
    match what {
        What::Warga => "warga",
        What::Keluarga => "keluarga",
        What::RumahTangga => "rumah",
        What::Rt => "rt",
        What::Dasawisma => "dasawisma",
    }
}

/// What is looked for to find a gap.
pub(in crate::console) const fn of_gap(gap: Gap) -> What {
    match gap.kind() {
        Kind::Keluarga => What::Keluarga,
        Kind::RumahTangga => What::RumahTangga,
        _ => What::Warga,
    }
}

/// The conditions of a link to the records with a gap.
pub(in crate::console) fn gap_conditions(gap: Gap) -> String {
    format!("apa={}&kekurangan={}", what_name(of_gap(gap)), gap.code())
}

const fn what_words(what: What, language: Language) -> &'static str {
    match what {
        What::Warga => language.say("Warga", "Residents"),
        What::Keluarga => language.say("Keluarga", "Families"),
        What::RumahTangga => language.say("Rumah tangga", "Houses"),
        What::Rt => "RT",
        What::Dasawisma => "Dasawisma",
    }
}

/// The water sources and their bits.
const WATER: [(&str, &str, &str, u32); 4] = [
    ("pdam", "PDAM", "Piped water", 1 << house::AIR_SHIFT),
    ("sumur", "Sumur", "Well", 2 << house::AIR_SHIFT),
    ("sungai", "Sungai", "River", 4 << house::AIR_SHIFT),
    ("dll", "Lainnya", "Other", 8 << house::AIR_SHIFT),
];

/// What a house has or lacks.
const HAS: [(&str, &str, &str, u32); 3] = [
    ("jamban", "Jamban keluarga", "Latrine", house::JAMBAN),
    ("tps", "Tempat sampah", "Waste place", house::TPS),
    ("spal", "SPAL", "Drain", house::SPAL),
];

fn number<T: std::str::FromStr>(text: &str) -> Result<Option<T>, DeskError> {
    match text.trim() {
        "" => Ok(None),
        text => text.parse().map(Some).map_err(|_| {
            DeskError::unfit(
                "Umur dan pilihan ditulis dengan angka biasa.",
                "Ages and choices are written as plain numbers.",
            )
        }),
    }
}

impl Asked {
    /// The question behind it.
    ///
    /// # Errors
    /// A sentence about what can't be read.
    pub(super) fn question(self) -> Result<Question, Trouble> {
        let (mut with, mut without) = (0, 0);
        match self.kriteria.as_str() {
            "sehat" => with |= house::SEHAT,
            "tidak" => with |= house::TIDAK_SEHAT,
            _ => {}
        }
        with |= WATER.iter().find(|(name, ..)| *name == self.air).map_or(0, |(.., bit)| *bit);
        for ((.., bit), asked) in HAS.iter().zip([&self.jamban, &self.tps, &self.spal]) {
            match asked.as_str() {
                "ya" => with |= bit,
                "tidak" => without |= bit,
                _ => {}
            }
        }
        let date = match self.tanggal.trim() {
            "" => None,
            text => Some(text.parse().map_err(|_| DeskError::Unfit(DATE_WORDS.into()))?),
        };
        let what = What::ALL.into_iter().find(|what| what_name(*what) == self.apa);
        let what = what.unwrap_or_default();
        Ok(Question {
            what,
            // A gap of another kind of record would find nothing.
            gap: Gap::from_code(&self.kekurangan).filter(|gap| of_gap(*gap) == what),
            region: self.region()?,
            name: Name(self.nama.trim().chars().take(100).collect()),
            jenis_kelamin: match self.jk.as_str() {
                "L" => Some(JenisKelamin::LakiLaki),
                "P" => Some(JenisKelamin::Perempuan),
                _ => None,
            },
            age_from: number(&self.umur_dari)?,
            age_to: number(&self.umur_sampai)?,
            date,
            pendidikan: number(&self.pendidikan)?,
            pekerjaan: number(&self.pekerjaan)?,
            agama: number(&self.agama)?,
            status_kawin: number(&self.kawin)?,
            heads: !self.kepala.is_empty(),
            without_number: !self.tanpa_nomor.is_empty(),
            unplaced: !self.tanpa_tempat.is_empty(),
            gone_too: !self.termasuk_pergi.is_empty(),
            without_head: !self.tanpa_kepala.is_empty(),
            without_dasawisma: !self.tanpa_dasawisma.is_empty(),
            house_with: with,
            house_without: without,
        })
    }

    fn region(&self) -> Result<Option<RegionRef>, DeskError> {
        if self.wilayah.is_empty() {
            return Ok(None);
        }
        let region = RegionRef::parse(&self.wilayah).map_err(|_| DeskError::NotThere)?;
        // A place below counts only in the village it was chosen for.
        match (region, self.bawah.parse::<RecordId>()) {
            (RegionRef::Desa(village), Ok(id)) if self.bawah_desa == village.to_string() => {
                Ok(Some(RegionRef::Below(village, id)))
            }
            _ => Ok(Some(region)),
        }
    }
}

/// The form with a question in it. `places` are the RT and dasawisma of the
/// village that was chosen.
pub(super) fn render(
    viewer: &Viewer,
    question: &Question,
    places: &[PlaceLine],
    open: bool,
) -> Markup {
    let language = viewer.language;
    let say = |id, en| language.say(id, en);
    let narrow = *question
        != Question {
            what: question.what,
            name: question.name.clone(),
            region: question.region,
            ..Question::default()
        };
    html! {
        form class="form search" method="post" action="/cari" {
            div class="row" {
                (select("apa", say("Yang dicari", "Look for"), &html! {
                    @for what in What::ALL {
                        option value=(what_name(what)) selected[what == question.what] {
                            (what_words(what, language))
                        }
                    }
                }))
                div class="field" {
                    label for="nama" { (say("Nama (sebagian boleh)", "Name (or part of it)")) }
                    input id="nama" name="nama" value=(question.name.0) maxlength="100"
                        autocomplete="off" spellcheck="false" autofocus[open];
                }
                (select("wilayah", say("Wilayah", "Area"), &html! {
                    option value="" { (say("Semua wilayah saya", "All of my area")) }
                    (regions(viewer, question.region))
                }))
                (below(language, question.region, places))
            }
            details class="more" open[narrow] {
                summary { (say("Syarat lain", "More conditions")) }
                fieldset {
                    legend { (say("Warga", "Residents")) }
                    (of_residents(language, question))
                }
                fieldset {
                    legend { (say("Keluarga dan rumah", "Families and houses")) }
                    (of_houses(language, question))
                }
                (gaps(language, question.gap))
            }
            button type="submit" { (say("Cari", "Search")) }
        }
    }
}

fn of_residents(language: Language, question: &Question) -> Markup {
    let say = |id, en| language.say(id, en);
    let years = |age: Option<u8>| age.map(|age| age.to_string()).unwrap_or_default();
    let date = question.date.map(|date| date.to_string()).unwrap_or_default();
    html! {
        div class="row" {
            (select("jk", say("Jenis kelamin", "Sex"), &html! {
                option value="" { (say("Semua", "All")) }
                option value="L" selected[question.jenis_kelamin == Some(JenisKelamin::LakiLaki)] {
                    (say("Laki-laki", "Male"))
                }
                option value="P" selected[question.jenis_kelamin == Some(JenisKelamin::Perempuan)] {
                    (say("Perempuan", "Female"))
                }
            }))
            (input("umur_dari", say("Umur dari", "Age from"), "number", &years(question.age_from)))
            (input("umur_sampai", say("Umur sampai", "Age to"), "number", &years(question.age_to)))
            (input("tanggal", say("Umur pada tanggal", "Age on"), "date", &date))
            (codes::<PendidikanKk>(language, "pendidikan", say("Pendidikan", "Education"),
                question.pendidikan))
            (codes::<Pekerjaan>(language, "pekerjaan", say("Pekerjaan", "Occupation"),
                question.pekerjaan))
            (codes::<Agama>(language, "agama", say("Agama", "Religion"), question.agama))
            (codes::<StatusKawin>(language, "kawin", say("Status perkawinan", "Marital status"),
                question.status_kawin))
        }
        div class="row marks" {
            (check("kepala", say("Hanya kepala keluarga", "Heads of families only"), question.heads))
            (check("tanpa_tempat",
                say("Belum punya keluarga atau rumah", "On no family card or in no house"),
                question.unplaced))
            (check("termasuk_pergi",
                say("Termasuk yang meninggal atau pindah", "The dead and those who moved too"),
                question.gone_too))
        }
    }
}

fn of_houses(language: Language, question: &Question) -> Markup {
    let say = |id, en| language.say(id, en);
    let has = |bit: u32| question.house_with & bit != 0;
    html! {
        div class="row" {
            (select("kriteria", say("Kriteria rumah", "State of the house"), &html! {
                option value="" { (say("Semua", "All")) }
                option value="sehat" selected[has(house::SEHAT)] { (say("Sehat layak huni", "Healthy and fit to live in")) }
                option value="tidak" selected[has(house::TIDAK_SEHAT)] { (say("Tidak sehat layak huni", "Not healthy or not fit")) }
            }))
            (select("air", say("Sumber air", "Water"), &html! {
                option value="" { (say("Semua", "All")) }
                @for (name, id, en, bit) in WATER {
                    option value=(name) selected[has(bit)] { (say(id, en)) }
                }
            }))
            @for (name, id, en, bit) in HAS {
                (select(name, say(id, en), &html! {
                    option value="" { (say("Semua", "All")) }
                    option value="ya" selected[has(bit)] { (say("Ada", "Has one")) }
                    option value="tidak" selected[question.house_without & bit != 0] {
                        (say("Tidak ada atau belum diisi", "None, or not filled in"))
                    }
                }))
            }
        }
        div class="row marks" {
            (check("tanpa_nomor", say("Tanpa NIK atau nomor KK", "Without NIK or card number"),
                question.without_number))
            (check("tanpa_kepala", say("Keluarga tanpa kepala", "Families without a head"),
                question.without_head))
            (check("tanpa_dasawisma", say("Rumah tanpa dasawisma", "Houses without a dasawisma"),
                question.without_dasawisma))
        }
    }
}

/// What may be missing, by the kind of record that has it.
fn gaps(language: Language, chosen: Option<Gap>) -> Markup {
    let say = |id, en| language.say(id, en);
    select(
        "kekurangan",
        say("Yang kurang", "Gap"),
        &html! {
            option value="" { (say("Semua", "All")) }
            @for what in [What::Warga, What::Keluarga, What::RumahTangga] {
                optgroup label=(what_words(what, language)) {
                    @for gap in Gap::ALL.into_iter().filter(|gap| of_gap(*gap) == what) {
                        option value=(gap.code()) selected[chosen == Some(gap)] {
                            (language.of(gap_words(gap)))
                        }
                    }
                }
            }
        },
    )
}

fn select(name: &str, label: &str, options: &Markup) -> Markup {
    html! {
        div class="field" {
            label for=(name) { (label) }
            select id=(name) name=(name) { (options) }
        }
    }
}

fn input(name: &str, label: &str, kind: &str, value: &str) -> Markup {
    let age = kind == "number";
    html! {
        div class="field" {
            label for=(name) { (label) }
            input id=(name) name=(name) type=(kind) value=(value) min=[age.then_some("0")]
                max=[age.then_some("130")];
        }
    }
}

fn check(name: &str, label: &str, set: bool) -> Markup {
    html! {
        label class="check" { input type="checkbox" name=(name) value="1" checked[set]; " " (label) }
    }
}

fn codes<L: CodeList>(language: Language, name: &str, label: &str, set: Option<u8>) -> Markup {
    let chosen = |code: u16| set.is_some_and(|set| u16::from(set) == code);
    select(
        name,
        label,
        &html! {
            option value="" { (language.say("Semua", "All")) }
            @for entry in L::entries() {
                option lang="id" value=(entry.code) selected[chosen(entry.code)] { (entry.label) }
            }
        },
    )
}

/// The operator's kecamatan and villages.
pub(in crate::console) fn regions(viewer: &Viewer, chosen: Option<RegionRef>) -> Markup {
    let scope = viewer.who.scope();
    let village = match chosen {
        Some(RegionRef::Desa(village) | RegionRef::Below(village, _)) => Some(village),
        _ => None,
    };
    let own = |kecamatan: &&Kecamatan| {
        roster().villages_of(kecamatan.code).any(|desa| scope.holds(desa.code))
    };
    let here = |code: VillageCode| village == Some(code);
    html! {
        @for kecamatan in roster().kecamatan().iter().filter(own) {
            optgroup label=(kecamatan.name) {
                option value=(kecamatan.code)
                    selected[chosen == Some(RegionRef::Kecamatan(kecamatan.code))] {
                    "Kecamatan " (kecamatan.name)
                }
                @for desa in roster().villages_of(kecamatan.code) {
                    @if scope.holds(desa.code) {
                        option value=(desa.code) selected[here(desa.code)] {
                            (Desa::short_name(desa))
                        }
                    }
                }
            }
        }
    }
}

/// The places of the village that was chosen.
fn below(language: Language, region: Option<RegionRef>, places: &[PlaceLine]) -> Markup {
    let (village, chosen) = match region {
        Some(RegionRef::Desa(village)) => (village, None),
        Some(RegionRef::Below(village, id)) => (village, Some(id)),
        _ => return html! {},
    };
    let words = |place: &PlaceLine| {
        let around = place.around.iter().find(|(kind, _)| *kind == Kind::Rt);
        around.map_or_else(
            || format!("RT {}", place.label),
            |(_, rt)| format!("Dasawisma {} (RT {rt})", place.label),
        )
    };
    html! {
        input type="hidden" name="bawah_desa" value=(village);
        (select("bawah", language.say("RT atau dasawisma", "RT or dasawisma"), &html! {
            option value="" { (language.say("Semua", "All")) }
            @for place in places {
                option value=(place.id) selected[chosen == Some(place.id)] { (words(place)) }
            }
        }))
    }
}
