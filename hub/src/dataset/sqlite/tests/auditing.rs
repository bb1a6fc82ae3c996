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
    conn.execute("DELETE FROM audit WHERE seq = 2", []).unwrap();
    assert_eq!(store.dataset.check_audit().unwrap(), AuditCheck::BrokenAt(2));
}
