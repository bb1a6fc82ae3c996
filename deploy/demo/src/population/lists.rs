//! Word lists. Combined at random, they name nobody in particular.

use lumbung_domain::record::JenisKelamin;

use super::dice::Dice;

const MEN: &[&str] = &[
    "AGUS", "AHMAD", "ALI", "ANDIK", "ARIF", "BAMBANG", "BAYU", "BUDI", "DEDI", "DIDIK", "DWI",
    "EDI", "EKO", "FAJAR", "GALIH", "HADI", "HARI", "HENDRO", "IMAM", "IRFAN", "JAMAL", "JOKO",
    "JUMADI", "KASIMAN", "KATENI", "LUKMAN", "MISDI", "MUHAMAD", "MUJIONO", "NANANG", "NUR",
    "PAIMIN", "PONIRAN", "PUJI", "RIZKI", "RUDI", "SAIFUL", "SAMSUL", "SLAMET", "SUGENG",
    "SUJARWO", "SUKIRNO", "SUPARNO", "SUTRISNO", "TEGUH", "TRI", "WAHYU", "WAGIMAN", "YOGA",
    "YUDI", "ZAINAL",
];
const MEN_LAST: &[&str] = &[
    "ADITAMA",
    "ANSORI",
    "ARIFIN",
    "BASUKI",
    "CAHYONO",
    "EFENDI",
    "FAUZI",
    "FIRMANSYAH",
    "GUNAWAN",
    "HANDOKO",
    "HARIANTO",
    "HIDAYAT",
    "IRAWAN",
    "ISNAINI",
    "KURNIAWAN",
    "KUSUMA",
    "MAULANA",
    "MUSTOFA",
    "NUGROHO",
    "PAMUNGKAS",
    "PRABOWO",
    "PRASETYO",
    "PRATAMA",
    "PURNOMO",
    "PURWANTO",
    "RAHARJO",
    "RAMADANI",
    "ROHMAN",
    "SANTOSO",
    "SAPUTRA",
    "SETIAWAN",
    "SETYAWAN",
    "SISWANTO",
    "SUBAGYO",
    "SUDARMAJI",
    "SULISTYO",
    "SUPRIYADI",
    "SUSANTO",
    "SUSILO",
    "SUTANTO",
    "UTOMO",
    "WALUYO",
    "WIBOWO",
    "WICAKSONO",
    "WIDODO",
    "WIJAYA",
    "YULIANTO",
    "YUNIANTO",
];
const WOMEN: &[&str] = &[
    "ANIK", "ANISA", "ASIH", "AYU", "BINTI", "CICIK", "DESI", "DEWI", "DIAH", "DWI", "EKA",
    "ENDANG", "ERNA", "FITRI", "HENI", "IDA", "IIS", "INDAH", "ISTI", "JUMINAH", "KATMI",
    "KHUSNUL", "LAILA", "LESTARI", "LILIK", "MARIYAM", "MIATUN", "MISTI", "MUJIATI", "NANIK",
    "NOVITA", "NUR", "NURUL", "PARTINI", "PONIRAH", "PUTRI", "RATNA", "RINI", "SITI", "SRI",
    "SULASTRI", "SUMIATI", "SUPARTI", "TITIK", "TRI", "TUMINAH", "UMI", "WAHYU", "WIWIK", "YULI",
    "ZULAIKAH",
];
const WOMEN_LAST: &[&str] = &[
    "AGUSTINA",
    "AMALIA",
    "ANDAYANI",
    "ANGGRAENI",
    "ASTUTIK",
    "AZIZAH",
    "CAHYANI",
    "FADILAH",
    "FATIMAH",
    "FAUZIAH",
    "HANDAYANI",
    "HARIYATI",
    "HASANAH",
    "HIDAYAH",
    "INDRAYANI",
    "ISMAWATI",
    "KHASANAH",
    "KHOTIMAH",
    "KUSUMAWATI",
    "LATIFAH",
    "LESTARI",
    "MAHMUDAH",
    "MARDIANA",
    "MUSTIKA",
    "MUTMAINAH",
    "NINGSIH",
    "NURJANAH",
    "OKTAVIANI",
    "PERTIWI",
    "PURWANINGSIH",
    "PUSPITASARI",
    "RAHAYU",
    "RAHMAWATI",
    "ROHMAH",
    "ROKHANAH",
    "SAFITRI",
    "SETYOWATI",
    "SUHARTINI",
    "SULISTYOWATI",
    "SUNARTI",
    "SUPRAPTI",
    "SUSANTI",
    "UTAMI",
    "WAHYUNI",
    "WARDANI",
    "WIDAYATI",
    "WULANDARI",
    "YULIANA",
];

pub(super) const DUSUN: &[&str] = &[
    "KRAJAN",
    "SUMBEREJO",
    "TEGALSARI",
    "NGADIREJO",
    "KEDUNGBANTENG",
    "SUMBERAGUNG",
    "BENDO",
    "JATISARI",
    "KARANGANYAR",
    "SUKOREJO",
    "BALONG",
    "PURWOREJO",
    "WONOSARI",
    "NGLARANGAN",
    "GENENGAN",
    "TLOGO",
    "BANARAN",
    "PANDANSARI",
];
pub(super) const FLOWERS: &[&str] = &[
    "MELATI",
    "MAWAR",
    "ANGGREK",
    "KENANGA",
    "DAHLIA",
    "FLAMBOYAN",
    "TERATAI",
    "CEMPAKA",
    "SERUNI",
    "BOUGENVILLE",
    "KAMBOJA",
    "TULIP",
    "ASTER",
    "SAKURA",
    "MATAHARI",
    "WIJAYA KUSUMA",
];
pub(super) const STREETS: &[&str] = &[
    "JL. MAWAR",
    "JL. MELATI",
    "JL. DIPONEGORO",
    "JL. SUDIRMAN",
    "JL. RAYA",
    "JL. KENANGA",
    "JL. MASJID",
    "JL. PASAR",
    "GANG SEKOLAH",
    "JL. PUNDEN",
    "JL. LAPANGAN",
    "JL. IRIGASI",
];
pub(super) const BIRTHPLACES: &[(u32, &str)] = &[
    (860, "BLITAR"),
    (40, "KEDIRI"),
    (35, "TULUNGAGUNG"),
    (30, "MALANG"),
    (12, "SURABAYA"),
    (8, "TRENGGALEK"),
    (8, "NGANJUK"),
    (4, "PONOROGO"),
    (3, "JAKARTA"),
];
pub(super) const ELSEWHERE: &[&str] = &[
    "KABUPATEN KEDIRI",
    "KABUPATEN MALANG",
    "KABUPATEN TULUNGAGUNG",
    "KOTA BLITAR",
    "KOTA SURABAYA",
    "KABUPATEN SIDOARJO",
    "KOTA BALIKPAPAN",
    "KABUPATEN BEKASI",
];
pub(super) const REASONS: &[&str] =
    &["PEKERJAAN", "PENDIDIKAN", "IKUT SUAMI", "IKUT ORANG TUA", "PERUMAHAN", "KELUARGA"];
pub(super) const CAUSES: &[&str] =
    &["USIA TUA", "SAKIT JANTUNG", "STROKE", "DIABETES", "SAKIT PARU", "KECELAKAAN"];

/// A name of one to three words, two mostly.
pub(super) fn name(dice: &mut impl Dice, jk: JenisKelamin, born: i16) -> String {
    let (first, last) = match jk {
        JenisKelamin::LakiLaki => (MEN, MEN_LAST),
        JenisKelamin::Perempuan => (WOMEN, WOMEN_LAST),
    };
    let mut name = String::with_capacity(32);
    name.push_str(dice.pick(first));
    // Single names are common among the old, third words among the young.
    if !dice.chance(if born < 1_965 { 400 } else { 20 }) {
        name.push(' ');
        name.push_str(dice.pick(last));
    }
    if dice.chance(if born > 1_995 { 450 } else { 40 }) {
        name.push(' ');
        name.push_str(dice.pick(last));
    }
    name
}
