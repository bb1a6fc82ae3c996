//! Houses, regions and groups.

use jiff::civil::date;

use super::{RT, TODAY, check};
use crate::code_list::Code;
use crate::id::RecordId;
use crate::record::{
    Dasawisma, Dusun, KriteriaRumah, MakananPokok, MasaAktif, Rt, RumahTangga, Titik,
};
use crate::validation::{check_dasawisma, check_dusun, check_rt, check_rumah_tangga};

fn house() -> RumahTangga {
    RumahTangga {
        rt_id: RT,
        dasawisma_id: Some(RecordId([8; 16])),
        kriteria: Some(KriteriaRumah::TidakSehat),
        makanan_pokok: Some(MakananPokok::Beras),
        ..RumahTangga::default()
    }
}

#[test]
fn houses() {
    let titik = |lat, lon| Some(Titik { lat, lon });
    let equipped = RumahTangga {
        punya_tps: Some(true),
        punya_spal: Some(true),
        punya_jamban: Some(true),
        jumlah_mck: Some(1),
        ..house()
    };
    let sehat = Some(KriteriaRumah::Sehat);
    for (house, wanted) in [
        (house(), vec![]),
        (RumahTangga { rt_id: RecordId::default(), ..house() }, vec!["!wajib.kosong"]),
        (RumahTangga { dasawisma_id: None, ..house() }, vec!["dasawisma_id.kosong"]),
        (RumahTangga { kriteria: None, ..house() }, vec!["kriteria.kosong"]),
        (RumahTangga { makanan_pokok: None, ..house() }, vec!["makanan_pokok.kosong"]),
        (equipped.clone(), vec!["kriteria.bertentangan"]),
        (RumahTangga { kriteria: sehat, ..equipped.clone() }, vec![]),
        (
            RumahTangga { kriteria: sehat, punya_spal: Some(false), ..equipped.clone() },
            vec!["kriteria.bertentangan"],
        ),
        (RumahTangga { kriteria: sehat, punya_spal: None, ..equipped.clone() }, vec![]),
        (
            RumahTangga { kriteria: sehat, jumlah_mck: Some(0), ..equipped.clone() },
            vec!["jumlah_mck.bertentangan"],
        ),
        (
            RumahTangga { kriteria: sehat, jumlah_mck: None, ..equipped },
            vec!["jumlah_mck.bertentangan"],
        ),
        (RumahTangga { punya_jamban: Some(false), jumlah_mck: Some(0), ..house() }, vec![]),
        (
            RumahTangga { punya_jamban: Some(false), jumlah_mck: Some(2), ..house() },
            vec!["jumlah_mck.bertentangan"],
        ),
        (RumahTangga { titik: titik(-8.1, 112.2), ..house() }, vec![]),
        (RumahTangga { titik: titik(-6.2, 106.8), ..house() }, vec!["titik.di_luar_kabupaten"]),
        (RumahTangga { titik: titik(112.2, -8.1), ..house() }, vec!["!titik.bukan_koordinat"]),
        (RumahTangga { titik: titik(f64::NAN, 112.2), ..house() }, vec!["!titik.bukan_koordinat"]),
        (RumahTangga { tahun: 2027, ..house() }, vec![]),
        (RumahTangga { tahun: 2028, ..house() }, vec!["!tahun.di_luar_batas"]),
        (
            RumahTangga { diperiksa_pada: Some(date(2026, 12, 1)), ..house() },
            vec!["!tanggal.masa_depan"],
        ),
        (RumahTangga { atap: Code::from_wire(1), ..house() }, vec!["!kode.tidak_terdaftar"]),
    ] {
        check(&check_rumah_tangga(&house, TODAY), &wanted);
    }
}

#[test]
fn regions_and_groups() {
    let rt = |nomor: &str| Rt { nomor: nomor.to_owned(), ..Rt::default() };
    check(&check_rt(&rt("004")), &[]);
    check(&check_rt(&rt("")), &["!wajib.kosong"]);
    check(&check_rt(&rt("-")), &["!wajib.kosong"]);
    check(&check_rt(&rt("4A")), &["nomor.bukan_angka"]);
    let aktif = MasaAktif { dari: Some(date(2026, 1, 2)), sampai: Some(date(2026, 1, 1)) };
    check(&check_rt(&Rt { aktif, ..rt("004") }), &["!masa.terbalik"]);
    let dusun = |nama: &str| Dusun { nama: nama.to_owned(), ..Dusun::default() };
    check(&check_dusun(&dusun("KRAJAN")), &[]);
    check(&check_dusun(&dusun("Dusun Krajan")), &["nama.dengan_sebutan"]);
    let group = Dasawisma { nama: "Melati".to_owned(), rt_id: RT, ..Dasawisma::default() };
    check(&check_dasawisma(&group, TODAY), &[]);
    check(&check_dasawisma(&Dasawisma { tahun: 26, ..group }, TODAY), &["!tahun.di_luar_batas"]);
}
