//! Contacts become rhythms and days; the hub's own absence is nobody's.

use super::*;
use crate::dataset::watch::{AWAY_MIN_MS, DAYS_KEPT};
use crate::dataset::{Away, Heard, IncidentKind, Narahubung, Stick, Watch as _};
use crate::registry::{LinkState, Registry as _};
use crate::rhythm::{Day, Freshness, FreshnessCounts, Way};

const HOUR_MS: i64 = 3_600_000;
const DAY_MS: i64 = 24 * HOUR_MS;
/// 08.00 in East Java on 24 November 2026.
const MORNING_MS: i64 = 1_795_453_200_000 + 8 * HOUR_MS;

impl Store {
    fn note(&self, code: u64, note: ContactNote) {
        self.dataset.note_contacts(&[(village(code), note)]).unwrap();
    }

    fn came(&self, at_ms: i64) {
        self.note(BAKUNG, ContactNote { at_ms, visits: 1, ..ContactNote::default() });
    }

    fn heard(&self) -> Heard {
        let heard = self.dataset.heard().unwrap();
        assert_eq!(heard.len(), 3, "every registered village, heard of or not");
        heard.into_iter().find(|heard| heard.village == village(BAKUNG)).unwrap()
    }

    fn gaps_hours(&self) -> Vec<i64> {
        self.heard().gaps.iter_ms().map(|gap_ms| gap_ms / HOUR_MS).collect()
    }
}

#[test]
fn silences_become_gaps_and_an_open_line_has_none() {
    let store = Store::new();
    for minutes in 0..120 {
        store.came(MORNING_MS + minutes * 60_000);
    }
    assert!(store.heard().gaps.is_empty());
    store.came(MORNING_MS + DAY_MS);
    store.came(MORNING_MS + 3 * DAY_MS);
    let store = store.reopen();
    assert_eq!(store.gaps_hours(), [22, 48]);
    assert_eq!(store.heard().last_ms(), MORNING_MS + 3 * DAY_MS);
}

#[test]
fn what_is_no_contact_ends_no_silence() {
    let store = Store::new();
    store.came(MORNING_MS);
    let trouble = ContactNote {
        trouble: Some("disk_hub".to_owned()),
        trouble_ms: MORNING_MS + DAY_MS,
        ..ContactNote::default()
    };
    store.note(BAKUNG, trouble);
    let unproven = ContactNote {
        at_ms: MORNING_MS + DAY_MS,
        stick: Some(Stick::default()),
        ..ContactNote::default()
    };
    store.note(BAKUNG, unproven);
    assert!(store.heard().gaps.is_empty());
    assert_eq!(store.heard().last_ms(), MORNING_MS);
    store.came(MORNING_MS + 2 * DAY_MS);
    assert_eq!(store.gaps_hours(), [48]);
}

#[test]
fn sticks_have_gaps_too_and_say_the_way() {
    let store = Store::new();
    let stick = |at_ms| ContactNote {
        at_ms,
        proven: Some(Seq(1)),
        stick: Some(Stick::default()),
        ..ContactNote::default()
    };
    store.came(MORNING_MS);
    assert_eq!(store.heard().way(), Way::Link);
    store.note(BAKUNG, stick(MORNING_MS + 7 * DAY_MS));
    store.note(BAKUNG, stick(MORNING_MS + 14 * DAY_MS));
    assert_eq!(store.gaps_hours(), [7 * 24, 7 * 24]);
    let heard = store.heard();
    assert_eq!(heard.way(), Way::Stick);
    let on_day = |days: i64| heard.freshness(false, MORNING_MS + (14 + days) * DAY_MS);
    assert_eq!((on_day(3), on_day(12)), (Freshness::Segar, Freshness::Terlambat));
    let days = store.dataset.contact_days(village(BAKUNG), Day::of(MORNING_MS)).unwrap();
    let sticks: Vec<_> = days.iter().map(|day| (day.hours_in_touch(), day.sticks)).collect();
    assert_eq!(sticks, [(1, 0), (0, 1), (0, 1)]);
}

#[test]
fn the_hubs_own_absence_is_taken_off() {
    let store = Store::new();
    assert_eq!(store.dataset.hub_awake(MORNING_MS).unwrap(), None);
    store.came(MORNING_MS);
    let soon_ms = MORNING_MS + AWAY_MIN_MS - 1;
    assert_eq!(store.dataset.hub_awake(soon_ms).unwrap(), None);
    let back_ms = MORNING_MS + 60 * HOUR_MS;
    let away = Away { from_ms: soon_ms, until_ms: back_ms };
    assert_eq!(store.dataset.hub_awake(back_ms).unwrap(), Some(away));
    store.came(back_ms + 60_000);
    assert!(store.heard().gaps.is_empty(), "it could not have come");
    // An absence that is told twice, and in parts, counts once.
    store.dataset.note_away(away).unwrap();
    store.dataset.note_away(Away { until_ms: away.until_ms - HOUR_MS, ..away }).unwrap();
    assert_eq!(store.dataset.aways(0).unwrap(), [away]);
    // A clock that goes back makes no absence.
    assert_eq!(store.dataset.hub_awake(MORNING_MS).unwrap(), None);
    store.dataset.note_away(Away { from_ms: 2, until_ms: 1 }).unwrap();
    assert_eq!(store.dataset.aways(0).unwrap(), [away]);
}

#[test]
fn a_day_gathers_hours_visits_proofs_and_troubles() {
    let store = Store::new();
    store.came(MORNING_MS);
    store.came(MORNING_MS + 30 * 60_000);
    store.note(
        BAKUNG,
        ContactNote {
            at_ms: MORNING_MS + 2 * HOUR_MS,
            proven: Some(Seq(1)),
            ..ContactNote::default()
        },
    );
    let trouble = ContactNote {
        trouble: Some("isi_beda".to_owned()),
        trouble_ms: MORNING_MS + DAY_MS,
        ..ContactNote::default()
    };
    store.note(BAKUNG, trouble);
    let days = store.dataset.contact_days(village(BAKUNG), Day(0)).unwrap();
    assert_eq!(days.len(), 2);
    assert_eq!(days[0].hours, 1 << 8 | 1 << 10);
    assert_eq!((days[0].visits, days[0].proofs, days[0].troubled), (2, 1, false));
    assert!(days[1].troubled && !days[1].has_contact());
    let first = store.dataset.first_contact_day(village(BAKUNG)).unwrap();
    assert_eq!(first, Some(Day::of(MORNING_MS)));
    assert_eq!(store.dataset.first_contact_day(village(LOREJO)).unwrap(), None);
    assert!(store.dataset.contact_days(village(LOREJO), Day(0)).unwrap().is_empty());
    // Of a village that isn't registered nothing is kept.
    store.note(3_505_012_009, ContactNote { at_ms: MORNING_MS, ..ContactNote::default() });
    assert!(store.dataset.contact_days(village(3_505_012_009), Day(0)).unwrap().is_empty());
}

#[test]
fn since_when_a_trouble_is_known_stays_until_it_changes() {
    let store = Store::new();
    let told = |code: &str, trouble_ms| {
        let trouble = Some(code.to_owned());
        store.note(BAKUNG, ContactNote { trouble, trouble_ms, ..ContactNote::default() });
        store.heard().trouble_since_ms
    };
    assert_eq!(told("isi_beda", 5), 5);
    assert_eq!(told("isi_beda", 9), 5);
    assert_eq!(told("disk_hub", 11), 11);
    assert_eq!(told("", 12), 0);
    store.came(MORNING_MS);
    assert_eq!(store.heard().trouble_since_ms, 0);
}

#[test]
fn the_last_look_at_a_day_stays_and_old_days_go() {
    let store = Store::new();
    let keep = |fresh, at_ms| {
        let counts = FreshnessCounts::new([fresh, 1, 2, 3, 248 - 6 - fresh]);
        store.dataset.keep_freshness(&counts, at_ms).unwrap();
    };
    store.came(MORNING_MS);
    keep(100, MORNING_MS);
    keep(120, MORNING_MS + HOUR_MS);
    keep(130, MORNING_MS + DAY_MS);
    let days = store.dataset.freshness_days(Day(0)).unwrap();
    let fresh: Vec<_> = days.iter().map(|(_, counts)| counts.of(Freshness::Segar)).collect();
    assert_eq!(fresh, [120, 130]);
    assert_eq!(days[0].0, Day::of(MORNING_MS));
    assert_eq!(days[0].1.total(), 248);
    keep(140, MORNING_MS + (DAYS_KEPT + 1) * DAY_MS);
    assert_eq!(store.dataset.freshness_days(Day(0)).unwrap().len(), 2);
    assert!(store.dataset.contact_days(village(BAKUNG), Day(0)).unwrap().is_empty());
}

#[test]
fn what_needs_attention_is_read_for_all_at_once() {
    let store = Store::new();
    let someone = Narahubung { nama: "Sari".to_owned(), telepon: "0812000".to_owned() };
    store.dataset.set_narahubung(village(BAKUNG), Some(&someone), 1).unwrap();
    let unknown = store.dataset.set_narahubung(village(3_505_012_009), Some(&someone), 1);
    assert!(matches!(unknown, Err(DatasetError::UnknownVillage(_))));
    store.came(MORNING_MS);
    let link = LinkState { at_ms: 5, clock_ahead_ms: -9, ..LinkState::default() };
    store.dataset.note_link(village(BAKUNG), &link, None).unwrap();
    store.dataset.set_budget(village(BAKUNG), 1_000).unwrap();
    let upkeep = store.dataset.upkeep().unwrap();
    assert_eq!(upkeep.len(), 3);
    let bakung = &upkeep[0];
    assert_eq!(bakung.heard, store.heard());
    assert_eq!((bakung.link, bakung.budget_bytes), (Some(link), 1_000));
    assert_eq!(bakung.narahubung, Some(someone));
    assert_eq!((bakung.certified_until_ms, bakung.quarantine_since_ms), (None, 0));
    assert!(upkeep[1].link.is_none() && upkeep[1].narahubung.is_none());
    store.dataset.set_narahubung(village(BAKUNG), None, 2).unwrap();
    assert_eq!(store.dataset.upkeep().unwrap()[0].narahubung, None);
}

#[test]
fn only_recent_incidents_are_news() {
    let store = Store::new();
    for at_ms in [10, 20] {
        let incident = NewIncident::new(IncidentKind::Rewound, words(&format!("Terjadi {at_ms}.")));
        store.dataset.note_incident(village(BAKUNG), &incident, at_ms).unwrap();
    }
    let recent = store.dataset.recent_incidents(11).unwrap();
    assert_eq!(recent.len(), 1);
    assert_eq!(recent[0].sentence, "Terjadi 20.");
}

#[test]
fn a_computer_is_kept_and_its_stops_of_the_last_month_are_counted() {
    use crate::registry::Machine;
    let store = Store::new();
    let told = |day: i64, unclean_stops: u32| {
        let at_ms = day * 24 * 60 * 60 * 1000;
        let machine = Machine {
            at_ms,
            disk_free_bytes: Some(7),
            unclean_stops,
            arch: "riscv64".to_owned(),
            ..Machine::default()
        };
        let link = LinkState { at_ms, round_trip_us: 1_500, ..LinkState::default() };
        store.dataset.note_link(village(BAKUNG), &link, Some(&machine)).unwrap();
        let upkeep = store.dataset.upkeep().unwrap();
        let of = upkeep.into_iter().find(|it| it.heard.village == village(BAKUNG)).unwrap();
        assert_eq!(of.link.unwrap().round_trip_us, 1_500);
        let kept = of.machine.unwrap();
        assert_eq!((kept.disk_free_bytes, kept.arch.as_str()), (Some(7), "riscv64"));
        (kept.unclean_stops, kept.recent_stops)
    };
    // What was counted before the hub knew the node has no date.
    assert_eq!(told(1, 40), (40, 0));
    assert_eq!(told(9, 43), (43, 3));
    assert_eq!(told(30, 45), (45, 5));
    assert_eq!(told(31, 46), (46, 1), "a new month begins");
    assert_eq!(told(40, 2), (2, 0), "another computer");
    // A node that is too old tells nothing: what is known stays.
    store.dataset.note_link(village(BAKUNG), &LinkState::default(), None).unwrap();
    let upkeep = store.dataset.upkeep().unwrap();
    assert!(upkeep.iter().any(|it| it.machine.is_some()));
}
