//! Records that leave the district as a file.
//!
//! Two steps: what would leave is counted and shown, then it is noted and
//! written. A file says inside what it is for and until when it may be kept.
//! Identity numbers and specific data (health, disability, children) leave
//! only with who may open them, and only when asked.

use std::io::Write;

use jiff::civil::Date;
use lumbung_domain::id::Kind;
use lumbung_domain::recap::tanggal_indonesia;
use lumbung_domain::region::roster;
use lumbung_telemetry::clock;

use super::search::region_scope;
use super::{Desk, DeskError, fit_words};
use crate::access::audit::Act;
use crate::access::{Operator, Right};
use crate::exports::{Disclosure, ExportError, RecordsExport};
use crate::recap::RegionRef;
use crate::spans;

/// The shortest purpose that says anything, letters.
const PURPOSE_MIN: usize = 10;

/// How long a file may be kept at most, days.
pub const KEEP_DAYS_MAX: i32 = 366;

/// Records that fit into a workbook.
pub const XLSX_RECORDS_MAX: u64 = 1_000_000;

/// The file's form.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FileForm {
    /// CSV, semicolons between, UTF-8 with a byte order mark.
    Csv,
    /// A workbook.
    Xlsx,
}

/// What is to leave.
#[derive(Clone, Debug)]
pub struct ExportOrder {
    /// Records of this kind.
    pub kind: Kind,
    /// Of this region: the kabupaten, a kecamatan or a village.
    pub region: RegionRef,
    /// The file's form.
    pub form: FileForm,
    /// What leaves besides general data.
    pub disclosed: Disclosure,
    /// What for.
    pub purpose: String,
    /// The file is to be deleted by then.
    pub keep_until: Date,
}

/// An order that may be carried out.
pub struct ReadyExport {
    /// What was ordered.
    pub order: ExportOrder,
    /// How many records it has now.
    pub records: u64,
    /// The region's name.
    pub region: String,
    export: RecordsExport,
}

impl ReadyExport {
    /// The file's name; no person is in it.
    #[must_use]
    pub fn file_name(&self) -> String {
        let ending = match self.order.form {
            FileForm::Csv => "csv",
            FileForm::Xlsx => "xlsx",
        };
        let region = self.order.region.to_string().replace('.', "-");
        format!("{}-{region}-{}.{ending}", self.order.kind, clock::today())
    }
}

impl Desk {
    /// Looks at an order: whether it may be carried out, and how many records
    /// would leave.
    ///
    /// # Errors
    /// [`DeskError::Refused`], [`DeskError::NotThere`], [`DeskError::Unfit`]
    /// with what is missing, [`DeskError::Failed`].
    pub fn export_ready(
        &self,
        who: &Operator,
        order: ExportOrder,
    ) -> Result<ReadyExport, DeskError> {
        who.must(Right::Export)?;
        if order.disclosed != Disclosure::default() {
            who.must(Right::Reveal)?;
        }
        let scope = region_scope(who, Some(order.region))?;
        let region = match order.region {
            RegionRef::Kabupaten => lumbung_domain::region::NAMA_KABUPATEN.to_owned(),
            RegionRef::Kecamatan(code) => {
                let known = roster().kecamatan_of(code).ok_or(DeskError::NotThere)?;
                format!("Kecamatan {}", known.name)
            }
            RegionRef::Desa(village) => {
                roster().village(village).ok_or(DeskError::NotThere)?.full_name()
            }
            RegionRef::Below(..) => return Err(DeskError::NotThere),
        };
        fit_purpose(&order.purpose, order.keep_until)?;
        let records = self.dataset.count_records(&scope, order.kind)?;
        if order.form == FileForm::Xlsx && records > XLSX_RECORDS_MAX {
            return Err(DeskError::unfit(
                "Catatannya terlalu banyak untuk Excel. Pilih satu kecamatan, atau CSV.",
                "Too many records for Excel. Choose one kecamatan, or CSV.",
            ));
        }
        let remarks = vec![
            format!("Isi: {}, {region}, {records} catatan.", order.kind),
            format!("Tujuan: {}", order.purpose.trim()),
            format!("Hapus paling lambat {}.", tanggal_indonesia(order.keep_until)),
            format!("Dibuat {} oleh {}.", clock::display(clock::now_ms()), who.name()),
            if order.disclosed.numbers {
                "Berisi NIK dan nomor KK lengkap. Jaga seperti KTP dan KK aslinya."
            } else {
                "NIK dan nomor KK tidak disertakan. Nama tetap data pribadi."
            }
            .to_owned(),
            if order.disclosed.specific {
                "Berisi data spesifik (kesehatan, disabilitas, anak): UU 27/2022 Pasal 4."
            } else {
                "Data spesifik tidak disertakan; tanggal lahir anak tertutup, tahunnya ada."
            }
            .to_owned(),
        ];
        let disclosed = order.disclosed;
        let export = RecordsExport { kind: order.kind, scope, disclosed, remarks };
        Ok(ReadyExport { order, records, region, export })
    }

    /// Notes that records leave. To be called before [`Self::write_export`].
    ///
    /// # Errors
    /// [`DeskError::Unfit`], [`DeskError::Failed`]: nothing may leave then.
    pub fn note_export(&self, who: &Operator, ready: &ReadyExport) -> Result<(), DeskError> {
        let order = &ready.order;
        let numbers = if order.disclosed.numbers { "dengan NIK" } else { "tanpa NIK" };
        let specific = if order.disclosed.specific { ", dengan data spesifik" } else { "" };
        let words = format!(
            "{}, {} catatan, {numbers}{specific}, sampai {}: {}",
            order.kind,
            ready.records,
            order.keep_until,
            order.purpose.trim()
        );
        self.note(who, Act::Exported, order.region.to_string(), &words)?;
        self.counts.exported(order.disclosed.numbers);
        Ok(())
    }

    /// Looks at an order, notes it and carries it out; how many records.
    ///
    /// # Errors
    /// Those of [`Self::export_ready`] and [`Self::note_export`]: then nothing
    /// was written. [`DeskError::Failed`] and [`DeskError::Unfit`] on the way.
    pub fn export_now(
        &self,
        who: &Operator,
        order: ExportOrder,
        out: &mut (dyn Write + Send),
    ) -> Result<u64, DeskError> {
        let ready = self.export_ready(who, order)?;
        self.note_export(who, &ready)?;
        self.write_export(&ready, out).map_err(|error| match error {
            ExportError::Dataset(error) => error.into(),
            other => DeskError::Unfit(other.words()),
        })
    }

    /// The region an operator's file is of when none was named: all of theirs,
    /// as long as one name says it.
    ///
    /// # Errors
    /// [`DeskError::Unfit`] when it must be named.
    pub fn whole_region(who: &Operator) -> Result<RegionRef, DeskError> {
        if who.scope().is_whole() {
            return Ok(RegionRef::Kabupaten);
        }
        let own = roster().villages().iter().filter(|desa| who.scope().holds(desa.code));
        let mut own = own.map(|desa| desa.kecamatan).collect::<Vec<_>>();
        own.dedup();
        match own[..] {
            [one] => Ok(RegionRef::Kecamatan(one)),
            _ => Err(DeskError::unfit(
                "Sebutkan kecamatan atau desanya. Tidak ada yang ditulis.",
                "Name the kecamatan or the village. Nothing was written.",
            )),
        }
    }

    /// Writes the file; how many records. Memory stays flat.
    ///
    /// # Errors
    /// [`ExportError`].
    pub fn write_export(
        &self,
        ready: &ReadyExport,
        out: &mut (dyn Write + Send),
    ) -> Result<u64, ExportError> {
        let order = &ready.order;
        let _span = spans::export(order.kind, order.region, ready.records).entered();
        match order.form {
            FileForm::Csv => ready.export.csv(&*self.dataset, out),
            FileForm::Xlsx => ready.export.xlsx(&*self.dataset, out),
        }
    }
}

/// Whether a purpose says anything, and an end lies within the year.
pub(super) fn fit_purpose(purpose: &str, keep_until: Date) -> Result<(), DeskError> {
    let purpose = purpose.trim();
    if purpose.chars().count() < PURPOSE_MIN || purpose.chars().count() > 300 {
        return Err(DeskError::unfit(
            format!(
                "Tulis untuk apa data ini dipakai, paling sedikit {PURPOSE_MIN} dan paling banyak \
                 300 huruf. Tidak ada yang ditulis."
            ),
            format!(
                "Write what this data is for, with {PURPOSE_MIN} to 300 characters. Nothing was \
                 written."
            ),
        ));
    }
    fit_words(purpose)?;
    let today = clock::today();
    let last = today.checked_add(jiff::Span::new().days(KEEP_DAYS_MAX)).unwrap_or(today);
    if keep_until <= today || keep_until > last {
        return Err(DeskError::unfit(
            "Pilih sampai kapan berkas boleh disimpan: mulai besok, paling lama satu tahun.",
            "Choose until when the file may be kept: from tomorrow, for a year at most.",
        ));
    }
    Ok(())
}
