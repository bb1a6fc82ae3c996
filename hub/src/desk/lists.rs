//! What lists are made of: all villages with what needs somebody, records,
//! files.

use std::io::Write;

use lumbung_domain::id::Kind;
use lumbung_domain::region::{KecamatanCode, VillageCode, roster};
use lumbung_telemetry::clock;

use super::{Desk, DeskError};
use crate::access::audit::Act;
use crate::access::{Operator, Right};
use crate::dataset::notices::ListedNotice;
use crate::dataset::{RecordFilter, Scope, StoredRecord};
use crate::exports::{ExportError, IdentityNumbers, RecordsExport};
use crate::outlook::Outlook;
use crate::reason::{Place, Reasons};

/// Records that are wanted as a file.
#[derive(Clone, Debug)]
pub struct WantedFile {
    /// Their kind.
    pub kind: Kind,
    /// Of this village only.
    pub village: Option<VillageCode>,
    /// Of this kecamatan only.
    pub kecamatan: Option<KecamatanCode>,
    /// A workbook instead of CSV.
    pub workbook: bool,
    /// Identity numbers in full, and what for.
    pub with_numbers_for: Option<String>,
}

impl Desk {
    /// The operator's villages at this moment, and what needs somebody there.
    /// Causes are sought in the whole district: a neighbour's silence may
    /// explain one's own.
    ///
    /// # Errors
    /// [`DeskError::Failed`].
    pub fn overview(&self, who: &Operator) -> Result<(Outlook, Reasons), DeskError> {
        who.must(Right::SeeVillages)?;
        let mut outlook = Outlook::now(&*self.dataset, &self.live)?;
        let mut reasons = Reasons::of(&outlook);
        outlook.villages.retain(|village| who.scope().holds(village.desa.code));
        reasons.needs.retain(|need| match need.place {
            Place::Hub => who.scope().is_whole(),
            Place::Kecamatan(code) => {
                let own = Scope::of_kecamatan([code]);
                own.within(who.scope()) == own
            }
            Place::Village(code) => who.scope().holds(code),
        });
        Ok((outlook, reasons))
    }

    /// Records of one kind, without their content: for names and ids.
    ///
    /// # Errors
    /// [`DeskError::Refused`] without [`Right::SeeRecords`],
    /// [`DeskError::NotThere`], [`DeskError::Failed`].
    pub fn records_of(
        &self,
        who: &Operator,
        kind: Kind,
        village: Option<VillageCode>,
        limit: u32,
    ) -> Result<Vec<StoredRecord>, DeskError> {
        who.must(Right::SeeRecords)?;
        let scope = Self::narrowed(who, village)?;
        Ok(self.dataset.records(&RecordFilter { scope, kind: Some(kind), after: None, limit })?)
    }

    /// Notices that reach one of the operator's villages, newest first.
    ///
    /// # Errors
    /// [`DeskError::Failed`].
    pub fn notices_sent(&self, who: &Operator, limit: u32) -> Result<Vec<ListedNotice>, DeskError> {
        who.must(Right::SeeVillages)?;
        let own = roster().villages().iter().map(|desa| desa.code);
        let own: Vec<_> = own.filter(|code| who.scope().holds(*code)).collect();
        let mut notices = self.dataset.notices(limit)?;
        notices.retain(|listed| {
            let targets = &listed.notice.informasi.sasaran;
            targets.iter().any(|target| own.iter().any(|code| target.reaches(*code)))
        });
        Ok(notices)
    }

    /// Writes records to a file that leaves the system; how many.
    ///
    /// # Errors
    /// [`DeskError::Refused`] without [`Right::Export`], or without
    /// [`Right::Reveal`] for numbers in full; [`DeskError::NotThere`],
    /// [`DeskError::Unfit`], [`DeskError::Failed`].
    pub fn write_file(
        &self,
        who: &Operator,
        wanted: &WantedFile,
        out: &mut (dyn Write + Send),
    ) -> Result<u64, DeskError> {
        who.must(Right::Export)?;
        let (scope, of) = Self::wanted_scope(who, wanted)?;
        let purpose = wanted.with_numbers_for.as_deref().map(str::trim);
        let (numbers, remarks) = match purpose {
            None => (IdentityNumbers::Masked, Vec::new()),
            Some("") => {
                return Err(DeskError::unfit(
                    "Tulis untuk apa NIK dibutuhkan. Tidak ada yang ditulis.",
                    "Write what the NIK are needed for. Nothing was written.",
                ));
            }
            Some(purpose) => {
                who.must(Right::Reveal)?;
                let now = clock::display(clock::now_ms());
                let remark =
                    format!("Berisi NIK dan nomor KK lengkap. Tujuan: {purpose}. Dibuat {now}.");
                (IdentityNumbers::Revealed, vec![remark])
            }
        };
        let words = match purpose {
            None => wanted.kind.name().to_owned(),
            Some(purpose) => format!("{} dengan NIK: {purpose}", wanted.kind.name()),
        };
        self.note(who, Act::Exported, of, &words)?;
        let export = RecordsExport { kind: wanted.kind, scope, numbers, remarks };
        let written = match wanted.workbook {
            true => export.xlsx(&*self.dataset, out),
            false => export.csv(&*self.dataset, out),
        };
        written.map_err(|error| match error {
            ExportError::Dataset(error) => error.into(),
            other => DeskError::Unfit(other.words()),
        })
    }

    /// The villages a file is of, and what the log calls them.
    fn wanted_scope(who: &Operator, wanted: &WantedFile) -> Result<(Scope, String), DeskError> {
        match (wanted.village, wanted.kecamatan) {
            (Some(village), _) => Ok((Self::one(who, village)?, village.compact())),
            (None, Some(code)) => {
                let own = Scope::of_kecamatan([code]);
                let known = roster().kecamatan_of(code).is_some();
                match known && own.within(who.scope()) == own {
                    true => Ok((own, code.compact())),
                    false => Err(DeskError::NotThere),
                }
            }
            (None, None) => Ok((who.scope().clone(), "semua".to_owned())),
        }
    }
}
