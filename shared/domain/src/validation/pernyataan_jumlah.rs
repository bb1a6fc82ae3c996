//! Stated totals.

use jiff::civil::Date;

use super::Verdict;
use super::rule::NAMA_MAX;
use crate::id::Kind;
use crate::record::{PernyataanJumlah, Ukuran};

/// More than any village has of anything: a slip of the finger.
const JUMLAH_MAX: u32 = 1_000_000;

/// Checks stated totals as of `today`. That they differ from the records, or
/// don't add up, is what they are kept for: only told.
#[must_use]
pub fn check_pernyataan_jumlah(stated: &PernyataanJumlah, today: Date) -> Verdict {
    let mut verdict = Verdict::default();
    match stated.per_tanggal {
        None => verdict.reject(
            "per_tanggal",
            "wajib.kosong",
            "Tulis per tanggal berapa jumlah ini dinyatakan.",
        ),
        Some(day) if day > today => verdict.reject(
            "per_tanggal",
            "tanggal.belum_tiba",
            "Tanggal pernyataan belum tiba. Periksa tahunnya.",
        ),
        Some(_) => {}
    }
    verdict.text("sumber", &stated.sumber, NAMA_MAX);
    super::informasi::no_number_of_a_person(&mut verdict, "sumber", &stated.sumber);
    if stated.dinyatakan().next().is_none() {
        verdict.reject("jumlah", "wajib.kosong", "Isi paling sedikit satu jumlah.");
    }
    for (ukuran, jumlah) in stated.dinyatakan() {
        if jumlah > JUMLAH_MAX {
            verdict.reject(
                ukuran.key(),
                "jumlah.terlalu_besar",
                format!("{} tidak mungkin lebih dari satu juta. Periksa angkanya.", ukuran.label()),
            );
        }
    }
    agreement(&mut verdict, stated);
    verdict
}

/// Checks what kind of record the totals are stated of.
#[must_use]
pub fn check_pernyataan_wilayah(kind: Kind) -> Verdict {
    let mut verdict = Verdict::default();
    if !matches!(kind, Kind::Dusun | Kind::Rw | Kind::Rt | Kind::Dasawisma) {
        verdict.reject(
            "wilayah_id",
            "wilayah.bukan_wilayah",
            "Jumlah dinyatakan untuk desa, dusun, RW, RT atau dasawisma, bukan untuk catatan ini.",
        );
    }
    verdict
}

/// Whether the totals agree among themselves.
fn agreement(verdict: &mut Verdict, stated: &PernyataanJumlah) {
    let of = |ukuran| stated.jumlah(ukuran);
    if let (Some(all), Some(l), Some(p)) = (of(Ukuran::Jiwa), of(Ukuran::JiwaL), of(Ukuran::JiwaP))
        && u64::from(all) != u64::from(l) + u64::from(p)
    {
        verdict.warn(
            "jiwa",
            "jumlah.tidak_genap",
            "Laki-laki ditambah perempuan tidak sama dengan jumlah jiwa.",
        );
    }
    let parts = [
        (Ukuran::JiwaL, Ukuran::Jiwa),
        (Ukuran::JiwaP, Ukuran::Jiwa),
        (Ukuran::Kk, Ukuran::Jiwa),
        (Ukuran::BalitaL, Ukuran::JiwaL),
        (Ukuran::BalitaP, Ukuran::JiwaP),
        (Ukuran::Wus, Ukuran::JiwaP),
        (Ukuran::Pus, Ukuran::Wus),
        (Ukuran::Lansia, Ukuran::Jiwa),
    ];
    for (part, whole) in parts {
        if let (Some(less), Some(more)) = (of(part), of(whole))
            && less > more
        {
            verdict.warn(
                part.key(),
                "jumlah.lebih_dari_semua",
                format!("{} lebih banyak daripada {}.", part.label(), whole.label()),
            );
        }
    }
}

#[cfg(test)]
mod tests {
    use jiff::civil::date;

    use super::*;

    fn stated(jumlah: &[(Ukuran, u32)]) -> PernyataanJumlah {
        let mut stated = PernyataanJumlah {
            per_tanggal: Some(date(2026, 10, 31)),
            sumber: "Monografi desa".to_owned(),
            ..PernyataanJumlah::default()
        };
        jumlah.iter().for_each(|(ukuran, jumlah)| stated.nyatakan(*ukuran, Some(*jumlah)));
        stated
    }

    fn codes(stated: &PernyataanJumlah) -> Vec<(&'static str, bool)> {
        let verdict = check_pernyataan_jumlah(stated, date(2026, 11, 28));
        let severe = super::super::Severity::Reject;
        verdict.0.iter().map(|it| (it.code, it.severity == severe)).collect()
    }

    #[test]
    fn what_is_not_a_statement_is_refused_and_what_contradicts_itself_is_told() {
        use Ukuran::{Jiwa, JiwaL, JiwaP, Kk, Pus, Wus};
        let sound = [(Jiwa, 5_088), (JiwaL, 2_556), (JiwaP, 2_532), (Kk, 1_600)];
        assert_eq!(codes(&stated(&sound)), []);
        assert_eq!(codes(&stated(&[(Kk, 0)])), [], "none is a number");
        assert_eq!(codes(&stated(&[])), [("wajib.kosong", true)]);
        assert_eq!(codes(&stated(&[(Jiwa, 1_000_001)])), [("jumlah.terlalu_besar", true)]);
        let undated = PernyataanJumlah { per_tanggal: None, ..stated(&sound) };
        assert_eq!(codes(&undated), [("wajib.kosong", true)]);
        let tomorrow = PernyataanJumlah { per_tanggal: Some(date(2026, 11, 29)), ..stated(&sound) };
        assert_eq!(codes(&tomorrow), [("tanggal.belum_tiba", true)]);
        let named = PernyataanJumlah { sumber: "NIK 9905010101010001".into(), ..stated(&sound) };
        assert_eq!(codes(&named), [("teks.nomor_orang", true)]);
        let uneven = [(Jiwa, 10), (JiwaL, 4), (JiwaP, 5)];
        assert_eq!(codes(&stated(&uneven)), [("jumlah.tidak_genap", false)]);
        assert_eq!(codes(&stated(&[(Wus, 3), (Pus, 4)])), [("jumlah.lebih_dari_semua", false)]);
    }
}
