//! The last thirty days of a village's contacts, as a row of marks and as a
//! table.

use maud::{Markup, html};

use super::super::language::Language;
use crate::rhythm::{StripDay, StripKind};

/// Width of a day and height of the row, in the units of the drawing.
const SIZE: (usize, usize) = (20, 28);

/// How a day looks: the class of its mark, and its words.
fn look(day: &StripDay, language: Language) -> (&'static str, String) {
    let say = |id, en| language.say(id, en);
    match &day.kind {
        StripKind::Before => ("fB", say("belum ada", "not yet there").to_owned()),
        StripKind::Silent => ("fH", say("diam", "silent").to_owned()),
        StripKind::HubAway => ("fA", say("hub mati", "hub was off").to_owned()),
        StripKind::Contact(it) => {
            let hours = format!("{} {}", it.hours_in_touch(), say("jam terhubung", "hours online"));
            let mut parts = vec![hours];
            if it.proofs > 0 {
                parts.push(format!("{} {}", it.proofs, say("kali terbukti sama", "proofs")));
            }
            if it.sticks > 0 {
                parts.push(format!("{} {}", it.sticks, say("stik", "sticks")));
            }
            if it.troubled {
                parts.push(say("ada masalah", "trouble").to_owned());
            }
            let class = match () {
                () if it.troubled => "fM",
                () if it.hours == 0 => "fK",
                () => "fS",
            };
            (class, parts.join(", "))
        }
    }
}

/// What the looks on this row mean; without it a red day says nothing to whoever
/// can't point at it.
fn legend(days: &[StripDay], language: Language) -> Markup {
    let words = |class| match class {
        "fS" => ("terhubung", "connected"),
        "fM" => ("ada masalah", "trouble"),
        "fK" => ("hanya stik", "only a stick"),
        "fH" => ("diam", "silent"),
        "fA" => ("hub mati", "hub was off"),
        _ => ("belum ada", "not yet there"),
    };
    let classes = ["fS", "fM", "fK", "fH", "fA", "fB"];
    let there = |class: &&str| days.iter().any(|day| look(day, language).0 == *class);
    html! {
        ul class="legend" {
            @for class in classes.into_iter().filter(there) {
                li {
                    svg viewBox="0 0 12 12" aria-hidden="true" {
                        @let top = if class == "fS" || class == "fM" { 0 } else { 7 };
                        rect class=(class) x="0" y=(top) width="12" height=(12 - top) rx="2" {}
                    }
                    (language.of(words(class)))
                }
            }
        }
    }
}

/// The row of marks with its twin in words.
pub(super) fn draw(days: &[StripDay], language: Language) -> Markup {
    let say = |id, en| language.say(id, en);
    let (width, height) = SIZE;
    let came = days.iter().filter(|day| matches!(day.kind, StripKind::Contact(_))).count();
    let silent = days.iter().filter(|day| day.kind == StripKind::Silent).count();
    let text = match language {
        Language::Indonesian => {
            format!("{came} dari {} hari ada kontak, {silent} hari diam.", days.len())
        }
        Language::English => {
            format!("Contact on {came} of {} days, silent on {silent}.", days.len())
        }
    };
    html! {
        p { (text) }
        svg class="strip" viewBox=(format!("0 0 {} {height}", days.len() * width)) role="img"
            aria-label=(text) {
            @for (at, day) in days.iter().enumerate() {
                @let (class, words) = look(day, language);
                // Silent days are low, so that colour is not all that tells.
                @let top = if class == "fS" || class == "fM" { 2 } else { height - 8 };
                rect class=(class) x=(at * width + 1) y=(top) width=(width - 3)
                    height=(height - top) rx="2" {
                    title { (language.day(day.day.date())) ": " (words) }
                }
            }
        }
        (legend(days, language))
        details {
            summary { (say("Hari demi hari", "Day by day")) }
            div class="scroll" tabindex="0" role="region"
                aria-label=(say("Kontak hari demi hari", "Contacts day by day")) {
                table {
                    thead { tr {
                        th scope="col" { (say("Tanggal", "Date")) }
                        th scope="col" { (say("Kontak", "Contact")) }
                    } }
                    tbody {
                        @for day in days.iter().rev() {
                            tr { th scope="row" { (language.day(day.day.date())) }
                                td { (look(day, language).1) } }
                        }
                    }
                }
            }
        }
    }
}
