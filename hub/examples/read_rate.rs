//! How fast operators' questions are answered by a big dataset.
//!
//! `cargo run --release -p lumbung-hub --example read_rate <folder of a hub>
//! [words of a name]`
//!
//! Opens the dataset of a hub that is not running (for example one that
//! `lumbung-demo --scale 1 --once` filled) and times searches, recaps, gaps
//! and exports. Names are not printed.

use std::error::Error;
use std::path::PathBuf;
use std::time::Instant;

use jiff::civil::date;
use lumbung_domain::code_list::{Agama, Code};
use lumbung_domain::id::Kind;
use lumbung_domain::record::JenisKelamin;
use lumbung_domain::region::roster;
use lumbung_hub::dataset::search::{ResidentTerms, Slice, Words};
use lumbung_hub::dataset::sqlite::SqliteDataset;
use lumbung_hub::dataset::{Dataset as _, Search as _};
use lumbung_hub::exports::{Disclosure, RecordsExport};
use lumbung_hub::recap::{KeptSums, Recap, RegionRef};

fn timed<T>(what: &str, work: impl FnOnce() -> T) -> T {
    let start = Instant::now();
    let outcome = work();
    println!("{what:44} {:9.1} ms", start.elapsed().as_secs_f64() * 1000.0);
    outcome
}

fn main() -> Result<(), Box<dyn Error>> {
    let mut args = std::env::args_os().skip(1);
    let folder = args.next().map(PathBuf::from).ok_or("name the folder of a hub")?;
    let words: Vec<String> = args.filter_map(|word| word.into_string().ok()).collect();
    let dataset = timed("open", || SqliteDataset::open(folder.join("hub.db")))?;
    let whole = dataset.whole();
    timed("make all outlines", || dataset.make_ready(&whole))?;
    let first = |after| Slice { after, limit: 50 };
    let mut searches = vec![
        ("everybody", ResidentTerms::default()),
        (
            "women of one religion without a NIK",
            ResidentTerms {
                jenis_kelamin: Some(JenisKelamin::Perempuan),
                agama: Code::<Agama>::new(2).map(|code| code.number() as u8),
                without_nik: true,
                ..ResidentTerms::default()
            },
        ),
    ];
    for one in &words {
        searches.push((one, ResidentTerms { words: Words::of(one), ..Default::default() }));
    }
    for (number, (what, terms)) in searches.iter().enumerate() {
        let name = if number < 2 { what } else { "a name" };
        let found = timed(name, || dataset.find_residents(&whole, terms, &first(None)))?;
        println!("{:44} {:9} found, {} shown", "", found.matched, found.lines.len());
        if let Some(next) = found.next {
            timed("its next page", || dataset.find_residents(&whole, terms, &first(Some(next))))?;
        }
    }
    recaps(&dataset)?;
    timed("gaps of all villages", || dataset.quality(&whole))?;
    timed("ages of all residents", || dataset.ages(&whole, None, date(2026, 12, 31)))?;
    exports(&dataset)?;
    let status = std::fs::read_to_string("/proc/self/status")?;
    let peak = status.lines().find(|line| line.starts_with("VmHWM")).unwrap_or_default();
    println!("peak memory {peak}");
    Ok(())
}

fn recaps(dataset: &SqliteDataset) -> Result<(), Box<dyn Error>> {
    let kept = KeptSums::default();
    let at = date(2026, 12, 31);
    for what in ["recap of the kabupaten, anew", "recap of the kabupaten, kept"] {
        timed(what, || Recap::with(dataset, &dataset.whole(), &kept, RegionRef::Kabupaten, at))?;
    }
    let largest = dataset.villages()?.into_iter().max_by_key(|village| village.warga);
    if let Some(village) = largest {
        let region = RegionRef::Desa(village.village);
        timed("recap of the largest village", || {
            Recap::with(dataset, &dataset.whole(), &kept, region, at)
        })?;
    }
    Ok(())
}

/// The residents of the largest kecamatan, in both forms.
fn exports(dataset: &SqliteDataset) -> Result<(), Box<dyn Error>> {
    let mut largest = None;
    for kecamatan in roster().kecamatan() {
        let scope = dataset.whole().kecamatan(kecamatan.code);
        let records = dataset.count_records(&scope, Kind::Warga)?;
        largest = largest.max(Some((records, scope.ranges().to_vec(), kecamatan.code)));
    }
    let (records, _, code) = largest.ok_or("no kecamatan")?;
    let export = RecordsExport {
        kind: Kind::Warga,
        scope: dataset.whole().kecamatan(code),
        disclosed: Disclosure::default(),
        remarks: vec!["measured".to_owned()],
    };
    println!("{:44} {records:9} residents in the largest kecamatan", "");
    timed("export as CSV", || export.csv(dataset, &mut std::io::sink()))?;
    timed("export as XLSX", || export.xlsx(dataset, &mut std::io::sink()))?;
    Ok(())
}
