//! A record as people read it: what names it, and its filled fields with the
//! forms' labels.
//!
//! Identity numbers are never whole here ([`Numbers`]). Fields of specific
//! personal data
//! (UU 27/2022 Pasal 4: health, disability) are marked, so that whoever
//! prints them can keep them closed.

use jiff::civil::Date;

use super::{
    IkutKegiatan, Industri, Keluarga, MasaAktif, Mutasi, OrangTua, Pekarangan, PernyataanJumlah,
    Record, RumahTangga, SumberAir, TandaTerima, Titik, Warga,
};
use crate::code_list::{Code, CodeList};
use crate::id::RecordId;
use crate::indicator::masih_anak;
use crate::recap::tanggal_indonesia;
use crate::region::JenisDesa;

/// How closely a field is guarded.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kelas {
    /// General personal data or none at all.
    Umum,
    /// Specific personal data (health, disability, children), and what leads
    /// straight to a person's door or telephone.
    Spesifik,
}

/// One filled field.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Field {
    /// Its label on the forms.
    pub label: &'static str,
    /// What stands there, in words.
    pub value: String,
    /// How closely it is guarded.
    pub kelas: Kelas,
}

/// How much of identity numbers is read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Numbers {
    /// At the village's own node: the region and the last three digits, to
    /// tell one card from another.
    Masked,
    /// Elsewhere: only whether there is one. With birth date and sex beside
    /// it, a masked NIK leaves one digit to guess.
    Closed,
}

impl Numbers {
    fn of<T: ToString>(self, number: &T) -> String {
        match self {
            Self::Masked => number.to_string(),
            Self::Closed => "ada".to_owned(),
        }
    }
}

/// Gathers filled fields; blanks leave no trace.
struct Reading {
    numbers: Numbers,
    today: Date,
    fields: Vec<Field>,
}

impl Reading {
    fn put(&mut self, label: &'static str, kelas: Kelas, value: Option<String>) {
        if let Some(value) = value.filter(|value| !value.is_empty()) {
            self.fields.push(Field { label, value, kelas });
        }
    }

    fn text(&mut self, label: &'static str, text: &str) {
        self.put(label, Kelas::Umum, Some(text.to_owned()));
    }

    fn shown<T: ToString>(&mut self, label: &'static str, value: Option<T>) {
        self.put(label, Kelas::Umum, value.map(|value| value.to_string()));
    }

    fn identity<T: ToString>(&mut self, label: &'static str, number: Option<&T>) {
        let words = number.map(|number| self.numbers.of(number));
        self.put(label, Kelas::Umum, words);
    }

    fn date(&mut self, label: &'static str, date: Option<Date>) {
        self.put(label, Kelas::Umum, date.map(tanggal_indonesia));
    }

    fn id(&mut self, label: &'static str, id: Option<RecordId>) {
        self.shown(label, id);
    }

    fn number(&mut self, label: &'static str, number: u64) {
        self.shown(label, (number != 0).then_some(number));
    }

    fn code<L: CodeList>(&mut self, label: &'static str, code: Option<Code<L>>) {
        self.put(label, Kelas::Umum, code.map(code_words));
    }

    fn yes(&mut self, label: &'static str, answer: Option<bool>) {
        self.put(label, Kelas::Umum, answer.map(yes_words));
    }

    fn closed(&mut self, label: &'static str, words: Option<String>) {
        self.put(label, Kelas::Spesifik, words);
    }

    fn place(&mut self, titik: Option<Titik>) {
        self.put("Titik", Kelas::Umum, titik.map(|t| format!("{}, {}", t.lat, t.lon)));
    }

    /// Whether who was born then is a child today.
    fn is_child(&self, born: Option<Date>) -> bool {
        born.is_some_and(|born| masih_anak(born, self.today))
    }

    /// What was put under these labels is closed as well.
    fn close(&mut self, labels: &[&str]) {
        for field in self.fields.iter_mut().filter(|field| labels.contains(&field.label)) {
            field.kelas = Kelas::Spesifik;
        }
    }

    fn active(&mut self, aktif: MasaAktif) {
        self.date("Aktif dari", aktif.dari);
        self.date("Aktif sampai", aktif.sampai);
    }
}

fn code_words<L: CodeList>(code: Code<L>) -> String {
    code.label().map_or_else(|| format!("kode {}", code.number()), str::to_owned)
}

/// What a desa calls its parts.
const DUSUN: &str = JenisDesa::Desa.label_dusun();

fn lines(fields: &[Field], open: bool) -> String {
    let width = fields.iter().map(|field| field.label.chars().count()).max().unwrap_or(0);
    let line = |field: &Field| {
        let value = match field.kelas {
            Kelas::Spesifik if !open => "(tertutup)",
            _ => &field.value,
        };
        format!("{:width$}  {value}", field.label)
    };
    fields.iter().map(line).collect::<Vec<_>>().join("\n")
}

fn yes_words(answer: bool) -> String {
    if answer { "ya" } else { "tidak" }.to_owned()
}

impl Record {
    /// Like [`Record::describe`], with the word that a village of this kind
    /// has for its parts: dusun or lingkungan.
    #[must_use]
    pub fn describe_in(
        &self,
        jenis: JenisDesa,
        open: bool,
        numbers: Numbers,
        today: Date,
    ) -> String {
        let mut fields = self.fields(numbers, today);
        for field in &mut fields {
            if field.label == DUSUN {
                field.label = jenis.label_dusun();
            }
        }
        lines(&fields, open)
    }

    /// What names the record to people.
    #[must_use]
    pub fn title(&self, numbers: Numbers) -> String {
        match self {
            Self::Dusun(dusun) => dusun.nama.clone(),
            Self::Rw(rw) => format!("RW {}", rw.nomor),
            Self::Rt(rt) => format!("RT {}", rt.nomor),
            Self::Dasawisma(group) => group.nama.clone(),
            Self::RumahTangga(house) => house.alamat.clone(),
            Self::Keluarga(family) => family.no_kk.map_or_else(
                || "tanpa nomor KK".to_owned(),
                |kk| match numbers {
                    Numbers::Masked => kk.to_string(),
                    Numbers::Closed => "ada nomor KK".to_owned(),
                },
            ),
            Self::Warga(warga) => {
                let nik = warga.nik.map(|nik| match numbers {
                    Numbers::Masked => nik.to_string(),
                    Numbers::Closed => "ada NIK".to_owned(),
                });
                format!("{} ({})", warga.nama, nik.as_deref().unwrap_or("belum ada NIK"))
            }
            Self::Mutasi(event) => {
                let what = event.peristiwa.map(code_words).unwrap_or_default();
                let when = event.tgl_peristiwa.map(tanggal_indonesia).unwrap_or_default();
                format!("{what} {when}").trim().to_owned()
            }
            Self::TandaTerima(receipt) => {
                let who = if receipt.rt_id.is_some() { "RT" } else { "desa" };
                let what = if receipt.dibaca_ms.is_some() { "dibaca" } else { "diterima" };
                format!("informasi {what} {who}")
            }
            Self::PernyataanJumlah(stated) => {
                let of = if stated.wilayah_id.is_some() { "wilayah" } else { "desa" };
                let when = stated.per_tanggal.map(tanggal_indonesia).unwrap_or_default();
                format!("jumlah {of} per {when}")
            }
        }
    }

    /// The filled fields as aligned lines. Specific personal data is only
    /// shown with `open`; otherwise its line says that it is closed.
    #[must_use]
    pub fn describe(&self, open: bool, numbers: Numbers, today: Date) -> String {
        lines(&self.fields(numbers, today), open)
    }

    /// The filled fields, in the order of the forms. Of who is a child today,
    /// the birth date and what tells of care and school are specific data.
    #[must_use]
    pub fn fields(&self, numbers: Numbers, today: Date) -> Vec<Field> {
        let mut reading = Reading { numbers, today, fields: Vec::new() };
        match self {
            Self::Dusun(dusun) => {
                reading.text("Nama", &dusun.nama);
                reading.id("Kepala", dusun.kepala_id);
                reading.place(dusun.titik);
                reading.active(dusun.aktif);
                reading.text("SK pembentukan", &dusun.sk_pembentukan);
            }
            Self::Rw(rw) => {
                reading.text("Nomor", &rw.nomor);
                reading.id(DUSUN, rw.dusun_id);
                reading.id("Ketua", rw.ketua_id);
                reading.place(rw.titik);
                reading.active(rw.aktif);
                reading.text("SK pembentukan", &rw.sk_pembentukan);
            }
            Self::Rt(rt) => {
                reading.text("Nomor", &rt.nomor);
                reading.id("RW", rt.rw_id);
                reading.id(DUSUN, rt.dusun_id);
                reading.id("Ketua", rt.ketua_id);
                reading.text("Batas", &rt.batas);
                reading.place(rt.titik);
                reading.active(rt.aktif);
                reading.text("SK pembentukan", &rt.sk_pembentukan);
            }
            Self::Dasawisma(group) => {
                reading.text("Nama", &group.nama);
                reading.id("RT", Some(group.rt_id));
                reading.id("Ketua", group.ketua_id);
                reading.yes("Aktif", Some(group.aktif));
                reading.number("Tahun", u64::from(group.tahun));
            }
            Self::RumahTangga(house) => rumah_tangga(&mut reading, house),
            Self::Keluarga(family) => keluarga(&mut reading, family),
            Self::Warga(resident) => warga(&mut reading, resident),
            Self::Mutasi(event) => mutasi(&mut reading, event),
            Self::TandaTerima(receipt) => tanda_terima(&mut reading, receipt),
            Self::PernyataanJumlah(stated) => pernyataan_jumlah(&mut reading, stated),
        }
        reading.fields
    }
}

fn rumah_tangga(reading: &mut Reading, house: &RumahTangga) {
    reading.text("Alamat", &house.alamat);
    reading.text("Nomor rumah tangga", &house.nomor);
    reading.id("RT", Some(house.rt_id));
    reading.id("Dasawisma", house.dasawisma_id);
    reading.id("Kepala rumah tangga", house.kepala_id);
    reading.place(house.titik);
    reading.close(&["Titik"]);
    reading.shown("Kriteria rumah", house.kriteria.map(|kriteria| kriteria.label()));
    reading.yes("Tempat pembuangan sampah", house.punya_tps);
    reading.yes("SPAL", house.punya_spal);
    reading.yes("Jamban keluarga", house.punya_jamban);
    reading.shown("Jumlah MCK", house.jumlah_mck);
    // On the doors of women with child.
    reading.closed("Stiker P4K", house.stiker_p4k.map(yes_words));
    reading.put("Sumber air", Kelas::Umum, house.air.map(air_words));
    reading.shown("Makanan pokok", house.makanan_pokok.map(|pokok| pokok.label()));
    reading.yes("UP2K", house.up2k);
    reading.yes("Kesehatan lingkungan", house.kesling);
    let pekarangan = house
        .pekarangan
        .iter()
        .map(|Pekarangan { kategori, komoditi, jumlah }| usaha(kategori.label(), komoditi, jumlah));
    reading.put("Pekarangan", Kelas::Umum, Some(list(pekarangan)));
    let industri = house
        .industri
        .iter()
        .map(|Industri { kategori, komoditi, jumlah }| usaha(kategori.label(), komoditi, jumlah));
    reading.put("Industri rumah tangga", Kelas::Umum, Some(list(industri)));
    reading.code("Dinding", house.dinding);
    reading.code("Lantai", house.lantai);
    reading.code("Atap", house.atap);
    reading.code("Status rumah", house.status_rumah);
    reading.code("Sumber air minum", house.sumber_air_minum);
    reading.number("Tahun", u64::from(house.tahun));
    reading.date("Diperiksa pada", house.diperiksa_pada);
}

fn usaha(kategori: &str, komoditi: &str, jumlah: &str) -> String {
    let what = [kategori, komoditi, jumlah];
    let filled: Vec<&str> = what.into_iter().filter(|part| !part.is_empty()).collect();
    filled.join(" ")
}

fn list(parts: impl Iterator<Item = String>) -> String {
    parts.collect::<Vec<_>>().join(", ")
}

fn air_words(air: SumberAir) -> String {
    if air == SumberAir::default() {
        return "tidak ada".to_owned();
    }
    let used =
        [(air.pdam, "PDAM"), (air.sumur, "sumur"), (air.sungai, "sungai"), (air.dll, "lainnya")];
    list(used.into_iter().filter(|(used, _)| *used).map(|(_, name)| name.to_owned()))
}

fn keluarga(reading: &mut Reading, family: &Keluarga) {
    reading.identity("Nomor KK", family.no_kk.as_ref());
    reading.id("Rumah tangga", Some(family.rumah_tangga_id));
    reading.id("Kepala keluarga", family.kepala_id);
    reading.code("Kelas sosial", family.kelas_sosial);
    reading.text("Alamat", &family.alamat);
    reading.date("Terdaftar pada", family.tgl_daftar);
    reading.yes("KK berlaku", Some(family.aktif));
}

fn warga(reading: &mut Reading, warga: &Warga) {
    reading.text("Nama", &warga.nama);
    reading.identity("NIK", warga.nik.as_ref());
    reading.id("Keluarga", warga.keluarga_id);
    reading.text("Nomor registrasi", &warga.no_registrasi);
    reading.text("Jabatan", &warga.jabatan);
    reading.shown("Jenis kelamin", warga.jenis_kelamin.map(|jk| jk.label()));
    reading.text("Tempat lahir", &warga.tempat_lahir);
    reading.date("Tanggal lahir", warga.tanggal_lahir);
    reading.code("Agama", warga.agama);
    reading.code("Pendidikan dalam KK", warga.pendidikan_kk);
    reading.code("Pendidikan sedang ditempuh", warga.pendidikan_sedang);
    reading.code("Pekerjaan", warga.pekerjaan);
    reading.code("Status perkawinan", warga.status_kawin);
    reading.code("Hubungan dalam keluarga", warga.shdk);
    reading.code("Kewarganegaraan", warga.warganegara);
    for (label, OrangTua { nik, nama }) in [("Ayah", &warga.ayah), ("Ibu", &warga.ibu)] {
        let nik = nik.map(|nik| match reading.numbers {
            Numbers::Masked => format!(" ({nik})"),
            Numbers::Closed => " (ada NIK)".to_owned(),
        });
        let nik = nik.unwrap_or_default();
        reading.put(label, Kelas::Umum, Some(format!("{nama}{nik}")));
    }
    reading.closed("Golongan darah", warga.golongan_darah.map(code_words));
    reading.code("Dapat membaca huruf", warga.dapat_membaca);
    dokumen(reading, warga);
    reading.closed("Cacat", warga.cacat.map(code_words));
    reading.closed("Sakit menahun", warga.sakit_menahun.map(code_words));
    reading.closed("Akseptor KB", warga.akseptor_kb.map(yes_words));
    reading.closed("Cara KB", warga.cara_kb.map(code_words));
    reading.closed("Hamil", warga.hamil.map(yes_words));
    reading.closed("Menyusui", warga.menyusui.map(yes_words));
    let khusus = warga.berkebutuhan_khusus.map(|khusus| khusus.label().to_owned());
    reading.closed("Berkebutuhan khusus", khusus);
    reading.code("KTP elektronik", warga.ktp_el);
    reading.code("Status rekam", warga.status_rekam);
    reading.text("Alamat sekarang", &warga.alamat_sekarang);
    reading.code("Status dasar", warga.status_dasar);
    reading.code("Status penduduk", warga.status_penduduk);
    reading.text("Suku", &warga.suku);
    reading.closed("Asuransi", warga.asuransi.map(code_words));
    reading.text("Nomor asuransi", &warga.no_asuransi);
    reading.closed("Telepon", Some(warga.telepon.clone()));
    reading.closed("Lintang", Some(warga.lat.clone()));
    reading.closed("Bujur", Some(warga.lng.clone()));
    kegiatan(reading, warga);
    if reading.is_child(warga.tanggal_lahir) {
        reading.shown("Tahun lahir", warga.tanggal_lahir.map(Date::year));
        reading.close(&CHILD);
    }
}

/// Of a child, what tells when it was born and where it is looked after.
const CHILD: [&str; 7] = [
    "Tanggal lahir",
    "Pendidikan sedang ditempuh",
    "Aktif posyandu",
    "Frekuensi posyandu",
    "Bina Keluarga Balita",
    "Kelompok belajar",
    "PAUD",
];

fn dokumen(reading: &mut Reading, warga: &Warga) {
    let dokumen = &warga.dokumen;
    reading.text("Akta lahir", &dokumen.akta_lahir);
    reading.text("Paspor", &dokumen.paspor);
    reading.date("Paspor berlaku sampai", dokumen.paspor_berlaku_sampai);
    reading.text("KITAS", &dokumen.kitas);
    reading.text("Akta perkawinan", &dokumen.akta_perkawinan);
    reading.date("Tanggal perkawinan", dokumen.tanggal_perkawinan);
    reading.text("Akta perceraian", &dokumen.akta_perceraian);
    reading.date("Tanggal perceraian", dokumen.tanggal_perceraian);
    reading.text("Tag KTP", &dokumen.tag_id_card);
}

fn kegiatan(reading: &mut Reading, warga: &Warga) {
    reading.yes("3 buta", warga.buta3);
    reading.yes("Aktif posyandu", warga.aktif_posyandu);
    reading.text("Frekuensi posyandu", &warga.frekuensi_posyandu);
    reading.yes("Bina Keluarga Balita", warga.bkb);
    reading.yes("Punya tabungan", warga.tabungan);
    reading.shown("Kelompok belajar", warga.kelompok_belajar.map(|kelompok| kelompok.label()));
    reading.yes("PAUD", warga.paud);
    reading.yes("Koperasi", warga.koperasi);
    reading.text("Jenis koperasi", &warga.jenis_koperasi);
    reading.yes("UP2K", warga.up2k);
    reading.yes("Kesehatan lingkungan", warga.kesling);
    for (label, ikut) in [
        ("Kegiatan warga", Some(true)),
        ("Kegiatan tidak diikuti", Some(false)),
        ("Kegiatan belum ditanyakan", None),
    ] {
        let rows = warga.kegiatan_warga.rows().filter(|row| row.ikut == ikut);
        reading.put(label, Kelas::Umum, Some(list(rows.map(kegiatan_words))));
    }
    reading.text("Keterangan kegiatan", &warga.keterangan_kegiatan);
    let pkk = warga.kegiatan_pkk.iter().map(|kegiatan| kegiatan.label().to_owned());
    reading.put("Kegiatan PKK", Kelas::Umum, Some(list(pkk)));
    reading.text("Keterangan", &warga.keterangan);
}

fn kegiatan_words(row: &IkutKegiatan) -> String {
    match row.keterangan.as_str() {
        "" => row.kegiatan.label().to_owned(),
        remark => format!("{} ({remark})", row.kegiatan.label()),
    }
}

fn mutasi(reading: &mut Reading, event: &Mutasi) {
    reading.code("Peristiwa", event.peristiwa);
    reading.id("Warga", Some(event.warga_id));
    reading.identity("NIK", event.nik.as_ref());
    reading.date("Tanggal peristiwa", event.tgl_peristiwa);
    reading.date("Tanggal lapor", event.tgl_lapor);
    if let Some(birth) = &event.kelahiran {
        reading.text("Waktu lahir", &birth.waktu);
        reading.code("Tempat dilahirkan", birth.tempat);
        reading.code("Jenis kelahiran", birth.jenis);
        reading.number("Anak ke", u64::from(birth.anak_ke));
        reading.code("Penolong kelahiran", birth.penolong);
        reading.closed(
            "Berat lahir",
            (birth.berat_gram > 0).then(|| format!("{} g", birth.berat_gram)),
        );
        reading.closed(
            "Panjang lahir",
            (birth.panjang_mm > 0).then(|| format!("{} mm", birth.panjang_mm)),
        );
    }
    if event.adalah_kelahiran() && reading.is_child(event.tgl_peristiwa) {
        reading.close(&["Tanggal peristiwa", "Waktu lahir", "Tempat dilahirkan"]);
    }
    if let Some(death) = &event.kematian {
        reading.text("Tempat meninggal", &death.tempat);
        reading.text("Jam meninggal", &death.jam);
        reading.closed("Sebab meninggal", Some(death.sebab.clone()));
        reading.text("Yang menerangkan", &death.penolong);
        reading.text("Akta kematian", &death.akta);
    }
    if let Some(movement) = &event.perpindahan {
        reading.code("Jenis pindah", movement.jenis);
        reading.text("Alamat tujuan atau asal", &movement.alamat);
        reading.shown("Desa tujuan atau asal", movement.desa);
        reading.text("Alasan", &movement.alasan);
    }
    reading.text("Keterangan", &event.keterangan);
}

fn tanda_terima(reading: &mut Reading, receipt: &TandaTerima) {
    reading.id("Informasi", Some(receipt.informasi_id));
    reading.number("Versi", u64::from(receipt.versi));
    reading.id("RT", receipt.rt_id);
    let day = |at_ms: i64| {
        let at = jiff::Timestamp::from_millisecond(at_ms).ok()?;
        Some(jiff::tz::Offset::constant(7).to_datetime(at).date())
    };
    reading.date("Diterima", day(receipt.diterima_ms));
    reading.date("Dibaca", receipt.dibaca_ms.and_then(day));
}

fn pernyataan_jumlah(reading: &mut Reading, stated: &PernyataanJumlah) {
    reading.id("Wilayah", stated.wilayah_id);
    reading.date("Per tanggal", stated.per_tanggal);
    reading.text("Sumber", &stated.sumber);
    for (ukuran, jumlah) in stated.dinyatakan() {
        reading.shown(ukuran.label(), Some(jumlah));
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::code_list::{Peristiwa, Shdk};
    use crate::identity::{Nik, NikInput};
    use crate::record::{KegiatanWarga, Rt};

    const TODAY: Date = Date::constant(2026, 11, 28);

    #[test]
    fn of_a_child_neither_birth_date_nor_care_is_read() {
        let closed = |born: Date, label: &str| {
            let warga = Warga {
                tanggal_lahir: Some(born),
                paud: Some(true),
                bkb: Some(true),
                aktif_posyandu: Some(true),
                telepon: "0812".to_owned(),
                lat: "-8.1".to_owned(),
                ..Warga::default()
            };
            let fields = Record::Warga(Box::new(warga)).fields(Numbers::Closed, TODAY);
            let field = fields.iter().find(|field| field.label == label);
            field.map(|field| field.kelas == Kelas::Spesifik)
        };
        // Eighteen tomorrow, and today.
        let (child, adult) = (Date::constant(2008, 11, 29), Date::constant(2008, 11, 28));
        for label in ["Tanggal lahir", "PAUD", "Bina Keluarga Balita", "Aktif posyandu"] {
            assert_eq!(closed(child, label), Some(true), "{label}");
            assert_eq!(closed(adult, label), Some(false), "{label}");
        }
        assert_eq!(closed(child, "Tahun lahir"), Some(false), "the year stays");
        assert_eq!(closed(adult, "Tahun lahir"), None);
        for label in ["Telepon", "Lintang"] {
            assert_eq!(closed(adult, label), Some(true), "{label}");
        }
    }

    #[test]
    fn the_day_of_a_birth_is_a_childs_birth_date_whatever_else_is_said() {
        let day = |peristiwa| {
            let tgl_peristiwa = Some(Date::constant(2024, 1, 2));
            let event = Mutasi { peristiwa: Some(peristiwa), tgl_peristiwa, ..Mutasi::default() };
            let fields = Record::Mutasi(Box::new(event)).fields(Numbers::Closed, TODAY);
            fields.iter().find(|field| field.label == "Tanggal peristiwa").map(|it| it.kelas)
        };
        assert_eq!(day(Code::<Peristiwa>::LAHIR), Some(Kelas::Spesifik));
        assert_eq!(day(Code::<Peristiwa>::PINDAH_MASUK), Some(Kelas::Umum));
    }

    fn nik(digits: &str) -> Option<Nik> {
        match Nik::parse(digits) {
            Ok(NikInput::Nik(nik)) => Some(nik),
            _ => None,
        }
    }

    #[test]
    fn a_kelurahan_has_lingkungan() {
        let rt = Rt { nomor: "004".to_owned(), dusun_id: Some(RecordId([1; 16])), ..Rt::default() };
        let record = Record::Rt(rt);
        let desa = record.describe_in(JenisDesa::Desa, false, Numbers::Masked, TODAY);
        assert_eq!(desa, record.describe(false, Numbers::Masked, TODAY));
        assert!(desa.contains("Dusun  "), "{desa}");
        let kelurahan = record.describe_in(JenisDesa::Kelurahan, false, Numbers::Masked, TODAY);
        assert!(kelurahan.contains("Lingkungan  ") && !kelurahan.contains("Dusun"), "{kelurahan}");
    }

    #[test]
    fn a_resident_reads_with_labels_and_without_open_numbers() {
        let warga = Warga {
            nik: nik("3599014101900001"),
            nama: "CONTOH".to_owned(),
            shdk: Code::new(3),
            tanggal_lahir: Some(Date::constant(1990, 1, 1)),
            hamil: Some(true),
            ibu: OrangTua { nik: nik("3599014101600001"), nama: "IBU".to_owned() },
            ..Warga::default()
        };
        let record = Record::Warga(Box::new(warga));
        let fields = record.fields(Numbers::Masked, TODAY);
        let value = |label| {
            fields.iter().find(|field| field.label == label).map(|field| field.value.as_str())
        };
        assert_eq!(value("Hubungan dalam keluarga"), Code::<Shdk>::new(3).and_then(Code::label));
        assert_eq!(value("Tanggal lahir"), Some("1 Januari 1990"));
        assert_eq!(value("Agama"), None, "a blank leaves no line");
        let hamil = fields.iter().find(|field| field.label == "Hamil");
        assert_eq!(hamil.map(|field| field.kelas), Some(Kelas::Spesifik));
        let numbers = Numbers::Closed;
        assert!(
            record.describe(false, numbers, TODAY).contains("Hamil                    (tertutup)")
        );
        assert!(record.describe(true, numbers, TODAY).contains("Hamil                    ya"));
        let all: String = fields.iter().map(|field| field.value.as_str()).collect();
        for digits in ["3599014101900001", "3599014101600001"] {
            assert!(!all.contains(digits) && !record.title(Numbers::Masked).contains(digits));
        }
    }

    #[test]
    fn a_no_and_a_none_read_as_answers_and_who_uses_contraception_is_closed() {
        let mut warga = Warga { akseptor_kb: Some(false), ..Warga::default() };
        warga.keterangan = "merantau".to_owned();
        warga.kegiatan_warga.answer(KegiatanWarga::Arisan, Some(true));
        warga.kegiatan_warga.remark(KegiatanWarga::Arisan, "RT");
        warga.kegiatan_warga.answer(KegiatanWarga::Jimpitan, Some(false));
        let read = |record: Record| {
            let fields = record.fields(Numbers::Closed, TODAY).into_iter();
            fields.map(|it| (it.label, it.value, it.kelas)).collect::<Vec<_>>()
        };
        let said = |label, value: &str, kelas| (label, value.to_owned(), kelas);
        let expected = [
            said("Akseptor KB", "tidak", Kelas::Spesifik),
            said("Kegiatan warga", "Arisan (RT)", Kelas::Umum),
            said("Kegiatan tidak diikuti", "Jimpitan", Kelas::Umum),
            said("Keterangan", "merantau", Kelas::Umum),
        ];
        assert_eq!(read(Record::Warga(Box::new(warga))), expected);
        let dry = RumahTangga {
            air: Some(SumberAir::default()),
            jumlah_mck: Some(0),
            ..RumahTangga::default()
        };
        let fields = read(Record::RumahTangga(Box::new(dry)));
        for (label, value) in [("Jumlah MCK", "0"), ("Sumber air", "tidak ada")] {
            assert!(fields.contains(&said(label, value, Kelas::Umum)), "{label}: {fields:?}");
        }
        let blank = read(Record::RumahTangga(Box::default()));
        assert!(!blank.iter().any(|(label, ..)| ["Jumlah MCK", "Sumber air"].contains(label)));
    }

    #[test]
    fn away_from_its_village_not_a_digit_of_a_number_is_read() {
        let nik = nik("3599014101900001");
        let warga = Warga {
            nik,
            nama: "CONTOH".to_owned(),
            ibu: OrangTua { nik, nama: "IBU".to_owned() },
            ..Warga::default()
        };
        let no_kk = crate::identity::NoKk::parse("3599010101900001").ok();
        assert!(no_kk.is_some());
        let records = [
            Record::Warga(Box::new(warga)),
            Record::Keluarga(Keluarga { no_kk, ..Keluarga::default() }),
            Record::Mutasi(Box::new(Mutasi { nik, ..Mutasi::default() })),
        ];
        for record in records {
            let text =
                record.title(Numbers::Closed) + &record.describe(true, Numbers::Closed, TODAY);
            assert!(text.contains("ada"), "{text}");
            assert!(!text.contains("3599") && !text.contains("001"), "{text}");
        }
    }
}
