//! A record as people read it: what names it, and its filled fields with the
//! forms' labels.
//!
//! Identity numbers are never whole here ([`Numbers`]). Fields of specific
//! personal data
//! (UU 27/2022 Pasal 4: health, disability) are marked, so that whoever
//! prints them can keep them closed.

mod warga;

use jiff::civil::Date;

use super::{
    Industri, Keluarga, MasaAktif, Mutasi, Pekarangan, PernyataanJumlah, Record, RumahTangga,
    SumberAir, TandaTerima, Titik,
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
            Self::Warga(resident) => warga::read(&mut reading, resident),
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
mod tests;
