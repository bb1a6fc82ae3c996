//! How fresh villages were, day by day: a small drawing, and its table.

use std::fmt::Write as _;

use maud::{Markup, html};

use super::language::Language;
use super::tile::Look;
use crate::rhythm::{Day, Freshness, FreshnessCounts};

/// Days that are drawn.
pub(super) const DAYS: i64 = 60;

/// Width of a day, in the units of the drawing, and its height.
const DAY: i64 = 10;
const HEIGHT: i64 = 100;

/// The drawing, with what it shows in words; nothing when little is known.
pub(super) fn draw(days: &[(Day, FreshnessCounts)], language: Language) -> Markup {
    let (Some((first, then)), Some((last, now))) = (days.first(), days.last()) else {
        return html! {};
    };
    if first == last {
        return html! {};
    }
    let words = language.say("Segar", "Fresh");
    let to = language.say("menjadi", "to");
    let text = format!(
        "{words}: {} ({}) {to} {} ({}).",
        then.of(Freshness::Segar),
        language.day(first.date()),
        now.of(Freshness::Segar),
        language.day(last.date())
    );
    html! {
        figure class="trend" {
            svg viewBox=(format!("0 0 {} {HEIGHT}", DAYS * DAY)) role="img" aria-label=(text)
                preserveAspectRatio="none" {
                @for (class, path) in bars(days, *last) {
                    path class=(format!("f{}", Look::of_class(class).letter())) d=(path) {}
                }
            }
            figcaption {
                (text)
                ul class="legend" aria-label=(language.say("Arti warna, dari bawah ke atas",
                    "What the colours mean, from the bottom up")) {
                    @for look in Freshness::ALL.map(Look::of_class) {
                        li { (look.mark()) " " (language.of(look.words())) }
                    }
                }
            }
        }
    }
}

/// The same in figures, newest first.
pub(super) fn table(days: &[(Day, FreshnessCounts)], language: Language) -> Markup {
    let title = language.say("Kesegaran hari demi hari", "Freshness day by day");
    html! {
        details {
            summary { (language.say("Sebagai tabel", "As a table")) }
            div class="scroll" tabindex="0" role="region" aria-label=(title) {
                table {
                    thead { tr {
                        th scope="col" { (language.say("Tanggal", "Date")) }
                        @for class in Freshness::ALL {
                            th scope="col" class="n" {
                                (language.of(Look::of_class(class).words()))
                            }
                        }
                    } }
                    tbody {
                        @for (day, counts) in days.iter().rev() {
                            tr {
                                th scope="row" { (language.day(day.date())) }
                                @for class in Freshness::ALL {
                                    td class="n" { (language.count(counts.of(class).into())) }
                                }
                            }
                        }
                    }
                }
            }
        }
    }
}

/// For each class all its bars in one path, stacked from the freshest.
fn bars(days: &[(Day, FreshnessCounts)], last: Day) -> Vec<(Freshness, String)> {
    let mut paths: Vec<_> =
        Freshness::ALL.into_iter().map(|class| (class, String::new())).collect();
    for (day, counts) in days {
        let left = (DAYS - 1 - (last.0 - day.0)) * DAY;
        let total = i64::from(counts.total()).max(1);
        let mut below = 0;
        for (class, path) in &mut paths {
            let count = i64::from(counts.of(*class));
            let (from, to) = (below * HEIGHT / total, (below + count) * HEIGHT / total);
            below += count;
            if left >= 0 && to > from {
                let (top, width, height) = (HEIGHT - to, DAY - 1, to - from);
                // Writing to a String can't fail.
                let _ = write!(path, "M{left} {top}h{width}v{height}h-{width}z");
            }
        }
    }
    paths.retain(|(_, path)| !path.is_empty());
    paths
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bars_stand_on_each_other_and_fill_the_day() {
        let days = [(Day(100), FreshnessCounts::new([1, 1, 0, 0, 2]))];
        let bars = bars(&days, Day(100));
        let left = (DAYS - 1) * DAY;
        let expected = [
            (Freshness::Segar, format!("M{left} 75h9v25h-9z")),
            (Freshness::Terlambat, format!("M{left} 50h9v25h-9z")),
            (Freshness::BelumTerdaftar, format!("M{left} 0h9v50h-9z")),
        ];
        assert_eq!(bars, expected);
    }

    #[test]
    fn one_day_is_no_trend_yet() {
        let day = (Day(100), FreshnessCounts::new([1, 0, 0, 0, 0]));
        assert_eq!(draw(&[day], Language::Indonesian).into_string(), "");
        let two = [(Day(99), day.1), day];
        assert!(draw(&two, Language::English).into_string().contains("Fresh: 1"));
    }
}
