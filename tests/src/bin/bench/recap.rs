//! (e) The recap of the whole kabupaten, and searches over all residents.

use std::time::Instant;

use lumbung_domain::indicator::Indikator;
use lumbung_hub::dataset::Search as _;
use lumbung_hub::dataset::search::{ResidentTerms, Slice, Words};
use lumbung_hub::dataset::sqlite::SqliteDataset;
use lumbung_hub::recap::{KeptSums, Recap, RegionRef};
use lumbung_telemetry::clock;

use crate::nodes::District;

pub(crate) fn measure(district: &District) -> anyhow::Result<()> {
    let dataset = SqliteDataset::open(district.hub_file())?;
    println!("(e) recap of the kabupaten");
    let kept = KeptSums::default();
    for name in ["counted anew", "from kept sums"] {
        let begun = Instant::now();
        let recap =
            Recap::with(&dataset, &dataset.whole(), &kept, RegionRef::Kabupaten, clock::today())?;
        let (sheet, seconds) = (recap.sheet, begun.elapsed().as_secs_f64());
        let residents = sheet.total.get(Indikator::TotalL) + sheet.total.get(Indikator::TotalP);
        println!("    {name:<22} {seconds:>10.3} s over {residents} residents");
    }
    println!("    searches");
    let begun = Instant::now();
    dataset.make_ready(&dataset.whole())?;
    println!("    {:<22} {:>10.3} s", "made ready", begun.elapsed().as_secs_f64());
    for name in ["siti", "sri wahyuni", "s"] {
        let terms = ResidentTerms { words: Words::of(name), ..ResidentTerms::default() };
        let begun = Instant::now();
        let slice = Slice { after: None, limit: 50 };
        let found = dataset.find_residents(&dataset.whole(), &terms, &slice)?;
        let seconds = begun.elapsed().as_secs_f64();
        println!("    {name:<22} {seconds:>10.3} s, {} found", found.matched);
    }
    println!();
    Ok(())
}
