//! One-time codes (RFC 6238) and the codes that replace a lost phone.

use totp_rs::{Builder, Totp};

/// Recovery codes that are made at once.
const RECOVERY_CODES: usize = 8;

/// Letters of codes that people type: none that look alike.
const LETTERS: &[u8; 32] = b"0123456789ABCDEFGHJKMNPQRSTVWXYZ";

/// The generator of an account's codes: six digits, every thirty seconds.
fn totp(secret: &[u8], name: &str) -> Totp {
    Builder::new()
        .with_secret(secret.to_vec())
        .with_account_name(name.to_owned())
        .with_issuer(Some("Lumbung Kabupaten Blitar"))
        .build_noncompliant()
}

/// What an authenticator app reads, as a QR code's text.
pub(super) fn address(secret: &[u8], name: &str) -> String {
    totp(secret, name).to_url().unwrap_or_default()
}

/// The secret as people type it.
pub(super) fn typed(secret: &[u8]) -> String {
    totp_rs::Secret::new(secret.into()).to_base32()
}

/// The secret that was typed like this.
pub(super) fn read_typed(typed: &str) -> Option<Vec<u8>> {
    let secret = totp_rs::Secret::try_from_base32(typed.trim()).ok()?;
    Some(secret.as_bytes().to_vec()).filter(|bytes| (16..=64).contains(&bytes.len()))
}

/// The time step a code is right for, one before and one after now counting.
pub(super) fn step(secret: &[u8], name: &str, code: &str, now_ms: i64) -> Option<u64> {
    let code: String = code.chars().filter(|letter| !letter.is_whitespace()).collect();
    let seconds = u64::try_from(now_ms / 1_000).ok()?;
    totp(secret, name).check(&code, seconds)
}

/// A new secret of 160 bits, as RFC 4226 recommends.
pub(super) fn new_secret() -> Result<Vec<u8>, getrandom::Error> {
    let mut secret = vec![0; 20];
    getrandom::fill(&mut secret)?;
    Ok(secret)
}

/// A code of `groups` groups of four letters.
pub(super) fn random(groups: usize) -> Result<String, getrandom::Error> {
    let mut bytes = vec![0; groups * 4];
    getrandom::fill(&mut bytes)?;
    let letters: Vec<char> =
        bytes.iter().map(|byte| char::from(LETTERS[usize::from(byte & 31)])).collect();
    let groups: Vec<String> = letters.chunks(4).map(|group| group.iter().collect()).collect();
    Ok(groups.join("-"))
}

/// New recovery codes.
pub(super) fn recovery() -> Result<Vec<String>, getrandom::Error> {
    (0..RECOVERY_CODES).map(|_| random(3)).collect()
}

/// The hash a typed code is kept and looked up by; how it is typed (small
/// letters, spaces, dashes) doesn't matter.
pub(super) fn hash(code: &str) -> [u8; 32] {
    let plain: String = code
        .chars()
        .filter(char::is_ascii_alphanumeric)
        .map(|letter| match letter.to_ascii_uppercase() {
            'O' => '0',
            'I' | 'L' => '1',
            other => other,
        })
        .collect();
    *blake3::hash(plain.as_bytes()).as_bytes()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn codes_are_those_of_rfc_6238() {
        // Appendix B, SHA-1, the last six digits of 94287082 at 59 s.
        let secret = b"12345678901234567890";
        assert_eq!(step(secret, "uji", "287 082", 59_000), Some(1));
        assert_eq!(step(secret, "uji", "287082", 200_000), None);
        assert_eq!(step(secret, "uji", "287083", 59_000), None);
        assert!(address(secret, "uji").starts_with("otpauth://totp/"));
        assert_eq!(typed(secret), "GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ");
    }

    #[test]
    fn a_typed_code_is_known_however_it_is_typed() {
        let code = random(3).unwrap();
        assert_eq!(code.len(), 14);
        assert_eq!(hash(&code), hash(&code.to_lowercase().replace('-', " ")));
        assert_eq!(hash("O0Il"), hash("0011"));
        assert_ne!(random(3).unwrap(), code);
    }
}
