//! Who is here on a day, told by the population events.
//!
//! The resident's own status says how things stand today. A recap for an
//! earlier day needs the events: whoever moved away in May was still here in
//! March.

use jiff::civil::Date;

use crate::code_list::{Code, Peristiwa, StatusDasar};

/// Whether an event leaves the resident here or away; `None` for event codes
/// this version doesn't know.
fn leaves_here(event: Code<Peristiwa>) -> Option<bool> {
    match event {
        Code::<Peristiwa>::LAHIR | Code::<Peristiwa>::PINDAH_MASUK => Some(true),
        Code::<Peristiwa>::MATI
        | Code::<Peristiwa>::PINDAH_KELUAR
        | Code::<Peristiwa>::HILANG
        | Code::<Peristiwa>::PERGI => Some(false),
        _ => None,
    }
}

/// Whether a resident is alive and here on day `t`.
///
/// The last event on or before `t` decides. Without one, the first event
/// after `t` decides the other way round: who leaves later was here, who
/// arrives later was not. Without any event the status of today decides;
/// blank reads as alive. Events may come in any order; of several on one day
/// a death counts as the last, otherwise the later in the slice. Whether the
/// resident was born by then is for [`rumah_tangga_vector`] to see.
///
/// [`rumah_tangga_vector`]: super::rumah_tangga_vector
#[must_use]
pub fn hadir_pada(
    status_dasar: Option<Code<StatusDasar>>,
    events: &[(Date, Code<Peristiwa>)],
    t: Date,
) -> bool {
    let mut before: Option<(Date, bool, bool)> = None;
    let mut after: Option<(Date, bool)> = None;
    for (day, event) in events {
        let Some(here) = leaves_here(*event) else {
            continue;
        };
        if *day > t {
            if after.is_none_or(|(first, _)| *day < first) {
                after = Some((*day, !here));
            }
            continue;
        }
        let death = *event == Code::<Peristiwa>::MATI;
        if before.is_none_or(|(last, last_death, _)| (*day, death) >= (last, last_death)) {
            before = Some((*day, death, here));
        }
    }
    match (before, after) {
        (Some((_, _, here)), _) => here,
        (None, Some((_, here))) => here,
        (None, None) => status_dasar.is_none_or(|status| status == Code::<StatusDasar>::HIDUP),
    }
}

/// Whether a resident is known to be dead on day `t`: by an event, or by the
/// status when no event tells the day.
#[must_use]
pub fn wafat_pada(
    status_dasar: Option<Code<StatusDasar>>,
    events: &[(Date, Code<Peristiwa>)],
    t: Date,
) -> bool {
    let mut deaths =
        events.iter().filter(|(_, event)| *event == Code::<Peristiwa>::MATI).peekable();
    if deaths.peek().is_none() {
        return status_dasar == Some(Code::<StatusDasar>::MATI);
    }
    deaths.any(|(day, _)| *day <= t)
}

#[cfg(test)]
mod tests {
    use jiff::civil::date;

    use super::*;

    const LAHIR: Code<Peristiwa> = Code::<Peristiwa>::LAHIR;
    const MATI: Code<Peristiwa> = Code::<Peristiwa>::MATI;
    const KELUAR: Code<Peristiwa> = Code::<Peristiwa>::PINDAH_KELUAR;
    const MASUK: Code<Peristiwa> = Code::<Peristiwa>::PINDAH_MASUK;
    const HILANG: Code<Peristiwa> = Code::<Peristiwa>::HILANG;
    const PERGI: Code<Peristiwa> = Code::<Peristiwa>::PERGI;
    const HIDUP: Option<Code<StatusDasar>> = Some(Code::<StatusDasar>::HIDUP);
    const DEAD: Option<Code<StatusDasar>> = Some(Code::<StatusDasar>::MATI);

    #[test]
    fn events_decide_before_the_status_does() {
        let t = date(2026, 6, 30);
        let (may, june, july, august) = (date(2026, 5, 2), t, date(2026, 7, 1), date(2026, 8, 9));
        for (status, events, here) in [
            (None, vec![], true),
            (HIDUP, vec![], true),
            (DEAD, vec![], false),
            (Some(Code::<StatusDasar>::PINDAH), vec![], false),
            (DEAD, vec![(july, MATI)], true),
            (DEAD, vec![(june, MATI)], false),
            (HIDUP, vec![(may, MATI)], false),
            (HIDUP, vec![(july, MASUK)], false),
            (HIDUP, vec![(june, MASUK)], true),
            (HIDUP, vec![(july, LAHIR)], false),
            (Some(Code::<StatusDasar>::PINDAH), vec![(july, KELUAR)], true),
            (HIDUP, vec![(may, KELUAR), (june, MASUK)], true),
            (HIDUP, vec![(june, MASUK), (may, KELUAR)], true),
            (HIDUP, vec![(may, PERGI), (august, MASUK)], false),
            (HIDUP, vec![(august, MASUK), (july, HILANG)], true),
            (HIDUP, vec![(may, LAHIR), (may, MATI)], false),
            (HIDUP, vec![(may, MATI), (may, LAHIR)], false),
            (HIDUP, vec![(may, Code::from_wire(77).unwrap())], true),
        ] {
            assert_eq!(hadir_pada(status, &events, t), here, "{status:?} {events:?}");
        }
    }

    #[test]
    fn a_death_is_known_from_its_day_on() {
        let day = date(2026, 5, 2);
        assert!(wafat_pada(DEAD, &[], day));
        assert!(!wafat_pada(HIDUP, &[(day, KELUAR)], day));
        assert!(wafat_pada(None, &[(day, MATI)], day));
        assert!(!wafat_pada(DEAD, &[(day, MATI)], date(2026, 5, 1)));
    }
}
