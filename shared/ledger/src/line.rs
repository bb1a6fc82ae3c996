//! Lines of a small text ledger, each with a checksum of its own.
//!
//! For facts that must outlive the stores (who was erased): files that are
//! only ever appended to, readable by people, where a torn or damaged line is
//! noticed and costs that line alone. Doesn't guard against forgery.

/// Between a line's text and its checksum.
const MARK: &str = " #";

/// Hex digits of the checksum.
const SUM_DIGITS: usize = 16;

/// The text with its checksum and a line break. Line breaks inside the text
/// would part it: there must be none.
#[must_use]
pub fn seal(text: &str) -> String {
    format!("{text}{MARK}{}\n", checksum(text))
}

/// The text of a sealed line (without its line break); `None` when it is torn
/// or damaged.
#[must_use]
pub fn open(line: &str) -> Option<&str> {
    let (text, sum) = line.rsplit_once(MARK)?;
    (sum == checksum(text)).then_some(text)
}

fn checksum(text: &str) -> String {
    let mut hex = blake3::hash(text.as_bytes()).to_hex().to_string();
    hex.truncate(SUM_DIGITS);
    hex
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_torn_or_changed_line_does_not_open() {
        let sealed = seal("hapus 7 # lagi");
        let line = sealed.strip_suffix('\n').unwrap();
        assert_eq!(open(line), Some("hapus 7 # lagi"));
        for length in 0..line.len() {
            assert_eq!(open(&line[..length]), None, "torn after {length} bytes");
        }
        assert_eq!(open(&line.replace('7', "8")), None);
    }
}
