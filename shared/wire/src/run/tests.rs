use std::sync::Arc;

use lumbung_domain::id::{Kind, RecordId};
use lumbung_domain::record::{Dusun, Record};
use lumbung_ledger::{
    Fingerprint, Header, LogId, Operation, Payload, Salt, Source, block::BlockError,
};
use proptest::prelude::*;

use super::*;
use crate::record;

fn origin() -> Position {
    Position { epoch: Epoch(2), ..Position::origin(LogId([7; 16])) }
}

/// For a reader who knows nobody.
fn pack(
    forms: Forms,
    prev: Position,
    last: Position,
    entries: &[Entry],
    seal: Option<Seal>,
) -> Option<v1::Run> {
    super::pack(forms, &Authors::default(), prev, last, entries, seal)
}

fn verify(run: &v1::Run, expected: Position) -> Result<(Verified, Option<Seal>), BatchError> {
    super::verify(run, &Authors::default(), expected)
}

/// More than both ends of a stream keep.
const CLERKS: [&str; 11] =
    ["kader", "siti", "bu.rahayu", "budi", "tini", "joko", "wati", "agus", "sri", "dewi", "eko"];

fn newest() -> Forms {
    Forms::common(Some(&Forms::offered()))
}

fn entry(seq: u64) -> Entry {
    let nama = format!("DUSUN SUMBER REJO {}", seq % 40);
    Entry {
        header: Header {
            seq: Seq(seq),
            id: RecordId::from_parts(1_790_000_000_000, seq as u16, 99),
            kind: Kind::Dusun.code(),
            schema: 1,
            operation: Operation::Create,
            time_ms: 1_790_000_000_000 + seq as i64,
            actor: Arc::from(CLERKS[seq as usize / 7 % CLERKS.len()]),
            source: Source::MANUAL,
        },
        payload: Payload::Present {
            salt: Salt((seq.wrapping_mul(0x9e37_79b9_7f4a_7c15)).to_le_bytes()),
            bytes: record::encode(&Record::Dusun(Dusun { nama, ..Dusun::default() })),
        },
    }
}

fn log(entries: u64) -> Vec<Entry> {
    (1..=entries).map(entry).collect()
}

fn after(prev: Position, entries: &[Entry]) -> Position {
    let chain = entries.iter().fold(prev.chain, |chain, entry| chain.step(entry).0);
    Position { seq: Seq(prev.seq.0 + entries.len() as u64), chain, ..prev }
}

fn any_forms() -> impl Strategy<Value = Forms> {
    (any::<bool>(), any::<bool>(), any::<bool>()).prop_map(|(columns, dictionary, authors)| Forms {
        slim: true,
        columns,
        dictionary: newest().dictionary.filter(|_| dictionary),
        authors,
    })
}

proptest! {
    #[test]
    fn however_a_log_is_split_it_arrives_the_same(
        sizes in proptest::collection::vec(1_usize..90, 1..8),
        forms in any_forms(),
    ) {
        let entries = log(sizes.iter().sum::<usize>() as u64);
        let (mut at, mut from, mut got) = (origin(), 0, Vec::new());
        let (mut writer, mut reader) = (Authors::default(), Authors::default());
        for size in sizes {
            let some = &entries[from..from + size];
            from += size;
            let last = after(at, some);
            let seal = Seal::of(last, Fingerprint::default(), 3);
            let seal = (from == entries.len()).then_some(seal);
            let run = super::pack(forms, &writer, at, last, some, seal).unwrap();
            let (verified, told) = super::verify(&run, &reader, at).unwrap();
            writer.note_last(some);
            reader.note(&verified.entries.last().unwrap().0.header.actor);
            prop_assert_eq!(verified.last, last);
            prop_assert_eq!(told, seal);
            got.extend(verified.entries.into_iter().map(|(entry, _)| entry));
            at = last;
        }
        prop_assert_eq!(got, entries);
    }

    #[test]
    fn a_changed_byte_is_refused(
        count in 1_u64..60,
        forms in any_forms(),
        at in any::<prop::sample::Index>(),
        flip in 1_u8..,
    ) {
        let entries = log(count);
        let last = after(origin(), &entries);
        let mut run = pack(forms, origin(), last, &entries, None).unwrap();
        let mut payload = run.payload.to_vec();
        let at = at.index(payload.len());
        payload[at] ^= flip;
        run.payload = payload.into();
        // Bits that a frame leaves unused may change without changing it.
        if let Ok((verified, _)) = verify(&run, origin()) {
            let same = verified.entries.into_iter().map(|(entry, _)| entry);
            prop_assert_eq!(same.collect::<Vec<_>>(), entries);
        }
    }
}

#[test]
fn an_author_whom_the_reader_knows_costs_a_byte_whatever_the_name() {
    let by = |name: &str, seq| {
        let mut entry = entry(seq);
        entry.header.actor = Arc::from(name);
        entry
    };
    let change = |name: &str| {
        let (first, second) = ([by(name, 1)], [by(name, 2)]);
        let middle = after(origin(), &first);
        let mut known = Authors::default();
        known.note_last(&first);
        let run = super::pack(newest(), &known, middle, after(middle, &second), &second, None);
        let run = run.unwrap();
        let (verified, _) = super::verify(&run, &known, middle).unwrap();
        assert_eq!(verified.entries.into_iter().map(|(it, _)| it).collect::<Vec<_>>(), second);
        // Whoever knows nobody, or others, is not told a wrong name.
        assert!(verify(&run, middle).is_err());
        let mut others = Authors::default();
        others.note(&Arc::from("orang lain"));
        assert!(matches!(super::verify(&run, &others, middle), Err(BatchError::Chain(_))));
        run.payload.len()
    };
    assert_eq!(change("b"), change("Rahayu Kusumaningtyas Wd"));
}

#[test]
fn a_reader_who_does_not_keep_authors_gets_their_names() {
    let entries = log(1);
    let last = after(origin(), &entries);
    let mut known = Authors::default();
    known.note_last(&entries);
    let forms = Forms { authors: false, ..newest() };
    let run = super::pack(forms, &known, origin(), last, &entries, None).unwrap();
    assert!(verify(&run, origin()).is_ok());
}

#[test]
fn a_run_out_of_turn_is_refused() {
    let entries = log(80);
    let middle = after(origin(), &entries[..40]);
    let last = after(middle, &entries[40..]);
    let run = pack(newest(), middle, last, &entries[40..], None).unwrap();
    assert!(verify(&run, middle).is_ok());
    for elsewhere in [
        origin(),
        after(origin(), &entries[..39]),
        Position { chain: origin().chain, ..middle },
        Position::origin(LogId([8; 16])),
    ] {
        assert!(verify(&run, elsewhere).is_err(), "taken at {elsewhere}");
    }
    let forged = v1::Run { chain: Bytes::copy_from_slice(&middle.chain.0), ..run.clone() };
    assert!(matches!(verify(&forged, middle), Err(BatchError::Chain(_))));
    for length in [0, 15, 17] {
        let odd = v1::Run { chain: vec![1; length].into(), ..run.clone() };
        assert!(matches!(verify(&odd, middle), Err(BatchError::Position)));
        let odd = v1::Run { seal: vec![1; length.max(1)].into(), ..run.clone() };
        assert!(matches!(verify(&odd, middle), Err(BatchError::Position)));
    }
}

#[test]
fn an_epoch_moves_on_and_never_back() {
    let entries = log(2);
    let later = Position { epoch: Epoch(5), ..after(origin(), &entries) };
    let run = pack(newest(), origin(), later, &entries, None).unwrap();
    assert_eq!(verify(&run, origin()).unwrap().0.last, later);
    let earlier = v1::Run { epoch: 1, ..run };
    assert!(matches!(verify(&earlier, origin()), Err(BatchError::Chain(_))));
}

#[test]
fn a_batch_names_its_dictionary_and_an_unknown_one_is_refused() {
    let entries = log(1);
    let last = after(origin(), &entries);
    let run = pack(newest(), origin(), last, &entries, None).unwrap();
    assert_eq!(run.dictionary, newest().dictionary.map(dictionary::Dictionary::id));
    assert!(verify(&run, origin()).is_ok());
    let unknown = v1::Run { dictionary: Some(4_711), ..run.clone() };
    assert_eq!(verify(&unknown, origin()).unwrap_err(), BatchError::Dictionary(4_711));
    // Guessing another than the named one must not pass either.
    let none = v1::Run { dictionary: Some(0), ..run };
    assert!(verify(&none, origin()).is_err());
}

#[test]
fn every_dictionary_that_was_ever_given_out_still_reads_its_batches() {
    let entries = log(3);
    let last = after(origin(), &entries);
    for id in dictionary::ids() {
        let forms = Forms { dictionary: dictionary::find(id), ..newest() };
        let run = pack(forms, origin(), last, &entries, None).unwrap();
        assert_eq!(run.dictionary, Some(id));
        assert_eq!(verify(&run, origin()).unwrap().0.last, last);
    }
}

#[test]
fn without_common_forms_nothing_is_columns_or_dictionary() {
    let plain = Forms { slim: true, ..Forms::default() };
    let entries = log(100);
    let last = after(origin(), &entries);
    let run = pack(plain, origin(), last, &entries, None).unwrap();
    assert_eq!(run.dictionary, Some(0));
    let block = codec::inflate(&run.payload, None).unwrap();
    assert_eq!(&block[..3], b"LB\x01");
    let run = pack(newest(), origin(), last, &entries, None).unwrap();
    assert_eq!(&codec::inflate(&run.payload, None).unwrap()[..3], b"LB\x02");
}

#[test]
fn a_frame_that_swells_is_refused_before_it_does() {
    let swollen = vec![0; 64 * 1024 * 1024];
    let bomb = Bytes::from(zstd::bulk::compress(&swollen, 1).unwrap()).slice(4..);
    let last = after(origin(), &log(1));
    let mut run = v1::Run {
        payload: bomb,
        chain: Bytes::copy_from_slice(&last.chain.0),
        dictionary: Some(0),
        ..v1::Run::default()
    };
    assert_eq!(verify(&run, origin()).unwrap_err(), BatchError::TooLarge);
    // One that says nothing about its size, and one that is none.
    run.payload = Bytes::from_static(&[0x00, 0x58, 0x01, 0x00, 0x00]);
    assert_eq!(verify(&run, origin()).unwrap_err(), BatchError::Damaged);
    run.payload = Bytes::new();
    assert_eq!(verify(&run, origin()).unwrap_err(), BatchError::Damaged);
    run.dictionary = None;
    let cut_off = BatchError::Block(BlockError::Truncated);
    assert_eq!(verify(&run, origin()).unwrap_err(), cut_off);
}
