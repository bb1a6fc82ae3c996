//! The audit log is only added to, and shows it when somebody goes behind it.

use super::*;
use crate::access::audit::{Act, AuditCheck, AuditLog as _, AuditNote};

fn note(words: &str) -> AuditNote {
    let (operator, subject) = ("kepala".to_owned(), "35.05.01.2001".to_owned());
    AuditNote { operator, act: Act::Held, subject, words: words.to_owned() }
}

#[test]
fn entries_can_neither_be_changed_nor_cut() {
    let store = Store::new();
    for words in ["satu", "dua", "tiga"] {
        store.dataset.note(&note(words), 1_000).unwrap();
    }
    let AuditCheck::Whole(head) = store.dataset.check_audit().unwrap() else { panic!("broken") };
    assert_eq!((head.seq, head), (3, store.dataset.audit_head().unwrap()));
    assert_eq!(store.dataset.audit_head_at(3).unwrap(), Some(head));
    assert_eq!(store.dataset.audit_head_at(4).unwrap(), None);

    let conn = Connection::open(store.dataset.path()).unwrap();
    assert!(conn.execute("UPDATE audit SET words = 'lain' WHERE seq = 2", []).is_err());
    assert!(conn.execute("DELETE FROM audit WHERE seq = 3", []).is_err());
    conn.execute_batch("DROP TRIGGER audit_is_never_changed; DROP TRIGGER audit_is_never_cut")
        .unwrap();
    conn.execute("UPDATE audit SET words = 'lain' WHERE seq = 2", []).unwrap();
    assert_eq!(store.dataset.check_audit().unwrap(), AuditCheck::BrokenAt(2));
    assert_eq!(store.dataset.check_audit_on().unwrap(), AuditCheck::BrokenAt(2));
    conn.execute("DELETE FROM audit WHERE seq = 2", []).unwrap();
    assert_eq!(store.dataset.check_audit().unwrap(), AuditCheck::BrokenAt(2));
}

#[test]
fn what_was_walked_is_not_walked_again() {
    let store = Store::new();
    let add = |words| store.dataset.note(&note(words), 1_000).unwrap();
    let on = || store.dataset.check_audit_on().unwrap();
    for words in ["satu", "dua", "tiga"] {
        add(words);
    }
    let head = store.dataset.audit_head().unwrap();
    assert_eq!(on(), AuditCheck::Whole(head));
    let conn = Connection::open(store.dataset.path()).unwrap();
    conn.execute_batch("DROP TRIGGER audit_is_never_changed; DROP TRIGGER audit_is_never_cut")
        .unwrap();
    conn.execute("UPDATE audit SET words = 'lain' WHERE seq = 1", []).unwrap();
    add("empat");
    let head = store.dataset.audit_head().unwrap();
    assert_eq!(on(), AuditCheck::Whole(head), "the first one was read again");
    assert_eq!(store.dataset.check_audit().unwrap(), AuditCheck::BrokenAt(1));
    // What comes after is looked at, and a head that is not the one walked.
    add("lima");
    conn.execute("UPDATE audit SET words = 'lain' WHERE seq = 5", []).unwrap();
    assert_eq!(on(), AuditCheck::BrokenAt(5));
    assert_eq!(on(), AuditCheck::BrokenAt(1), "from the start once it was broken");
}
