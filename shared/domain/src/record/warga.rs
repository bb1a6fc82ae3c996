//! Warga: one resident.

use jiff::civil::Date;

use crate::code_list::{
    Agama, Asuransi, Cacat, CaraKb, Code, DapatMembacaHuruf, GolonganDarah, KtpEl, Pekerjaan,
    PendidikanKk, PendidikanSedang, SakitMenahun, Shdk, StatusDasar, StatusKawin, StatusPenduduk,
    StatusRekam, Warganegara,
};
use crate::id::RecordId;
use crate::identity::Nik;

/// Sex as the forms write it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum JenisKelamin {
    /// L.
    LakiLaki = 1,
    /// P.
    Perempuan = 2,
}

/// Special needs (form 4.15 column 10).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum BerkebutuhanKhusus {
    /// None.
    Tidak = 1,
    /// Physical.
    Fisik = 2,
    /// Mental.
    Mental = 3,
    /// Another.
    Lainnya = 4,
}

/// Learning group (form 4.14.1a column 18).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum KelompokBelajar {
    /// Takes part in none.
    Tidak = 1,
    /// Primary equivalent.
    PaketA = 2,
    /// Junior secondary equivalent.
    PaketB = 3,
    /// Senior secondary equivalent.
    PaketC = 4,
    /// Keaksaraan fungsional (literacy).
    Kf = 5,
}

/// The seven rows of form 4.14.1b, in their order on the sheet.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum KegiatanWarga {
    /// Penghayatan dan pengamalan Pancasila.
    Pancasila = 1,
    /// Kerja bakti.
    KerjaBakti = 2,
    /// Rukun kematian.
    RukunKematian = 3,
    /// Kegiatan keagamaan.
    Keagamaan = 4,
    /// Jimpitan.
    Jimpitan = 5,
    /// Arisan.
    Arisan = 6,
    /// Lain-lain.
    LainLain = 7,
}

/// What one row of form 4.14.1b says.
#[derive(Clone, PartialEq, Eq)]
pub struct IkutKegiatan {
    /// The row.
    pub kegiatan: KegiatanWarga,
    /// Y or T; blank: not asked.
    pub ikut: Option<bool>,
    /// The row's remark.
    pub keterangan: String,
}

/// The rows of form 4.14.1b that say anything, in the form's order, one of an
/// activity at most.
#[derive(Clone, Default, PartialEq, Eq)]
pub struct BukuKegiatan(Vec<IkutKegiatan>);

impl BukuKegiatan {
    /// The rows that say anything.
    pub fn rows(&self) -> impl Iterator<Item = &IkutKegiatan> {
        self.0.iter()
    }

    /// The activities with this answer.
    pub fn answered(&self, ikut: bool) -> impl Iterator<Item = KegiatanWarga> + '_ {
        self.0.iter().filter(move |row| row.ikut == Some(ikut)).map(|row| row.kegiatan)
    }

    /// The remark of a row; empty without one.
    #[must_use]
    pub fn keterangan(&self, kegiatan: KegiatanWarga) -> &str {
        let row = self.0.iter().find(|row| row.kegiatan == kegiatan);
        row.map_or("", |row| &row.keterangan)
    }

    /// Writes a row's answer.
    pub fn answer(&mut self, kegiatan: KegiatanWarga, ikut: Option<bool>) {
        self.change(kegiatan, |row| row.ikut = ikut);
    }

    /// Writes a row's remark.
    pub fn remark(&mut self, kegiatan: KegiatanWarga, keterangan: &str) {
        self.change(kegiatan, |row| keterangan.clone_into(&mut row.keterangan));
    }

    fn change(&mut self, kegiatan: KegiatanWarga, change: impl FnOnce(&mut IkutKegiatan)) {
        let at = match self.0.binary_search_by_key(&kegiatan.number(), |row| row.kegiatan.number())
        {
            Ok(at) => at,
            Err(at) => {
                let blank = IkutKegiatan { kegiatan, ikut: None, keterangan: String::new() };
                self.0.insert(at, blank);
                at
            }
        };
        change(&mut self.0[at]);
        if self.0[at].ikut.is_none() && self.0[at].keterangan.is_empty() {
            self.0.remove(at);
        }
    }
}

/// The eight activity columns 11-18 of form 4.15.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum KegiatanPkk {
    /// Penghayatan dan pengamalan Pancasila.
    Pancasila = 1,
    /// Gotong royong.
    GotongRoyong = 2,
    /// Pendidikan dan keterampilan.
    PendidikanKeterampilan = 3,
    /// Pengembangan kehidupan berkoperasi.
    Koperasi = 4,
    /// Pangan.
    Pangan = 5,
    /// Sandang.
    Sandang = 6,
    /// Kesehatan.
    Kesehatan = 7,
    /// Perencanaan sehat.
    PerencanaanSehat = 8,
}

/// A parent as the sheets carry it: by number and by name.
#[derive(Clone, Default, PartialEq, Eq)]
pub struct OrangTua {
    /// NIK, when known.
    pub nik: Option<Nik>,
    /// Name, when known.
    pub nama: String,
}

/// Papers of a resident (OpenSID sheet columns 23-30 and 39-41).
#[derive(Clone, Default, PartialEq, Eq)]
pub struct DokumenWarga {
    /// Birth certificate number.
    pub akta_lahir: String,
    /// Passport number.
    pub paspor: String,
    /// Passport valid until.
    pub paspor_berlaku_sampai: Option<Date>,
    /// Stay permit number.
    pub kitas: String,
    /// Marriage certificate number.
    pub akta_perkawinan: String,
    /// Married on.
    pub tanggal_perkawinan: Option<Date>,
    /// Divorce certificate number.
    pub akta_perceraian: String,
    /// Divorced on.
    pub tanggal_perceraian: Option<Date>,
    /// Id of the card's chip.
    pub tag_id_card: String,
}

/// A resident: forms 4.14.1a, 4.14.1b and 4.15, Buku Induk Penduduk B.1 and
/// the OpenSID resident sheet together.
#[derive(Clone, Default, PartialEq)]
pub struct Warga {
    /// Population number. `None` while the resident has none or only a
    /// temporary one; several residents without a number are several people.
    pub nik: Option<Nik>,
    /// The family card the resident stands on.
    pub keluarga_id: Option<RecordId>,
    /// Name.
    pub nama: String,
    /// Number in the dasawisma's own book.
    pub no_registrasi: String,
    /// Position in PKK or another community body; not a job.
    pub jabatan: String,
    /// Sex.
    pub jenis_kelamin: Option<JenisKelamin>,
    /// Place of birth.
    pub tempat_lahir: String,
    /// Date of birth. Age is derived at a stated day, never stored.
    pub tanggal_lahir: Option<Date>,
    /// Religion.
    pub agama: Option<Code<Agama>>,
    /// Education as on the family card (completed).
    pub pendidikan_kk: Option<Code<PendidikanKk>>,
    /// Education under way.
    pub pendidikan_sedang: Option<Code<PendidikanSedang>>,
    /// Occupation.
    pub pekerjaan: Option<Code<Pekerjaan>>,
    /// Marital status.
    pub status_kawin: Option<Code<StatusKawin>>,
    /// Relation to the head of the family (status hubungan dalam keluarga).
    pub shdk: Option<Code<Shdk>>,
    /// Citizenship.
    pub warganegara: Option<Code<Warganegara>>,
    /// Father.
    pub ayah: OrangTua,
    /// Mother.
    pub ibu: OrangTua,
    /// Blood group.
    pub golongan_darah: Option<Code<GolonganDarah>>,
    /// Scripts the resident reads (B.1 column 10).
    pub dapat_membaca: Option<Code<DapatMembacaHuruf>>,
    /// Papers.
    pub dokumen: DokumenWarga,
    /// Disability (OpenSID list; 7 = none).
    pub cacat: Option<Code<Cacat>>,
    /// Chronic illness (14 = none).
    pub sakit_menahun: Option<Code<SakitMenahun>>,
    /// Akseptor KB as the form asks it. Blank reads as `cara_kb` says, see
    /// [`Warga::is_akseptor_kb`].
    pub akseptor_kb: Option<bool>,
    /// Contraception: which kind.
    pub cara_kb: Option<Code<CaraKb>>,
    /// Pregnant.
    pub hamil: Option<bool>,
    /// Breastfeeding.
    pub menyusui: Option<bool>,
    /// Electronic identity card.
    pub ktp_el: Option<Code<KtpEl>>,
    /// State of the identity card's recording.
    pub status_rekam: Option<Code<StatusRekam>>,
    /// Present address, when it differs from the family card's.
    pub alamat_sekarang: String,
    /// Alive, dead, moved, missing, away (status dasar). `None` reads as alive.
    pub status_dasar: Option<Code<StatusDasar>>,
    /// Permanent or temporary resident.
    pub status_penduduk: Option<Code<StatusPenduduk>>,
    /// Ethnic group.
    pub suku: String,
    /// Health insurance.
    pub asuransi: Option<Code<Asuransi>>,
    /// Health insurance number.
    pub no_asuransi: String,
    /// Telephone.
    pub telepon: String,
    /// Latitude as the sheet writes it.
    pub lat: String,
    /// Longitude as the sheet writes it.
    pub lng: String,
    /// Special needs.
    pub berkebutuhan_khusus: Option<BerkebutuhanKhusus>,
    /// "Tiga buta": can't read letters and figures, Indonesian, or lacks
    /// basic knowledge.
    pub buta3: Option<bool>,
    /// Active in the posyandu.
    pub aktif_posyandu: Option<bool>,
    /// How often, as written.
    pub frekuensi_posyandu: String,
    /// Takes part in Bina Keluarga Balita.
    pub bkb: Option<bool>,
    /// Has savings.
    pub tabungan: Option<bool>,
    /// Learning group.
    pub kelompok_belajar: Option<KelompokBelajar>,
    /// Attends PAUD or the like.
    pub paud: Option<bool>,
    /// Member of a cooperative.
    pub koperasi: Option<bool>,
    /// Which kind of cooperative.
    pub jenis_koperasi: String,
    /// Takes part in UP2K.
    pub up2k: Option<bool>,
    /// Takes part in environmental health work.
    pub kesling: Option<bool>,
    /// Form 4.14.1b.
    pub kegiatan_warga: BukuKegiatan,
    /// Remark on those activities as a whole.
    pub keterangan_kegiatan: String,
    /// Activities of form 4.15 with a mark.
    pub kegiatan_pkk: Vec<KegiatanPkk>,
    /// Remark on form 4.15 (column 19).
    pub keterangan: String,
}

impl Warga {
    /// Whether the resident counts as akseptor KB: the answer, and where
    /// nobody asked, whether a kind of contraception is known.
    #[must_use]
    pub fn is_akseptor_kb(&self) -> bool {
        self.akseptor_kb.unwrap_or(self.cara_kb.is_some())
    }
}

closed_debug!(OrangTua, DokumenWarga, IkutKegiatan, BukuKegiatan, Warga);
