//! Totals that villages state, beside what their records add up to.

use lumbung_domain::record::Ukuran;
use lumbung_domain::region::{Desa, roster};
use lumbung_telemetry::clock;
use maud::{Markup, html};

use super::super::language::Language;
use super::super::tile::said;
use super::VILLAGES_MAX;
use crate::desk::{StatedRegion, StatedTotal};
use crate::words::actor;

/// What a list of villages tells of each.
const OF_VILLAGES: [Ukuran; 4] = [Ukuran::Jiwa, Ukuran::JiwaL, Ukuran::JiwaP, Ukuran::Kk];

/// A total's name, in both languages.
const fn words(ukuran: Ukuran) -> (&'static str, &'static str) {
    let english = match ukuran {
        Ukuran::Jiwa => "Residents",
        Ukuran::JiwaL => "Male",
        Ukuran::JiwaP => "Female",
        Ukuran::Kk => "Family cards",
        Ukuran::Krt => "Houses",
        Ukuran::Dusun => "Dusun",
        Ukuran::Rw => "RW",
        Ukuran::Rt => "RT",
        Ukuran::Dasawisma => "Dasawisma",
        Ukuran::BalitaL => "Boys under five",
        Ukuran::BalitaP => "Girls under five",
        Ukuran::Pus => "Couples of childbearing age",
        Ukuran::Wus => "Women of childbearing age",
        Ukuran::Lansia => "People of 60 and over",
    };
    (ukuran.label(), english)
}

/// All that is stated: of one village line by line, else a row a village.
pub(super) fn section(
    language: Language,
    one: Option<&'static Desa>,
    stated: &[StatedRegion],
) -> Markup {
    let say = |id, en| language.say(id, en);
    html! {
        p { small { (say(
            "Yang dinyatakan desa (monografi, buku B.3, ketua RT) di samping hitungan catatannya \
             pada tanggal yang sama, menurut aturan rekap: warga tanpa keluarga atau rumah tidak \
             terhitung. Selisih tambah: dinyatakan lebih banyak daripada yang tercatat.",
            "What villages state (monograph, book B.3, heads of RT) beside what their records add \
             up to on the same day, by the rules of recaps: residents in no family or house are \
             not counted. A plus: more are stated than recorded.")) } }
        @if stated.is_empty() {
            p class="calm" { (say(
                "Belum ada jumlah yang dinyatakan. Desa mencatatnya dengan lumbung-node declare.",
                "No totals stated yet. Villages record them with lumbung-node declare.")) }
        } @else if one.is_some() {
            (lines(language, stated))
        } @else {
            (villages(language, stated))
        }
    }
}

/// "+12", "-3", "0".
fn signed(language: Language, difference: i64) -> String {
    let sign = match difference {
        0 => "",
        1.. => "+",
        _ => "-",
    };
    format!("{sign}{}", language.count(difference.unsigned_abs()))
}

/// The difference, marked where there is one.
fn off(language: Language, total: &StatedTotal) -> Markup {
    let difference = total.difference();
    html! {
        small class=[(difference != 0).then_some("flag")] { (signed(language, difference)) }
    }
}

fn day(language: Language, it: &StatedRegion) -> String {
    it.stated.record.per_tanggal.map(|day| language.day(day)).unwrap_or_default()
}

/// The sheet that counts the same region on the same day.
fn recap(it: &StatedRegion) -> String {
    let day = it.stated.record.per_tanggal.unwrap_or_else(clock::today);
    format!("/rekap?wilayah={}&tanggal={day}", it.region)
}

fn lines(language: Language, stated: &[StatedRegion]) -> Markup {
    let say = |id, en| language.say(id, en);
    let now_ms = clock::now_ms();
    html! {
        div class="scroll" tabindex="0" role="region"
            aria-label=(say("Dinyatakan dan terhitung", "Stated and counted")) {
            table class="dense" {
                thead { tr {
                    th scope="col" { (say("Jumlah", "Total")) }
                    th scope="col" class="n" { (say("Dinyatakan", "Stated")) }
                    th scope="col" class="n" { (say("Terhitung", "Counted")) }
                    th scope="col" class="n" { (say("Selisih", "Difference")) }
                } }
                @for it in stated { tbody {
                    @if !it.totals.is_empty() { tr { th scope="rowgroup" colspan="4" {
                        a href=(recap(it)) { (it.name.as_deref().unwrap_or("-")) } br;
                        small {
                            (say("per ", "as of ")) (day(language, it))
                            @if !it.stated.record.sumber.is_empty() {
                                " · " span lang="id" { (it.stated.record.sumber) }
                            }
                            " · " (language.moment(it.stated.time_ms, now_ms))
                            (say(" oleh ", " by ")) (said(language, &actor(&it.stated.actor)))
                        }
                    } } }
                    @for total in &it.totals { tr {
                        td { (language.of(words(total.ukuran))) }
                        td class="n" { (language.count(total.stated.into())) }
                        td class="n" { (language.count(total.counted)) }
                        td class="n" { (off(language, total)) }
                    } }
                    @if it.totals.is_empty() { tr {
                        th scope="row" { (say("Wilayah yang sudah tidak ada", "A region that is gone")) br;
                            small { (say("per ", "as of ")) (day(language, it)) } }
                        td colspan="3" { (say("Tidak bisa dihitung.", "Can't be counted.")) }
                    } }
                } }
            }
        }
    }
}

fn villages(language: Language, stated: &[StatedRegion]) -> Markup {
    let mut sorted: Vec<&StatedRegion> = stated.iter().collect();
    let worst = |it: &StatedRegion| {
        let off = |total: &StatedTotal| total.difference().unsigned_abs();
        it.totals.iter().map(off).max().unwrap_or(0)
    };
    sorted.sort_by_key(|it| std::cmp::Reverse(worst(it)));
    let (most, others) = sorted.split_at(sorted.len().min(VILLAGES_MAX));
    html! {
        (rows(language, most))
        @if !others.is_empty() {
            details class="more" {
                summary { (language.count(others.len() as u64)) " "
                    (language.say("desa lain yang menyatakan jumlah", "more villages that state totals")) }
                (rows(language, others))
            }
        }
    }
}

/// A row for each of these villages.
fn rows(language: Language, stated: &[&StatedRegion]) -> Markup {
    let say = |id, en| language.say(id, en);
    html! {
        div class="scroll" tabindex="0" role="region"
            aria-label=(say("Dinyatakan dan terhitung", "Stated and counted")) {
            table class="dense" {
                thead { tr {
                    th scope="col" { (say("Desa", "Village")) }
                    @for ukuran in OF_VILLAGES {
                        th scope="col" class="n" { (language.of(words(ukuran))) br;
                            small { (say("selisih", "difference")) } }
                    }
                } }
                tbody { @for it in stated {
                    @let village = it.stated.village;
                    @let desa = roster().village(village);
                    @let kecamatan = desa.and_then(|desa| roster().kecamatan_of(desa.kecamatan));
                    tr {
                        th scope="row" {
                            a href=(format!("/mutu?wilayah={village}")) {
                                (desa.map_or("", |desa| desa.name))
                            }
                            " " small { (kecamatan.map_or("", |kecamatan| kecamatan.name)) } br;
                            small { (say("per ", "as of ")) (day(language, it)) }
                        }
                        @for total in OF_VILLAGES.map(|ukuran| it.total(ukuran)) {
                            td class="n" { @match total {
                                None => "-",
                                Some(it) => {
                                    span { (language.count(it.stated.into())) } br;
                                    (off(language, &it))
                                }
                            } }
                        }
                    }
                } }
            }
        }
    }
}
