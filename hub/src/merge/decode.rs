//! A verified entry → the change that the dataset stores.
//!
//! Reads the protobuf message straight into the typed columns. Whatever can't
//! be read becomes a change for the quarantine with a reason in plain words
//! that holds no personal data; an unknown kind is no fault at all. The bytes
//! travel on as they came.

use bytes::Bytes;
use lumbung_domain::id::{Kind, KindCode, RecordId};
use lumbung_domain::region::VillageCode;
use lumbung_ledger::fingerprint::ContentHash;
use lumbung_ledger::{Entry, Operation, Payload};
use lumbung_proto::v1;
use prost::Message;

use crate::dataset::bits::{house, resident};
use crate::dataset::{
    Change, Content, DasawismaRow, DusunRow, KeluargaRow, MutasiRow, PernyataanJumlahRow, Row,
    RtRow, RumahTanggaRow, RwRow, TandaTerimaRow, WargaRow,
};

/// Longest text a typed column takes, bytes. Names and addresses on official
/// papers stay below 200.
pub const TEXT_BYTES_MAX: usize = 1000;

/// Why a payload can't become a row. The words are for the operator and the
/// clerk; they name the column, never what it holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
enum Refusal {
    #[error("Desa tidak lagi menyimpan isi versi ini; versi yang lebih baru menyusul.")]
    Withheld,
    #[error("Isi catatan {0} tidak terbaca.")]
    NotAMessage(Kind),
    #[error("Kolom {0} tidak menunjuk catatan lain dengan benar.")]
    NotAnId(&'static str),
    #[error("Kolom {0} harus 16 angka.")]
    NotANumber(&'static str),
    #[error("Kolom {0} lebih panjang dari {TEXT_BYTES_MAX} huruf.")]
    TooLong(&'static str),
    #[error("Kolom {0} berisi kode yang tidak mungkin.")]
    NotACode(&'static str),
}

/// The sentences of [`Refusal`] around what differs, in both languages.
const REASONS: [(&str, &str, &str, &str); 7] = [
    (
        "Desa tidak lagi menyimpan isi versi ini; versi yang lebih baru menyusul.",
        "",
        "The village does not keep the content of this version any more; a newer one follows.",
        "",
    ),
    // What an older version said.
    ("Isi catatan tidak dikirim oleh desa.", "", "The village did not send the content.", ""),
    ("Isi catatan ", " tidak terbaca.", "The content of a ", " record can't be read."),
    (
        "Kolom ",
        " tidak menunjuk catatan lain dengan benar.",
        "Column ",
        " does not point to another record as it should.",
    ),
    ("Kolom ", " harus 16 angka.", "Column ", " must have 16 digits."),
    ("Kolom ", " lebih panjang dari 1000 huruf.", "Column ", " is longer than 1000 characters."),
    ("Kolom ", " berisi kode yang tidak mungkin.", "Column ", " holds a code that can't be."),
];

/// A quarantined entry's reason, which is kept as it was said, in English;
/// `None` for the words of another version.
#[must_use]
pub fn reason_in_english(reason: &str) -> Option<String> {
    REASONS.iter().find_map(|(before, after, before_en, after_en)| {
        let what = reason.strip_prefix(before)?.strip_suffix(after)?;
        Some(format!("{before_en}{what}{after_en}"))
    })
}

/// The change behind a verified entry and its content hash.
#[must_use]
pub fn change(entry: Entry, hash: Option<ContentHash>) -> Change {
    let Entry { header, payload } = entry;
    let bytes = match payload {
        Payload::Present { bytes, .. } => Some(bytes),
        Payload::Withheld { .. } => None,
    };
    let content = content(header.operation, header.kind, bytes.as_ref());
    Change {
        id: header.id,
        kind: header.kind,
        schema: header.schema,
        seq: header.seq,
        operation: header.operation,
        time_ms: header.time_ms,
        actor: header.actor,
        source: header.source,
        bytes: bytes.unwrap_or_default(),
        hash,
        content,
    }
}

/// The same change read anew, after this program has learned more.
#[must_use]
pub fn again(change: Change) -> Change {
    // Only withheld content has no hash and yet does not end its record.
    let bytes = change.hash.is_some().then_some(&change.bytes);
    let content = content(change.operation, change.kind, bytes);
    Change { content, ..change }
}

fn content(operation: Operation, kind: KindCode, bytes: Option<&Bytes>) -> Content {
    if operation == Operation::Delete {
        return Content::Tombstone;
    }
    let Some(bytes) = bytes else {
        return Content::Quarantined(Refusal::Withheld.to_string());
    };
    let Some(kind) = Kind::from_code(kind) else {
        return Content::UnknownKind;
    };
    match row(kind, bytes) {
        Ok(row) => Content::Row(row),
        Err(refusal) => Content::Quarantined(refusal.to_string()),
    }
}

/// The typed columns behind a payload; `None` when it can't become a row.
#[must_use]
pub fn row_of(kind: Kind, bytes: &Bytes) -> Option<Row> {
    row(kind, bytes).ok()
}

fn row(kind: Kind, bytes: &Bytes) -> Result<Row, Refusal> {
    Ok(match kind {
        Kind::Dusun => Row::Dusun(dusun(message(kind, bytes)?)?),
        Kind::Rw => Row::Rw(rw(message(kind, bytes)?)?),
        Kind::Rt => Row::Rt(rt(message(kind, bytes)?)?),
        Kind::Dasawisma => Row::Dasawisma(dasawisma(message(kind, bytes)?)?),
        Kind::RumahTangga => Row::RumahTangga(rumah_tangga(message(kind, bytes)?)?),
        Kind::Keluarga => Row::Keluarga(keluarga(&message(kind, bytes)?)?),
        Kind::Warga => Row::Warga(warga(message(kind, bytes)?)?),
        Kind::Mutasi => Row::Mutasi(mutasi(&message(kind, bytes)?)?),
        Kind::TandaTerima => Row::TandaTerima(tanda_terima(&message(kind, bytes)?)?),
        Kind::PernyataanJumlah => Row::PernyataanJumlah(pernyataan_jumlah(&message(kind, bytes)?)?),
    })
}

fn message<M: Message + Default>(kind: Kind, bytes: &Bytes) -> Result<M, Refusal> {
    M::decode(bytes.clone()).map_err(|_| Refusal::NotAMessage(kind))
}

fn dusun(dusun: v1::Dusun) -> Result<DusunRow, Refusal> {
    maybe_id(&dusun.kepala_id, "kepala_id")?;
    Ok(DusunRow { nama: text(dusun.nama, "nama")? })
}

fn rw(rw: v1::Rw) -> Result<RwRow, Refusal> {
    maybe_id(&rw.ketua_id, "ketua_id")?;
    Ok(RwRow { nomor: text(rw.nomor, "nomor")?, dusun_id: maybe_id(&rw.dusun_id, "dusun_id")? })
}

fn rt(rt: v1::Rt) -> Result<RtRow, Refusal> {
    maybe_id(&rt.ketua_id, "ketua_id")?;
    Ok(RtRow {
        nomor: text(rt.nomor, "nomor")?,
        rw_id: maybe_id(&rt.rw_id, "rw_id")?,
        dusun_id: maybe_id(&rt.dusun_id, "dusun_id")?,
    })
}

fn dasawisma(group: v1::Dasawisma) -> Result<DasawismaRow, Refusal> {
    maybe_id(&group.ketua_id, "ketua_id")?;
    Ok(DasawismaRow {
        nama: text(group.nama, "nama")?,
        rt_id: id(&group.rt_id, "rt_id")?,
        aktif: group.aktif,
    })
}

fn rumah_tangga(house: v1::RumahTangga) -> Result<RumahTanggaRow, Refusal> {
    Ok(RumahTanggaRow {
        rt_id: id(&house.rt_id, "rt_id")?,
        dasawisma_id: maybe_id(&house.dasawisma_id, "dasawisma_id")?,
        kepala_id: maybe_id(&house.kepala_id, "kepala_id")?,
        rumah: house_bits(&house),
        jumlah_mck: code(house.jumlah_mck.unwrap_or(0), "jumlah_mck")?,
        alamat: text(house.alamat, "alamat")?,
    })
}

fn keluarga(family: &v1::Keluarga) -> Result<KeluargaRow, Refusal> {
    maybe_id(&family.kepala_id, "kepala_id")?;
    Ok(KeluargaRow {
        no_kk: number(&family.no_kk, "no_kk")?,
        rumah_tangga_id: id(&family.rumah_tangga_id, "rumah_tangga_id")?,
        aktif: family.aktif,
    })
}

fn warga(warga: v1::Warga) -> Result<WargaRow, Refusal> {
    let jenis_kelamin = match warga.jenis_kelamin {
        1 => 1,
        2 => 2,
        _ => 0,
    };
    Ok(WargaRow {
        nik: nik(&warga.nik)?,
        keluarga_id: maybe_id(&warga.keluarga_id, "keluarga_id")?,
        jenis_kelamin,
        tanggal_lahir: day(warga.tanggal_lahir),
        shdk: code(warga.shdk, "shdk")?,
        status_kawin: code(warga.status_kawin, "status_kawin")?,
        status_dasar: code(warga.status_dasar, "status_dasar")?,
        pendidikan_kk: code(warga.pendidikan_kk, "pendidikan_kk")?,
        pekerjaan: code(warga.pekerjaan, "pekerjaan")?,
        agama: code(warga.agama, "agama")?,
        tanda: resident_bits(&warga),
        nama: text(warga.nama, "nama")?,
    })
}

fn mutasi(event: &v1::Mutasi) -> Result<MutasiRow, Refusal> {
    let (jenis_pindah, desa) = match &event.perpindahan {
        None => (0, None),
        Some(movement) => {
            let desa = match movement.desa {
                0 => None,
                desa => Some(VillageCode::from_u64(desa).ok_or(Refusal::NotACode("desa"))?),
            };
            (code(movement.jenis, "jenis_pindah")?, desa)
        }
    };
    Ok(MutasiRow {
        warga_id: id(&event.warga_id, "warga_id")?,
        nik: nik(&event.nik)?,
        peristiwa: code(event.peristiwa, "peristiwa")?,
        jenis_pindah,
        tgl_peristiwa: day(event.tgl_peristiwa),
        desa,
    })
}

fn tanda_terima(receipt: &v1::TandaTerima) -> Result<TandaTerimaRow, Refusal> {
    Ok(TandaTerimaRow {
        informasi_id: id(&receipt.informasi_id, "informasi_id")?,
        versi: receipt.versi,
        rt_id: maybe_id(&receipt.rt_id, "rt_id")?,
        diterima_ms: receipt.diterima_ms,
        dibaca_ms: (receipt.dibaca_ms != 0).then_some(receipt.dibaca_ms),
    })
}

fn pernyataan_jumlah(stated: &v1::PernyataanJumlah) -> Result<PernyataanJumlahRow, Refusal> {
    Ok(PernyataanJumlahRow {
        wilayah_id: maybe_id(&stated.wilayah_id, "wilayah_id")?,
        per_tanggal: day(stated.per_tanggal),
    })
}

/// What the recap counts of a resident, for [`WargaRow::tanda`].
#[must_use]
pub fn resident_bits(warga: &v1::Warga) -> u32 {
    let small = |number: u32, mask: u32| if number <= mask { number } else { 0 };
    // Forms that don't ask it: whoever uses a kind of contraception.
    let akseptor_kb = match warga.akseptor_kb {
        0 => u32::from(warga.cara_kb != 0),
        answer => answer,
    };
    yes(warga.hamil, resident::HAMIL)
        | yes(warga.menyusui, resident::MENYUSUI)
        | yes(warga.buta3, resident::BUTA3)
        | yes(warga.up2k, resident::UP2K)
        | yes(warga.kesling, resident::KESLING)
        | yes(akseptor_kb, resident::AKSEPTOR_KB)
        | yes(warga.aktif_posyandu, resident::POSYANDU)
        | yes(warga.bkb, resident::BKB)
        | yes(warga.tabungan, resident::TABUNGAN)
        | yes(warga.paud, resident::PAUD)
        | yes(warga.koperasi, resident::KOPERASI)
        | small(warga.berkebutuhan_khusus, resident::KHUSUS_MASK) << resident::KHUSUS_SHIFT
        | small(warga.kelompok_belajar, resident::BELAJAR_MASK) << resident::BELAJAR_SHIFT
        | (warga.kegiatan_pkk & resident::PKK_MASK) << resident::PKK_SHIFT
        | (warga.kegiatan_warga & resident::KEGIATAN_MASK) << resident::KEGIATAN_SHIFT
}

/// What the recap counts of a house, for [`RumahTanggaRow::rumah`].
#[must_use]
pub fn house_bits(house: &v1::RumahTangga) -> u32 {
    let kriteria = match house.kriteria {
        1 => house::SEHAT,
        2 => house::TIDAK_SEHAT,
        _ => 0,
    };
    let makanan = match house.makanan_pokok {
        1 => house::BERAS,
        2 => house::NON_BERAS,
        _ => 0,
    };
    kriteria
        | makanan
        | yes(house.punya_tps, house::TPS)
        | yes(house.punya_spal, house::SPAL)
        | yes(house.punya_jamban, house::JAMBAN)
        | yes(house.stiker_p4k, house::STIKER_P4K)
        | (house.air.unwrap_or(0) & house::AIR_MASK) << house::AIR_SHIFT
        | if house.air.is_some() { house::AIR_TERJAWAB } else { 0 }
        | if house.jumlah_mck.is_some() { house::MCK_TERJAWAB } else { 0 }
        | yes(house.up2k, house::UP2K)
        | yes(house.kesling, house::KESLING)
        | categories(&house.pekarangan, house::PEKARANGAN_MASK) << house::PEKARANGAN_SHIFT
        | categories(&house.industri, house::INDUSTRI_MASK) << house::INDUSTRI_SHIFT
}

/// One bit per category that has at least one entry.
fn categories(entries: &[v1::Usaha], mask: u32) -> u32 {
    let bit = |kategori: u32| 1_u32.checked_shl(kategori.wrapping_sub(1)).unwrap_or(0);
    entries.iter().fold(0, |bits, entry| bits | bit(entry.kategori)) & mask
}

/// On the wire 0 is blank, 1 yes, 2 no.
const fn yes(answer: u32, bit: u32) -> u32 {
    if answer == 1 { bit } else { 0 }
}

fn id(bytes: &Bytes, field: &'static str) -> Result<RecordId, Refusal> {
    RecordId::from_slice(bytes).ok_or(Refusal::NotAnId(field))
}

fn maybe_id(bytes: &Bytes, field: &'static str) -> Result<Option<RecordId>, Refusal> {
    if bytes.is_empty() { Ok(None) } else { id(bytes, field).map(Some) }
}

fn text(text: String, field: &'static str) -> Result<String, Refusal> {
    if text.len() <= TEXT_BYTES_MAX { Ok(text) } else { Err(Refusal::TooLong(field)) }
}

fn code(number: u32, field: &'static str) -> Result<u16, Refusal> {
    u16::try_from(number).map_err(|_| Refusal::NotACode(field))
}

/// A NIK; a temporary one (it starts with 0) is nobody's number yet and must
/// not look like two people's claim on it.
fn nik(digits: &str) -> Result<Option<u64>, Refusal> {
    let number = number(digits, "nik")?;
    Ok(number.filter(|_| !digits.starts_with('0')))
}

fn number(digits: &str, field: &'static str) -> Result<Option<u64>, Refusal> {
    if digits.is_empty() {
        return Ok(None);
    }
    if digits.len() != 16 {
        return Err(Refusal::NotANumber(field));
    }
    digits
        .bytes()
        .try_fold(0_u64, |number, digit| {
            digit.is_ascii_digit().then(|| number * 10 + u64::from(digit - b'0'))
        })
        .map(Some)
        .ok_or(Refusal::NotANumber(field))
}

/// Days since 1970-01-01 behind the wire form of a day: 0 is blank, days from
/// 1970-01-01 on are moved up by one. `None` outside of the years ±9999 too.
fn day(value: i32) -> Option<i32> {
    let days = match value {
        0 => return None,
        1.. => value - 1,
        _ => value,
    };
    (-4_371_587..=2_932_896).contains(&days).then_some(days)
}

#[cfg(test)]
mod tests;
