//! What people have been told survives a restart, with its letters.

use super::*;
use crate::dataset::{Alerts as _, KnownAlert, Letter, Maintenance};

fn letter(channel: &str, made_ms: i64) -> Letter {
    Letter {
        number: 0,
        channel: channel.to_owned(),
        subject: "Perlu tindakan".to_owned(),
        body: "Isi".to_owned(),
        made_ms,
        attempts: 0,
    }
}

#[test]
fn letters_wait_until_they_are_done() {
    let store = Store::new();
    let known = KnownAlert {
        key: "desa_diam:3505012001".to_owned(),
        since_ms: 1,
        seen_ms: 2,
        told_ms: 2,
        extent: 1,
    };
    let letters = [letter("surel", 2), letter("webhook", 2)];
    store.dataset.settle_alerts(std::slice::from_ref(&known), &letters).unwrap();
    let store = store.reopen();
    assert_eq!(store.dataset.known_alerts().unwrap(), [known]);
    assert!(store.dataset.letters_due(1).unwrap().is_empty());
    let due = store.dataset.letters_due(2).unwrap();
    let channels: Vec<_> = due.iter().map(|letter| letter.channel.as_str()).collect();
    assert_eq!(channels, ["surel", "webhook"]);
    store.dataset.letter_done(due[0].number).unwrap();
    store.dataset.letter_failed(due[1].number, 100).unwrap();
    assert!(store.dataset.letters_due(99).unwrap().is_empty());
    assert_eq!(store.dataset.letters_waiting().unwrap(), 1);
    assert_eq!(store.dataset.letters_due(100).unwrap()[0].attempts, 1);
    // What is over is forgotten, its letters are not.
    store.dataset.settle_alerts(&[], &[]).unwrap();
    assert!(store.dataset.known_alerts().unwrap().is_empty());
    assert_eq!(store.dataset.letters_waiting().unwrap(), 1);
}

#[test]
fn maintenance_ends_by_itself_or_earlier() {
    let store = Store::new();
    let window = |until_ms| Maintenance {
        number: 0,
        scope: 350_501,
        from_ms: 0,
        until_ms,
        reason: "listrik".to_owned(),
    };
    let first = store.dataset.add_maintenance(&window(100)).unwrap();
    let second = store.dataset.add_maintenance(&window(50)).unwrap();
    let going = |now_ms| -> Vec<i64> {
        store.dataset.maintenance(now_ms).unwrap().iter().map(|it| it.number).collect()
    };
    assert_eq!(going(10), [second, first]);
    assert_eq!(going(60), [first]);
    assert!(store.dataset.end_maintenance(first, 70).unwrap());
    assert!(!store.dataset.end_maintenance(first, 71).unwrap());
    assert!(going(71).is_empty());
}
