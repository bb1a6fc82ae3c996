//! Population events, and receipts of notices.

use jiff::civil::Date;
use lumbung_domain::indicator::masih_anak;
use lumbung_domain::record::{Kelahiran, Kematian, Mutasi, Perpindahan, TandaTerima};
use lumbung_telemetry::clock;

use super::residents::nik;
use super::{Line, OTHER_VILLAGE, count, date, id, label};

pub(super) fn mutasi(line: &mut Line, event: &Mutasi, today: Date) {
    let born = event.tgl_peristiwa.filter(|_| event.adalah_kelahiran());
    line.of_child = born.is_some_and(|born| masih_anak(born, today));
    line.open("Peristiwa", label(event.peristiwa));
    line.child("Tanggal peristiwa", date(event.tgl_peristiwa));
    line.open("Tanggal lapor", date(event.tgl_lapor));
    line.number("NIK", nik(event.nik));
    line.open("Id warga", event.warga_id.to_string());
    kelahiran(line, &event.kelahiran.clone().unwrap_or_default());
    kematian(line, &event.kematian.clone().unwrap_or_default());
    let Perpindahan { jenis, alamat, desa, alasan } = event.perpindahan.clone().unwrap_or_default();
    line.open("Jenis pindah", label(jenis));
    line.open(OTHER_VILLAGE, desa.map(|village| village.to_string()).unwrap_or_default());
    line.open("Alamat pindah", alamat);
    line.open("Alasan pindah", alasan);
    line.open("Keterangan", &event.keterangan);
}

fn kelahiran(line: &mut Line, birth: &Kelahiran) {
    line.child("Waktu lahir", &birth.waktu);
    line.child("Tempat dilahirkan", label(birth.tempat));
    line.open("Jenis kelahiran", label(birth.jenis));
    line.open("Anak ke", count(birth.anak_ke));
    line.open("Penolong kelahiran", label(birth.penolong));
    line.specific("Berat lahir (g)", count(birth.berat_gram));
    line.specific("Panjang lahir (mm)", count(birth.panjang_mm));
}

fn kematian(line: &mut Line, death: &Kematian) {
    line.open("Tempat meninggal", &death.tempat);
    line.open("Jam meninggal", &death.jam);
    line.specific("Sebab meninggal", &death.sebab);
    line.open("Yang menerangkan", &death.penolong);
    line.number("Akta kematian", &death.akta);
}

pub(super) fn tanda_terima(line: &mut Line, receipt: &TandaTerima) {
    let moment = |at_ms: i64| if at_ms == 0 { String::new() } else { clock::display(at_ms) };
    line.open("Id informasi", receipt.informasi_id.to_string());
    line.open("Versi", receipt.versi.to_string());
    line.open("Id RT", id(receipt.rt_id));
    line.open("Diterima", moment(receipt.diterima_ms));
    line.open("Dibaca", moment(receipt.dibaca_ms.unwrap_or_default()));
}
