//! Numbers of persons inside a text that others read or that is kept.

/// Digits of a NIK and of a family card number.
const NOMOR_ORANG: usize = 16;

/// Whether a text holds what could be a NIK or a family card number: sixteen
/// digits in a row, also where one kind of mark groups them.
#[must_use]
pub fn holds_number_of_a_person(text: &str) -> bool {
    // Digits since the last separator and in the whole group, which one kind
    // of separator holds together: a day and an hour use several.
    let (mut row, mut group) = (0, 0);
    let mut last = None;
    let mut glue = None;
    for c in text.chars().chain(['\n']) {
        if c.is_ascii_digit() {
            (row, group) = (row + 1, group + 1);
            if row >= NOMOR_ORANG {
                return true;
            }
        } else {
            let follows_digit = last.is_some_and(|last: char| last.is_ascii_digit());
            let glues = matches!(c, ' ' | '.' | '-' | '\u{a0}') && follows_digit;
            let goes_on = glues && glue.is_none_or(|glue| glue == c);
            if group == NOMOR_ORANG && !goes_on {
                return true;
            }
            (row, group, glue) = match goes_on {
                true => (0, group, Some(c)),
                false => (0, 0, None),
            };
        }
        last = Some(c);
    }
    false
}
