//! Whether a record may be saved: accepted, accepted with warnings, refused.
//!
//! Refused is only what can't be true or would break a rule every reader
//! relies on. Everything that is merely unlikely is a warning, because real
//! sheets contradict themselves and the clerk on the spot knows better.
//! Checks look at one record, or at a few facts a caller gathered; they never
//! look anything up. Messages are Bahasa Indonesia for a village clerk and
//! hold no name and no number of a person.

mod family;
mod informasi;
mod mutasi;
mod pernyataan_jumlah;
mod rule;
mod rumah_tangga;
#[cfg(test)]
mod tests;
mod warga;
mod wilayah;

use jiff::civil::Date;

pub use family::{
    DASAWISMA_KK, check_dasawisma_size, check_keluarga, check_keluarga_anggota,
    check_rumah_tangga_dasawisma,
};
pub use informasi::{ISI_MAX, JUDUL_MAX, SASARAN_MAX, check_informasi, check_tanda_terima};
pub use mutasi::{check_mutasi, check_mutasi_lahir, check_status_dasar};
pub use pernyataan_jumlah::{check_pernyataan_jumlah, check_pernyataan_wilayah};
pub use rumah_tangga::check_rumah_tangga;
pub use warga::check_warga;
pub use wilayah::{check_dasawisma, check_dusun, check_rt, check_rw};

use crate::record::Record;

/// How serious a finding is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Severity {
    /// The record may be saved; somebody should look.
    Warn,
    /// The record may not be saved.
    Reject,
}

/// One thing found in a record.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Finding {
    /// How serious.
    pub severity: Severity,
    /// The form field it is about, named like the record's field.
    pub field: &'static str,
    /// A stable name for lists, counts and tests ("nik.tanggal_beda").
    pub code: &'static str,
    /// What is wrong and what to do, one or two sentences in Bahasa Indonesia.
    pub message: String,
}

/// What may become of a record.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Outcome {
    /// Nothing was found.
    Accept,
    /// It may be saved; the findings go to the clerk.
    Warn,
    /// It may not be saved.
    Reject,
}

/// Everything found in one record, in the order of the checks.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Verdict(pub Vec<Finding>);

impl Verdict {
    /// The most serious finding decides.
    #[must_use]
    pub fn outcome(&self) -> Outcome {
        match self.0.iter().map(|finding| finding.severity).max() {
            None => Outcome::Accept,
            Some(Severity::Warn) => Outcome::Warn,
            Some(Severity::Reject) => Outcome::Reject,
        }
    }

    /// Whether the record may be saved, with or without warnings.
    #[must_use]
    pub fn may_save(&self) -> bool {
        self.outcome() != Outcome::Reject
    }

    /// The findings that forbid saving.
    pub fn rejections(&self) -> impl Iterator<Item = &Finding> {
        self.0.iter().filter(|finding| finding.severity == Severity::Reject)
    }

    /// The findings that only ask for a look.
    pub fn warnings(&self) -> impl Iterator<Item = &Finding> {
        self.0.iter().filter(|finding| finding.severity == Severity::Warn)
    }

    /// Takes the findings of another check in.
    pub fn extend(&mut self, other: Self) {
        self.0.extend(other.0);
    }

    fn add(
        &mut self,
        severity: Severity,
        field: &'static str,
        code: &'static str,
        message: impl Into<String>,
    ) {
        self.0.push(Finding { severity, field, code, message: message.into() });
    }

    fn reject(&mut self, field: &'static str, code: &'static str, message: impl Into<String>) {
        self.add(Severity::Reject, field, code, message);
    }

    fn warn(&mut self, field: &'static str, code: &'static str, message: impl Into<String>) {
        self.add(Severity::Warn, field, code, message);
    }
}

/// Checks any record by itself, as of `today`.
#[must_use]
pub fn check_record(record: &Record, today: Date) -> Verdict {
    match record {
        Record::Dusun(dusun) => check_dusun(dusun),
        Record::Rw(rw) => check_rw(rw),
        Record::Rt(rt) => check_rt(rt),
        Record::Dasawisma(group) => check_dasawisma(group, today),
        Record::RumahTangga(house) => check_rumah_tangga(house, today),
        Record::Keluarga(family) => check_keluarga(family, today),
        Record::Warga(resident) => check_warga(resident, today),
        Record::Mutasi(event) => {
            let mut verdict = check_mutasi(event);
            mutasi::not_in_the_future(&mut verdict, event, today);
            verdict
        }
        Record::TandaTerima(receipt) => check_tanda_terima(receipt),
        Record::PernyataanJumlah(stated) => check_pernyataan_jumlah(stated, today),
    }
}
