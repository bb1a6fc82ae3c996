//! How good the villages' records are, and how fresh the district was.

use lumbung_domain::region::VillageCode;
use lumbung_proto::v1;
use lumbung_telemetry::clock;
use tonic::Status;

use super::super::sheet::{Column, Sheet};
use super::super::words::{self, name_of};
use crate::access::Operator;
use crate::dataset::search::VillageQuality;
use crate::desk::Desk;
use crate::recap::RegionRef;
use crate::rhythm::{Day, Freshness, FreshnessCounts};

/// The most days of freshness in one answer.
const DAYS_MAX: u32 = 366;

/// What is missing or contradicts itself, village by village.
pub(super) fn gaps(desk: &Desk, who: &Operator, region: &str) -> Result<Sheet, Status> {
    let quality = desk.quality(who, words::maybe_region(region)?)?;
    let mut sheet = Sheet::new(
        "lumbung/quality/1",
        &[
            Column::text("village", "kode", "code"),
            Column::text("name", "desa", "village"),
            Column::number("residents", "warga", "residents"),
            Column::number("without_nik", "tanpa NIK", "without NIK"),
            Column::number("nik_contradicts", "NIK beda", "NIK contradicts"),
            Column::number("without_birth", "tanpa tanggal lahir", "without birth date"),
            Column::number("unplaced", "tanpa keluarga/rumah", "in no family or house"),
            Column::number("families", "keluarga", "families").wide(),
            Column::number("without_head", "tanpa kepala", "without a head"),
            Column::number("without_number", "tanpa nomor KK", "without card number"),
            Column::number("empty_families", "KK kosong", "empty cards"),
            Column::number("houses", "rumah", "houses").wide(),
            Column::number("without_dasawisma", "tanpa dasawisma", "without dasawisma"),
            Column::number("head_elsewhere", "kepala bukan penghuni", "head lives elsewhere"),
            Column::number("healthy_doubtful", "sehat diragukan", "doubtfully healthy"),
            Column::number("without_water", "sumber air kosong", "water source blank"),
            Column::number("without_latrines", "jumlah MCK kosong", "latrines blank"),
        ],
    );
    for one in quality {
        let VillageQuality { village, .. } = one;
        let counts = [
            one.residents,
            one.without_nik,
            one.nik_contradicts,
            one.without_birth,
            one.unplaced,
            one.families,
            one.without_head,
            one.without_number,
            one.empty_families,
            one.houses,
            one.without_dasawisma,
            one.head_elsewhere,
            one.healthy_doubtful,
            one.without_water,
            one.without_latrines,
        ];
        let counts = counts.into_iter().map(|count| count.to_string());
        sheet.row([village.to_string(), name_of(village)].into_iter().chain(counts));
    }
    Ok(sheet)
}

/// Totals that villages state, a line for each, beside what their records add
/// up to on the same day.
pub(super) fn stated(desk: &Desk, who: &Operator, region: &str) -> Result<Sheet, Status> {
    let mut sheet = Sheet::new(
        "lumbung/stated/1",
        &[
            Column::text("region", "wilayah", "region").wide(),
            Column::text("name", "nama", "name"),
            Column::text("date", "per tanggal", "as of"),
            Column::text("source", "sumber", "source").wide(),
            Column::text("total", "jumlah", "total"),
            Column::number("stated", "dinyatakan", "stated"),
            Column::number("counted", "terhitung", "counted"),
            Column::number("difference", "selisih", "difference"),
            Column::text("actor", "oleh", "by").wide(),
            Column::moment("written_ms", "ditulis", "written").wide(),
        ],
    );
    for it in desk.stated(who, words::maybe_region(region)?)? {
        let day = it.stated.record.per_tanggal.map(|day| day.to_string()).unwrap_or_default();
        let name = it.name.as_deref().unwrap_or("wilayah yang sudah tidak ada");
        for total in &it.totals {
            sheet.row([
                it.region.to_string(),
                name.to_owned(),
                day.clone(),
                it.stated.record.sumber.clone(),
                total.ukuran.label().to_owned(),
                total.stated.to_string(),
                total.counted.to_string(),
                total.difference().to_string(),
                it.stated.actor.clone(),
                it.stated.time_ms.to_string(),
            ]);
        }
    }
    Ok(sheet)
}

/// How many villages were how fresh at the end of each of the last days,
/// oldest first, and now.
pub(super) fn freshness(
    desk: &Desk,
    who: &Operator,
    asked: &v1::FreshnessAsked,
) -> Result<Sheet, Status> {
    let region = words::maybe_region(&asked.region)?;
    let mut sheet = Sheet::new(
        "lumbung/freshness/1",
        &[
            Column::text("date", "tanggal", "date"),
            Column::number("segar", "segar", "fresh"),
            Column::number("terlambat", "terlambat", "late"),
            Column::number("lama", "lama", "old"),
            Column::number("hilang", "hilang", "missing"),
            Column::number("belum_terdaftar", "belum terdaftar", "not joined"),
        ],
    );
    let days = i64::from(asked.days.clamp(1, DAYS_MAX));
    let today = Day::of(clock::now_ms());
    let mut row = |day: Day, counts: FreshnessCounts| {
        let counts = Freshness::ALL.into_iter().map(|class| counts.of(class).to_string());
        sheet.row([day.date().to_string()].into_iter().chain(counts));
    };
    let past = desk.freshness_days(who, region, days)?;
    past.into_iter().filter(|(day, _)| *day < today).for_each(|(day, counts)| row(day, counts));
    let sight = desk.sight(who)?;
    let now = sight.outlook.villages.iter().filter(|it| lies_in(it.desa.code, region));
    row(today, now.map(|it| it.freshness).collect());
    Ok(sheet)
}

/// Whether a village lies in a region.
fn lies_in(village: VillageCode, region: Option<RegionRef>) -> bool {
    match region {
        None | Some(RegionRef::Kabupaten) => true,
        Some(RegionRef::Kecamatan(code)) => village.kecamatan() == code,
        Some(RegionRef::Desa(code) | RegionRef::Below(code, _)) => village == code,
    }
}
