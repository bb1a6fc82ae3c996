//! Stated totals as a CSV file: one line for each region and day.

use std::collections::HashMap;

use csv::StringRecord;
use lumbung_domain::id::RecordId;
use lumbung_domain::record::{PernyataanJumlah, Ukuran};
use lumbung_domain::validation::check_pernyataan_jumlah;
use lumbung_telemetry::clock;

use super::place::{Named, Places};
use super::{day, total};
use crate::import::clean;

/// The columns before the totals.
const HEAD: [&str; 6] = ["tanggal", "dusun", "rw", "rt", "dasawisma", "sumber"];

/// No village has so many regions.
const LINES_MAX: usize = 20_000;

const BYTE_ORDER_MARK: &str = "\u{feff}";

/// The headers alone.
pub(super) fn template() -> String {
    let columns: Vec<_> = HEAD.into_iter().chain(Ukuran::ALL.map(Ukuran::key)).collect();
    format!("{BYTE_ORDER_MARK}{}\r\n", columns.join(";"))
}

/// What a file states.
#[derive(Default)]
pub(super) struct Sheet {
    pub(super) stated: Vec<PernyataanJumlah>,
    /// Sentences about lines that are taken all the same.
    pub(super) remarks: Vec<String>,
    /// Sentences about lines that are not.
    pub(super) rejected: Vec<String>,
}

/// Reads a file; a bad line costs only itself.
pub(super) fn read(content: &[u8], places: &Places) -> anyhow::Result<Sheet> {
    let text = std::str::from_utf8(content).map_err(|_| {
        anyhow::anyhow!(
            "Berkas itu bukan CSV UTF-8. Simpan sebagai \"CSV UTF-8\". Tidak ada yang disimpan."
        )
    })?;
    let text = text.trim_start_matches(BYTE_ORDER_MARK);
    let first = text.lines().next().unwrap_or_default();
    let separator = if first.contains(';') { b';' } else { b',' };
    let mut reader =
        csv::ReaderBuilder::new().delimiter(separator).flexible(true).from_reader(text.as_bytes());
    let columns = Columns::of(reader.headers()?)?;
    let mut sheet = Sheet::default();
    let mut lines: HashMap<(Option<RecordId>, jiff::civil::Date), usize> = HashMap::new();
    for (record, line) in reader.records().zip(2_usize..) {
        if line > LINES_MAX {
            anyhow::bail!("Berkas itu terlalu panjang. Tidak ada yang disimpan.");
        }
        let record = record?;
        if record.iter().all(|cell| cell.trim().is_empty()) {
            continue;
        }
        match columns.statement(&record, places) {
            Ok((stated, remarks)) => {
                let key = stated.per_tanggal.map(|day| (stated.wilayah_id, day));
                let before = key.and_then(|key| lines.insert(key, line));
                if let Some(before) = before {
                    sheet.rejected.push(format!(
                        "Baris {line}: wilayah dan tanggalnya sama dengan baris {before}."
                    ));
                    continue;
                }
                let of_line = |message: String| format!("Baris {line}: {message}");
                sheet.remarks.extend(remarks.into_iter().map(of_line));
                sheet.stated.push(stated);
            }
            Err(why) => sheet.rejected.push(format!("Baris {line}: {why}")),
        }
    }
    Ok(sheet)
}

/// Where each column stands.
struct Columns {
    head: [Option<usize>; HEAD.len()],
    totals: Vec<(Ukuran, usize)>,
}

impl Columns {
    fn of(headers: &StringRecord) -> anyhow::Result<Self> {
        let folded = |text: &str| text.trim().to_lowercase().replace([' ', '-'], "_");
        let find = |name: &str| headers.iter().position(|header| folded(header) == name);
        let totals: Vec<_> =
            Ukuran::ALL.into_iter().filter_map(|it| Some((it, find(it.key())?))).collect();
        let head = HEAD.map(find);
        if head[0].is_none() || totals.is_empty() {
            anyhow::bail!(
                "Berkas itu bukan daftar jumlah: kolom tanggal dan paling sedikit satu kolom \
                 jumlah harus ada. Lihat `declare template -`. Tidak ada yang disimpan."
            );
        }
        Ok(Self { head, totals })
    }

    /// What a line states, with remarks about it.
    fn statement(
        &self,
        record: &StringRecord,
        places: &Places,
    ) -> Result<(PernyataanJumlah, Vec<String>), String> {
        let cell = |at: Option<usize>| {
            let text = at.and_then(|at| record.get(at)).unwrap_or_default();
            clean(text).into_owned()
        };
        let [tanggal, dusun, rw, rt, dasawisma, sumber] = self.head.map(cell);
        let named = Named { dusun: &dusun, rw: &rw, rt: &rt, dasawisma: &dasawisma };
        let mut stated = PernyataanJumlah {
            wilayah_id: places.find(named)?,
            per_tanggal: Some(day(&tanggal)?),
            sumber,
            ..PernyataanJumlah::default()
        };
        for (ukuran, at) in &self.totals {
            let text = cell(Some(*at));
            if !text.is_empty() {
                stated.nyatakan(*ukuran, total(*ukuran, &text)?);
            }
        }
        let verdict = check_pernyataan_jumlah(&stated, clock::today());
        let refused: Vec<_> = verdict.rejections().map(|it| it.message.as_str()).collect();
        if !refused.is_empty() {
            return Err(refused.join(" "));
        }
        let remarks = verdict.warnings().map(|it| it.message.clone()).collect();
        Ok((stated, remarks))
    }
}

#[cfg(test)]
mod tests {
    use lumbung_domain::record::{Dusun, Record, Rt};

    use super::*;

    fn places() -> Places {
        let mut places = Places::default();
        let dusun = RecordId([1; 16]);
        places.insert(dusun, Record::Dusun(Dusun { nama: "KRAJAN".into(), ..Dusun::default() }));
        for (id, dusun_id) in [(2, Some(dusun)), (3, None)] {
            let rt = Rt { nomor: "001".into(), dusun_id, ..Rt::default() };
            places.insert(RecordId([id; 16]), Record::Rt(rt));
        }
        places
    }

    #[test]
    fn a_bad_line_costs_only_itself() {
        let text = "tanggal;Dusun;RT;sumber;jiwa;laki laki;perempuan\r\n\
                    31-10-2026;;;Monografi desa;5.088;2556;2531\r\n\
                    2026-10-31;krajan;1;Ketua RT;180;;\r\n\
                    31-10-2026;KRAJAN;001;Ketua RT;181;;\r\n\
                    31-10-2026;TIDAK ADA;;;10;;\r\n\
                    32-10-2026;;;;10;;\r\n\
                    30-10-2026;;;;banyak;;\r\n\
                    30-10-2026;;;;;;\r\n\
                    ;;;;;;\r\n";
        let sheet = read(text.as_bytes(), &places()).unwrap();
        assert_eq!(sheet.stated.len(), 2, "{:?}", sheet.rejected);
        assert_eq!(sheet.stated[0].jumlah(Ukuran::Jiwa), Some(5_088));
        assert_eq!(sheet.stated[0].wilayah_id, None);
        assert_eq!(sheet.stated[1].wilayah_id, Some(RecordId([2; 16])));
        assert_eq!(sheet.stated[1].jumlah(Ukuran::Kk), None, "not stated is not zero");
        assert!(sheet.remarks[0].starts_with("Baris 2: Laki-laki ditambah"), "{:?}", sheet.remarks);
        let of = |at: usize| sheet.rejected[at].split(':').next().unwrap().to_owned();
        let rejected: Vec<_> = (0..sheet.rejected.len()).map(of).collect();
        assert_eq!(rejected, ["Baris 4", "Baris 5", "Baris 6", "Baris 7", "Baris 8"]);
        assert!(read(b"nama;nik\r\n", &places()).is_err(), "no such sheet");
        let empty = read(template().as_bytes(), &places()).unwrap();
        assert!(empty.stated.is_empty() && empty.rejected.is_empty());
    }

    #[test]
    fn an_rt_is_named_so_that_it_is_the_only_one() {
        let places = places();
        let find = |dusun, rt| places.find(Named { dusun, rt, ..Named::default() });
        assert_eq!(find("Krajan", "1"), Ok(Some(RecordId([2; 16]))));
        // The one outside every dusun is named by its number alone.
        assert_eq!(find("", "001"), Ok(Some(RecordId([3; 16]))));
        assert!(find("", "009").is_err());
        assert_eq!(places.name(Some(RecordId([2; 16]))), "RT 001, KRAJAN");
        assert!(places.find(Named { dasawisma: "MELATI", ..Named::default() }).is_err());
    }
}
