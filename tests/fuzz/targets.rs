// What strangers' bytes reach: one function per reader, which must not panic
// and holds what it read against what it promises. Used by the fuzz targets
// beside this file and by `tests/corpus.rs`, which replays a corpus.

use std::io::Cursor;
use std::sync::OnceLock;

use bytes::Bytes;
use jiff::civil::date;
use lumbung_domain::id::{Kind, RecordId};
use lumbung_domain::region::VillageCode;
use lumbung_domain::validation::check_record;
use lumbung_hub::merge::decode;
use lumbung_identity::JoinToken;
use lumbung_ledger::{Entry, LogId, Position, block, line};
use lumbung_media::{
    Answer, BackupReader, BackupWriter, Bundle, BundleWriter, Keys, Protection, SecretKey,
};
use lumbung_node::import;
use lumbung_node::village::census::Census;
use lumbung_proto::v1;
use lumbung_wire::{batch, record, run};
use prost::Message;

/// Reads bytes and holds what it read against what it promises.
pub(crate) type Reader = fn(&[u8]);

/// Every reader, by the name of its corpus.
pub(crate) const ALL: [(&str, Reader); 8] = [
    ("block", block_bytes),
    ("batch", batch_message),
    ("run", run_message),
    ("record", record_payload),
    ("sheet", sheet_file),
    ("token", token_text),
    ("line", sealed_line),
    ("medium", medium_file),
];

/// Where the log of the corpus begins.
pub(crate) const LOG: LogId = LogId([7; 16]);

/// A block of entries, in rows or columns; the hub reads what comes out.
pub(crate) fn block_bytes(data: &[u8]) {
    let Ok(entries) = block::decode(&Bytes::copy_from_slice(data)) else { return };
    let again = block::encode(&entries).map(|bytes| block::decode(&Bytes::from(bytes)));
    assert!(again.is_none_or(|again| again.as_ref() == Ok(&entries)), "another block came back");
    entries.into_iter().for_each(entry);
}

fn entry(entry: Entry) {
    let (seq, id) = (entry.header.seq, entry.header.id);
    let change = decode::change(entry, None);
    assert_eq!((change.seq, change.id), (seq, id));
}

/// A batch as a node sends it.
pub(crate) fn batch_message(data: &[u8]) {
    let Ok(batch) = v1::Batch::decode(data) else { return };
    let expected = batch.prev.as_ref().and_then(batch::position_from_wire);
    let expected = expected.unwrap_or(Position::origin(LOG));
    let count = batch.count as usize;
    if let Ok(verified) = batch::verify(batch, expected) {
        assert_eq!(verified.entries.len(), count);
        verified.entries.into_iter().for_each(|(it, _)| entry(it));
    }
}

/// A run as a node sends it.
pub(crate) fn run_message(data: &[u8]) {
    let Ok(run) = v1::Run::decode(data) else { return };
    let origin = Position::origin(LOG);
    if let Ok((verified, _)) = run::verify(&run, origin) {
        assert_eq!(verified.last.seq.0, verified.entries.len() as u64);
    }
}

/// One record's payload; the first byte says of which kind.
pub(crate) fn record_payload(data: &[u8]) {
    let Some((kind, payload)) = data.split_first() else { return };
    let kind = Kind::ALL[usize::from(*kind) % Kind::ALL.len()];
    let payload = Bytes::copy_from_slice(payload);
    // The hub takes rows its own way.
    drop(decode::row_of(kind, &payload));
    let Ok(read) = record::decode(kind, &payload) else { return };
    drop(check_record(&read, date(2026, 11, 24)));
    let written = record::encode(&read);
    let again = record::decode(kind, &written).expect("what was written can be read");
    // NaN differs from itself; bytes don't.
    assert_eq!(record::encode(&again), written, "another record came back");
}

/// A sheet of residents, and the plan made of it.
pub(crate) fn sheet_file(data: &[u8]) {
    let Ok(sheet) = import::read_sheet("warga.csv", data) else { return };
    let mut census = Census::new();
    let mut number = 0;
    let mut mint = || {
        number += 1;
        RecordId::from_parts(1_790_000_000_000, 0, number)
    };
    let today = date(2026, 11, 24);
    let plan = import::plan(&sheet, &mut census, &mut mint, today);
    drop(plan);
    // Planned once more, nothing is left to change.
    let again = import::plan(&sheet, &mut census, &mut mint, today);
    assert!(again.changes.is_empty(), "{} changes the second time", again.changes.len());
}

/// A token as a clerk types it.
pub(crate) fn token_text(data: &[u8]) {
    let Ok(text) = std::str::from_utf8(data) else { return };
    if let Ok(token) = text.parse::<JoinToken>() {
        assert_eq!(token.to_string().parse(), Ok(token));
    }
}

/// A line of a ledger on disk.
pub(crate) fn sealed_line(data: &[u8]) {
    let Ok(text) = std::str::from_utf8(data) else { return };
    if let Some(inside) = line::open(text) {
        assert_eq!(line::open(line::seal(inside).trim_end()), Some(inside));
    }
}

struct Media {
    key: SecretKey,
    backup: Vec<u8>,
    bundle: Vec<u8>,
}

/// A backup and the beginning of a bundle, sealed to a key of this process.
fn media() -> &'static Media {
    static MEDIA: OnceLock<Media> = OnceLock::new();
    MEDIA.get_or_init(|| {
        let key = SecretKey::generate();
        let head = batch::position_to_wire(Position::origin(LOG));
        let header = v1::BackupHeader {
            village: 3_505_012_001,
            head: Some(head),
            fingerprint: Bytes::from_static(&[0; 32]),
            ..v1::BackupHeader::default()
        };
        let protection = Protection { recipients: vec![key.public()], passphrase: None };
        let writer = BackupWriter::begin(Cursor::new(Vec::new()), &header, &protection);
        let node = lumbung_identity::Key::generate().expect("the system gives random bytes");
        let backup = writer.and_then(|it| it.finish(&node)).expect("memory takes a backup").0;
        let mut bundle = Cursor::new(Vec::new());
        drop(BundleWriter::begin(&mut bundle, &v1::BundleHeader::default(), key.public()));
        Media { key, backup: backup.into_inner(), bundle: bundle.into_inner() }
    })
}

/// The input is a file by itself, and a list of edits (place, place, byte) to
/// files that are right: none of them may then be taken.
pub(crate) fn medium_file(data: &[u8]) {
    let Media { key, backup, bundle } = media();
    let opened = |bytes: &[u8]| {
        let reader = BackupReader::open(bytes, bytes.len() as u64, Keys::Secret(key));
        reader.is_ok_and(|mut reader| {
            loop {
                match reader.next_batch() {
                    Ok(Some(_)) => {}
                    Ok(None) => return true,
                    Err(_) => return false,
                }
            }
        })
    };
    assert!(opened(backup), "a right backup is refused");
    for bytes in [data.to_vec(), edited(backup, data), edited(bundle, data)] {
        let length = bytes.len() as u64;
        assert!(bytes == *backup || !opened(&bytes), "an edited backup is taken");
        assert!(Bundle::read(&*bytes, length, key).is_err(), "half a bundle is taken");
        assert!(Answer::read(&*bytes, length, key).is_err(), "no answer is taken for one");
    }
}

fn edited(file: &[u8], edits: &[u8]) -> Vec<u8> {
    let mut file = file.to_vec();
    for edit in edits.chunks_exact(3) {
        let at = usize::from(u16::from_le_bytes([edit[0], edit[1]]));
        match file.get_mut(at) {
            Some(byte) => *byte ^= edit[2],
            None => file.truncate(file.len().saturating_sub(usize::from(edit[2]))),
        }
    }
    file
}

/// A village that tokens of the corpus name.
#[allow(dead_code, reason = "the fuzz targets make no corpus")]
pub(crate) fn village() -> VillageCode {
    VillageCode::from_u64(3_505_012_001).expect("a village of the roster")
}
