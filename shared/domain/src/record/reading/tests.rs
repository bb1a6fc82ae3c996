//! What is read of whom, and what stays closed.

use super::*;
use crate::code_list::{Peristiwa, Shdk};
use crate::identity::{Nik, NikInput};
use crate::record::{KegiatanWarga, OrangTua, Rt, Warga};

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
    let value =
        |label| fields.iter().find(|field| field.label == label).map(|field| field.value.as_str());
    assert_eq!(value("Hubungan dalam keluarga"), Code::<Shdk>::new(3).and_then(Code::label));
    assert_eq!(value("Tanggal lahir"), Some("1 Januari 1990"));
    assert_eq!(value("Agama"), None, "a blank leaves no line");
    let hamil = fields.iter().find(|field| field.label == "Hamil");
    assert_eq!(hamil.map(|field| field.kelas), Some(Kelas::Spesifik));
    let numbers = Numbers::Closed;
    assert!(record.describe(false, numbers, TODAY).contains("Hamil                    (tertutup)"));
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
        let text = record.title(Numbers::Closed) + &record.describe(true, Numbers::Closed, TODAY);
        assert!(text.contains("ada"), "{text}");
        assert!(!text.contains("3599") && !text.contains("001"), "{text}");
    }
}
