//! Notices: queued for whom they reach, delivered once per log, counted from
//! the villages' own receipts.

use jiff::civil::{Date, date};
use lumbung_domain::informasi::Sasaran;
use lumbung_ledger::Epoch;

use super::*;
use crate::dataset::notices::{Addressee, DeliveryState, NoticeDelivered, Notices as _, Reach};
use crate::notices::{Draft, NoticeError, correct, create, message_for, one, withdraw};

const TODAY: Date = date(2026, 11, 24);

fn draft(judul: &str) -> Draft {
    Draft {
        judul: judul.to_owned(),
        isi: "Isi informasi.".to_owned(),
        kategori: None,
        terbit: Some(TODAY),
        berlaku_sampai: Some(date(2026, 12, 1)),
    }
}

fn log() -> (LogId, Epoch) {
    (LogId([1; 16]), Epoch(1))
}

fn to(code: u64) -> Addressee<'static> {
    Addressee { village: village(code), log: Some(log()), software: "1.0" }
}

impl Store {
    fn made(&self, sasaran: Vec<Sasaran>) -> i64 {
        create(&self.dataset, draft("Contoh"), sasaran, "penguji", 5).unwrap().number
    }

    fn due(&self, to: Addressee<'_>) -> Vec<(i64, u32)> {
        let due = self.dataset.due_notices(to, 0, TODAY, 10).unwrap();
        due.iter().map(|due| (due.number, due.informasi.versi)).collect()
    }

    fn answered(&self, to: Addressee<'_>, number: i64, version: u32, kept: bool) {
        let delivered = [NoticeDelivered { number, version, kept }];
        self.dataset.note_deliveries(to, &delivered, 7).unwrap();
    }

    fn reach(&self, number: i64) -> Reach {
        one(&self.dataset, number).unwrap().listed.reach
    }

    fn delivery(&self, number: i64, code: u64) -> DeliveryState {
        let detail = one(&self.dataset, number).unwrap();
        detail.villages.iter().find(|it| it.village == village(code)).unwrap().state
    }
}

#[test]
fn a_notice_waits_for_the_villages_it_reaches_and_no_other() {
    let store = Store::new();
    let number = store.made(vec![Sasaran::Desa(village(BAKUNG)), Sasaran::Desa(village(LOREJO))]);
    let store = store.reopen();
    assert_eq!(store.due(to(BAKUNG)), [(number, 1)]);
    assert_eq!(store.due(to(SIDOMULYO)), []);
    assert_eq!(store.dataset.villages_waiting(TODAY).unwrap(), [BAKUNG, LOREJO].map(village));
    assert_eq!(store.dataset.villages_waiting(date(2027, 1, 1)).unwrap(), [], "its day has passed");
    assert_eq!(store.reach(number), Reach { targeted: 2, ..Reach::default() });

    store.answered(to(BAKUNG), number, 1, true);
    assert_eq!(store.due(to(BAKUNG)), []);
    assert_eq!(store.reach(number).delivered, 1);
    // A village that went back in time gets it again, without being asked.
    let back = Addressee { log: Some((log().0, Epoch(2))), ..to(BAKUNG) };
    assert_eq!(store.due(back), [(number, 1)]);
    assert_eq!(store.delivery(number, BAKUNG), DeliveryState::Delivered);
}

#[test]
fn a_kecamatan_is_all_its_villages_joined_or_not() {
    let store = Store::new();
    let kecamatan = village(BAKUNG).kecamatan();
    let created =
        create(&store.dataset, draft("Semua"), vec![Sasaran::Kecamatan(kecamatan)], "x", 5);
    let created = created.unwrap();
    let detail = one(&store.dataset, created.number).unwrap();
    assert_eq!(detail.villages.len(), created.villages);
    assert!(created.villages > 3, "{created:?}");
    assert!(detail.villages.iter().all(|it| it.village.kecamatan() == kecamatan));
}

#[test]
fn a_node_that_is_too_old_is_asked_again_with_other_software() {
    let store = Store::new();
    let number = store.made(vec![Sasaran::Desa(village(BAKUNG))]);
    store.answered(to(BAKUNG), number, 1, false);
    assert_eq!(store.delivery(number, BAKUNG), DeliveryState::NodeTooOld);
    assert_eq!(store.due(to(BAKUNG)), []);
    let updated = Addressee { software: "2.0", ..to(BAKUNG) };
    assert_eq!(store.due(updated), [(number, 1)]);
    store.answered(updated, number, 1, true);
    assert_eq!(store.delivery(number, BAKUNG), DeliveryState::Delivered);
}

#[test]
fn a_new_version_waits_again_and_an_old_answer_does_not_count_for_it() {
    let store = Store::new();
    let number = store.made(vec![Sasaran::Desa(village(BAKUNG))]);
    store.answered(to(BAKUNG), number, 1, true);
    correct(&store.dataset, number, draft("Ralat"), "penguji", 6).unwrap();
    assert_eq!(store.due(to(BAKUNG)), [(number, 2)]);
    store.answered(to(BAKUNG), number, 1, true);
    assert_eq!(store.due(to(BAKUNG)), [(number, 2)]);
    withdraw(&store.dataset, number, "lain", 7).unwrap();
    let due = store.dataset.due_notices(to(BAKUNG), 0, TODAY, 10).unwrap();
    assert!(due[0].informasi.ditarik && due[0].informasi.versi == 3);
    assert_eq!(due[0].informasi.judul, "Ralat");
    let refused = correct(&store.dataset, number, draft("Lagi"), "penguji", 8);
    assert!(matches!(refused, Err(NoticeError::Withdrawn)));
    assert!(matches!(withdraw(&store.dataset, 99, "x", 8), Err(NoticeError::Unknown(99))));
}

#[test]
fn receipts_are_counted_from_the_villages_records() {
    let store = Store::new();
    let number = store.made(vec![Sasaran::Desa(village(BAKUNG)), Sasaran::Desa(village(LOREJO))]);
    let notice = one(&store.dataset, number).unwrap().listed.notice.informasi.id;
    let receipt = |versi, rt: Option<u64>, dibaca_ms| v1::TandaTerima {
        informasi_id: Bytes::copy_from_slice(notice.as_bytes()),
        versi,
        rt_id: rt.map_or_else(Bytes::new, |rt| Bytes::copy_from_slice(id(rt).as_bytes())),
        diterima_ms: 100,
        dibaca_ms,
    };
    let kind = Kind::TandaTerima;
    let mut bakung = Log::new(BAKUNG);
    store.merge(&[bakung.batch([super::create(1, kind, &receipt(1, None, 0))])]);
    assert_eq!(store.reach(number), Reach { targeted: 2, delivered: 1, read: 0 });
    assert_eq!(store.dataset.villages_waiting(TODAY).unwrap(), [village(LOREJO)]);
    store.merge(&[bakung.batch([
        super::create(2, kind, &receipt(1, Some(700), 200)),
        super::create(3, kind, &receipt(1, Some(701), 300)),
    ])]);
    assert_eq!(store.reach(number), Reach { targeted: 2, delivered: 1, read: 1 });
    let detail = one(&store.dataset, number).unwrap();
    let here = &detail.villages[0];
    assert_eq!((here.received_ms, here.read_ms, here.rt_read), (100, None, 2));
    store.merge(&[bakung.batch([update(1, kind, &receipt(1, None, 400))])]);
    assert_eq!(one(&store.dataset, number).unwrap().villages[0].read_ms, Some(400));

    // What was read before a correction says nothing about it; a withdrawal
    // changes no word.
    withdraw(&store.dataset, number, "x", 9).unwrap();
    assert_eq!(store.reach(number), Reach { targeted: 2, delivered: 0, read: 1 });
    let other = store.made(vec![Sasaran::Desa(village(BAKUNG))]);
    correct(&store.dataset, other, draft("Ralat"), "x", 9).unwrap();
    assert_eq!(store.reach(other).read, 0);
}

#[test]
fn what_may_not_be_sent_is_refused_whole() {
    let store = Store::new();
    let sasaran = vec![Sasaran::Desa(village(BAKUNG))];
    let bad = Draft { isi: format!("Penerima {NIK}"), ..draft("Bansos") };
    let refused = create(&store.dataset, bad, sasaran, "x", 5).unwrap_err();
    assert!(refused.sentence().contains("16 angka"), "{}", refused.sentence());
    assert!(!refused.sentence().contains(NIK));
    let nowhere = vec![Sasaran::Desa(village(9_901_012_001))];
    let refused = create(&store.dataset, draft("Contoh"), nowhere, "x", 5);
    assert!(matches!(refused, Err(NoticeError::NoVillage)));
    assert_eq!(store.dataset.notices(i64::MAX, 10).unwrap(), []);
}

#[test]
fn a_village_is_not_told_of_other_villages_rt() {
    let (here, there) = (village(BAKUNG), village(LOREJO));
    let store = Store::new();
    let sasaran = vec![Sasaran::Rt(here, id(1)), Sasaran::Rt(there, id(2))];
    let number = store.made(sasaran);
    let notice = one(&store.dataset, number).unwrap().listed.notice.informasi;
    let message = message_for(here, &notice);
    assert_eq!(message.target.len(), 1);
    assert_eq!(message.target[0].rt, id(1).as_bytes()[..]);
}

#[test]
fn what_has_not_come_waits_since_it_was_written() {
    use crate::dataset::Watch as _;
    let store = Store::new();
    let waiting = |code: u64| {
        let upkeep = store.dataset.upkeep().unwrap();
        let of = upkeep.iter().find(|it| it.heard.village == village(code)).unwrap();
        (of.notices_waiting, of.notices_since_ms)
    };
    let sent = |judul: &str, until: Option<Date>, at_ms| {
        let draft = Draft { berlaku_sampai: until, terbit: Some(date(2020, 1, 1)), ..draft(judul) };
        create(&store.dataset, draft, vec![Sasaran::Desa(village(BAKUNG))], "x", at_ms)
            .unwrap()
            .number
    };
    assert_eq!(waiting(BAKUNG), (0, 0));
    let (first, second) = (sent("Satu", None, 5), sent("Dua", None, 9));
    sent("Lewat", Some(date(2020, 1, 2)), 1);
    assert_eq!((waiting(BAKUNG), waiting(LOREJO)), ((2, 5), (0, 0)));
    store.answered(to(BAKUNG), first, 1, true);
    assert_eq!(waiting(BAKUNG), (1, 9));
    store.answered(to(BAKUNG), second, 1, false);
    assert_eq!(waiting(BAKUNG), (1, 9), "a node that is too old has not got it");
    let draft = Draft { berlaku_sampai: None, ..draft("Ralat") };
    correct(&store.dataset, first, draft, "x", 12).unwrap();
    assert_eq!(waiting(BAKUNG), (2, 9));
}

#[test]
fn those_that_are_wanted_are_found_behind_any_number_of_others() {
    let store = Store::new();
    let own = |informasi: &lumbung_domain::informasi::Informasi| {
        informasi.sasaran == [Sasaran::Desa(village(BAKUNG))]
    };
    let list = |limit| {
        let listed = crate::notices::list(&store.dataset, own, limit).unwrap();
        listed.iter().map(|it| it.notice.number).collect::<Vec<_>>()
    };
    let mut wanted: Vec<_> =
        (0..3).map(|_| store.made(vec![Sasaran::Desa(village(BAKUNG))])).collect();
    for _ in 0..7 {
        store.made(vec![Sasaran::Desa(village(LOREJO))]);
    }
    wanted.push(store.made(vec![Sasaran::Desa(village(BAKUNG))]));
    wanted.reverse();
    assert_eq!(list(2), wanted[..2]);
    assert_eq!(list(3), wanted[..3]);
    assert_eq!((list(4), list(200)), (wanted.clone(), wanted));
}
