//! What is written is what was there: export, import into an empty village,
//! export again.

use jiff::civil::Date;
use lumbung_domain::code_list::{Code, CodeList};
use lumbung_domain::id::{Kind, RecordId};
use lumbung_domain::identity::{Nik, NoKk};
use lumbung_domain::record::{
    Dasawisma, DokumenWarga, Dusun, Industri, JenisKelamin, KategoriIndustri, KategoriPekarangan,
    KegiatanPkk, KegiatanWarga, KelompokBelajar, Keluarga, KriteriaRumah, MakananPokok, Pekarangan,
    Record, Rt, RumahTangga, Rw, SumberAir, Titik, Warga,
};
use lumbung_node::export::{ExportFormat, Exported, write};
use lumbung_node::import::{Column, Layout, read_sheet};
use lumbung_wire::record::encode;
use proptest::prelude::*;

use crate::fictitious::{Village, desa, sheet};

/// Numbers from a seed; enough to vary a village.
struct Dice(u64);

impl Dice {
    fn below(&mut self, bound: usize) -> usize {
        self.0 =
            self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        usize::try_from(self.0 >> 33).unwrap() % bound
    }

    fn of<T: Clone>(&mut self, choices: &[T]) -> T {
        choices[self.below(choices.len())].clone()
    }

    fn maybe<T>(&mut self, make: impl FnOnce(&mut Self) -> T) -> Option<T> {
        (self.below(3) > 0).then(|| make(self))
    }

    fn yes(&mut self) -> Option<bool> {
        self.maybe(|dice| dice.below(2) == 0)
    }

    fn code<L: CodeList>(&mut self) -> Option<Code<L>> {
        self.maybe(|dice| Code::new(dice.of(L::entries()).code).unwrap())
    }

    fn text(&mut self) -> String {
        const TEXTS: [&str; 14] = [
            "",
            "",
            "JL MELATI 1",
            "=1+1",
            "+62 342",
            "-8.1",
            "'apostrof",
            "''dua",
            "a;b",
            "a,b \"c\"",
            "@x",
            "é ü",
            "007",
            "1234567890123456",
        ];
        self.of(&TEXTS).to_owned()
    }

    fn day(&mut self) -> Option<Date> {
        self.maybe(|dice| {
            Date::constant(1940, 1, 1)
                .checked_add(jiff::Span::new().days(i64::try_from(dice.below(31_000)).unwrap()))
                .unwrap()
        })
    }

    fn some<T: Clone>(&mut self, choices: &[T]) -> Vec<T> {
        choices.iter().filter(|_| self.below(3) == 0).cloned().collect()
    }
}

/// A village of `houses` houses; `layout` says which names it may use.
fn village(seed: u64, houses: usize, layout: Layout) -> Village {
    let mut dice = Dice(seed);
    let mut village = Village::default();
    let mut rts = Vec::new();
    for (dusun, rw, rt) in [
        ("KRAJAN", "001", "001"),
        ("KRAJAN", "001", "2"),
        ("", "3", "1"),
        ("ALAS", "", "9"),
        ("", "", "7"),
    ] {
        let rt = rt_of(&mut village, dusun, rw, rt);
        rts.push((rt, dasawisma(&mut village, &mut dice, rt, layout)));
    }
    let mut people = 0;
    for at in 0..houses {
        let (rt, groups) = dice.of(&rts);
        let house = village.new_id();
        let mut home = home(&mut dice, layout, rt, &groups);
        if layout == Layout::Template && dice.below(2) == 0 {
            home.nomor = format!("{:03}", at + 1);
        }
        let shared = if layout == Layout::Template { 1 + dice.below(3) } else { 1 };
        for family in 0..shared {
            let card = village.new_id();
            let alamat = dice.text();
            if layout != Layout::Template {
                home.alamat.clone_from(&alamat);
            }
            let no_kk = NoKk::parse(&format!("35990101{:04}{family:04}", at + 1)).unwrap();
            let keluarga = Keluarga {
                no_kk: Some(no_kk),
                rumah_tangga_id: house,
                kelas_sosial: if layout == Layout::Template { dice.code() } else { None },
                alamat,
                tgl_daftar: if layout == Layout::Template { dice.day() } else { None },
                aktif: true,
                kepala_id: None,
            };
            village.census.insert(card, Record::Keluarga(keluarga));
            for _ in 0..=dice.below(4) {
                people += 1;
                let id = village.new_id();
                let warga = resident(&mut dice, layout, people, card);
                if dice.below(3) == 0 {
                    home.kepala_id = Some(id);
                }
                village.census.insert(id, Record::Warga(Box::new(warga)));
            }
        }
        village.census.insert(house, Record::RumahTangga(Box::new(home)));
    }
    village
}

fn rt_of(village: &mut Village, dusun: &str, rw: &str, rt: &str) -> RecordId {
    let mut dusun_id = village.census.find_dusun(dusun);
    if dusun_id.is_none() && !dusun.is_empty() {
        let nama = dusun.to_owned();
        dusun_id = Some(put(village, Record::Dusun(Dusun { nama, ..Dusun::default() })));
    }
    let mut rw_id = village.census.find_rw(dusun_id, rw);
    if rw_id.is_none() && !rw.is_empty() {
        let nomor = rw.to_owned();
        rw_id = Some(put(village, Record::Rw(Rw { nomor, dusun_id, ..Rw::default() })));
    }
    let nomor = rt.to_owned();
    put(village, Record::Rt(Rt { nomor, rw_id, dusun_id, ..Rt::default() }))
}

fn put(village: &mut Village, record: Record) -> RecordId {
    let id = village.new_id();
    village.census.insert(id, record);
    id
}

fn dasawisma(
    village: &mut Village,
    dice: &mut Dice,
    rt_id: RecordId,
    layout: Layout,
) -> Vec<RecordId> {
    if layout != Layout::Template {
        return Vec::new();
    }
    dice.some(&["Melati", "Mawar =1", "'Anggrek"])
        .into_iter()
        .map(|nama| {
            let id = village.new_id();
            let group =
                Dasawisma { nama: nama.to_owned(), rt_id, aktif: true, ..Dasawisma::default() };
            village.census.insert(id, Record::Dasawisma(group));
            id
        })
        .collect()
}

fn home(dice: &mut Dice, layout: Layout, rt_id: RecordId, groups: &[RecordId]) -> RumahTangga {
    if layout != Layout::Template {
        return RumahTangga { rt_id, ..RumahTangga::default() };
    }
    let words = ["ayam", "a | b", "x = y", "c:d", "\\", "=2"];
    RumahTangga {
        rt_id,
        dasawisma_id: (!groups.is_empty()).then(|| dice.of(groups)),
        alamat: dice.text(),
        titik: dice.maybe(|dice| Titik {
            lat: -8.0 - dice.below(500) as f64 / 1000.0,
            lon: 112.123_456_7,
        }),
        kriteria: dice.maybe(|dice| dice.of(KriteriaRumah::ALL)),
        punya_tps: dice.yes(),
        punya_spal: dice.yes(),
        punya_jamban: dice.yes(),
        jumlah_mck: dice.maybe(|dice| u16::try_from(dice.below(4)).unwrap()),
        stiker_p4k: dice.yes(),
        air: dice.maybe(|dice| SumberAir {
            pdam: dice.below(2) == 0,
            sumur: dice.below(2) == 0,
            sungai: dice.below(2) == 0,
            dll: dice.below(2) == 0,
        }),
        makanan_pokok: dice.maybe(|dice| dice.of(MakananPokok::ALL)),
        up2k: dice.yes(),
        kesling: dice.yes(),
        pekarangan: (0..dice.below(3))
            .map(|_| Pekarangan {
                kategori: dice.of(KategoriPekarangan::ALL),
                komoditi: dice.of(&words).to_owned(),
                jumlah: dice.of(&["", "12 ekor", "a=b"]).to_owned(),
            })
            .collect(),
        industri: (0..dice.below(3))
            .map(|_| Industri {
                kategori: dice.of(KategoriIndustri::ALL),
                komoditi: dice.of(&words).to_owned(),
                jumlah: dice.of(&["", "3"]).to_owned(),
            })
            .collect(),
        dinding: dice.code(),
        lantai: dice.code(),
        atap: dice.code(),
        status_rumah: dice.code(),
        sumber_air_minum: dice.code(),
        tahun: dice.of(&[0, 2026]),
        diperiksa_pada: dice.day(),
        ..RumahTangga::default()
    }
}

/// Names as people write them, not as OpenSID wants them.
const NAMES: [&str; 9] = [
    "SITI AMINAH",
    "TONO",
    "Tono (alm.)",
    "SITI-A",
    "A'AN, S.Pd.",
    "'ALI",
    "H. M. NUR / PAK NUR",
    "=A",
    "Åsa",
];

fn resident(dice: &mut Dice, layout: Layout, number: usize, card: RecordId) -> Warga {
    let nik = |digits: String| Nik::parse(&digits).unwrap().nik();
    let jk = dice.maybe(|dice| dice.of(JenisKelamin::ALL));
    let is_man = jk == Some(JenisKelamin::LakiLaki);
    let mut warga = Warga {
        keluarga_id: Some(card),
        nik: if dice.below(4) == 0 { None } else { nik(format!("359901010190{number:04}")) },
        nama: dice.of(&NAMES).to_owned(),
        jenis_kelamin: jk,
        tempat_lahir: dice.text(),
        tanggal_lahir: dice.day(),
        agama: dice.code(),
        pendidikan_kk: dice.code(),
        pendidikan_sedang: dice.code(),
        pekerjaan: dice.code(),
        status_kawin: dice.code(),
        shdk: dice.code(),
        warganegara: dice.code(),
        golongan_darah: dice.code(),
        cacat: dice.code(),
        cara_kb: dice.code(),
        hamil: if is_man { Some(false) } else { dice.yes() },
        ktp_el: dice.code(),
        status_rekam: dice.code(),
        alamat_sekarang: dice.text(),
        suku: dice.text(),
        asuransi: dice.code(),
        no_asuransi: dice.text(),
        lat: dice.of(&["", "-8.0955", "+8", "utara"]).to_owned(),
        lng: dice.of(&["", "112.1609", "-"]).replace("-", "timur"),
        ..Warga::default()
    };
    warga.ayah.nik = dice.maybe(|_| ()).and_then(|()| nik("3599010101500001".to_owned()));
    warga.ibu.nik = dice.maybe(|_| ()).and_then(|()| nik("3599014101500002".to_owned()));
    warga.ayah.nama = dice.text();
    warga.ibu.nama = dice.text();
    let dokumen = &mut warga.dokumen;
    for field in [
        &mut dokumen.akta_lahir,
        &mut dokumen.paspor,
        &mut dokumen.kitas,
        &mut dokumen.akta_perkawinan,
        &mut dokumen.akta_perceraian,
        &mut dokumen.tag_id_card,
    ] {
        *field = dice.text();
    }
    dokumen.paspor_berlaku_sampai = dice.day();
    dokumen.tanggal_perkawinan = dice.day();
    dokumen.tanggal_perceraian = dice.day();
    // "Hidup" is what a blank means; the sheet doesn't tell them apart.
    warga.status_dasar = dice.maybe(|dice| Code::new(dice.of(&[2, 3, 4, 6, 9])).unwrap());
    match layout {
        Layout::Template => own_fields(dice, &mut warga, is_man),
        Layout::Siak => warga = in_the_dump(warga),
        Layout::Opensid => {}
    }
    if warga.nik.is_none() {
        // Namesakes born on one day, without NIK, in one family: nothing
        // tells them apart.
        warga.nama += &format!(" {number}");
    }
    warga
}

/// What the SIAK dump carries.
fn in_the_dump(warga: Warga) -> Warga {
    let dokumen = DokumenWarga {
        akta_lahir: warga.dokumen.akta_lahir,
        paspor: warga.dokumen.paspor,
        akta_perkawinan: warga.dokumen.akta_perkawinan,
        tanggal_perkawinan: warga.dokumen.tanggal_perkawinan,
        akta_perceraian: warga.dokumen.akta_perceraian,
        tanggal_perceraian: warga.dokumen.tanggal_perceraian,
        ..DokumenWarga::default()
    };
    Warga {
        nik: warga.nik,
        keluarga_id: warga.keluarga_id,
        nama: warga.nama,
        status_dasar: warga.status_dasar,
        tempat_lahir: warga.tempat_lahir,
        tanggal_lahir: warga.tanggal_lahir,
        jenis_kelamin: warga.jenis_kelamin,
        ayah: warga.ayah,
        ibu: warga.ibu,
        status_kawin: warga.status_kawin,
        shdk: warga.shdk,
        agama: warga.agama,
        pendidikan_kk: warga.pendidikan_kk,
        pekerjaan: warga.pekerjaan,
        golongan_darah: warga.golongan_darah,
        cacat: warga.cacat,
        dokumen,
        ..Warga::default()
    }
}

/// What only the template carries.
fn own_fields(dice: &mut Dice, warga: &mut Warga, is_man: bool) {
    warga.no_registrasi = dice.text();
    warga.jabatan = dice.text();
    warga.dapat_membaca = dice.code();
    warga.sakit_menahun = dice.code();
    warga.akseptor_kb = dice.yes();
    warga.menyusui = if is_man { None } else { dice.yes() };
    warga.status_penduduk = dice.code();
    warga.telepon = dice.text();
    warga.berkebutuhan_khusus =
        dice.maybe(|dice| dice.of(lumbung_domain::record::BerkebutuhanKhusus::ALL));
    warga.buta3 = dice.yes();
    warga.aktif_posyandu = dice.yes();
    warga.frekuensi_posyandu = dice.text();
    warga.bkb = dice.yes();
    warga.tabungan = dice.yes();
    warga.kelompok_belajar = dice.maybe(|dice| dice.of(KelompokBelajar::ALL));
    warga.paud = dice.yes();
    warga.koperasi = dice.yes();
    warga.jenis_koperasi = dice.text();
    warga.up2k = dice.yes();
    warga.kesling = dice.yes();
    for kegiatan in KegiatanWarga::ALL {
        let ikut = dice.yes();
        warga.kegiatan_warga.answer(*kegiatan, ikut);
        if dice.below(4) == 0 {
            let words = dice.of(&["tiap Minggu", "a | b", "x = 10", "c:d", "\\"]);
            warga.kegiatan_warga.remark(*kegiatan, words);
        }
    }
    warga.keterangan_kegiatan = dice.text();
    warga.kegiatan_pkk = dice.some(KegiatanPkk::ALL);
    warga.keterangan = dice.text();
}

fn exported(village: &Village, format: ExportFormat) -> Vec<u8> {
    let mut out = Vec::new();
    let Exported { without_kk, .. } = write(format, desa(), &village.census, &mut out).unwrap();
    assert_eq!(without_kk, 0);
    out
}

/// Residents and houses as their bytes, without ids, in the bytes' order:
/// what a record prints of itself hides its fields.
fn contents(village: &Village) -> (Vec<Vec<u8>>, Vec<Home>) {
    let mut residents = Vec::new();
    let mut houses = Vec::new();
    for (_, record) in village.census.iter() {
        match record {
            Record::Warga(warga) => {
                let warga = Warga { keluarga_id: None, ..(**warga).clone() };
                residents.push(encode(&Record::Warga(Box::new(warga))).to_vec());
            }
            Record::RumahTangga(house) => {
                let group = house.dasawisma_id.and_then(|id| village.census.dasawisma(id));
                let group = group.map(|group| group.nama.clone());
                let cards = village.census.families(record_id(village, house)).len();
                let home = RumahTangga {
                    rt_id: RecordId::default(),
                    dasawisma_id: None,
                    kepala_id: None,
                    ..(**house).clone()
                };
                let home = encode(&Record::RumahTangga(Box::new(home))).to_vec();
                houses.push((group, cards, home));
            }
            _ => {}
        }
    }
    residents.sort();
    houses.sort();
    (residents, houses)
}

/// Dasawisma, number of cards, and the house itself.
type Home = (Option<String>, usize, Vec<u8>);

fn record_id(village: &Village, house: &RumahTangga) -> RecordId {
    let is_it = |record: &Record| matches!(record, Record::RumahTangga(other) if std::ptr::eq(&raw const **other, house));
    village.census.iter().find(|(_, record)| is_it(record)).unwrap().0
}

fn check(seed: u64, houses: usize, format: ExportFormat, layout: Layout) {
    let mut original = village(seed, houses, layout);
    let file = exported(&original, format);
    assert_eq!(file, exported(&original, format), "the same village, the same bytes");
    if houses == 0 {
        return;
    }
    let sheet = read_sheet("warga", &file).unwrap();
    let mut copy = Village::default();
    let plan = copy.import_sheet(&sheet);
    assert_eq!(plan.report.rejected, 0, "{}", plan.report);
    assert_eq!(plan.report.new, sheet.len() as u64);
    assert_eq!(file, exported(&copy, format));
    assert_eq!(contents(&original), contents(&copy));
    assert_eq!(copy.import_sheet(&sheet).changes, [], "the same file twice");

    // Heads follow from SHDK; nothing else changes at home.
    let plan = original.import_sheet(&sheet);
    assert_eq!(plan.report.unchanged, sheet.len() as u64, "{}", plan.report);
    let is_head_news = |kind| matches!(kind, Kind::Keluarga | Kind::RumahTangga);
    assert!(plan.changes.iter().all(|change| is_head_news(change.record.kind())));
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn an_opensid_csv_comes_back(seed in any::<u64>(), houses in 0_usize..12) {
        check(seed, houses, ExportFormat::OpensidCsv, Layout::Opensid);
    }

    #[test]
    fn a_template_comes_back(seed in any::<u64>(), houses in 0_usize..12) {
        check(seed, houses, ExportFormat::Template, Layout::Template);
    }

    #[test]
    fn a_siak_dump_comes_back(seed in any::<u64>(), houses in 0_usize..12) {
        check(seed, houses, ExportFormat::SiakCsv, Layout::Siak);
    }

    #[test]
    fn an_opensid_workbook_comes_back(seed in any::<u64>(), houses in 0_usize..4) {
        check(seed, houses, ExportFormat::OpensidXlsx, Layout::Opensid);
    }
}

#[test]
fn every_column_carries_something() {
    for (format, layout) in [
        (ExportFormat::OpensidCsv, Layout::Opensid),
        (ExportFormat::SiakCsv, Layout::Siak),
        (ExportFormat::Template, Layout::Template),
    ] {
        let sheet = sheet(&exported(&village(7, 40, layout), format));
        for (column, _) in layout.headings() {
            let is_filled = sheet.rows().any(|row| !row.text(*column).is_empty());
            assert!(is_filled, "{layout:?} {column:?}");
        }
    }
}

#[test]
fn a_siak_dump_is_whole() {
    let out = String::from_utf8(exported(&village(7, 40, Layout::Siak), ExportFormat::SiakCsv));
    let out = out.unwrap();
    let rows: Vec<Vec<&str>> = out.lines().map(|line| line.split(';').collect()).collect();
    assert_eq!(rows[0].len(), 38, "37 columns and the dusun");
    assert_eq!((rows[0][14], rows[0][15], rows[0][36]), ("Kecamatan", "Desa/Kel", "Tgl Entri"));
    // Texts with a semicolon are quoted and would split.
    let plain: Vec<_> = rows.iter().skip(1).filter(|row| row.len() == 38).collect();
    assert!(plain.len() > 10);
    for row in plain {
        assert_eq!((row[14], row[15]), ("WONODADI", "JATEN"));
        for blank in [21, 24, 25, 26, 33, 34, 35, 36] {
            assert_eq!(row[blank], "", "column {}", blank + 1);
        }
    }
}

#[test]
fn the_empty_template_is_headers_only() {
    let out = exported(&village(7, 5, Layout::Template), ExportFormat::EmptyTemplate);
    let text = String::from_utf8(out).unwrap();
    assert_eq!(text.lines().count(), 1);
    assert!(text.starts_with("\u{feff}Dusun;RW;RT;Dasawisma;Nomor KK;NIK;Nama Lengkap;"));
    assert_eq!(text.trim_end().split(';').count(), Column::COUNT);
}

#[test]
fn a_resident_without_a_card_is_written_and_counted() {
    let mut village = Village::default();
    let id = village.new_id();
    let warga = Warga { nama: "SITI".to_owned(), ..Warga::default() };
    village.census.insert(id, Record::Warga(Box::new(warga)));
    let mut out = Vec::new();
    let exported = write(ExportFormat::OpensidCsv, desa(), &village.census, &mut out).unwrap();
    assert_eq!(exported, Exported { rows: 1, without_kk: 1 });
}
