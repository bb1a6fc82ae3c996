//! How fast the dataset merges, beside a bulk load of the same rows.
//!
//! `cargo run --release -p lumbung-hub --example merge_rate [villages]
//! [records a batch] [batches a transaction] [folder]`
//!
//! Builds the records of made-up villages in memory, decodes them as a pull
//! would, merges them in transactions that mix the villages (as they arrive
//! when many catch up at once), and reads the facts of all villages back. The
//! yardstick is `upsert_bulk`: same tables, indexes and settings, rows only.

use std::error::Error;
use std::path::PathBuf;
use std::time::Instant;

use bytes::Bytes;
use lumbung_domain::id::{Kind, RecordId};
use lumbung_domain::region::VillageCode;
use lumbung_hub::dataset::sqlite::{SqliteDataset, upsert_bulk};
use lumbung_hub::dataset::{Dataset as _, MergeBatch};
use lumbung_hub::merge::decode;
use lumbung_ledger::{
    ChainTag, Entry, Epoch, Header, LogId, Operation, Payload, Position, Salt, Seq, Source,
};
use lumbung_proto::v1;

fn main() -> Result<(), Box<dyn Error>> {
    let mut args = std::env::args().skip(1);
    let mut number = |default: u64| -> Result<u64, std::num::ParseIntError> {
        args.next().map_or(Ok(default), |arg| arg.parse())
    };
    let (villages, per_batch, per_transaction) = (number(60)?, number(320)?, number(16)?);
    let (per_batch, per_transaction) = (per_batch as usize, per_transaction as usize);
    let folder = args.next().map_or_else(std::env::temp_dir, PathBuf::from);
    let folder = folder.join(format!("merge-rate-{}", std::process::id()));
    std::fs::create_dir_all(&folder)?;

    let entries: Vec<Vec<Entry>> = (1..=villages).map(village_entries).collect();
    let records: usize = entries.iter().map(Vec::len).sum();
    let bytes: usize = entries.iter().flatten().map(payload_bytes).sum();
    println!("{villages} villages, {records} records, {} payload bytes each", bytes / records);

    let start = Instant::now();
    let batches = batches(entries, per_batch);
    report("decode and hash", records, start);

    // Once unmeasured, so that neither side pays for cold files and memory.
    upsert_bulk(&folder.join("warm.sqlite"), &batches, per_transaction)?;
    for round in 1..=3 {
        let start = Instant::now();
        let path = folder.join(format!("bulk-{round}.sqlite"));
        let rows = upsert_bulk(&path, &batches, per_transaction)?;
        report("bulk upsert", rows as usize, start);

        let path = folder.join(format!("merge-{round}.sqlite"));
        let dataset = SqliteDataset::open(&path)?;
        for village in 1..=villages {
            dataset.register(code(village)?, "")?;
        }
        let start = Instant::now();
        for group in batches.chunks(per_transaction) {
            for merged in dataset.merge(group, 1)? {
                merged?;
            }
        }
        report("merge", records, start);
        println!(
            "{:28} {:9} bytes a record",
            "file",
            std::fs::metadata(&path)?.len() / records as u64
        );
        read_back(&dataset, villages)?;
        single_changes(&dataset, &batches)?;
        let start = Instant::now();
        drop(dataset);
        drop(SqliteDataset::open(&path)?);
        report("close and open", records, start);
    }
    std::fs::remove_dir_all(&folder)?;
    Ok(())
}

fn read_back(dataset: &SqliteDataset, villages: u64) -> Result<(), Box<dyn Error>> {
    let start = Instant::now();
    let mut residents = 0;
    for village in 1..=villages {
        residents += dataset.facts(&dataset.whole(), code(village)?)?.residents.len();
    }
    report("facts, residents", residents, start);
    let totals = dataset.totals(&dataset.whole())?;
    if totals.warga as usize != residents {
        return Err("facts and totals disagree".into());
    }
    println!("{:28} {:9} open findings", "", totals.findings);
    Ok(())
}

/// One changed record in each transaction, as in a quiet hour.
fn single_changes(dataset: &SqliteDataset, batches: &[MergeBatch]) -> Result<(), Box<dyn Error>> {
    let mut waits = Vec::new();
    for batch in batches.iter().step_by(batches.len() / 400 + 1) {
        let prev = dataset.village(batch.village)?.position.ok_or("nothing was merged")?;
        let last = Position { seq: prev.seq.next(), ..prev };
        let mut change = batch.changes[batch.changes.len() / 2].clone();
        (change.seq, change.operation) = (last.seq, Operation::Update);
        let (changes, chains) = (vec![change], vec![(last.seq, last.chain)]);
        let batch = MergeBatch { village: batch.village, prev, last, changes, chains };
        let start = Instant::now();
        for merged in dataset.merge(&[batch], 1)? {
            merged?;
        }
        waits.push(start.elapsed().as_micros());
    }
    waits.sort_unstable();
    let (half, most) = (waits[waits.len() / 2], waits[waits.len() * 99 / 100]);
    println!("{:28} {half:9} µs at the median, {most} at the 99th", "one change, durable");
    Ok(())
}

fn report(what: &str, count: usize, start: Instant) {
    let secs = start.elapsed().as_secs_f64();
    println!("{what:28} {:9.0} a second, {secs:.3} s", count as f64 / secs);
}

fn code(village: u64) -> Result<VillageCode, Box<dyn Error>> {
    // Eleven villages in each kecamatan, as in the real district about.
    let code = 3_505_000_000 + (1 + village / 11) * 10_000 + 2000 + 1 + village % 11;
    VillageCode::from_u64(code).ok_or_else(|| "not a village code".into())
}

fn payload_bytes(entry: &Entry) -> usize {
    match &entry.payload {
        Payload::Present { bytes, .. } => bytes.len(),
        Payload::Withheld { .. } => 0,
    }
}

/// Cuts each village's entries into batches and deals them out in turn.
fn batches(villages: Vec<Vec<Entry>>, per_batch: usize) -> Vec<MergeBatch> {
    let mut turns: Vec<Vec<MergeBatch>> = Vec::new();
    for (number, entries) in (1_u64..).zip(villages) {
        let mut log_id = [0; 16];
        log_id[..8].copy_from_slice(&number.to_le_bytes());
        let mut prev = Position::origin(LogId(log_id));
        for (turn, entries) in entries.chunks(per_batch).enumerate() {
            let seq = prev.seq.0 + entries.len() as u64;
            let last = Position {
                epoch: Epoch::FIRST,
                seq: Seq(seq),
                chain: ChainTag([seq.to_le_bytes()[0]; 16]),
                ..prev
            };
            let changes = entries
                .iter()
                .map(|entry| decode::change(entry.clone(), entry.content_hash()))
                .collect();
            if let Ok(village) = code(number) {
                if turns.len() <= turn {
                    turns.push(Vec::new());
                }
                let chains = vec![(last.seq, last.chain)];
                turns[turn].push(MergeBatch { village, prev, last, changes, chains });
            }
            prev = last;
        }
    }
    turns.into_iter().flatten().collect()
}

/// Writes one village's log.
struct Writer {
    village: u64,
    entries: Vec<Entry>,
    random: u64,
}

impl Writer {
    fn draw(&mut self, below: u64) -> u64 {
        self.random ^= self.random << 13;
        self.random ^= self.random >> 7;
        self.random ^= self.random << 17;
        self.random % below
    }

    fn push(&mut self, kind: Kind, message: &impl prost::Message) -> RecordId {
        let number = self.entries.len() as u64;
        let millis = 1_790_000_000_000 + number / 50;
        let id = RecordId::from_parts(millis, (number % 4096) as u16, self.village);
        self.entries.push(Entry {
            header: Header {
                seq: Seq(number + 1),
                id,
                kind: kind.code(),
                schema: 1,
                operation: Operation::Create,
                time_ms: millis as i64,
                actor: if number.is_multiple_of(1000) { "admin" } else { "kader" }.into(),
                source: Source::OPENSID,
            },
            payload: Payload::Present {
                salt: Salt(number.to_le_bytes()),
                bytes: message.encode_to_vec().into(),
            },
        });
        id
    }
}

const NAMES: [&str; 12] = [
    "SITI AMINAH",
    "SLAMET RIYADI",
    "DEWI LESTARI",
    "BAMBANG HARIYANTO",
    "SUMIATI",
    "MOCHAMAD YUSUF EFENDI",
    "PUTRI AYU WULANDARI",
    "SUPRIYADI",
    "RATNA SARI",
    "JOKO SUSILO",
    "NUR HIDAYAH",
    "AGUS SETIAWAN",
];

fn wire_id(id: RecordId) -> Bytes {
    Bytes::copy_from_slice(id.as_bytes())
}

/// About 5,200 records: what an average village holds.
fn village_entries(village: u64) -> Vec<Entry> {
    let mut w = Writer { village, entries: Vec::new(), random: village * 0x9e37_79b9 + 1 };
    for (dusun, name) in (0..3).zip(NAMES) {
        let nama = format!("DUSUN {name}");
        let dusun_id = w.push(Kind::Dusun, &v1::Dusun { nama, ..Default::default() });
        for rw in 0..2 {
            let nomor = format!("{:03}", dusun * 2 + rw + 1);
            let dusun_id = wire_id(dusun_id);
            let rw = v1::Rw { nomor, dusun_id, ..Default::default() };
            let rw_id = w.push(Kind::Rw, &rw);
            for rt in 0..4 {
                let rw_id = wire_id(rw_id);
                let rt = v1::Rt { nomor: format!("{:03}", rt + 1), rw_id, ..Default::default() };
                let rt_id = w.push(Kind::Rt, &rt);
                neighbourhood(&mut w, rt_id);
            }
        }
    }
    w.entries
}

fn neighbourhood(w: &mut Writer, rt_id: RecordId) {
    for group in 0..3 {
        let nama = format!("MAWAR {}", group + 1);
        let rt_id = wire_id(rt_id);
        let message =
            v1::Dasawisma { nama, rt_id: rt_id.clone(), aktif: true, ..Default::default() };
        let dasawisma_id = wire_id(w.push(Kind::Dasawisma, &message));
        for house in 0..14 {
            let message = v1::RumahTangga {
                rt_id: rt_id.clone(),
                dasawisma_id: dasawisma_id.clone(),
                nomor: format!("{}", house + 1),
                alamat: format!("JL. MELATI NO. {}", w.draw(200) + 1),
                kriteria: 1,
                punya_tps: 1,
                punya_spal: 1 + w.draw(2) as u32,
                punya_jamban: 1,
                jumlah_mck: Some(1),
                air: Some(2),
                makanan_pokok: 1,
                tahun: 2026,
                ..Default::default()
            };
            let house_id = w.push(Kind::RumahTangga, &message);
            family(w, house_id);
        }
    }
}

fn family(w: &mut Writer, house_id: RecordId) {
    let no_kk = number(w);
    let message = v1::Keluarga {
        no_kk,
        rumah_tangga_id: wire_id(house_id),
        kelas_sosial: 2,
        tgl_daftar: 16_000,
        aktif: true,
        ..Default::default()
    };
    let family_id = wire_id(w.push(Kind::Keluarga, &message));
    for member in 0..2 + w.draw(3) as u32 {
        let message = v1::Warga {
            nik: number(w),
            keluarga_id: family_id.clone(),
            nama: NAMES[w.draw(12) as usize].to_owned(),
            jenis_kelamin: 1 + member % 2,
            tempat_lahir: "BLITAR".to_owned(),
            tanggal_lahir: w.draw(25_000) as i32 - 5_000,
            agama: 1,
            pendidikan_kk: 1 + w.draw(10) as u32,
            pekerjaan: 1 + w.draw(88) as u32,
            status_kawin: 1 + w.draw(4) as u32,
            shdk: member + 1,
            warganegara: 1,
            ayah_nama: NAMES[w.draw(12) as usize].to_owned(),
            ibu_nama: NAMES[w.draw(12) as usize].to_owned(),
            golongan_darah: 13,
            status_dasar: 1,
            status_penduduk: 1,
            aktif_posyandu: w.draw(3) as u32,
            tabungan: w.draw(3) as u32,
            kegiatan_pkk: w.draw(256) as u32,
            ..Default::default()
        };
        let warga_id = wire_id(w.push(Kind::Warga, &message));
        if w.draw(50) == 0 {
            let event = v1::Mutasi {
                warga_id,
                nik: message.nik,
                peristiwa: 1,
                tgl_peristiwa: 20_000,
                tgl_lapor: 20_003,
                ..Default::default()
            };
            w.push(Kind::Mutasi, &event);
        }
    }
}

/// Sixteen digits that spread like real ones: place of first registration,
/// day of birth, serial. Province 99 does not exist.
fn number(w: &mut Writer) -> String {
    let kecamatan = 1 + w.village / 11;
    let (day, month, year) = (1 + w.draw(28), 1 + w.draw(12), w.draw(100));
    format!("9905{kecamatan:02}{day:02}{month:02}{year:02}{:04}", 1 + w.draw(9000))
}
