//! Houses and families.

use lumbung_domain::record::{Industri, Keluarga, Pekarangan, RumahTangga};

use super::{Line, count, date, id, label, list, place, yes};

pub(super) fn rumah_tangga(line: &mut Line, house: &RumahTangga) {
    line.open("Nomor", &house.nomor);
    line.open("Alamat", &house.alamat);
    line.open("Id RT", house.rt_id.to_string());
    line.open("Id dasawisma", id(house.dasawisma_id));
    line.open("Id kepala", id(house.kepala_id));
    // Where a house stands leads to a person's door.
    let [lat, lon] = place(house.titik);
    line.specific("Lintang", lat);
    line.specific("Bujur", lon);
    line.open("Kriteria", house.kriteria.map_or("", |choice| choice.label()));
    line.open("TPS", yes(house.punya_tps));
    line.open("SPAL", yes(house.punya_spal));
    line.open("Jamban", yes(house.punya_jamban));
    line.open("Jumlah MCK", house.jumlah_mck.map(|count| count.to_string()).unwrap_or_default());
    // On the doors of women with child.
    line.specific("Stiker P4K", yes(house.stiker_p4k));
    line.open("PDAM", yes(house.air.map(|air| air.pdam)));
    line.open("Sumur", yes(house.air.map(|air| air.sumur)));
    line.open("Sungai", yes(house.air.map(|air| air.sungai)));
    line.open("Air lain", yes(house.air.map(|air| air.dll)));
    line.open("Makanan pokok", house.makanan_pokok.map_or("", |choice| choice.label()));
    line.open("UP2K", yes(house.up2k));
    line.open("Kesehatan lingkungan", yes(house.kesling));
    line.open("Pekarangan", list(house.pekarangan.iter().map(pekarangan)));
    line.open("Industri rumah tangga", list(house.industri.iter().map(industri)));
    line.open("Dinding", label(house.dinding));
    line.open("Lantai", label(house.lantai));
    line.open("Atap", label(house.atap));
    line.open("Status rumah", label(house.status_rumah));
    line.open("Sumber air minum", label(house.sumber_air_minum));
    line.open("Tahun", count(house.tahun));
    line.open("Diperiksa pada", date(house.diperiksa_pada));
}

fn pekarangan(Pekarangan { kategori, komoditi, jumlah }: &Pekarangan) -> String {
    entry([kategori.label(), komoditi, jumlah])
}

fn industri(Industri { kategori, komoditi, jumlah }: &Industri) -> String {
    entry([kategori.label(), komoditi, jumlah])
}

/// "Peternakan: ayam: 12 ekor"
fn entry(parts: [&str; 3]) -> String {
    let filled: Vec<&str> = parts.into_iter().filter(|part| !part.is_empty()).collect();
    filled.join(": ")
}

pub(super) fn keluarga(line: &mut Line, family: &Keluarga) {
    line.number("Nomor KK", family.no_kk.map(|kk| kk.digits()).unwrap_or_default());
    line.open("Id rumah tangga", family.rumah_tangga_id.to_string());
    line.open("Id kepala", id(family.kepala_id));
    line.open("Kelas sosial", label(family.kelas_sosial));
    line.open("Alamat", &family.alamat);
    line.open("Tanggal daftar", date(family.tgl_daftar));
    line.open("Aktif", yes(Some(family.aktif)));
}
