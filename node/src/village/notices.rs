//! The district's notices in this village: kept as they came, listed for the
//! village or for one RT, and answered with a tanda terima.
//!
//! A notice is durable before its receipt is written, and the receipt before
//! the district hears of it, so a power cut at any moment leaves something
//! that the next delivery completes. Taking the same version twice writes
//! nothing. Receipts are records like any other: they travel, come back and
//! are erased like them.

use bytes::Bytes;
use lumbung_domain::id::{Kind, RecordId};
use lumbung_domain::informasi::{Informasi, Keberlakuan};
use lumbung_domain::record::{Record, TandaTerima};
use lumbung_ledger::Source;
use lumbung_link::world;
use lumbung_proto::v1;
use lumbung_wire::informasi as wire;
use prost::Message as _;

use super::{Village, change, decoded};
use crate::barn::{Expected, StoreError, Submission, SubmitError};

/// The name under which the node itself gives receipts.
const ACTOR: &str = "node";

/// Bytes before the notice in a paper: when it arrived.
const ARRIVED_BYTES: usize = 8;

/// What a notice's receipts are told apart from other derived ids by.
const RECEIPT: &str = "lumbung 2026-11 tanda terima informasi";

/// What became of a notice that was handed over.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Taken {
    /// It is kept now.
    Kept,
    /// This version or a newer one was there.
    Known,
}

/// That somebody read a notice.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Reading {
    /// The RT; `None` = the village.
    pub rt: Option<RecordId>,
    /// When, this village's wall clock, Unix milliseconds.
    pub read_ms: i64,
    /// Which version.
    pub versi: u32,
}

/// A notice as the village has it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Notice {
    /// What it says.
    pub informasi: Informasi,
    /// When this version arrived, this village's wall clock, Unix
    /// milliseconds.
    pub arrived_ms: i64,
    /// Who read it, of whatever version.
    pub readings: Vec<Reading>,
}

/// Why a reading was not noted. Nothing was written.
#[derive(Debug, thiserror::Error)]
pub enum ReadNoticeError {
    /// The village has no such notice.
    #[error("no such notice")]
    Unknown,
    /// The village has no such RT.
    #[error("no such RT")]
    UnknownRt,
    /// The notice is not addressed to that RT.
    #[error("the notice is not addressed to that RT")]
    NotAddressed,
    /// The barn refuses or fails.
    #[error(transparent)]
    Barn(#[from] SubmitError),
}

impl From<StoreError> for ReadNoticeError {
    fn from(error: StoreError) -> Self {
        Self::Barn(error.into())
    }
}

/// The id of the receipt that a reader gives for a notice: the same however
/// often it is given, also after the store went back in time.
#[must_use]
pub fn receipt_id(notice: RecordId, rt: Option<RecordId>) -> RecordId {
    let mut hasher = blake3::Hasher::new_derive_key(RECEIPT);
    hasher.update(notice.as_bytes());
    hasher.update(rt.as_ref().map_or(&[][..], |rt| rt.as_bytes()));
    let mut hash = hasher.finalize_xof();
    let (mut millis, mut counter, mut random) = ([0; 8], [0; 2], [0; 8]);
    millis[2..].copy_from_slice(&notice.as_bytes()[..6]);
    hash.fill(&mut counter);
    hash.fill(&mut random);
    RecordId::from_parts(
        u64::from_be_bytes(millis),
        u16::from_le_bytes(counter),
        u64::from_le_bytes(random),
    )
}

impl Village {
    /// Keeps a notice and gives the village's receipt for it. Returns once
    /// both are durable.
    ///
    /// # Errors
    /// [`SubmitError`]; handing it over again completes what was begun.
    pub async fn take_notice(
        &self,
        notice: &v1::Notice,
        informasi: &Informasi,
    ) -> Result<Taken, SubmitError> {
        let now_ms = self.clock.now_ms();
        let (id, versi) = (informasi.id, informasi.versi);
        let paper = paper(notice, now_ms);
        let newer = move |kept: Option<&Bytes>| {
            let known = kept.and_then(read_paper).map(|(kept, _)| kept.versi);
            known.is_none_or(|known| known < versi).then_some(paper)
        };
        let kept = self.barn.keep_paper(id, newer).await?;
        let held = self.receipt(id, None).await?;
        if held.as_ref().is_none_or(|held| held.versi < versi) {
            // A withdrawal needs no reading of its own.
            let dibaca_ms = held.and_then(|held| held.dibaca_ms).filter(|_| informasi.ditarik);
            let receipt = TandaTerima {
                informasi_id: id,
                versi,
                rt_id: None,
                diterima_ms: now_ms,
                dibaca_ms,
            };
            match self.give_receipt(ACTOR, Source::NODE, receipt).await {
                // Erased on request here: the notice stays all the same.
                Ok(()) | Err(SubmitError::Erased { .. }) => {}
                Err(error) => return Err(error),
            }
        }
        Ok(if kept { Taken::Kept } else { Taken::Known })
    }

    /// Every notice, newest first: by arrival of the version that is kept.
    ///
    /// # Errors
    /// [`StoreError`] when the barn can't be read.
    pub fn notices(&self) -> Result<Vec<Notice>, StoreError> {
        let papers = self.barn.papers()?;
        if papers.is_empty() {
            return Ok(Vec::new());
        }
        let (_, living) = self.barn.living()?;
        let receipts: Vec<TandaTerima> = living
            .iter()
            .filter(|stored| stored.entry.header.kind == Kind::TandaTerima.code())
            .filter_map(decoded)
            .filter_map(|(_, record)| match record {
                Record::TandaTerima(receipt) => Some(receipt),
                _ => None,
            })
            .collect();
        let mut notices: Vec<_> = papers
            .iter()
            .filter_map(|(_, paper)| read_paper(paper))
            .map(|(informasi, arrived_ms)| {
                let readings = receipts
                    .iter()
                    .filter(|receipt| receipt.informasi_id == informasi.id)
                    .filter_map(reading)
                    .collect();
                Notice { informasi, arrived_ms, readings }
            })
            .collect();
        notices.sort_by_key(|notice| std::cmp::Reverse((notice.arrived_ms, notice.informasi.id)));
        Ok(notices)
    }

    /// Notes that `rt` (or the village) read the version that is kept.
    /// Returns once that is durable; `false` when it was known.
    ///
    /// # Errors
    /// [`ReadNoticeError`]; then nothing was written.
    pub async fn read_notice(
        &self,
        id: RecordId,
        rt: Option<RecordId>,
        actor: &str,
    ) -> Result<bool, ReadNoticeError> {
        let barn = self.barn.clone();
        let papers = world::blocking(move || barn.papers()).await;
        let papers = papers.map_err(|_| SubmitError::Closed)??;
        let paper = papers.into_iter().find(|(kept, _)| *kept == id);
        let found = paper.and_then(|(_, paper)| read_paper(&paper));
        let (informasi, arrived_ms) = found.ok_or(ReadNoticeError::Unknown)?;
        if let Some(rt) = rt {
            if !self.has_rt(rt).await? {
                return Err(ReadNoticeError::UnknownRt);
            }
            if !informasi.reaches_rt(self.code, rt) {
                return Err(ReadNoticeError::NotAddressed);
            }
        }
        let held = self.receipt(id, rt).await?;
        let known = |held: &TandaTerima| held.versi == informasi.versi && held.dibaca_ms.is_some();
        if held.as_ref().is_some_and(known) {
            return Ok(false);
        }
        let receipt = TandaTerima {
            informasi_id: id,
            versi: informasi.versi,
            rt_id: rt,
            diterima_ms: arrived_ms,
            dibaca_ms: Some(self.clock.now_ms()),
        };
        self.give_receipt(actor, Source::MANUAL, receipt).await?;
        Ok(true)
    }

    async fn receipt(
        &self,
        notice: RecordId,
        rt: Option<RecordId>,
    ) -> Result<Option<TandaTerima>, SubmitError> {
        let barn = self.barn.clone();
        let found = world::blocking(move || barn.get(receipt_id(notice, rt))).await;
        let found = found.map_err(|_| SubmitError::Closed)??;
        Ok(match found.as_ref().and_then(decoded) {
            Some((_, Record::TandaTerima(receipt))) => Some(receipt),
            _ => None,
        })
    }

    async fn has_rt(&self, rt: RecordId) -> Result<bool, SubmitError> {
        let barn = self.barn.clone();
        let found = world::blocking(move || barn.get(rt)).await;
        let found = found.map_err(|_| SubmitError::Closed)??;
        Ok(found.is_some_and(|stored| stored.entry.header.kind == Kind::Rt.code()))
    }

    async fn give_receipt(
        &self,
        actor: &str,
        source: Source,
        receipt: TandaTerima,
    ) -> Result<(), SubmitError> {
        let id = receipt_id(receipt.informasi_id, receipt.rt_id);
        let record = Record::TandaTerima(receipt);
        let changes = vec![change(id, Kind::TandaTerima, Some(&record), Expected::Any)];
        let time_ms = self.clock.now_ms();
        let submission = Submission { actor: actor.into(), source, time_ms, changes };
        self.barn.submit(submission).await.map(drop)
    }
}

impl Notice {
    /// Whether it is to be followed today.
    #[must_use]
    pub fn keberlakuan(&self, today: jiff::civil::Date) -> Keberlakuan {
        self.informasi.keberlakuan(today)
    }
}

fn reading(receipt: &TandaTerima) -> Option<Reading> {
    let TandaTerima { versi, rt_id: rt, dibaca_ms, .. } = *receipt;
    dibaca_ms.map(|read_ms| Reading { rt, read_ms, versi })
}

/// The notice as it came, fields of newer versions too.
fn paper(notice: &v1::Notice, arrived_ms: i64) -> Vec<u8> {
    let mut paper = arrived_ms.to_be_bytes().to_vec();
    paper.extend(notice.encode_to_vec());
    paper
}

fn read_paper(paper: &Bytes) -> Option<(Informasi, i64)> {
    let arrived_ms = i64::from_be_bytes(paper.get(..ARRIVED_BYTES)?.try_into().ok()?);
    let notice = v1::Notice::decode(paper.slice(ARRIVED_BYTES..)).ok()?;
    Some((wire::from_wire(&notice)?, arrived_ms))
}

#[cfg(test)]
mod tests;
