//! Rules for single cells: what is blank, what a date is, how names and
//! region numbers are cleaned.
//!
//! [`clean`] runs once on every cell when a sheet is read; the other rules
//! expect cleaned text. [`tidy`] and [`quoted`] are its inverse for writing:
//! `clean(quoted(tidy(x)))` is `tidy(x)`.

use std::borrow::Cow;

use jiff::civil::Date;

/// Puts a text into one line: characters that don't print are dropped, runs
/// of spaces and line breaks become one space.
#[must_use]
pub fn tidy(text: &str) -> Cow<'_, str> {
    if is_tidy(text) {
        return Cow::Borrowed(text);
    }
    let mut line = String::with_capacity(text.len());
    let mut gap = false;
    for c in text.chars().filter(|c| !is_invisible(*c)) {
        if c.is_whitespace() || c.is_control() {
            gap = true;
            continue;
        }
        if gap && !line.is_empty() {
            line.push(' ');
        }
        gap = false;
        line.push(c);
    }
    if line == "-" {
        line.clear();
    }
    Cow::Owned(line)
}

/// The text a cell holds: tidied, without the one leading apostrophe that
/// spreadsheets use to mark text. Empty and "-" are blank.
#[must_use]
pub fn clean(text: &str) -> Cow<'_, str> {
    let unmarked = |line: &str| line.strip_prefix('\'').map(|rest| rest.trim_start().to_owned());
    match tidy(text) {
        Cow::Borrowed(line) => match line.strip_prefix('\'') {
            Some(rest) => tidy(rest),
            None => Cow::Borrowed(line),
        },
        Cow::Owned(line) => match unmarked(&line) {
            Some(rest) if rest == "-" => Cow::Owned(String::new()),
            Some(rest) => Cow::Owned(rest),
            None => Cow::Owned(line),
        },
    }
}

/// Marks a tidied text with a leading apostrophe where a spreadsheet would
/// take it for a formula, or would drop its zeros or its last digits.
#[must_use]
pub fn quoted(text: &str) -> Cow<'_, str> {
    let Some(first) = text.bytes().next() else {
        return Cow::Borrowed(text);
    };
    let formula = matches!(first, b'=' | b'+' | b'-' | b'@' | b'\t' | b'\r' | b'\'');
    let digits = text.bytes().all(|b| b.is_ascii_digit());
    let loses_digits = digits && (text.len() > SAFE_DIGITS || (first == b'0' && text.len() > 1));
    if formula || loses_digits { Cow::Owned(format!("'{text}")) } else { Cow::Borrowed(text) }
}

/// Spreadsheets show longer numbers as 3.5E+15 and save them so.
const SAFE_DIGITS: usize = 11;

/// A date as sheets write it: `2001-12-31`, `31-12-2001` or `31/12/2001`,
/// with or without a time after it, or the day number of an Excel date cell
/// that lost its format. `0000-00-00` is blank.
///
/// # Errors
///
/// The text is no date.
pub fn date(text: &str) -> Result<Option<Date>, NotADate> {
    let day = text.split(['T', ' ']).next().unwrap_or("");
    if day.is_empty() {
        return Ok(None);
    }
    let mut parts = [0_i32; 3];
    let mut lengths = [0_usize; 3];
    let mut count = 0;
    for part in day.split(['-', '/', '.']) {
        let slot = parts.get_mut(count).ok_or(NotADate)?;
        if part.is_empty() || part.len() > 5 || !part.bytes().all(|b| b.is_ascii_digit()) {
            return Err(NotADate);
        }
        *slot = part.parse().map_err(|_| NotADate)?;
        lengths[count] = part.len();
        count += 1;
    }
    let (year, month, day) = match (count, lengths) {
        (1, _) => return excel_day(parts[0]).map(Some),
        (3, [4, _, _]) => (parts[0], parts[1], parts[2]),
        (3, [_, _, 4]) => (parts[2], parts[1], parts[0]),
        _ => return Err(NotADate),
    };
    if (year, month, day) == (0, 0, 0) {
        return Ok(None);
    }
    let narrow = |part: i32| i8::try_from(part).map_err(|_| NotADate);
    let year = i16::try_from(year).map_err(|_| NotADate)?;
    if year < 1 {
        return Err(NotADate);
    }
    Date::new(year, narrow(month)?, narrow(day)?).map(Some).map_err(|_| NotADate)
}

/// Excel counts days from the last day but one of 1899.
fn excel_day(day: i32) -> Result<Date, NotADate> {
    if !(1..=EXCEL_DAY_MAX).contains(&day) {
        return Err(NotADate);
    }
    let start = Date::constant(1899, 12, 30);
    start.checked_add(jiff::Span::new().days(day)).map_err(|_| NotADate)
}

/// 31 December 2099; a larger number was never a date cell.
const EXCEL_DAY_MAX: i32 = 73_050;

/// The text is no date.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("tanggal tidak terbaca; tulis seperti 31-12-2001 atau 2001-12-31")]
pub struct NotADate;

/// Yes or no as people tick it.
///
/// # Errors
///
/// The text is neither.
pub fn yes(text: &str) -> Result<Option<bool>, NotYesOrNo> {
    const YES: [&str; 6] = ["ya", "y", "1", "v", "ada", "hamil"];
    const NO: [&str; 7] = ["tidak", "t", "0", "2", "tidak ada", "tdk", "tidak hamil"];
    if text.is_empty() {
        return Ok(None);
    }
    let is = |word: &&str| word.eq_ignore_ascii_case(text);
    if YES.iter().any(&is) || text == "\u{2713}" {
        Ok(Some(true))
    } else if NO.iter().any(is) {
        Ok(Some(false))
    } else {
        Err(NotYesOrNo)
    }
}

/// The text is neither yes nor no.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("isi dengan Ya atau Tidak")]
pub struct NotYesOrNo;

/// What is left of a resident's name under OpenSID's rule, for comparing:
/// anything but letters, digits, comma, full stop and apostrophe becomes a
/// space.
#[must_use]
pub fn resident_name(text: &str) -> String {
    let allowed = |c: char| c.is_ascii_alphanumeric() || matches!(c, ',' | '.' | '\'');
    let spaced: String = text.chars().map(|c| if allowed(c) { c } else { ' ' }).collect();
    tidy(&spaced).into_owned()
}

/// A dusun's or lingkungan's name: upper case, underscores as spaces, without
/// the word for what it is.
#[must_use]
pub fn dusun_name(text: &str) -> String {
    let upper = text.to_uppercase().replace('_', " ");
    let upper = tidy(&upper);
    let name = ["DUSUN ", "DSN. ", "DSN ", "LINGKUNGAN ", "LINGK. ", "LINGK "]
        .iter()
        .find_map(|prefix| upper.strip_prefix(prefix))
        .unwrap_or(&upper);
    tidy(name).into_owned()
}

/// The dusun that a SIAK address names ("JL MELATI DSN KRAJAN"): the dump has
/// no dusun column.
#[must_use]
pub(super) fn dusun_in_address(address: &str) -> Option<String> {
    let upper = address.to_uppercase();
    const MARKS: [&str; 8] =
        ["DUSUN ", "DSN. ", "DSN.", "DSN ", "LINGKUNGAN ", "LINGK. ", "LINGK.", "LINGK "];
    MARKS.iter().find_map(|mark| {
        let at = upper.find(mark)?;
        let starts_word = at == 0 || upper[..at].ends_with([' ', ',', '.']);
        let name = dusun_name(upper[at + mark.len()..].split(',').next().unwrap_or(""));
        (starts_word && !name.is_empty()).then_some(name)
    })
}

fn is_tidy(text: &str) -> bool {
    let mut before = b' ';
    for byte in text.bytes() {
        let plain = (b'!'..=b'~').contains(&byte) || (byte == b' ' && before != b' ');
        if !plain {
            return text.is_empty();
        }
        before = byte;
    }
    (text.is_empty() || before != b' ') && text != "-"
}

/// Characters that print nothing: zero-width marks, direction marks, soft
/// hyphen, byte order mark. Civil registry exports contain them.
const fn is_invisible(c: char) -> bool {
    matches!(
        c,
        '\u{ad}' | '\u{200b}'..='\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2060}'..='\u{206f}' | '\u{feff}'
    )
}

#[cfg(test)]
mod tests {
    use jiff::civil::date as day;
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn dates() {
        let cases = [
            ("2001-12-31", Some(day(2001, 12, 31))),
            ("31-12-2001", Some(day(2001, 12, 31))),
            ("1/2/2001", Some(day(2001, 2, 1))),
            ("31.12.2001", Some(day(2001, 12, 31))),
            ("2001/12/31", Some(day(2001, 12, 31))),
            ("2001-12-31T07:00:00", Some(day(2001, 12, 31))),
            ("1", Some(day(1899, 12, 31))),
            ("61", Some(day(1900, 3, 1))),
            ("37256", Some(day(2001, 12, 31))),
            ("", None),
            ("0000-00-00", None),
            ("00/00/0000", None),
        ];
        for (text, wanted) in cases {
            assert_eq!(date(text), Ok(wanted), "{text}");
        }
        for text in [
            "31-12-01",
            "30-02-2001",
            "2001-13-01",
            "12/31/2001",
            "besok",
            "0",
            "99999",
            "20011231",
            "1-2",
            "1-2-3-4",
            "-1-2-2001",
            "0000-01-01",
            "2001--1",
            "١-1-2001",
        ] {
            assert_eq!(date(text), Err(NotADate), "{text}");
        }
    }

    #[test]
    fn blanks_and_marks() {
        for (text, wanted) in [
            ("", ""),
            ("-", ""),
            (" - ", ""),
            ("'-", ""),
            ("'", ""),
            ("''", "'"),
            ("'004", "004"),
            ("\u{feff}A\u{a0}\r\n B\u{200b}", "A B"),
            (" ' A", "A"),
            ("A-B", "A-B"),
        ] {
            assert_eq!(clean(text), wanted, "{text:?}");
        }
    }

    #[test]
    fn regions_and_names() {
        for (text, wanted) in [
            ("Dusun Krajan", "KRAJAN"),
            ("KARANG_TENGAH", "KARANG TENGAH"),
            ("dsn. Sumber", "SUMBER"),
            ("Dusunan", "DUSUNAN"),
            ("Lingkungan  Tlumpu", "TLUMPU"),
            ("LINGK. TLUMPU", "TLUMPU"),
            ("Lingkungan", "LINGKUNGAN"),
            ("", ""),
        ] {
            assert_eq!(dusun_name(text), wanted, "{text}");
        }
        for (text, wanted) in [
            ("JL MELATI 1, DSN KRAJAN, RT 1", Some("KRAJAN")),
            ("dusun sumber", Some("SUMBER")),
            ("JL ANGGREK LINGK. TLUMPU, RT 2", Some("TLUMPU")),
            ("JL SADSN 3", None),
            ("JL MELATI", None),
            ("DUSUN ", None),
        ] {
            assert_eq!(dusun_in_address(text).as_deref(), wanted, "{text}");
        }
        assert_eq!(resident_name("  SITI-A'ISYAH (alm.)\u{e9}"), "SITI A'ISYAH alm.");
    }

    #[test]
    fn yes_and_no() {
        for (text, wanted) in
            [("Ya", Some(true)), ("v", Some(true)), ("TIDAK", Some(false)), ("", None)]
        {
            assert_eq!(yes(text), Ok(wanted), "{text}");
        }
        assert_eq!(yes("mungkin"), Err(NotYesOrNo));
    }

    proptest! {
        #[test]
        fn writing_a_cell_and_reading_it_gives_it_back(text in ".{0,20}", mark in "['=+@ -]{0,3}") {
            let text = format!("{mark}{text}");
            let tidied = tidy(&text);
            prop_assert_eq!(tidy(&tidied), &*tidied);
            let written = quoted(&tidied);
            prop_assert!(!written.starts_with(['=', '+', '-', '@']));
            prop_assert_eq!(clean(&written), &*tidied);
        }

        #[test]
        fn digits_survive_a_spreadsheet(digits in "[0-9]{1,20}") {
            let written = quoted(&digits);
            prop_assert!(written.starts_with('\'') || digits.parse::<f64>().unwrap().to_string() == digits);
            prop_assert_eq!(clean(&written), &*digits);
        }
    }
}
