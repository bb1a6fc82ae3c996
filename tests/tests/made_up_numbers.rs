//! No number in this repository is a real person's: every one with sixteen
//! digits names a region that does not exist, or a day or serial that nobody
//! has. Texts are looked through as they stand; what a program puts together
//! while it runs, and numbers in compressed files, are not seen here.

#![allow(clippy::unwrap_used, reason = "what fails here fails the test")]

use std::fs;
use std::path::{Path, PathBuf};

const DIGITS: usize = 16;

/// Bounds of what regions are called: provinces, kabupaten and kota (71 up),
/// kecamatan. Wider than what exists, but nothing exists outside.
const PROVINSI: std::ops::RangeInclusive<u32> = 11..=96;
const KABUPATEN: std::ops::RangeInclusive<u32> = 1..=79;
const KECAMATAN: std::ops::RangeInclusive<u32> = 1..=60;

/// Added to the day of birth for women.
const HARI_PEREMPUAN: u32 = 40;

/// Folders of what is built or fetched.
const ELSEWHERE: [&str; 2] = ["target", ".git"];

/// Whether somebody may have this number as NIK or card number.
fn may_be_real(number: &[u8]) -> bool {
    let two = |at: usize| u32::from(number[at] - b'0') * 10 + u32::from(number[at + 1] - b'0');
    let (day, month) = (two(6), two(8));
    let day = if day > HARI_PEREMPUAN { day - HARI_PEREMPUAN } else { day };
    PROVINSI.contains(&two(0))
        && KABUPATEN.contains(&two(2))
        && KECAMATAN.contains(&two(4))
        && (1..=31).contains(&day)
        && (1..=12).contains(&month)
        && &number[12..] != b"0000"
}

/// The line of each number of sixteen digits in `text` that may be real;
/// underscores between digits are part of a number.
fn found(text: &[u8]) -> Vec<usize> {
    let mut lines = Vec::new();
    for (at, line) in text.split(|byte| *byte == b'\n').enumerate() {
        let words = line.split(|byte| !byte.is_ascii_alphanumeric() && *byte != b'_');
        for word in words {
            let number: Vec<u8> = word.iter().copied().filter(|byte| *byte != b'_').collect();
            let digits = number.len() == DIGITS && number.iter().all(u8::is_ascii_digit);
            if digits && may_be_real(&number) {
                lines.push(at + 1);
            }
        }
    }
    lines
}

/// How many stretches of sixteen digits in `bytes`, whatever is around them,
/// may be real numbers.
fn within(bytes: &[u8]) -> usize {
    let digits = |some: &&[u8]| some.iter().all(u8::is_ascii_digit);
    bytes.windows(DIGITS).filter(digits).filter(|number| may_be_real(number)).count()
}

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap().to_path_buf()
}

fn files(dir: &Path, all: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(dir).unwrap() {
        let entry = entry.unwrap();
        let elsewhere = ELSEWHERE.iter().any(|name| entry.file_name() == *name);
        match entry.file_type().unwrap() {
            kind if kind.is_dir() && !elsewhere => files(&entry.path(), all),
            kind if kind.is_file() => all.push(entry.path()),
            _ => {}
        }
    }
}

#[test]
fn no_file_of_the_repository_holds_a_number_that_somebody_may_have() {
    let mut all = Vec::new();
    files(&root(), &mut all);
    assert!(all.iter().any(|file| file.ends_with("domain/src/identity/nik.rs")), "not the root");
    let mut places = Vec::new();
    for file in all {
        // Only places are told, not the numbers.
        let lines = found(&fs::read(&file).unwrap());
        places.extend(lines.into_iter().map(|line| format!("{}:{line}", file.display())));
    }
    assert!(places.is_empty(), "numbers that may be real: {places:#?}");
}

#[test]
fn no_dictionary_holds_a_number_that_somebody_may_have() {
    let mut all = Vec::new();
    files(&root().join("shared/wire/dictionaries"), &mut all);
    assert!(!all.is_empty(), "no dictionary");
    for file in all {
        let bytes = fs::read(&file).unwrap();
        let numbers = bytes.windows(DIGITS).filter(|some| some.iter().all(u8::is_ascii_digit));
        assert!(numbers.count() > 0, "{}: trained on no numbers?", file.display());
        assert_eq!(within(&bytes), 0, "{}: numbers that may be real", file.display());
    }
}

#[test]
fn what_may_be_real_is_found_and_what_cannot_be_is_not() {
    // Put together here, so that this file passes its own test.
    let number = |region: u32, day: u32, month: u32, serial: u32| {
        format!("{region:06}{day:02}{month:02}90{serial:04}")
    };
    for real in [number(350_501, 1, 1, 1), number(350_522, 71, 12, 9_999), number(357_201, 9, 9, 9)]
    {
        let (head, tail) = real.split_at(4);
        assert_eq!(found(format!("a\n\"{real}\",").as_bytes()), [2]);
        assert_eq!(found(format!("{head}_{tail}").as_bytes()), [1]);
        assert_eq!(found(format!("x{real} {real}7").as_bytes()), [0; 0], "no number of its own");
        assert_eq!(within(format!("x{real}y").as_bytes()), 1);
    }
    for made_up in [
        number(350_590, 1, 1, 1),
        number(359_901, 1, 1, 1),
        number(350_501, 0, 1, 1),
        number(350_501, 72, 1, 1),
        number(350_501, 1, 13, 1),
        number(350_501, 1, 1, 0),
    ] {
        assert_eq!(found(made_up.as_bytes()), [0; 0], "{made_up}");
    }
}
