//! Notices (informasi): written here, delivered to villages, and how far they
//! have come.
//!
//! [`create`], [`correct`] and [`withdraw`] each make one durable version and
//! queue it for every village that a target reaches, joined or not; pullers
//! hand it over at the start of a session and at once on an open one, sticks
//! carry it in answers. [`list`] and [`one`] count what villages answered.
//! Personal data does not belong in a notice and is refused.

mod bell;

use std::collections::BTreeSet;

use jiff::civil::Date;
use lumbung_domain::code_list::{Code, KategoriInformasi};
use lumbung_domain::id::RecordId;
use lumbung_domain::informasi::{Informasi, Sasaran};
use lumbung_domain::region::{VillageCode, roster};
use lumbung_domain::validation::{Finding, check_informasi};
use lumbung_proto::v1;
use lumbung_wire::informasi as wire;

pub use bell::{Bell, keep_ringing};

use crate::dataset::notices::{ListedNotice, NoticeDetail};
use crate::dataset::{Dataset, DatasetError};
use crate::words::Words;

/// What somebody wants everybody there to know.
#[derive(Clone, Debug)]
pub struct Draft {
    /// One line.
    pub judul: String,
    /// The text.
    pub isi: String,
    /// What it is about.
    pub kategori: Option<Code<KategoriInformasi>>,
    /// First day in force.
    pub terbit: Option<Date>,
    /// Last day in force; `None` = until withdrawn.
    pub berlaku_sampai: Option<Date>,
}

/// A notice that was made.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Created {
    /// Its number in the list.
    pub number: i64,
    /// Its name, the same in every village.
    pub id: RecordId,
    /// Villages it is queued for.
    pub villages: usize,
}

/// Why a notice was not made or changed. Nothing was.
#[derive(Debug, thiserror::Error)]
pub enum NoticeError {
    /// Validation refuses; the findings say why in people's words.
    #[error("the notice breaks rules")]
    Refused(Vec<Finding>),
    /// No village is reached by its targets.
    #[error("no village is reached")]
    NoVillage,
    /// There is no such notice.
    #[error("there is no notice {0}")]
    Unknown(i64),
    /// It was withdrawn, which is the end of it.
    #[error("the notice was withdrawn")]
    Withdrawn,
    /// Somebody changed it at the same time.
    #[error("somebody else changed the notice")]
    Busy,
    /// The system gives no randomness.
    #[error("no name can be drawn")]
    NoRandomness,
    /// The dataset fails.
    #[error(transparent)]
    Dataset(#[from] DatasetError),
}

impl NoticeError {
    /// What people read, in both languages.
    #[must_use]
    pub fn words(&self) -> Words {
        let english = match self {
            Self::Refused(findings) => {
                let mut said: Vec<_> = findings.iter().map(in_english).collect();
                said.dedup();
                format!("{} The notice was not sent.", said.join(" "))
            }
            Self::NoVillage => "No village is among those it is for. The notice was not sent. \
                Check the codes."
                .to_owned(),
            Self::Unknown(number) => format!("There is no notice {number}."),
            Self::Withdrawn => "The notice was withdrawn and can't be changed any more. Write a \
                new one."
                .to_owned(),
            Self::Busy => "Somebody else has just changed the notice. This change is not kept. \
                Open it again and repeat."
                .to_owned(),
            Self::NoRandomness | Self::Dataset(_) => "The hub can't store. The notice was not \
                sent. Check the free space and the disk, then repeat."
                .to_owned(),
        };
        Words::new(self.sentence(), english)
    }

    /// What people read: what happened, what to do.
    #[must_use]
    pub fn sentence(&self) -> String {
        match self {
            Self::Refused(findings) => {
                let said: Vec<_> = findings.iter().map(|it| it.message.as_str()).collect();
                format!("{} Informasi belum dikirim.", said.join(" "))
            }
            Self::NoVillage => "Tujuan itu tidak memuat satu desa pun. Informasi belum dikirim. \
                Periksa kodenya."
                .to_owned(),
            Self::Unknown(number) => format!("Informasi nomor {number} tidak ada."),
            Self::Withdrawn => "Informasi itu sudah ditarik dan tidak bisa diubah lagi. Buat \
                informasi baru."
                .to_owned(),
            Self::Busy => "Informasi itu baru saja diubah orang lain. Perubahan ini belum \
                disimpan. Buka lagi, lalu ulangi."
                .to_owned(),
            Self::NoRandomness | Self::Dataset(_) => "Hub tidak bisa menyimpan. Informasi belum \
                dikirim. Periksa ruang kosong dan disk, lalu ulangi."
                .to_owned(),
        }
    }
}

/// What breaks a rule, in English, by the finding's code.
fn in_english(finding: &Finding) -> &'static str {
    match (finding.field, finding.code) {
        ("judul", "wajib.kosong") => "It needs a title.",
        ("isi", "wajib.kosong") => "It needs a text.",
        ("sasaran", "wajib.kosong") => "Choose whom it is for.",
        ("judul", "teks.terlalu_panjang") => "The title is too long.",
        (_, "teks.terlalu_panjang") => "The text is too long.",
        (_, "teks.nomor_orang") => {
            "There are 16 digits in a row, like a NIK or a family card number. Many people read \
             this: write it without numbers of persons."
        }
        (_, "teks.karakter_kendali") => "It holds characters that can't be printed.",
        (_, "masa.terbalik") => "It ends before it begins. Check both dates.",
        (_, "sasaran.terlalu_banyak") => {
            "It is for too many places. Choose kecamatan or the whole kabupaten."
        }
        ("kategori", _) => "The category is not known.",
        _ => "One of its fields breaks a rule.",
    }
}

/// Makes a notice and queues it. `by` names the operator.
///
/// # Errors
/// [`NoticeError`]; then nothing was made.
pub fn create(
    dataset: &dyn Dataset,
    draft: Draft,
    sasaran: Vec<Sasaran>,
    by: &str,
    now_ms: i64,
) -> Result<Created, NoticeError> {
    let informasi = draft.version(new_id(now_ms)?, 1, sasaran);
    check(&informasi)?;
    let villages = reached(dataset, &informasi.sasaran)?;
    if villages.is_empty() {
        return Err(NoticeError::NoVillage);
    }
    let number = dataset.add_notice(&informasi, &villages, by, now_ms)?;
    Ok(Created { number, id: informasi.id, villages: villages.len() })
}

/// The villages that a notice like this would reach, by code. Nothing is kept.
///
/// # Errors
/// [`NoticeError`], as [`create`] would.
pub fn reached_by(
    dataset: &dyn Dataset,
    draft: Draft,
    sasaran: Vec<Sasaran>,
) -> Result<Vec<VillageCode>, NoticeError> {
    let informasi = draft.version(RecordId::default(), 1, sasaran);
    check(&informasi)?;
    let villages = reached(dataset, &informasi.sasaran)?;
    if villages.is_empty() { Err(NoticeError::NoVillage) } else { Ok(villages) }
}

/// Replaces what a notice says; whom it is for stays.
///
/// # Errors
/// [`NoticeError`]; then nothing was changed.
pub fn correct(
    dataset: &dyn Dataset,
    number: i64,
    draft: Draft,
    by: &str,
    now_ms: i64,
) -> Result<(), NoticeError> {
    let Informasi { id, versi, sasaran, .. } = standing(dataset, number)?;
    let next = draft.version(id, versi + 1, sasaran);
    check(&next)?;
    replace(dataset, number, &next, by, now_ms)
}

/// Withdraws a notice: villages are told that it no longer holds.
///
/// # Errors
/// [`NoticeError`]; then nothing was changed.
pub fn withdraw(
    dataset: &dyn Dataset,
    number: i64,
    by: &str,
    now_ms: i64,
) -> Result<(), NoticeError> {
    let standing = standing(dataset, number)?;
    let next = Informasi { versi: standing.versi + 1, ditarik: true, ..standing };
    replace(dataset, number, &next, by, now_ms)
}

/// Notices that are `wanted` and how far each has come, newest first. They are
/// sought among all of them, however many others lie between.
///
/// # Errors
/// [`DatasetError`].
pub fn list(
    dataset: &dyn Dataset,
    wanted: impl Fn(&Informasi) -> bool,
    limit: u32,
) -> Result<Vec<ListedNotice>, DatasetError> {
    let (mut found, mut before) = (Vec::new(), i64::MAX);
    loop {
        let mut page = dataset.notices(before, limit)?;
        let Some(last) = page.last() else { return Ok(found) };
        before = last.notice.number;
        let whole = page.len() as u64 == u64::from(limit);
        page.retain(|listed| wanted(&listed.notice.informasi));
        found.append(&mut page);
        found.truncate(limit as usize);
        if !whole || found.len() == limit as usize {
            return Ok(found);
        }
    }
}

/// One notice, village by village.
///
/// # Errors
/// [`NoticeError::Unknown`], [`NoticeError::Dataset`].
pub fn one(dataset: &dyn Dataset, number: i64) -> Result<NoticeDetail, NoticeError> {
    dataset.notice(number)?.ok_or(NoticeError::Unknown(number))
}

/// What is handed to `village`: RT of others are no business of its.
#[must_use]
pub fn message_for(village: VillageCode, informasi: &Informasi) -> v1::Notice {
    let mut informasi = informasi.clone();
    informasi.sasaran.retain(|sasaran| match sasaran {
        Sasaran::Rt(desa, _) => *desa == village,
        _ => true,
    });
    wire::to_wire(&informasi)
}

impl Draft {
    fn version(self, id: RecordId, versi: u32, sasaran: Vec<Sasaran>) -> Informasi {
        let Self { judul, isi, kategori, terbit, berlaku_sampai } = self;
        let isi = isi.replace("\r\n", "\n");
        let ditarik = false;
        Informasi { id, versi, judul, isi, kategori, terbit, berlaku_sampai, sasaran, ditarik }
    }
}

fn check(informasi: &Informasi) -> Result<(), NoticeError> {
    let verdict = check_informasi(informasi);
    if verdict.may_save() { Ok(()) } else { Err(NoticeError::Refused(verdict.0)) }
}

fn standing(dataset: &dyn Dataset, number: i64) -> Result<Informasi, NoticeError> {
    let informasi = one(dataset, number)?.listed.notice.informasi;
    if informasi.ditarik { Err(NoticeError::Withdrawn) } else { Ok(informasi) }
}

fn replace(
    dataset: &dyn Dataset,
    number: i64,
    next: &Informasi,
    by: &str,
    now_ms: i64,
) -> Result<(), NoticeError> {
    match dataset.replace_notice(number, next, by, now_ms)? {
        true => Ok(()),
        false => Err(NoticeError::Busy),
    }
}

/// The villages of the kabupaten and of the hub's own list that a target
/// reaches: one that joins later finds it waiting.
fn reached(dataset: &dyn Dataset, sasaran: &[Sasaran]) -> Result<Vec<VillageCode>, DatasetError> {
    let registered = dataset.villages()?.into_iter().map(|state| state.village);
    let all: BTreeSet<_> =
        roster().villages().iter().map(|desa| desa.code).chain(registered).collect();
    let is_reached = |village: &VillageCode| sasaran.iter().any(|it| it.reaches(*village));
    Ok(all.into_iter().filter(is_reached).collect())
}

fn new_id(now_ms: i64) -> Result<RecordId, NoticeError> {
    let (mut counter, mut random) = ([0; 2], [0; 8]);
    getrandom::fill(&mut counter).map_err(|_| NoticeError::NoRandomness)?;
    getrandom::fill(&mut random).map_err(|_| NoticeError::NoRandomness)?;
    Ok(RecordId::from_parts(
        now_ms.max(0).unsigned_abs(),
        u16::from_le_bytes(counter),
        u64::from_le_bytes(random),
    ))
}
