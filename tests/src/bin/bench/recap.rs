//! (e) The recap of the whole kabupaten.

use std::time::Instant;

use lumbung_domain::indicator::Indikator;
use lumbung_hub::dataset::sqlite::SqliteDataset;
use lumbung_hub::recap::{RegionRef, build};
use lumbung_telemetry::clock;

use crate::nodes::District;

pub(crate) fn measure(district: &District) -> anyhow::Result<()> {
    let dataset = SqliteDataset::open(district.hub_file())?;
    println!("(e) recap of the kabupaten");
    for name in ["first", "again"] {
        let begun = Instant::now();
        let sheet = build(&dataset, RegionRef::Kabupaten, clock::today())?;
        let seconds = begun.elapsed().as_secs_f64();
        let residents = sheet.total.get(Indikator::TotalL) + sheet.total.get(Indikator::TotalP);
        println!("    {name:<22} {seconds:>10.2} s over {residents} residents");
    }
    println!();
    Ok(())
}
