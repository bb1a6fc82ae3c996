//! How fast one core counts the district: 410,000 houses, 1.26 million
//! residents. Run with `cargo run --release -p lumbung-domain --example
//! recap_rate`; the facts are made up and the same in every run.

use std::time::Instant;

use jiff::civil::{Date, date};
use lumbung_domain::code_list::{Code, Shdk, StatusKawin};
use lumbung_domain::indicator::{IndikatorVector, RumahFacts, WargaFacts, rumah_tangga_vector};
use lumbung_domain::record::JenisKelamin;

const HOUSES: u32 = 410_000;
const RESIDENTS: u32 = 1_261_699;
const ROUNDS: u32 = 10;

fn resident(number: u32) -> WargaFacts {
    let place = number.wrapping_mul(2_654_435_761) >> 8;
    let year = 1935 + i16::try_from(place % 91).unwrap_or(0);
    let month = 1 + i8::try_from(place / 97 % 12).unwrap_or(0);
    let day = 1 + i8::try_from(place / 1_201 % 28).unwrap_or(0);
    let shdk = 1 + u16::try_from(number % 4).unwrap_or(0);
    WargaFacts {
        keluarga: 0,
        jk: JenisKelamin::from_wire(1 + place % 2),
        lahir: Date::new(year, month, day).ok(),
        status_kawin: Code::<StatusKawin>::new(1 + u16::try_from(place % 4).unwrap_or(0)),
        shdk: Code::<Shdk>::new(shdk),
        up2k: place.is_multiple_of(11),
        hadir: !place.is_multiple_of(37),
        ..WargaFacts::default()
    }
}

fn main() {
    let residents: Vec<WargaFacts> = (0..RESIDENTS).map(resident).collect();
    let house_of = |number: u32| {
        let at = |house: u64| house * u64::from(RESIDENTS) / u64::from(HOUSES);
        let (from, to) = (at(u64::from(number)), at(u64::from(number) + 1));
        usize::try_from(from).unwrap_or(0)..usize::try_from(to).unwrap_or(0)
    };
    let day = date(2026, 12, 31);
    for round in 1..=ROUNDS {
        let start = Instant::now();
        let total: IndikatorVector = (0..HOUSES)
            .map(|number| {
                let rumah = RumahFacts { punya_tps: number % 3 == 0, ..RumahFacts::default() };
                rumah_tangga_vector(&rumah, 1, &residents[house_of(number)], day)
            })
            .sum();
        let spent = start.elapsed();
        println!("round {round}: {} residents here, {spent:?}", total.jiwa());
    }
}
