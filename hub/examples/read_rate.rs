//! How fast operators' questions are answered by a big dataset.
//!
//! `cargo run --release -p lumbung-hub --example read_rate <folder of a hub>
//! [words of a name]`
//!
//! Opens the dataset of a hub that is not running (for example one that
//! `lumbung-demo --scale 1 --once` filled) and times searches. Names are not
//! printed.

use std::error::Error;
use std::path::PathBuf;
use std::time::Instant;

use lumbung_domain::code_list::{Agama, Code};
use lumbung_domain::record::JenisKelamin;
use lumbung_hub::dataset::search::{ResidentTerms, Slice, Words};
use lumbung_hub::dataset::sqlite::SqliteDataset;
use lumbung_hub::dataset::{Scope, Search as _};

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
    let whole = Scope::whole();
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
    let status = std::fs::read_to_string("/proc/self/status")?;
    let peak = status.lines().find(|line| line.starts_with("VmHWM")).unwrap_or_default();
    println!("peak memory {peak}");
    Ok(())
}
