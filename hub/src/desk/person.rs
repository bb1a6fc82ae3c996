//! One person and one house: what the forms say, who wrote it, and opening
//! what is closed.
//!
//! Identity numbers and specific data (UU 27/2022 Pasal 4) are closed: since
//! birth date, sex and village give most of a NIK away, not a digit of it
//! shows. [`Desk::reveal`] opens one person's, once, with a reason that is
//! noted before anything is shown, and so many times an hour.

use lumbung_domain::code_list::Code;
use lumbung_domain::id::{Kind, RecordId};
use lumbung_domain::record::{Field, Kelas, Numbers, Record, Warga};
use lumbung_domain::region::VillageCode;
use lumbung_ledger::{Seq, Source};
use lumbung_telemetry::clock;
use lumbung_wire::record as wire;

use super::{Desk, DeskError};
use crate::access::audit::Act;
use crate::access::{Operator, Right};
use crate::dataset::search::{FamilyLine, Household, ResidentLine};
use crate::dataset::{FirstEntry, Scope, StoredRecord};
use crate::words::Words;

/// What stands for a number that is closed.
pub const CLOSED: &str = "****************";

/// Persons one operator may open in an hour.
pub const REVEALS_AN_HOUR: u64 = 30;

/// The shortest reason that says anything, letters.
const REASON_MIN: usize = 10;

const HOUR_MS: i64 = 60 * 60 * 1000;

/// When a record was made and by whom, who wrote it last, and with which entry.
#[derive(Clone)]
pub struct Provenance {
    /// When it was made, the node's wall clock, Unix milliseconds, as its id
    /// says; `None` = it does not.
    pub made_ms: Option<i64>,
    /// Who made it; `None` = the hub has never seen.
    pub made_by: Option<String>,
    /// The entry's number in the village's log.
    pub seq: Seq,
    /// The node's wall clock then, Unix milliseconds.
    pub time_ms: i64,
    /// Who.
    pub actor: String,
    /// Where from.
    pub source: Source,
}

impl Provenance {
    fn of(stored: &StoredRecord, kept: Option<FirstEntry>) -> Self {
        let StoredRecord { id, seq, time_ms, actor, source, .. } = stored;
        let first = FirstEntry::of(kept, *id, *time_ms, actor);
        Self {
            made_ms: first.as_ref().map(|first| first.time_ms).or_else(|| id.minted_ms()),
            made_by: first.map(|first| first.actor),
            seq: *seq,
            time_ms: *time_ms,
            actor: actor.clone(),
            source: *source,
        }
    }
}

/// The fields of one form.
#[derive(Clone)]
pub struct FormFields {
    /// The form's number or name, as people know it.
    pub form: &'static str,
    /// Its filled fields; closed ones carry [`CLOSED`].
    pub fields: Vec<Field>,
}

/// One resident.
pub struct Person {
    /// Who and where.
    pub line: ResidentLine,
    /// What the forms say, form by form.
    pub forms: Vec<FormFields>,
    /// Whether anything is closed.
    pub has_closed: bool,
    /// In no known house: what the hub knows of that.
    pub unplaced: Option<Unplaced>,
    /// Who wrote it.
    pub provenance: Provenance,
}

/// What the hub knows of a living resident in no known house. Only the village
/// can say where somebody belongs, so nothing is decided here.
#[derive(Clone)]
pub enum Unplaced {
    /// Neither family nor house can be told.
    Nowhere,
    /// The family's record is gone; this one has the same card by now.
    Anew(Box<FamilyLine>),
}

impl Unplaced {
    /// Why, and how the village mends it.
    #[must_use]
    pub fn words(&self) -> Words {
        match self {
            Self::Nowhere => Words::new(
                "Belum punya keluarga atau rumah yang dikenal, jadi tidak ikut dihitung di rekap. \
                 Desa memperbaikinya dengan mengimpor lagi baris orang ini, dengan NIK dan nomor \
                 KK keluarganya.",
                "On no known family card or in no known house, so counted in no recap. The village \
                 mends this by importing the person's row again, with NIK and the number of the \
                 family's card.",
            ),
            Self::Anew(_) => Words::new(
                "Keluarga yang disebut catatan ini tidak ada lagi di desa, jadi orang ini tidak \
                 ikut dihitung di rekap. Kartu keluarga dengan nomor yang sama sudah dicatat lagi. \
                 Bila orang ini memang di situ, desa mengimpor lagi barisnya dengan NIK dan nomor \
                 KK itu; bila tidak, desa mencatat meninggal atau pindahnya.",
                "The family that this record names is no longer in the village, so the person is \
                 counted in no recap. A family card of the same number has been recorded again. If \
                 the person does belong there, the village imports the row again with NIK and that \
                 card's number; if not, it records the death or the move.",
            ),
        }
    }
}

/// One house.
pub struct House {
    /// Who lives there.
    pub household: Household,
    /// What the forms say.
    pub fields: Vec<Field>,
    /// Who wrote it.
    pub provenance: Provenance,
}

/// What is to be opened.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Opening {
    /// NIK, family card number and other numbers of papers.
    pub numbers: bool,
    /// Health, disability, pregnancy, contraception; of children their birth
    /// date and care; telephone and place.
    pub specific: bool,
}

impl Desk {
    /// One resident, with numbers and specific data closed.
    ///
    /// # Errors
    /// [`DeskError::NotThere`], [`DeskError::Failed`].
    pub fn person(
        &self,
        who: &Operator,
        village: VillageCode,
        id: RecordId,
    ) -> Result<Person, DeskError> {
        self.opened(who, village, id, Opening::default())
    }

    /// One resident with what was asked opened. Noted before it is shown.
    ///
    /// # Errors
    /// [`DeskError::Refused`]; [`DeskError::Unfit`] without a reason, with a
    /// number in it, or too often; [`DeskError::NotThere`],
    /// [`DeskError::Failed`].
    pub fn reveal(
        &self,
        who: &Operator,
        village: VillageCode,
        id: RecordId,
        opening: Opening,
        reason: &str,
    ) -> Result<Person, DeskError> {
        who.must(Right::Reveal)?;
        let what = match opening {
            Opening { numbers: true, specific: true } => "nomor dan data spesifik",
            Opening { numbers: true, specific: false } => "nomor",
            Opening { numbers: false, specific: true } => "data spesifik",
            Opening { numbers: false, specific: false } => {
                return Err(DeskError::unfit(
                    "Pilih apa yang perlu dibuka.",
                    "Choose what has to be opened.",
                ));
            }
        };
        fit_reason(reason)?;
        let person = self.opened(who, village, id, opening)?;
        self.note_reveal(who, revealed(village, id), what, reason)?;
        Ok(person)
    }

    /// Notes that something closed is opened, before it is.
    ///
    /// # Errors
    /// [`DeskError::Unfit`] without a reason, with a number in it, or when
    /// that was often of late; [`DeskError::Failed`].
    pub(crate) fn note_reveal(
        &self,
        who: &Operator,
        subject: String,
        what: &str,
        reason: &str,
    ) -> Result<(), DeskError> {
        fit_reason(reason)?;
        // One after another, so that nobody slips past the limit.
        let _one = self.revealing.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        let since_ms = clock::now_ms() - HOUR_MS;
        if self.audit.count_acts(who.name(), Act::Revealed, since_ms)? >= REVEALS_AN_HOUR {
            return Err(DeskError::unfit(
                format!(
                    "Dalam satu jam Anda sudah membuka data {REVEALS_AN_HOUR} orang. Tunggu \
                     sebentar, atau pakai ekspor bila perlu banyak data. Tidak ada yang dibuka."
                ),
                format!(
                    "You have opened the data of {REVEALS_AN_HOUR} persons within an hour. Wait a \
                     little, or use an export for much data. Nothing was opened."
                ),
            ));
        }
        self.note(who, Act::Revealed, subject, &format!("{what}: {}", reason.trim()))
    }

    fn opened(
        &self,
        who: &Operator,
        village: VillageCode,
        id: RecordId,
        opening: Opening,
    ) -> Result<Person, DeskError> {
        who.must(Right::SeeRecords)?;
        let scope = Self::one(who, village)?;
        let line = self.dataset.resident(&scope, village, id)?.ok_or(DeskError::NotThere)?;
        let stored = self.dataset.record(&scope, village, id)?.ok_or(DeskError::NotThere)?;
        let Ok(Record::Warga(warga)) = wire::decode(Kind::Warga, &stored.bytes) else {
            return Err(DeskError::NotThere);
        };
        let no_kk = self.family_number(&scope, village, &warga)?;
        let fields = fields(&warga, no_kk, opening);
        Ok(Person {
            has_closed: fields.iter().any(|field| field.value == CLOSED),
            unplaced: self.unplaced(&scope, &warga, &line)?,
            line,
            forms: by_form(fields),
            provenance: self.provenance(&scope, &stored)?,
        })
    }

    /// Who made and who wrote a record.
    fn provenance(&self, scope: &Scope, stored: &StoredRecord) -> Result<Provenance, DeskError> {
        let kept = self.dataset.first_entry(scope, stored.village, stored.id)?;
        Ok(Provenance::of(stored, kept))
    }

    /// What is known of somebody in no known house.
    fn unplaced(
        &self,
        scope: &Scope,
        warga: &Warga,
        line: &ResidentLine,
    ) -> Result<Option<Unplaced>, DeskError> {
        let gone = line.status_dasar.is_some_and(|status| status != Code::HIDUP);
        if line.place.house.is_some() || gone {
            return Ok(None);
        }
        let anew = match warga.keluarga_id {
            Some(lost) => self.dataset.family_anew(scope, line.village, lost)?,
            None => None,
        };
        Ok(Some(anew.map_or(Unplaced::Nowhere, |family| Unplaced::Anew(Box::new(family)))))
    }

    /// The number of a resident's family card.
    fn family_number(
        &self,
        scope: &Scope,
        village: VillageCode,
        warga: &Warga,
    ) -> Result<Option<String>, DeskError> {
        let Some(family) = warga.keluarga_id else { return Ok(None) };
        let Some(stored) = self.dataset.record(scope, village, family)? else { return Ok(None) };
        match wire::decode(Kind::Keluarga, &stored.bytes) {
            Ok(Record::Keluarga(family)) => Ok(family.no_kk.map(|kk| kk.digits())),
            _ => Ok(None),
        }
    }

    /// One house with everybody in it.
    ///
    /// # Errors
    /// [`DeskError::NotThere`], [`DeskError::Failed`].
    pub fn house(
        &self,
        who: &Operator,
        village: VillageCode,
        id: RecordId,
    ) -> Result<House, DeskError> {
        who.must(Right::SeeRecords)?;
        let scope = Self::one(who, village)?;
        let household = self.dataset.household(&scope, village, id)?.ok_or(DeskError::NotThere)?;
        let stored = self.dataset.record(&scope, village, id)?.ok_or(DeskError::NotThere)?;
        let record =
            wire::decode(Kind::RumahTangga, &stored.bytes).map_err(|_| DeskError::NotThere)?;
        let mut fields = record.fields(Numbers::Closed, clock::today());
        fields.retain(|field| !IDS.contains(&field.label));
        for field in fields.iter_mut().filter(|field| field.kelas == Kelas::Spesifik) {
            CLOSED.clone_into(&mut field.value);
        }
        Ok(House { household, fields, provenance: self.provenance(&scope, &stored)? })
    }
}

/// What the audit log says of a record that was opened: the reference by which
/// pages and commands find it again.
pub(crate) fn revealed(village: VillageCode, id: RecordId) -> String {
    format!("{village}/{id}")
}

/// Whether a reason for opening something says anything.
pub(super) fn fit_reason(reason: &str) -> Result<(), DeskError> {
    if reason.trim().chars().count() >= REASON_MIN {
        return Ok(());
    }
    Err(DeskError::unfit(
        format!(
            "Tulis alasannya, paling sedikit {REASON_MIN} huruf: untuk keperluan apa data ini \
             dibuka. Tidak ada yang dibuka."
        ),
        format!(
            "Write the reason, with {REASON_MIN} characters at least: what this data is opened \
             for. Nothing was opened."
        ),
    ))
}

/// Fields that name other records: the pages link to those instead.
const IDS: [&str; 5] = ["RT", "Dasawisma", "Kepala rumah tangga", "Keluarga", "Rumah tangga"];

/// Numbers of papers, and what leads to a person elsewhere.
const NUMBERS: [&str; 9] = [
    "NIK",
    "Nomor KK",
    "Akta lahir",
    "Paspor",
    "KITAS",
    "Akta perkawinan",
    "Akta perceraian",
    "Tag KTP",
    "Nomor asuransi",
];

/// A resident's fields with what is not opened closed.
fn fields(warga: &Warga, no_kk: Option<String>, opening: Opening) -> Vec<Field> {
    let mut open = warga.clone();
    (open.ayah.nik, open.ibu.nik) = (None, None);
    let number = |value: Option<String>| {
        value.map(|value| if opening.numbers { value } else { CLOSED.to_owned() })
    };
    let mut fields = Record::Warga(Box::new(open)).fields(Numbers::Closed, clock::today());
    fields.retain(|field| !IDS.contains(&field.label) && field.label != "NIK");
    for field in &mut fields {
        let closed = match field.kelas {
            Kelas::Spesifik => !opening.specific,
            Kelas::Umum => NUMBERS.contains(&field.label) && !opening.numbers,
        };
        if closed {
            CLOSED.clone_into(&mut field.value);
        }
    }
    let numbers = [
        ("NIK", number(warga.nik.map(|nik| nik.digits()))),
        ("Nomor KK", number(no_kk)),
        ("NIK ayah", number(warga.ayah.nik.map(|nik| nik.digits()))),
        ("NIK ibu", number(warga.ibu.nik.map(|nik| nik.digits()))),
    ];
    let numbers = numbers
        .into_iter()
        .filter_map(|(label, value)| value.map(|value| Field { label, value, kelas: Kelas::Umum }));
    numbers.chain(fields).collect()
}

/// The forms of a resident and the fields that stand on them; what is on no
/// other form is of Buku Induk Penduduk.
const FORMS: [(&str, &[&str]); 4] = [
    (
        "Data Warga (4.14.1a)",
        &[
            "NIK",
            "Nomor KK",
            "Nama",
            "Nomor registrasi",
            "Jabatan",
            "Jenis kelamin",
            "Tempat lahir",
            "Tanggal lahir",
            "Tahun lahir",
            "Status perkawinan",
            "Hubungan dalam keluarga",
            "Agama",
            "Pendidikan dalam KK",
            "Pekerjaan",
            "Cara KB",
            "Aktif posyandu",
            "Frekuensi posyandu",
            "Bina Keluarga Balita",
            "Punya tabungan",
            "Kelompok belajar",
            "PAUD",
            "Koperasi",
            "Jenis koperasi",
        ],
    ),
    (
        "Catatan Keluarga (4.15)",
        &[
            "Berkebutuhan khusus",
            "3 buta",
            "Hamil",
            "Menyusui",
            "UP2K",
            "Kesehatan lingkungan",
            "Kegiatan PKK",
        ],
    ),
    ("Kegiatan Warga (4.14.1b)", &["Kegiatan warga", "Keterangan kegiatan"]),
    ("Buku Induk Penduduk (B.1)", &[]),
];

fn by_form(fields: Vec<Field>) -> Vec<FormFields> {
    let mut forms: Vec<FormFields> =
        FORMS.iter().map(|(form, _)| FormFields { form, fields: Vec::new() }).collect();
    for field in fields {
        let named = FORMS.iter().position(|(_, labels)| labels.contains(&field.label));
        let at = named.unwrap_or(FORMS.len() - 1);
        if let Some(form) = forms.get_mut(at) {
            form.fields.push(field);
        }
    }
    forms.retain(|form| !form.fields.is_empty());
    forms
}

#[cfg(test)]
mod tests {
    use lumbung_domain::identity::Nik;
    use lumbung_domain::record::OrangTua;

    use super::*;

    fn warga() -> Warga {
        let nik = Nik::from_u64(3_505_904_101_900_001);
        Warga {
            nik,
            nama: "TIDAK NYATA".to_owned(),
            hamil: Some(true),
            // A child on any day this test runs.
            tanggal_lahir: clock::today().checked_sub(jiff::Span::new().years(3)).ok(),
            paud: Some(true),
            telepon: "0812".to_owned(),
            ibu: OrangTua { nik, nama: "IBU".to_owned() },
            ..Warga::default()
        }
    }

    fn value(fields: &[Field], label: &str) -> String {
        fields.iter().find(|field| field.label == label).map(|it| it.value.clone()).unwrap()
    }

    #[test]
    fn only_what_was_asked_is_opened() {
        let kk = || Some("3505900101900007".to_owned());
        for (numbers, specific) in [(false, false), (true, false), (false, true), (true, true)] {
            let fields = fields(&warga(), kk(), Opening { numbers, specific });
            let digits = |open: &str| if numbers { open.to_owned() } else { CLOSED.to_owned() };
            assert_eq!(value(&fields, "NIK"), digits("3505904101900001"));
            assert_eq!(value(&fields, "NIK ibu"), digits("3505904101900001"));
            assert_eq!(value(&fields, "Nomor KK"), digits("3505900101900007"));
            assert_eq!(value(&fields, "Hamil") == "ya", specific);
            for label in ["Tanggal lahir", "PAUD", "Telepon"] {
                assert_eq!(value(&fields, label) != CLOSED, specific, "{label}");
            }
            assert_eq!(value(&fields, "Tahun lahir").len(), 4);
            assert_eq!(value(&fields, "Ibu"), "IBU", "names stay without their numbers");
            let all: String = fields.iter().map(|field| field.value.as_str()).collect();
            assert!(numbers || !all.contains("350590"), "not a digit of a closed number");
        }
    }

    #[test]
    fn every_field_stands_on_one_form() {
        let before = fields(&warga(), None, Opening::default()).len();
        let forms = by_form(fields(&warga(), None, Opening::default()));
        assert_eq!(forms.iter().map(|form| form.fields.len()).sum::<usize>(), before);
        assert_eq!(forms[0].form, "Data Warga (4.14.1a)");
    }
}
