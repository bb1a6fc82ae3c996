//! Reasons for situations put together from parts.

use lumbung_domain::region::Desa;

use super::*;
use crate::dataset::Upkeep;
use crate::live::{Disk, Live, Phase};
use crate::outlook::Stored;
use crate::outlook::tests::{NOW_MS, upkeep};
use crate::puller::trouble::Trouble;
use crate::registry::{LinkState, Machine};
use crate::rhythm::{DAY_MS, HOUR_MS};

fn kecamatan(number: usize) -> Vec<&'static Desa> {
    let code = roster().kecamatan()[number].code;
    roster().villages_of(code).collect()
}

fn reasons(upkeep: Vec<Upkeep>, live: &Live) -> Reasons {
    let aways = Vec::new();
    let incidents = Vec::new();
    live.update_hub(|hub| {
        hub.started_ms = NOW_MS - DAY_MS;
        hub.backup_ms = Some(NOW_MS - HOUR_MS);
    });
    Reasons::of(&Outlook::at(Stored { upkeep, incidents, aways }, live, NOW_MS))
}

fn codes(reasons: &Reasons) -> Vec<(&'static str, Severity)> {
    reasons.needs.iter().map(|need| (need.code, need.severity)).collect()
}

fn one(change: impl FnOnce(&mut Upkeep)) -> Reasons {
    let mut of = upkeep(kecamatan(0)[0], HOUR_MS);
    change(&mut of);
    reasons(vec![of], &Live::default())
}

#[test]
fn a_village_in_good_order_needs_nobody() {
    let reasons = one(|_| {});
    assert!(reasons.needs.is_empty(), "{:?}", reasons.needs);
    let line = reasons.line(kecamatan(0)[0].code).unwrap();
    assert_eq!(line.id, "Tidak tersambung selama 1 jam; itu biasa (sampai 16 jam).");
    assert_eq!(reasons.line(kecamatan(0)[1].code).unwrap().id, "Belum terdaftar.");
}

#[test]
fn a_village_whose_computer_is_turned_away_is_told_of_and_not_called_silent() {
    for silent_ms in [0, 40 * DAY_MS] {
        let reasons = one(|of| {
            of.heard.contact_ms -= silent_ms;
            (of.certified_until_ms, of.revoked_ms) = (None, NOW_MS - 5_000);
        });
        let [need] = &reasons.needs[..] else { panic!("{:?}", reasons.needs) };
        assert_eq!((need.code, need.severity), ("kunci_dicabut", Severity::Act));
        assert_eq!(need.since_ms, NOW_MS - 5_000);
        assert!(need.what.id.contains("dicabut") && need.todo.id.starts_with("Buat token"));
        let line = reasons.line(kecamatan(0)[0].code).unwrap();
        assert_eq!(line.id, need.what.id, "the village's own line says it too");
    }
}

#[test]
fn who_has_joined_and_sent_nothing_is_not_offered_a_token() {
    let told = |certified_until_ms| {
        let reasons = one(|of| {
            (of.heard.contact_ms, of.heard.stick_ms) = (0, 0);
            of.certified_until_ms = certified_until_ms;
        });
        let need = reasons.needs.iter().find(|need| need.code == "belum_pernah");
        let todo = &need.unwrap().todo;
        [todo.id.clone(), todo.en.clone()]
    };
    let [id, en] = told(None);
    assert!(id.starts_with("Buat token") && en.starts_with("Make a token"), "{id} {en}");
    // A token for whoever has a computer is refused, or turns it away.
    let [id, en] = told(Some(NOW_MS + 40 * DAY_MS));
    assert!(id.contains("tidak perlu. Minta desa menyalakan"), "{id}");
    assert!(en.starts_with("No new token"), "{en}");
}

#[test]
fn silence_is_advice_first_and_an_act_later() {
    let silent = |days| one(|of| of.heard.contact_ms = NOW_MS - days * DAY_MS);
    assert_eq!(codes(&silent(2)), [("desa_diam", Severity::Advice)]);
    let reasons = silent(4);
    assert_eq!(codes(&reasons), [("desa_diam", Severity::Act)]);
    let need = &reasons.needs[0];
    assert_eq!(need.since_ms, NOW_MS - 4 * DAY_MS);
    assert!(need.what.id.contains("selama 4 hari; biasanya paling lama 16 jam"), "{need:?}");
    assert!(need.message.as_ref().unwrap().starts_with("Yth. Bapak/Ibu perangkat desa, "));
    assert_eq!(need.key(), format!("desa_diam:{}", kecamatan(0)[0].code.as_u64()));
}

#[test]
fn a_contact_is_greeted_by_name_and_called() {
    let reasons = one(|of| {
        of.heard.contact_ms = NOW_MS - 9 * DAY_MS;
        let (nama, telepon) = ("Sari".to_owned(), "0812000".to_owned());
        of.narahubung = Some(Narahubung { nama, telepon });
    });
    let need = &reasons.needs[0];
    assert!(need.message.as_ref().unwrap().starts_with("Yth. Bapak/Ibu Sari, "));
    assert_eq!(need.call.as_ref().unwrap().telepon, "0812000");
    assert!(!format!("{need:?}").contains("0812000"), "a log of it names nobody to call");
}

#[test]
fn weekly_sticks_are_asked_for_after_the_second_missed_meeting() {
    let stick = |days| {
        one(|of| {
            (of.heard.contact_ms, of.heard.stick_ms) = (0, NOW_MS - days * DAY_MS);
        })
    };
    assert!(stick(8).needs.is_empty());
    let line = stick(8).line(kecamatan(0)[0].code).unwrap().id.clone();
    assert!(line.starts_with("Datang lewat stik, terakhir "), "{line}");
    let reasons = stick(15);
    assert_eq!(codes(&reasons), [("desa_diam", Severity::Act)]);
    assert!(reasons.needs[0].message.as_ref().unwrap().contains("pertemuan berikutnya"));
}

#[test]
fn every_trouble_has_its_need_and_is_the_line() {
    for trouble in Trouble::ALL {
        let reasons = one(|of| {
            trouble.code().clone_into(&mut of.trouble);
            of.heard.trouble_since_ms = NOW_MS - HOUR_MS;
        });
        assert_eq!(codes(&reasons), [(trouble.code(), Severity::Act)]);
        assert_eq!(reasons.needs[0].since_ms, NOW_MS - HOUR_MS);
        let line = reasons.line(kecamatan(0)[0].code).unwrap();
        assert_eq!(line.id, trouble.sentence());
        assert!(line.en.ends_with('.') && reasons.needs[0].todo.id.ends_with('.'));
    }
}

#[test]
fn bounds_decide_between_advice_and_act() {
    let act = |reasons: &Reasons| reasons.to_act().count() == 1;
    let quarantine =
        |ago_ms| one(|of| (of.quarantined, of.quarantine_since_ms) = (2, NOW_MS - ago_ms));
    assert!(act(&quarantine(DAY_MS)) && !act(&quarantine(HOUR_MS)));
    let clock = |clock_ahead_ms| {
        one(|of| of.link = Some(LinkState { clock_ahead_ms, ..LinkState::default() }))
    };
    assert!(clock(299_000).needs.is_empty());
    assert_eq!(codes(&clock(-300_000)), [("jam", Severity::Advice)]);
    assert!(act(&clock(2 * DAY_MS)) && act(&clock(i64::MIN)));
    let budget = |spent_today_bytes| {
        one(|of| {
            of.budget_bytes = 100;
            of.link = Some(LinkState { spent_today_bytes, ..LinkState::default() });
        })
    };
    assert!(budget(99).needs.is_empty());
    assert_eq!(codes(&budget(100)), [("kuota", Severity::Advice)]);
    assert!(act(&one(|of| of.leftovers = 3)));
    let aside = one(|of| (of.damaged, of.damaged_since_ms) = (1, NOW_MS - DAY_MS));
    assert_eq!(codes(&aside), [("berkas_rusak", Severity::Advice)]);
    assert_eq!(aside.needs[0].since_ms, NOW_MS - DAY_MS);
    let findings = |ago_ms| one(|of| (of.findings, of.findings_since_ms) = (3, NOW_MS - ago_ms));
    assert_eq!(codes(&findings(3 * DAY_MS - 1)), [("temuan", Severity::Advice)]);
    assert_eq!(codes(&findings(3 * DAY_MS)), [("temuan", Severity::Act)]);
    let computer = |free: Option<u64>, recent_stops| {
        one(|of| {
            let disk_free_bytes = free;
            of.machine = Some(Machine { disk_free_bytes, recent_stops, ..Machine::default() });
        })
    };
    assert!(
        computer(None, 4).needs.is_empty() && computer(Some(2_000_000_000), 0).needs.is_empty()
    );
    let low = computer(Some(1_900_000_000), 0);
    assert_eq!(codes(&low), [("disk_desa_penuh", Severity::Advice)]);
    assert!(low.needs[0].message.as_ref().unwrap().contains("1900 MB"));
    assert_eq!(codes(&computer(Some(499_000_000), 0)), [("disk_desa_penuh", Severity::Act)]);
    assert_eq!(codes(&computer(None, 5)), [("sering_mati", Severity::Advice)]);
    let never = one(|of| of.heard.contact_ms = 0);
    assert_eq!(codes(&never), [("belum_pernah", Severity::Advice)]);
}

#[test]
fn a_hub_without_a_new_backup_is_not_well() {
    let backup = |first_ago_ms: i64, backup_ms: Option<i64>| {
        let live = Live::default();
        live.update_hub(|hub| {
            (hub.backup_ms, hub.first_started_ms) = (backup_ms, NOW_MS - first_ago_ms);
        });
        codes(&Reasons::of(&Outlook::at(Stored::default(), &live, NOW_MS)))
    };
    let need = [("cadangan_hub", Severity::Act)];
    assert_eq!(backup(DAY_MS - 1, None), []);
    assert_eq!(backup(DAY_MS, None), need, "a restart of the hub gives no new grace");
    assert_eq!(backup(90 * DAY_MS, Some(NOW_MS - 2 * DAY_MS + 1)), []);
    assert_eq!(backup(90 * DAY_MS, Some(NOW_MS - 2 * DAY_MS)), need);
}

#[test]
fn a_certificate_is_late_only_for_a_village_that_could_renew_it() {
    let desa = kecamatan(0)[0];
    let mut of = upkeep(desa, HOUR_MS);
    of.certified_until_ms = Some(NOW_MS + 8 * DAY_MS);
    let live = Live::default();
    assert_eq!(codes(&reasons(vec![of.clone()], &live)), [("sertifikat", Severity::Advice)]);
    live.update(desa.code, |live| live.phase = Phase::Live);
    assert_eq!(codes(&reasons(vec![of], &live)), [("sertifikat", Severity::Act)]);
}

#[test]
fn a_kecamatan_that_falls_silent_together_is_one_need() {
    let desa = kecamatan(0);
    let half = desa.len().div_ceil(2);
    let silent = |count: usize, ago: fn(i64) -> i64| {
        let of = |(at, desa): (usize, &&'static Desa)| {
            upkeep(desa, if at < count { ago(at as i64) } else { HOUR_MS })
        };
        // An open line elsewhere: the hub's own is not to blame.
        let live = Live::default();
        live.update(kecamatan(5)[0].code, |live| live.phase = Phase::Live);
        reasons(desa.iter().enumerate().map(of).collect(), &live)
    };
    let together = silent(half, |at| 4 * DAY_MS + at * 60_000);
    assert_eq!(codes(&together), [("kecamatan_diam", Severity::Act)]);
    let need = &together.needs[0];
    assert_eq!(need.villages.len(), half);
    assert!(need.what.id.contains(roster().kecamatan()[0].name), "{}", need.what.id);
    let line = together.line(desa[0].code).unwrap();
    assert!(line.id.starts_with("Diam bersama desa lain"), "{}", line.id);
    assert_eq!(together.of_village(desa[0].code).count(), 1);
    // Fewer, or one after another, are villages of their own.
    let fewer = silent(half - 1, |at| 4 * DAY_MS + at * 60_000);
    assert_eq!(fewer.needs.len(), half - 1);
    let apart = silent(half, |at| 4 * DAY_MS + at * DAY_MS);
    assert!(apart.needs.iter().all(|need| need.code == "desa_diam"));
}

#[test]
fn the_hubs_own_line_is_blamed_only_when_all_break_at_once() {
    let all = roster().villages();
    let live = Live::default();
    let broken = |ago: fn(i64) -> i64| {
        let of = |(at, desa): (usize, &'static Desa)| upkeep(desa, ago(at as i64));
        reasons(all.iter().take(40).enumerate().map(of).collect(), &live)
    };
    let at_once = broken(|at| 30 * HOUR_MS + at * 1_000);
    assert_eq!(codes(&at_once), [("hub_terputus", Severity::Act)]);
    assert_eq!(at_once.needs[0].villages.len(), 40);
    let line = &at_once.line(all[0].code).unwrap().id;
    assert!(line.contains("internet kabupaten"), "{line}");
    // Offices close one after another.
    let one_by_one = broken(|at| HOUR_MS + at * 5 * 60_000);
    assert!(one_by_one.needs.is_empty(), "{:?}", codes(&one_by_one));
    // One line that is open proves that the hub's is.
    live.update(all[200].code, |live| live.phase = Phase::Live);
    let with_one = broken(|at| 30 * HOUR_MS + at * 1_000);
    assert!(with_one.needs.iter().all(|need| need.code != "hub_terputus"));
}

#[test]
fn a_hub_that_has_just_started_blames_nobody() {
    let all = roster().villages();
    let live = Live::default();
    live.update_hub(|hub| hub.started_ms = NOW_MS - 60_000);
    let upkeep = all.iter().take(40).map(|desa| upkeep(desa, HOUR_MS)).collect();
    let outlook = Outlook::at(Stored { upkeep, ..Stored::default() }, &live, NOW_MS);
    assert!(Reasons::of(&outlook).needs.is_empty());
}

#[test]
fn what_must_be_done_comes_first_and_the_oldest_of_it() {
    let desa = kecamatan(1);
    let mut late = upkeep(desa[0], 2 * DAY_MS);
    late.findings = 1;
    let (gone, long_gone) = (upkeep(desa[1], 9 * DAY_MS), upkeep(desa[2], 30 * DAY_MS));
    let live = Live::default();
    let disk = Disk { free_bytes: 1_500_000_000, total_bytes: 500_000_000_000 };
    live.update_hub(|hub| hub.disk = Some(disk));
    let reasons = reasons(vec![late, gone, long_gone], &live);
    let order: Vec<_> = reasons.needs.iter().map(|need| (need.code, need.place)).collect();
    assert_eq!(order[0], ("disk_hub_penuh", Place::Hub));
    assert_eq!(order[1], ("desa_diam", Place::Village(desa[2].code)));
    assert_eq!(order[2], ("desa_diam", Place::Village(desa[1].code)));
    assert!(reasons.needs[3..].iter().all(|need| need.severity == Severity::Advice));
}

#[test]
fn what_a_restored_hub_left_aside_is_told_until_it_is_gone() {
    let live = Live::default();
    assert!(reasons(Vec::new(), &live).needs.is_empty());
    live.update_hub(|hub| hub.set_aside = 2);
    let reasons = reasons(Vec::new(), &live);
    let [need] = &reasons.needs[..] else { panic!("{:?}", reasons.needs) };
    assert_eq!((need.code, need.severity), ("sisa_pulih_hub", Severity::Advice));
    assert!(need.what.id.contains("2 folder") && need.what.en.contains("erased records"));
}

#[test]
fn maintenance_covers_what_lies_within() {
    let village = Place::Village(kecamatan(0)[0].code);
    let kecamatan = Place::Kecamatan(kecamatan(0)[0].kecamatan);
    for (place, scope, covered) in [
        (village, 0, true),
        (village, village.code(), true),
        (village, kecamatan.code(), true),
        (kecamatan, village.code(), false),
        (kecamatan, kecamatan.code(), true),
        (Place::Hub, kecamatan.code(), false),
        (Place::Hub, 0, true),
    ] {
        assert_eq!(place.is_within(scope), covered, "{place:?} {scope}");
    }
}
