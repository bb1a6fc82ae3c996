// What strangers' bytes reach: one function per reader, which must not panic
// and holds what it read against what it promises. Used by the fuzz targets
// beside this file and by `tests/corpus.rs`, which replays a corpus.

use std::io::Cursor;
use std::sync::{Arc, OnceLock};

use bytes::Bytes;
use jiff::civil::date;
use lumbung_domain::id::{Kind, RecordId};
use lumbung_domain::region::VillageCode;
use lumbung_domain::validation::check_record;
use lumbung_hub::bundle::{self, OtherLog};
use lumbung_hub::dataset::Dataset as _;
use lumbung_hub::dataset::sqlite::SqliteDataset;
use lumbung_hub::merge::decode;
use lumbung_identity::{JoinToken, Key};
use lumbung_ledger::{Entry, Epoch, LogId, Position, Seq, block, line};
use lumbung_media::{
    Answer, BackupReader, BackupWriter, Bundle, BundleWriter, HubBackupReader, HubBackupWriter,
    Keys, MediaError, Protection, SecretKey, write_answer,
};
use lumbung_node::barn::{Ground, JOURNAL_BYTES, Journal, MemoryStore, Testimony, Witness, Write};
use lumbung_node::bundle::returned;
use lumbung_node::village::Village;
use lumbung_node::village::census::Census;
use lumbung_node::{import, serving};
use lumbung_proto::v1;
use lumbung_wire::authors::Authors;
use lumbung_wire::tree::{Place, parts_from_wire, parts_to_wire};
use lumbung_wire::{batch, pages, record, run};
use prost::Message;
use tempfile::TempDir;

/// Reads bytes and holds what it read against what it promises.
pub(crate) type Reader = fn(&[u8]);

/// Every reader, by the name of its corpus.
pub(crate) const ALL: [(&str, Reader); 15] = [
    ("block", block_bytes),
    ("batch", batch_message),
    ("run", run_message),
    ("record", record_payload),
    ("sheet", sheet_file),
    ("token", token_text),
    ("line", sealed_line),
    ("medium", medium_file),
    ("bundle", bundle_frames),
    ("answer", answer_frames),
    ("hub_backup", hub_backup_frames),
    ("sums", sums_message),
    ("page", page_message),
    ("witness", witness_file),
    ("journal", journal_file),
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
    let mut authors = Authors::default();
    authors.note(&"kader".into());
    if let Ok((verified, _)) = run::verify(&run, &authors, origin) {
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
    node: Key,
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
        let node = Key::generate().expect("the system gives random bytes");
        let backup = writer.and_then(|it| it.finish(&node)).expect("memory takes a backup").0;
        let mut bundle = Cursor::new(Vec::new());
        drop(BundleWriter::begin(&mut bundle, &v1::BundleHeader::default(), key.public()));
        Media { key, node, backup: backup.into_inner(), bundle: bundle.into_inner() }
    })
}

/// The input is a file by itself, and a list of edits (place, place, byte) to
/// files that are right: none of them may then be taken.
pub(crate) fn medium_file(data: &[u8]) {
    let Media { key, backup, bundle, .. } = media();
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

/// Pieces of an input: each a kind, its length in two bytes, and its bytes.
fn pieces(data: &[u8]) -> Vec<(u8, &[u8])> {
    let (mut rest, mut pieces) = (data, Vec::new());
    while let [kind, low, high, following @ ..] = rest {
        let length = usize::from(u16::from_le_bytes([*low, *high])).min(following.len());
        let (piece, after) = following.split_at(length);
        pieces.push((*kind % 4, piece));
        rest = after;
    }
    pieces
}

/// An input of these pieces.
#[allow(dead_code, reason = "the fuzz targets make no corpus")]
pub(crate) fn of_pieces(pieces: &[(u8, Vec<u8>)]) -> Vec<u8> {
    let mut data = Vec::new();
    for (kind, piece) in pieces {
        data.push(*kind);
        data.extend_from_slice(&u16::try_from(piece.len()).unwrap_or_default().to_le_bytes());
        data.extend_from_slice(piece);
    }
    data
}

/// The messages of one kind, as far as they can be read.
fn messages<M: Message + Default>(pieces: &[(u8, &[u8])], kind: u8) -> Vec<M> {
    pieces.iter().filter(|it| it.0 == kind).filter_map(|it| M::decode(it.1).ok()).collect()
}

/// A hub's dataset with the one village, in a folder that goes with the process.
fn dataset() -> &'static SqliteDataset {
    static DATASET: OnceLock<(TempDir, SqliteDataset)> = OnceLock::new();
    let made = DATASET.get_or_init(|| {
        let folder = tempfile::tempdir().expect("a folder");
        let dataset = SqliteDataset::open(folder.path().join("hub.db")).expect("a new dataset");
        dataset.register(village(), "").expect("it takes a village");
        (folder, dataset)
    });
    &made.1
}

/// How many records bundles have brought to that hub.
#[allow(dead_code, reason = "the fuzz targets only feed")]
pub(crate) fn merged() -> u64 {
    dataset().village(village()).expect("the village is there").records
}

/// What the node of the village signed and sealed: a header (0), batches (1), what
/// became of an answer (3) and an end (2), made to agree with the header. The hub imports it, and its
/// sums are what its rows are, whatever came of that.
pub(crate) fn bundle_frames(data: &[u8]) {
    let (Media { key, node, .. }, pieces) = (media(), pieces(data));
    let header = messages::<v1::BundleHeader>(&pieces, 0).pop().unwrap_or_default();
    let mut end = messages::<v1::BundleEnd>(&pieces, 2).pop().unwrap_or_default();
    (end.position, end.records) = (header.to.clone(), header.records);
    end.fingerprint = header.fingerprint.clone();
    let written = BundleWriter::begin(Cursor::new(Vec::new()), &header, key.public());
    let written = written.and_then(|mut writer| {
        for batch in messages::<v1::Batch>(&pieces, 1) {
            writer.batch(&batch)?;
        }
        for receipt in messages::<v1::ReturnedReceipt>(&pieces, 3) {
            writer.receipt(&receipt)?;
        }
        writer.finish(&end, node)
    });
    let Ok(written) = written.map(Cursor::into_inner) else { return };
    let Ok(read) = Bundle::read(&*written, written.len() as u64, key) else { return };
    assert!(read.is_signed_by(&node.public()), "its own signature is refused");
    if read.village != village() {
        return;
    }
    for other_log in [OtherLog::Refuse, OtherLog::Begin] {
        drop(bundle::import(&read, dataset(), other_log));
    }
    let content = dataset().content(village()).expect("the rows can be read");
    assert_eq!(content.kept, content.tree.root(), "sums and rows part");
}

/// A village in memory, and the world it works in.
fn inbox() -> &'static (tokio::runtime::Runtime, Village) {
    static INBOX: OnceLock<(tokio::runtime::Runtime, Village)> = OnceLock::new();
    INBOX.get_or_init(|| {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
        let runtime = runtime.expect("a runtime");
        let store = Arc::new(MemoryStore::default());
        let ground = Ground { store, witness: None, salts: 1 };
        let opened = runtime.block_on(async {
            Village::open_in_task(ground, Some(LOG), village(), Default::default())
        });
        (runtime, opened.expect("a village in memory"))
    })
}

/// An answer that the district signed and sealed: a header (0) and parcels (1),
/// which the village takes.
pub(crate) fn answer_frames(data: &[u8]) {
    let (Media { key, node, .. }, pieces) = (media(), pieces(data));
    let header = messages::<v1::AnswerHeader>(&pieces, 0).pop().unwrap_or_default();
    let parcels: Vec<_> = pieces
        .iter()
        .filter(|(kind, _)| *kind == 1)
        .map(|(_, piece)| Bytes::copy_from_slice(piece))
        .collect();
    let out = Cursor::new(Vec::new());
    let Ok(written) = write_answer(out, &header, &parcels, key.public(), node) else { return };
    let written = written.into_inner();
    let Ok(read) = Answer::read(&*written, written.len() as u64, key) else { return };
    assert_eq!(read.parcels, parcels, "other parcels came back");
    let parcels: Vec<_> =
        read.parcels.into_iter().filter_map(|bytes| v1::Parcel::decode(bytes).ok()).collect();
    let (runtime, village) = inbox();
    let Ok(receipt) = runtime.block_on(serving::inbox::take(village, parcels.clone())) else {
        return;
    };
    assert!(receipt.outcomes.len() <= parcels.len(), "a receipt for what never came");
    let head = village.barn().head().position;
    let kept = returned::receipt(head, &parcels, &receipt);
    let count = kept.returned.len();
    let told = returned::told(village.barn(), kept, head.seq).expect("memory can be read");
    assert_eq!(told.len(), count, "not everything that became of it is told");
}

/// A backup of a hub: a header (0), and files (1), which it may lie about.
pub(crate) fn hub_backup_frames(data: &[u8]) {
    let (Media { key, node, .. }, pieces) = (media(), pieces(data));
    let header = messages::<v1::HubBackupHeader>(&pieces, 0).pop().unwrap_or_default();
    let protection = Protection { recipients: vec![key.public()], passphrase: None };
    let written = HubBackupWriter::begin(Cursor::new(Vec::new()), &header, &protection);
    let files: Vec<_> = pieces.iter().filter(|it| it.0 == 1).map(|it| it.1).collect();
    let written = written.and_then(|mut writer| {
        files.iter().try_for_each(|file| writer.file(*file))?;
        Ok(writer.finish(node)?.0.into_inner())
    });
    let Ok(written) = written else { return };
    let told: u64 = header.files.iter().map(|file| file.bytes).fold(0, u64::saturating_add);
    let held = files.iter().map(|file| file.len() as u64).sum::<u64>();
    let reader = HubBackupReader::open(&*written, written.len() as u64, Keys::Secret(key));
    let unpacked =
        reader.and_then(|reader| reader.unpack(|_| Ok::<_, MediaError>(std::io::sink())));
    assert!(unpacked.is_err() || told == held, "{told} bytes were told of {held}");
}

/// Sums by place, as a node answers and as a bundle ends with.
pub(crate) fn sums_message(data: &[u8]) {
    let asked = [Place::Village, Place::Rt(RecordId([1; 16])), Place::House(RecordId([2; 16]))];
    if let Ok(reply) = v1::FingerprintReply::decode(data)
        && let Some(places) = parts_from_wire(&asked, &reply.parts)
    {
        let told = (0..)
            .zip(asked)
            .flat_map(|(number, place)| parts_to_wire(number, &places[&place]).collect::<Vec<_>>());
        let again = parts_from_wire(&asked, &told.collect::<Vec<_>>());
        assert_eq!(again, Some(places), "other sums came back");
    }
    let Ok(end) = v1::BundleEnd::decode(data) else { return };
    for sums in &end.sums {
        let Some(place) = sums.place.as_ref().and_then(Place::from_wire) else { continue };
        assert_eq!(Place::from_wire(&place.to_wire()), Some(place), "another place came back");
        drop(parts_from_wire(&[place], &sums.parts));
    }
}

/// A page of records on their way back to a village.
pub(crate) fn page_message(data: &[u8]) {
    let Ok(page) = v1::RestorePage::decode(data) else { return };
    let Ok(records) = pages::unpack(&page) else { return };
    let again = pages::pack(&v1::RestoreRecords { records: records.clone() });
    assert_eq!(pages::unpack(&again), Ok(records), "other records came back");
}

/// A witness as a disk gives it back: whatever it says, the next word counts.
pub(crate) fn witness_file(data: &[u8]) {
    static FOLDER: OnceLock<TempDir> = OnceLock::new();
    let path = FOLDER.get_or_init(|| tempfile::tempdir().expect("a folder")).path().join("witness");
    std::fs::write(&path, data).expect("the disk takes it");
    let mut witness = Witness::open(&path).expect("it can be read");
    let testimony = Testimony { log_id: LOG, epoch: Epoch(3), seq: Seq(9), boots: 7 };
    witness.testify(testimony).expect("the disk takes it");
    let last = Witness::open(&path).expect("it can be read").last();
    assert_eq!(last, Some(testimony), "an older word is believed");
}

/// A journal as a disk gives it back: as it is, and with a sum that fits a first
/// batch of these bytes. What is kept of it is what the file says, batch by
/// batch, and can be written again so.
pub(crate) fn journal_file(data: &[u8]) {
    kept_of_journal(data);
    let Some((number, body)) = data.split_first_chunk::<8>() else { return };
    let Ok(length) = u32::try_from(body.len()) else { return };
    let mut hasher = blake3::Hasher::new();
    hasher.update(&[0; 16]).update(number).update(body);
    let mut forged = length.to_le_bytes().to_vec();
    forged.extend_from_slice(number);
    forged.extend_from_slice(&hasher.finalize().as_bytes()[..16]);
    forged.extend_from_slice(body);
    kept_of_journal(&forged);
}

fn kept_of_journal(data: &[u8]) {
    static FOLDER: OnceLock<TempDir> = OnceLock::new();
    let folder = FOLDER.get_or_init(|| tempfile::tempdir().expect("a folder")).path();
    let (path, again) = (folder.join("journal"), folder.join("again"));
    std::fs::write(&path, data).expect("the disk takes it");
    let (_, kept) = Journal::open(&path).expect("it can be read");
    let file = std::fs::read(&path).expect("it can be read");
    assert!(file.len() >= JOURNAL_BYTES, "later batches would have no room");
    std::fs::write(&again, []).expect("the disk takes it");
    let (mut journal, none) = Journal::open(&again).expect("it can be read");
    assert_eq!(none, [], "an empty file has batches");
    let first = kept.first().map_or(0, |batch| batch.number);
    for (at, batch) in kept.iter().enumerate() {
        assert_eq!(Some(batch.number), first.checked_add(at as u64), "numbers with a gap");
        journal.append(batch.number, &batch.writes).expect("it had room before");
    }
    let written = std::fs::read(&again).expect("it can be read");
    let bytes = |writes: &[Write]| -> usize {
        writes.iter().map(|(key, value)| 8 + key.len() + value.as_ref().map_or(0, Vec::len)).sum()
    };
    let end: usize = kept.iter().map(|batch| 28 + bytes(&batch.writes)).sum();
    assert_eq!(written[..end], file[..end], "other batches than the file's");
}

/// A village that tokens of the corpus name.
pub(crate) fn village() -> VillageCode {
    VillageCode::from_u64(3_505_012_001).expect("a village of the roster")
}
