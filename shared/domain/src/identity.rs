//! Numbers that people carry: NIK and the family card number (KK).
//!
//! Both are attributes with a history, never keys. Printing either shows it
//! masked; `digits()` reveals it, and whoever calls that answers for where
//! the digits go. Nothing here is serialised by accident: there is no serde.

mod kk;
mod nik;
mod text;

use std::fmt;

pub use kk::{NoKk, NoKkError};
pub use nik::{Nik, NikError, NikInput, NikSementara, NikWarning};
pub use text::holds_number_of_a_person;

/// What is left of a number once the marks that people and spreadsheets put
/// into it are gone: spaces, dots, dashes, apostrophes and characters that
/// don't print (Dukcapil exports contain them).
fn bare(text: &str) -> String {
    text.chars().filter(|c| !is_mark(*c)).collect()
}

fn is_mark(c: char) -> bool {
    c.is_whitespace()
        || c.is_control()
        || matches!(
            c,
            '.' | '-'
                | '\''
                | '`'
                | '\u{ad}'
                | '\u{200b}'..='\u{2015}'
                | '\u{2018}'
                | '\u{2019}'
                | '\u{2028}'..='\u{202e}'
                | '\u{2060}'..='\u{206f}'
                | '\u{2212}'
                | '\u{feff}'
        )
}

/// Exactly 16 ASCII digits, as a number.
fn sixteen_digits(bare: &str) -> Option<u64> {
    (bare.len() == 16 && bare.bytes().all(|byte| byte.is_ascii_digit()))
        .then(|| bare.parse().ok())
        .flatten()
}

/// The region part and the last three digits, as on a masked copy of a card.
fn write_masked(number: u64, f: &mut fmt::Formatter<'_>) -> fmt::Result {
    write!(f, "{:06}*******{:03}", number / 10_000_000_000, number % 1_000)
}
