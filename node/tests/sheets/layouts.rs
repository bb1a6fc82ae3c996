//! Every layout, every way of writing a cell.

use jiff::civil::date;
use lumbung_domain::code_list::{Code, Shdk, StatusKawin};
use lumbung_domain::id::Kind;
use lumbung_domain::record::{
    IkutKegiatan, JenisKelamin, KegiatanWarga, KriteriaRumah, SumberAir, Warga,
};
use lumbung_domain::region::VillageCode;
use lumbung_node::import::{Layout, read_sheet};
use rust_xlsxwriter::{ExcelDateTime, Format, Workbook};

use crate::fictitious::{HEADER, KK_1, KK_2, Village, codes, sheet, two_families};

#[test]
fn an_opensid_sheet_becomes_a_village() {
    let mut village = Village::default();
    let plan = village.import(&two_families());
    assert_eq!(codes(&plan.report), []);
    let report = &plan.report;
    assert_eq!((report.read, report.new, report.rejected), (4, 4, 0));
    let created = |kind| report.records.get(&kind).map_or(0, |count| count.created);
    assert_eq!(
        Kind::ALL.map(created),
        [2, 1, 2, 0, 2, 2, 4, 0, 0, 0],
        "dusun, rw, rt, dasawisma, rumah tangga, keluarga, warga, mutasi, tanda terima, \
         pernyataan jumlah"
    );
    assert_eq!(village.place_of("BAYU"), "KRAJAN/001/002");
    assert_eq!(village.place_of("PARMIN"), "SUMBER//003");
    let head = village.resident("SUTRISNO").0;
    assert_eq!(village.family_of("BAYU").1.kepala_id, Some(head));
    assert_eq!(village.house_of("BAYU").1.kepala_id, Some(head));
    assert!(village.family_of("BAYU").1.aktif);
    assert_eq!(village.resident("BAYU").1.nik, None);

    let place = |kind| plan.changes.iter().position(|change| change.record.kind() == kind);
    let order: Vec<_> = Kind::ALL.into_iter().filter_map(place).collect();
    assert!(order.is_sorted(), "parents come before children");
}

#[test]
fn cells_are_read_as_people_write_them() {
    type Check = fn(&Warga) -> bool;
    let cases: &[(&str, &str, Check)] = &[
        ("sex", "L", |w| w.jenis_kelamin == Some(JenisKelamin::LakiLaki)),
        ("sex", "lk", |w| w.jenis_kelamin == Some(JenisKelamin::LakiLaki)),
        ("sex", "2", |w| w.jenis_kelamin == Some(JenisKelamin::Perempuan)),
        ("sex", "Pr", |w| w.jenis_kelamin == Some(JenisKelamin::Perempuan)),
        ("status_kawin", "CM", |w| w.status_kawin == Some(Code::<StatusKawin>::CERAI_MATI)),
        ("kk_level", " kepala  keluarga ", |w| w.shdk == Some(Code::<Shdk>::KEPALA_KELUARGA)),
        ("pendidikan_kk_id", "sltp / SEDERAJAT", |w| w.pendidikan_kk.map(Code::number) == Some(4)),
        ("golongan_darah_id", "Tdk Th", |w| w.golongan_darah.map(Code::number) == Some(13)),
        ("golongan_darah_id", "-", |w| w.golongan_darah.is_none()),
        ("agama_id", "07", |w| w.agama.map(Code::number) == Some(7)),
        ("hamil", "2", |w| w.hamil == Some(false)),
        ("hamil", "Hamil", |w| w.hamil == Some(true)),
        ("ktp_el", "3", |w| w.ktp_el.map(Code::number) == Some(3)),
        ("tanggallahir", "31-12-2001", |w| w.tanggal_lahir == Some(date(2001, 12, 31))),
        ("tanggallahir", "'31/12/2001", |w| w.tanggal_lahir == Some(date(2001, 12, 31))),
        ("tanggallahir", "2001-12-31 00:00:00", |w| w.tanggal_lahir == Some(date(2001, 12, 31))),
        ("tanggallahir", "37256", |w| w.tanggal_lahir == Some(date(2001, 12, 31))),
        ("tanggallahir", "0000-00-00", |w| w.tanggal_lahir.is_none()),
        ("tempatlahir", "'BLITAR", |w| w.tempat_lahir == "BLITAR"),
        ("tempatlahir", " KAB.\u{a0} BLITAR\u{200b} ", |w| w.tempat_lahir == "KAB. BLITAR"),
        ("tempatlahir", "-", |w| w.tempat_lahir.is_empty()),
        ("nik", "35990101 0170.0001\u{feff}", |w| w.nik.is_some()),
        ("nik", "'3599010101700001", |w| w.nik.is_some()),
        ("nik", "0", |w| w.nik.is_none()),
        ("nik", "0350590200100007", |w| w.nik.is_none()),
        ("nik", "", |w| w.nik.is_none()),
        ("ayah_nik", "0", |w| w.ayah.nik.is_none()),
        ("ibu_nik", "3599014101500001", |w| w.ibu.nik.is_some()),
        ("status_dasar", "1", |w| w.status_dasar.is_none()),
        ("status_dasar", "PINDAH", |w| w.status_dasar.map(Code::number) == Some(3)),
        ("lat", "-8.0955", |w| w.lat == "-8.0955"),
    ];
    for (header, cell, check) in cases {
        let mut village = Village::default();
        let lead = if *header == "nik" { "nik" } else { "nik;" };
        let (lead, nik) = if lead == "nik" { ("", "") } else { (lead, ";") };
        let csv = format!("rt;nama;no_kk;{lead}{header}\n1;SITI;{KK_1};{nik}\"{cell}\"\n");
        let plan = village.import(&csv);
        assert_eq!(plan.report.rejected, 0, "{header} {cell:?}: {}", plan.report);
        assert!(check(village.resident("SITI").1), "{header} {cell:?}");
    }
}

#[test]
fn names_are_kept_as_written_and_regions_are_cleaned() {
    let mut village = Village::default();
    village.import(&format!(
        "{HEADER}Dusun  karang_tengah;'003;'004;SITI-A'ISYAH*, S.Pd.;{KK_1};0;2;1990-01-01;1;1;1\n"
    ));
    assert_eq!(village.place_of("SITI-A'ISYAH*, S.Pd."), "KARANG TENGAH/003/004");
}

#[test]
fn a_kelurahans_lingkungan_is_named_without_the_word() {
    let mut village = Village::default();
    village.import(&format!(
        "{HEADER}Lingkungan Tlumpu;003;004;SITI;{KK_1};0;2;1990-01-01;1;1;1\n\
         TLUMPU;003;004;TONO;{KK_2};0;1;1990-01-01;1;1;1\n"
    ));
    assert_eq!(village.place_of("SITI"), "TLUMPU/003/004");
    assert_eq!(village.house_of("SITI").1.rt_id, village.house_of("TONO").1.rt_id);
}

#[test]
fn a_template_of_few_columns_is_no_dump() {
    let few = "RT;Nomor KK;NIK;Nama Lengkap";
    for (header, wanted) in [
        (few.to_owned(), Layout::Template),
        (format!("{few};Tempat Lahir;Tanggal Lahir"), Layout::Template),
        (format!("{few};Dasawisma;Alamat"), Layout::Template),
        (format!("{few};Kelamin"), Layout::Siak),
        ("RT;Nomor KK;NIK;Nama Penduduk".to_owned(), Layout::Siak),
        ("rt;no_kk;nik;nama".to_owned(), Layout::Opensid),
    ] {
        let csv = format!("{header}\n1;{KK_1};;SITI\n");
        assert_eq!(sheet(csv.as_bytes()).layout(), wanted, "{header}");
    }
}

#[test]
fn a_name_typed_with_its_marks_is_not_changed_by_a_sheet_without() {
    let mut village = Village::default();
    village.import(&two_families());
    let (id, warga) = village.resident("SULASTRI");
    let mut warga = warga.clone();
    warga.nama = "SULASTRI (LASTRI)".to_owned();
    village.census.insert(id, lumbung_domain::record::Record::Warga(Box::new(warga)));
    let sheet = two_families().replace("SULASTRI", "SULASTRI LASTRI ");
    assert_eq!(village.import(&sheet).changes, []);
}

#[test]
fn columns_are_found_by_name_in_any_order_and_separator() {
    for separator in [",", ";", "\t"] {
        let csv = two_families().replace(';', separator);
        let titled = format!("DATA PENDUDUK{separator}\r\n\r\n\u{feff}{csv}");
        for text in [csv.clone(), format!("\u{feff}{csv}"), titled] {
            let mut village = Village::default();
            let sheet = sheet(text.as_bytes());
            assert_eq!((sheet.layout(), sheet.len()), (Layout::Opensid, 4));
            assert_eq!(village.import_sheet(&sheet).report.new, 4);
        }
    }
    let mut village = Village::default();
    let csv = format!("NIK,Nama,RT,No_KK\n0,SITI,1,{KK_1}\n");
    assert_eq!(village.import(&csv).report.new, 1);
}

#[test]
fn row_numbers_are_those_of_the_spreadsheet() {
    let csv = format!("\n\nnama;no_kk;nik;rt\n\nSITI;{KK_1};0;1\n\n\nTONO;;0;1\n");
    let plan = Village::default().import(&csv);
    assert_eq!(plan.report.rejected_rows[0].row, 8);
}

#[test]
fn windows_text_is_read() {
    let csv = format!("rt;nama;no_kk;nik;tempatlahir\n1;A\u{1}LI;{KK_1};0;CAF\u{2}\n");
    let bytes: Vec<u8> = csv
        .bytes()
        .map(|byte| match byte {
            1 => 0x92,
            2 => 0xe9,
            other => other,
        })
        .collect();
    let mut village = Village::default();
    village.import_sheet(&sheet(&bytes));
    assert_eq!(village.resident("A'LI").1.tempat_lahir, "CAFé");
}

#[test]
fn a_workbook_keeps_numbers_and_dates() {
    let mut workbook = Workbook::new();
    workbook.add_worksheet().write_string(0, 0, "Petunjuk").unwrap();
    let sheet = workbook.add_worksheet();
    sheet.write_string(0, 2, "DATA PENDUDUK").unwrap();
    for (column, header) in (0..).zip(["rt", "rw", "nama", "no_kk", "nik", "tanggallahir", "sex"]) {
        sheet.write_string(2, column, header).unwrap();
    }
    let day = Format::new().set_num_format("dd/mm/yyyy");
    sheet.write_number(3, 0, 1).unwrap();
    sheet.write_string(3, 1, "002").unwrap();
    sheet.write_string(3, 2, "SITI").unwrap();
    sheet.write_string(3, 3, KK_1).unwrap();
    sheet.write_number(3, 4, 3_599_015_203_900_010_f64).unwrap();
    let born = ExcelDateTime::from_ymd(1990, 3, 12).unwrap();
    sheet.write_datetime_with_format(3, 5, &born, &day).unwrap();
    sheet.write_number(3, 6, 2).unwrap();
    let content = workbook.save_to_buffer().unwrap();

    let mut village = Village::default();
    let plan = village.import_sheet(&read_sheet("warga.xlsx", &content).unwrap());
    assert_eq!(
        codes(&plan.report),
        [("keluarga.tanpa_kepala", 1), ("nomor_mungkin_dibulatkan", 1)]
    );
    assert_eq!(plan.report.issues[0].row, 4);
    assert_eq!(village.place_of("SITI"), "/002/1");
    assert_eq!(village.resident("SITI").1.tanggal_lahir, Some(date(1990, 3, 12)));
}

#[test]
fn a_siak_dump_speaks_in_labels() {
    let header = "Nomor KK,NIK,Nama Penduduk,Status,Tempat Lahir,Tanggal Lahir,Kelamin,NIK Ayah,\
                  Ayah,NIK Ibu,Ibu,Status Kawin,SHDK,Agama,Kecamatan,Desa/Kel,Alamat,RW,RT,\
                  Pendidikan,Pekerjaan\n";
    let row = format!(
        "{KK_1},3599010101700001,SUTRISNO,TIDAK JELAS,BLITAR,01-01-1970,LAKI-LAKI,0,KASAN,0,\
         TUMINI,KAWIN,KEPALA KELUARGA,ISLAM,BAKUNG,BAKUNG,JL MELATI DSN KRAJAN,1,2,\
         SLTA / SEDERAJAT,PETANI/PEKEBUN\n"
    );
    let mut village = Village::default();
    let plan = village.import(&format!("{header}{row}"));
    assert_eq!(codes(&plan.report), [("kode_tidak_dikenal", 1)], "a warning for the status");
    assert_eq!(plan.report.rejected, 0);
    let warga = village.resident("SUTRISNO").1;
    assert_eq!(warga.pendidikan_kk.map(Code::number), Some(5));
    assert_eq!(warga.pekerjaan.map(Code::number), Some(9));
    assert_eq!(warga.ayah.nama, "KASAN");
    assert_eq!(village.place_of("SUTRISNO"), "KRAJAN/1/2");
}

#[test]
fn a_sheet_without_dusun_finds_the_only_rt_of_its_number() {
    let mut village = Village::default();
    village.import(&two_families());
    let header = "rw;rt;nama;no_kk;nik\n";
    let plan = village.import(&format!("{header}1;2;WATI;3599010101010003;0\n"));
    assert_eq!(plan.report.records.get(&Kind::Rt), None, "001/002 is 1/2");
    assert_eq!(village.place_of("WATI"), "KRAJAN/001/002");

    village.import(&format!("{HEADER}SUMBER;1;2;PONIDI;3599010101010004;0;1;1980-01-01;1;1;1\n"));
    let plan = village.import(&format!("{header}1;2;WARNI;3599010101010005;0\n"));
    assert_eq!(plan.report.problems["rt_lebih_dari_satu"].count, 1);
    assert_eq!((plan.report.rejected, plan.changes.len()), (1, 0));
}

#[test]
fn the_letters_export_is_read_without_the_columns_it_spoils() {
    let csv = format!(
        "rt;nama;no_kk;nik;kk_level;ktp_el;status_rekam;status_dasar\n\
         1;SITI;{KK_1};0;KEPALA KELUARGA;WNI;WNI;TETAP\n\
         1;TONO;{KK_1};0;ANAK;WNI;;HIDUP\n"
    );
    let mut village = Village::default();
    let plan = village.import(&csv);
    assert_eq!(plan.report.problems["ekspor_huruf"].count, 4);
    assert_eq!((plan.report.new, plan.report.rejected), (2, 0));
    assert!(plan.report.notes[0].contains("ekspor huruf"));
    let warga = village.resident("SITI").1;
    assert_eq!((warga.ktp_el, warga.status_rekam, warga.status_dasar), (None, None, None));
}

#[test]
fn the_template_carries_houses() {
    let csv = format!(
        "Dusun;RW;RT;Dasawisma;Nomor KK;NIK;Nama Lengkap;Hubungan Keluarga;Kegiatan Warga;\
         Serumah dengan KK;Kriteria Rumah;Jumlah Jamban/MCK;Sumber Air;Pemanfaatan Pekarangan;\
         Titik Rumah\n\
         KRAJAN;1;2;Melati;{KK_2};;TONO;Kepala Keluarga;Arisan, kerja bakti;{KK_1};;;;;\n\
         KRAJAN;1;2;melati;{KK_1};;SITI;Kepala Keluarga;;;SLH;2;sumur, PDAM;\
         Peternakan: ayam \\= itik = 12 ekor | toga: jahe;-8.1, 112.2\n\
         KRAJAN;1;2;Mawar;{KK_1};;BUDI;Anak;;;TSLH;2;;;\n"
    );
    let mut village = Village::default();
    let plan = village.import(&csv);
    assert_eq!(
        codes(&plan.report),
        [("berbeda_dalam_rumah", 2), ("jenis_kelamin.kosong", 3), ("tanggal_lahir.kosong", 3)]
    );
    let (id, house) = village.house_of("TONO");
    assert_eq!(id, village.house_of("SITI").0, "two cards, one house");
    assert_eq!(house.kriteria, Some(KriteriaRumah::Sehat));
    let air = SumberAir { sumur: true, pdam: true, ..SumberAir::default() };
    assert_eq!((house.jumlah_mck, house.air), (Some(2), Some(air)));
    assert_eq!(house.pekarangan[0].komoditi, "ayam = itik");
    assert_eq!(house.pekarangan[1].jumlah, "");
    assert_eq!(house.titik.unwrap().lon, 112.2);
    let group = village.census.dasawisma(house.dasawisma_id.unwrap()).unwrap();
    assert_eq!(group.nama, "melati", "of the first card taken");
    let activities = [KegiatanWarga::KerjaBakti, KegiatanWarga::Arisan];
    let followed: Vec<_> = village.resident("TONO").1.kegiatan_warga.answered(true).collect();
    assert_eq!(followed, activities);
}

#[test]
fn no_water_and_no_latrine_are_answers_and_blank_is_none() {
    let head = "RT;Dasawisma;Nomor KK;NIK;Nama Lengkap;Sumber Air;Jumlah Jamban/MCK";
    for (cells, air, mck) in [
        ("Tidak ada;0", Some(SumberAir::default()), Some(0)),
        ("lainnya;2", Some(SumberAir { dll: true, ..SumberAir::default() }), Some(2)),
        (";", None, None),
    ] {
        let mut village = Village::default();
        village.import(&format!("{head}\n1;Melati;{KK_1};;SITI;{cells}\n"));
        let house = village.house_of("SITI").1;
        assert_eq!((house.air, house.jumlah_mck), (air, mck), "{cells}");
    }
}

#[test]
fn activities_are_followed_or_not_or_were_not_asked() {
    let head = "RT;Dasawisma;Nomor KK;NIK;Nama Lengkap;Kegiatan Warga;\
                Kegiatan Warga Tidak Diikuti;Keterangan per Kegiatan";
    let sheet = |cells: &str| format!("{head}\n1;Melati;{KK_1};;SITI;{cells}\n");
    let mut village = Village::default();
    village.import(&sheet("Arisan, Kerja Bakti;Jimpitan;arisan: iuran = 10 ribu | Pancasila: RT"));
    let answers = |village: &Village| {
        let buku = village.resident("SITI").1.kegiatan_warga.clone();
        let words = |row: &IkutKegiatan| (row.kegiatan, row.ikut, row.keterangan.clone());
        buku.rows().map(words).collect::<Vec<_>>()
    };
    use KegiatanWarga as K;
    let remark = |text: &str| text.to_owned();
    let first = [
        (K::Pancasila, None, remark("RT")),
        (K::KerjaBakti, Some(true), remark("")),
        (K::Jimpitan, Some(false), remark("")),
        (K::Arisan, Some(true), remark("iuran = 10 ribu")),
    ];
    assert_eq!(answers(&village), first);
    // Blank cells say nothing, a list is the whole list.
    assert_eq!(village.import(&sheet(";;")).changes, []);
    village.import(&sheet(";Arisan;"));
    let second = [
        (K::Pancasila, None, remark("RT")),
        (K::KerjaBakti, Some(true), remark("")),
        (K::Arisan, Some(false), remark("iuran = 10 ribu")),
    ];
    assert_eq!(answers(&village), second);
    // Both ways in one row: a warning, and the row is taken.
    let report = village.import(&sheet("Arisan;Arisan, Jimpitan;")).report;
    assert_eq!(report.problems["kegiatan_ya_dan_tidak"].count, 1, "{report}");
    assert_eq!(report.rejected, 0);
    let third = [
        (K::Pancasila, None, remark("RT")),
        (K::Jimpitan, Some(false), remark("")),
        (K::Arisan, Some(true), remark("iuran = 10 ribu")),
    ];
    assert_eq!(answers(&village), third);
    let report = village.import(&sheet(";;Berenang: tiap hari")).report;
    assert_eq!(report.problems["daftar_tidak_terbaca"].count, 1, "{report}");
}

#[test]
fn a_kelurahans_report_speaks_of_lingkungan() {
    let code = VillageCode::from_u64(3_505_031_004).unwrap();
    let report = Village::default().import(&two_families()).report;
    let words = report.told(code.kind()).to_string();
    assert!(words.contains(" lingkungan 2 baru") && !words.contains("dusun"), "{words}");
    assert!(report.to_string().contains(" dusun 2 baru"));
}

#[test]
fn the_letters_for_widows_cost_a_warning_and_not_the_row() {
    for letters in ["JD", "dd", "Janda"] {
        let mut village = Village::default();
        let csv = format!("rt;nama;no_kk;nik;status_kawin\n1;SITI;{KK_1};0;{letters}\n");
        let plan = village.import(&csv);
        assert_eq!((plan.report.new, plan.report.rejected), (1, 0), "{}", plan.report);
        assert!(codes(&plan.report).contains(&("status_kawin_jd_dd", 1)));
        assert_eq!(village.resident("SITI").1.status_kawin, None);
    }
}
