//! Random histories: whatever happens to records, in whatever batches it
//! comes, the sum proves the content.

use std::collections::BTreeMap;

use lumbung_ledger::Fingerprint;
use lumbung_ledger::fingerprint::content_hash;
use proptest::prelude::*;

use super::*;

#[derive(Clone, Copy, Debug)]
enum Step {
    Write,
    Garble,
    Withhold,
    Delete,
}

fn any_step() -> impl Strategy<Value = (u64, Step, u8)> {
    let step = prop_oneof![
        5 => Just(Step::Write),
        1 => Just(Step::Garble),
        1 => Just(Step::Withhold),
        2 => Just(Step::Delete),
    ];
    (0_u64..9, step, any::<u8>())
}

/// What the node would hold: the content of each living record.
type Model = BTreeMap<u64, (KindCode, Option<Bytes>)>;

fn draft(model: &mut Model, (number, step, salt): (u64, Step, u8)) -> Draft {
    let name = format!("CONTOH {salt}");
    let (kind, bytes) = match number % 3 {
        0 => {
            let nik = if salt < 100 { NIK } else { "" };
            let message = v1::Warga { nama: name, ..warga(nik) };
            (Kind::Warga.code(), message.encode_to_vec())
        }
        1 => {
            let message = v1::RumahTangga { alamat: name, ..rumah_tangga() };
            (Kind::RumahTangga.code(), message.encode_to_vec())
        }
        _ => (FUTURE, name.into_bytes()),
    };
    let lives = model.contains_key(&number);
    let operation = match step {
        Step::Delete => Operation::Delete,
        _ if lives => Operation::Update,
        _ => Operation::Create,
    };
    let bytes = match step {
        Step::Write => Some(Bytes::from(bytes)),
        Step::Garble => Some(Bytes::from(vec![0xff, salt])),
        Step::Withhold => None,
        Step::Delete => Some(Bytes::new()),
    };
    match step {
        Step::Delete => model.remove(&number),
        _ => model.insert(number, (kind, bytes.clone())),
    };
    Draft { id: id(number), kind, operation, bytes }
}

fn sum(model: &Model) -> Fingerprint {
    let mut sum = Fingerprint::default();
    for (number, (kind, bytes)) in model {
        if let Some(bytes) = bytes {
            sum += content_hash(id(*number), *kind, 1, bytes);
        }
    }
    sum
}

/// Every entry in quarantine is counted, and told where somebody waits for it.
fn check_quarantine(store: &Store, log: &Log) -> Result<(), TestCaseError> {
    let dataset = &store.dataset;
    let entries = dataset.quarantine(&Scope::whole()).unwrap();
    let told = entries.iter().filter(|entry| {
        let change = dataset.quarantined_change(&Scope::whole(), entry.number).unwrap();
        !change.unwrap().is_withheld()
    });
    prop_assert_eq!(store.state(log).quarantined, told.count() as u64);
    let conn = Connection::open(store.path()).unwrap();
    let counted: i64 =
        conn.query_row("SELECT sum(quarantined) FROM village", [], |row| row.get(0)).unwrap();
    prop_assert_eq!(counted.cast_unsigned(), entries.len() as u64);
    Ok(())
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(40))]

    #[test]
    fn the_sum_is_that_of_the_content_however_it_came(
        batches in proptest::collection::vec(
            (proptest::collection::vec(any_step(), 1..8), any::<bool>()), 1..12),
    ) {
        let store = Store::new();
        let mut log = Log::new(BAKUNG);
        let mut model = Model::new();
        let mut waiting = Vec::new();
        let count = batches.len();
        for (place, (steps, commit)) in batches.into_iter().enumerate() {
            let drafts: Vec<_> = steps.into_iter().map(|step| draft(&mut model, step)).collect();
            waiting.push(log.batch(drafts));
            if commit || place + 1 == count {
                let merged = store.merge(&waiting);
                waiting.clear();
                let merged = merged.last().unwrap();
                prop_assert_eq!(merged.fingerprint, sum(&model));
                prop_assert_eq!(merged.records, model.len() as u64);
            }
        }
        // What can't be released stays; a second try of everything, and the
        // whole history once more, change nothing.
        for entry in store.dataset.quarantine(&Scope::whole()).unwrap() {
            let change = store.dataset.quarantined_change(&Scope::whole(), entry.number).unwrap().unwrap();
            store.dataset.release(entry.number, &decode::again(change), 2).unwrap();
        }
        let store = store.reopen();
        let state = store.state(&log);
        prop_assert_eq!(state.fingerprint, sum(&model));
        prop_assert_eq!(state.records, model.len() as u64);
        let counted = store.dataset.facts(&Scope::whole(), log.village).unwrap();
        prop_assert_eq!(state.rumah_tangga, counted.houses.len() as u64);
        prop_assert_eq!(state.warga, counted.unplaced + counted.residents.len() as u64);
        check_quarantine(&store, &log)?;
    }

    #[test]
    fn a_history_that_comes_twice_changes_nothing(
        steps in proptest::collection::vec(any_step(), 1..40),
    ) {
        let store = Store::new();
        let mut log = Log::new(BAKUNG);
        let mut model = Model::new();
        let drafts: Vec<_> = steps.into_iter().map(|step| draft(&mut model, step)).collect();
        let batch = log.batch(drafts);
        let first = store.merge(std::slice::from_ref(&batch))[0];
        store.dataset.resume_at(log.village, batch.prev).unwrap();
        let second = store.merge(&[batch])[0];
        prop_assert_eq!(second.fingerprint, first.fingerprint);
        prop_assert_eq!(second.records, first.records);
        check_quarantine(&store, &log)?;
    }
}
