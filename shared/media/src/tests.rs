//! Formats against damage: whatever is cut off or changed is refused.

use std::io::Cursor;
use std::sync::{Arc, LazyLock};

use bytes::Bytes;
use lumbung_domain::id::{KindCode, RecordId};
use lumbung_identity::Key;
use lumbung_ledger::fingerprint::Fingerprint;
use lumbung_ledger::{
    Entry, Header, LogId, Operation, Payload, Position, Salt, Seq, Source, block,
};
use lumbung_proto::v1;
use lumbung_wire::batch;
use proptest::prelude::*;

use super::*;
use crate::frame::Frames;

const VILLAGE: u64 = 3_505_012_001;

/// Batches of ten entries from the origin of a log.
fn batches(count: u64) -> (Position, Fingerprint, Vec<v1::Batch>) {
    let mut prev = Position::origin(LogId([7; 16]));
    let mut sum = Fingerprint::default();
    let mut batches = Vec::new();
    for _ in 0..count {
        let entry = |number| Entry {
            header: Header {
                seq: Seq(prev.seq.0 + number),
                id: RecordId::from_parts(1_700_000_000_000, 0, prev.seq.0 + number),
                kind: KindCode(4711),
                schema: 1,
                operation: Operation::Create,
                time_ms: 1_700_000_000_000,
                actor: Arc::from("uji"),
                source: Source::MANUAL,
            },
            payload: Payload::Present { salt: Salt([1; 8]), bytes: Bytes::from_static(b"isi") },
        };
        let entries: Vec<_> = (1..=10).map(entry).collect();
        let chain = entries.iter().fold(prev.chain, |chain, entry| chain.step(entry).0);
        for hash in entries.iter().filter_map(Entry::content_hash) {
            sum += hash;
        }
        let last = Position { seq: Seq(prev.seq.0 + 10), chain, ..prev };
        batches.push(batch::pack(prev, last, 10, block::encode(&entries).unwrap()));
        prev = last;
    }
    (prev, sum, batches)
}

fn backup_header(head: Position, sum: Fingerprint) -> v1::BackupHeader {
    v1::BackupHeader {
        village: VILLAGE,
        head: Some(batch::position_to_wire(head)),
        fingerprint: Bytes::copy_from_slice(&sum.to_bytes()),
        records: head.seq.0,
        time_ms: 1,
        software: "0".to_owned(),
        epochs: Vec::new(),
    }
}

fn backup(protection: &Protection) -> Vec<u8> {
    let (head, sum, batches) = batches(3);
    let out = Cursor::new(Vec::new());
    let mut writer = BackupWriter::begin(out, &backup_header(head, sum), protection).unwrap();
    for batch in &batches {
        writer.batch(batch).unwrap();
    }
    writer.finish(&SIGNER).unwrap().0.into_inner()
}

/// Entries of a backup that proves itself to its end.
fn read_backup(file: &[u8], keys: Keys<'_>) -> Result<usize, MediaError> {
    let mut reader = BackupReader::open(file, file.len() as u64, keys)?;
    let mut entries = 0;
    while let Some(batch) = reader.next_batch()? {
        entries += batch.entries.len();
    }
    assert_eq!(reader.head().seq.0, entries as u64);
    Ok(entries)
}

static SIGNER: LazyLock<Key> = LazyLock::new(|| Key::generate().unwrap());

fn bundle(to: PublicKey) -> Vec<u8> {
    let (head, sum, batches) = batches(3);
    let fingerprint = Bytes::copy_from_slice(&sum.to_bytes());
    let to_wire = batch::position_to_wire(head);
    let header = v1::BundleHeader {
        village: VILLAGE,
        from: batches[0].prev.clone(),
        to: Some(to_wire.clone()),
        fingerprint: fingerprint.clone(),
        records: head.seq.0,
        number: 4,
        ..Default::default()
    };
    let mut writer = BundleWriter::begin(Cursor::new(Vec::new()), &header, to).unwrap();
    for batch in &batches {
        writer.batch(batch).unwrap();
    }
    for seq in 1..=2 {
        let returned = vec![v1::Returned { seq, ..v1::Returned::default() }];
        writer.receipt(&v1::ReturnedReceipt { returned }).unwrap();
    }
    let records = head.seq.0;
    let end =
        v1::BundleEnd { position: Some(to_wire), fingerprint, records, ..v1::BundleEnd::default() };
    writer.finish(&end, &SIGNER).unwrap().into_inner()
}

static KEY: LazyLock<SecretKey> = LazyLock::new(SecretKey::generate);
static BACKUP: LazyLock<Vec<u8>> =
    LazyLock::new(|| backup(&Protection { recipients: vec![KEY.public()], passphrase: None }));
static BUNDLE: LazyLock<Vec<u8>> = LazyLock::new(|| bundle(KEY.public()));
static ANSWER: LazyLock<Vec<u8>> = LazyLock::new(|| {
    let header = v1::AnswerHeader { village: VILLAGE, ..Default::default() };
    let parcels = [Bytes::from_static(b"satu"), Bytes::from_static(b"dua")];
    let out = Cursor::new(Vec::new());
    write_answer(out, &header, &parcels, KEY.public(), &SIGNER).unwrap().into_inner()
});

/// Reads a medium of any kind to its end.
fn read(kind: MediumKind, file: &[u8]) -> Result<(), MediaError> {
    let length = file.len() as u64;
    match kind {
        MediumKind::Backup => read_backup(file, Keys::Secret(&KEY)).map(drop),
        MediumKind::Bundle => Bundle::read(file, length, &KEY).map(drop),
        MediumKind::Answer => Answer::read(file, length, &KEY).map(drop),
        MediumKind::HubBackup => HubBackupReader::open(file, length, Keys::Secret(&KEY))?
            .unpack(|_| Ok(std::io::sink()))
            .map(drop),
    }
}

fn media() -> [(MediumKind, &'static [u8]); 3] {
    [(MediumKind::Backup, &BACKUP), (MediumKind::Bundle, &BUNDLE), (MediumKind::Answer, &ANSWER)]
}

#[test]
fn what_is_written_is_read_back() {
    for (kind, file) in media() {
        read(kind, file).unwrap();
    }
    assert_eq!(read_backup(&BACKUP, Keys::Secret(&KEY)).unwrap(), 30);
    let bundle = Bundle::read(&BUNDLE[..], BUNDLE.len() as u64, &KEY).unwrap();
    assert_eq!((bundle.from.seq, bundle.to.seq, bundle.batches.len()), (Seq(0), Seq(30), 3));
    assert_eq!(bundle.returned.iter().map(|told| told.seq).collect::<Vec<_>>(), [1, 2]);
    let stranger = Key::generate().unwrap().public();
    assert!(bundle.is_signed_by(&SIGNER.public()) && !bundle.is_signed_by(&stranger));
    let answer = Answer::read(&ANSWER[..], ANSWER.len() as u64, &KEY).unwrap();
    assert_eq!(answer.parcels, ["satu", "dua"]);
    assert!(answer.is_signed_by(&SIGNER.public()) && !answer.is_signed_by(&stranger));
}

#[test]
fn a_passphrase_opens_a_backup_and_only_the_right_one() {
    let passphrase = Passphrase::new("padi di lumbung").unwrap();
    let file = backup(&Protection { recipients: vec![], passphrase: Some(passphrase.clone()) });
    assert_eq!(read_backup(&file, Keys::Passphrase(&passphrase)).unwrap(), 30);
    let wrong = Passphrase::new("padi di sawah!").unwrap();
    let read = |file, keys| read_backup(file, keys);
    assert!(matches!(read(&file, Keys::Passphrase(&wrong)), Err(MediaError::WrongPassphrase)));
    assert!(matches!(read(&file, Keys::Secret(&KEY)), Err(MediaError::OtherKey)));
    assert!(matches!(read(&BACKUP, Keys::Passphrase(&wrong)), Err(MediaError::NoPassphrase)));
}

#[test]
fn a_backup_can_be_sealed_anew_for_a_village_without_its_passphrase() {
    let passphrase = Passphrase::new("padi di lumbung").unwrap();
    let protection = Protection { recipients: vec![], passphrase: Some(passphrase.clone()) };
    let old = BackupReader::open(&BACKUP[..], BACKUP.len() as u64, Keys::Secret(&KEY)).unwrap();
    let anew = reseal(old, Cursor::new(Vec::new()), &protection).unwrap().into_inner();
    assert_eq!(read_backup(&anew, Keys::Passphrase(&passphrase)).unwrap(), 30);
}

#[test]
fn a_backup_keeps_its_signer_when_it_is_sealed_anew() {
    let signer = |file: &[u8]| {
        let mut reader = BackupReader::open(file, file.len() as u64, Keys::Secret(&KEY)).unwrap();
        while reader.next_batch().unwrap().is_some() {}
        reader.signer().map(|key| key.0)
    };
    assert_eq!(signer(&BACKUP), Some(SIGNER.public().0));
    let protection = Protection { recipients: vec![KEY.public()], passphrase: None };
    let old = BackupReader::open(&BACKUP[..], BACKUP.len() as u64, Keys::Secret(&KEY)).unwrap();
    let anew = reseal(old, Cursor::new(Vec::new()), &protection).unwrap().into_inner();
    assert_eq!(signer(&anew), Some(SIGNER.public().0));

    // As older versions wrote them.
    let (head, sum, batches) = batches(3);
    let out = Cursor::new(Vec::new());
    let mut writer = BackupWriter::begin(out, &backup_header(head, sum), &protection).unwrap();
    batches.iter().for_each(|batch| writer.batch(batch).unwrap());
    assert_eq!(signer(&writer.finish_anew(None).unwrap().into_inner()), None);
}

#[test]
fn a_signature_that_does_not_fit_its_backup_is_refused() {
    let (head, sum, batches) = batches(3);
    let out = Cursor::new(Vec::new());
    let protection = Protection { recipients: vec![KEY.public()], passphrase: None };
    let mut writer = BackupWriter::begin(out, &backup_header(head, sum), &protection).unwrap();
    batches.iter().for_each(|batch| writer.batch(batch).unwrap());
    let signature = SIGNER.sign(b"another backup").unwrap().into();
    let key = SIGNER.public().0.to_vec().into();
    let forged = writer.finish_anew(Some(&v1::MediumSignature { key, signature })).unwrap();
    let refused = read_backup(&forged.into_inner(), Keys::Secret(&KEY));
    assert!(matches!(refused, Err(MediaError::Damaged("the signature does not fit"))));
}

#[test]
fn each_kind_is_refused_in_place_of_another() {
    for (kind, _) in media() {
        for (other, file) in media() {
            let refused = matches!(read(kind, file), Err(MediaError::OtherKind));
            assert_eq!(refused, kind != other);
        }
    }
}

#[test]
fn a_batch_left_out_is_noticed() {
    let (head, sum, batches) = batches(3);
    for missing in 0..3 {
        let protection = Protection { recipients: vec![KEY.public()], passphrase: None };
        let out = Cursor::new(Vec::new());
        let mut writer = BackupWriter::begin(out, &backup_header(head, sum), &protection).unwrap();
        for (_, batch) in batches.iter().enumerate().filter(|(at, _)| *at != missing) {
            writer.batch(batch).unwrap();
        }
        let file = writer.finish(&SIGNER).unwrap().0.into_inner();
        assert!(read_backup(&file, Keys::Secret(&KEY)).is_err(), "without batch {missing}");
    }
}

#[test]
fn every_cut_is_refused_as_a_cut() {
    for (kind, file) in media() {
        for length in 0..file.len() {
            let outcome = read(kind, &file[..length]);
            assert!(matches!(outcome, Err(MediaError::CutOff)), "{kind:?} cut at {length}");
        }
    }
}

#[test]
fn a_frame_that_only_a_later_version_writes_says_so() {
    let mut frames = Frames::new(&[200, 1, 0, 0, 0, 7][..], b"");
    assert!(matches!(frames.read(), Err(MediaError::NewerVersion)));
}

#[test]
fn something_appended_is_refused() {
    for (kind, file) in media() {
        assert!(read(kind, &[file, b"x"].concat()).is_err());
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(400))]

    #[test]
    fn a_changed_byte_is_refused(at in any::<prop::sample::Index>(), flip in 1_u8..=255) {
        for (kind, file) in media() {
            let mut file = file.to_vec();
            let at = at.index(file.len());
            file[at] ^= flip;
            prop_assert!(read(kind, &file).is_err(), "{:?} at {}", kind, at);
        }
    }

    #[test]
    fn a_locked_key_that_changed_is_refused_by_the_district_too(
        at in 10_usize..300,
        flip in 1_u8..=255,
    ) {
        static FILE: LazyLock<Vec<u8>> = LazyLock::new(|| {
            let passphrase = Passphrase::new("padi di lumbung");
            backup(&Protection { recipients: vec![KEY.public()], passphrase })
        });
        let mut file = FILE.clone();
        file[at] ^= flip;
        prop_assert!(read(MediumKind::Backup, &file).is_err());
    }

    #[test]
    fn noise_never_panics(noise in proptest::collection::vec(any::<u8>(), 0..600)) {
        for (kind, file) in media() {
            let noisy = [&file[..10], &noise].concat();
            prop_assert!(read(kind, &noisy).is_err());
        }
    }
}
