//! The drawings. Each is hidden from screen readers or named in words; the
//! table beside it says the same.

use maud::{Markup, html};

use super::super::language::Language;
use super::group;
use crate::dataset::search::Ages;

/// Width of one side of the pyramid, in units of the drawing.
const SIDE: u64 = 200;

/// Height of one group.
const STEP: usize = 20;

/// Room for the ages between the sides.
const MIDDLE: u64 = 60;

/// Room for the figures beside the longest bars.
const MARGIN: u64 = 48;

/// Men to the left, women to the right, the young at the foot.
pub(super) fn pyramid(language: Language, ages: &Ages) -> Markup {
    let most = ages.groups.iter().map(|(men, women)| *men.max(women)).max().unwrap_or(0);
    let width = |count: u32| u64::from(count) * SIDE / u64::from(most.max(1));
    let height = Ages::GROUPS * STEP;
    let label = language.say(
        "Piramida umur: laki-laki di kiri, perempuan di kanan, yang muda di bawah. Angkanya di tabel.",
        "Age pyramid: men left, women right, the young at the foot. Figures are in the table.",
    );
    html! {
        svg class="pyramid" role="img" aria-label=(label)
            viewBox=(format!("-{MARGIN} 0 {} {}", 2 * (SIDE + MARGIN) + MIDDLE, height + STEP + 4)) {
            text x=(SIDE) y="14" text-anchor="end" { (language.say("Laki-laki", "Male")) }
            text x=(SIDE + MIDDLE) y="14" { (language.say("Perempuan", "Female")) }
            @for ((men, women), number) in ages.groups.iter().zip(0..) {
                @let y = STEP + (Ages::GROUPS - 1 - number) * STEP;
                rect class="men" x=(SIDE - width(*men)) y=(y + 1) width=(width(*men)) height=(STEP - 2) {}
                rect class="women" x=(SIDE + MIDDLE) y=(y + 1) width=(width(*women))
                    height=(STEP - 2) {}
                (figure(language, i64::try_from(SIDE - width(*men)).unwrap_or(0) - 5, y, "end", *men))
                (figure(language, i64::try_from(SIDE + MIDDLE + width(*women)).unwrap_or(0) + 5, y, "start", *women))
                text x=(SIDE + MIDDLE / 2) y=(y + 15) text-anchor="middle" { (group(number)) }
            }
        }
    }
}

/// How many, beside its bar.
fn figure(language: Language, x: i64, y: usize, anchor: &str, count: u32) -> Markup {
    html! {
        text class="count" x=(x) y=(y + 14) text-anchor=(anchor) { (language.count(count.into())) }
    }
}

/// A bar of so many tenths of a percent.
pub(in crate::console) fn bar(tenths: u64) -> Markup {
    html! {
        svg class="bar" aria-hidden="true" viewBox="0 0 1000 100" preserveAspectRatio="none" {
            rect class="trough" x="0" y="0" width="1000" height="100" {}
            rect class="filled" x="0" y="0" width=(tenths.min(1000)) height="100" {}
        }
    }
}
