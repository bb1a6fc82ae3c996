//! Passwords: Argon2id with 64 MiB, and what is too weak to take.
//!
//! A few hashings run at once; more wait, so that a flood of guesses costs
//! the guessers time and not the hub its memory.

use std::sync::{Arc, LazyLock};

use argon2::password_hash::phc::PasswordHash;
use argon2::password_hash::{PasswordHasher as _, PasswordVerifier as _};
use argon2::{Algorithm, Argon2, Params, Version};
use tokio::sync::Semaphore;

/// Memory of one hashing, KiB (OWASP's floor is 19 MiB; a hub has more).
const MEMORY_KIB: u32 = 64 * 1024;

/// Passes over that memory.
const PASSES: u32 = 2;

/// Hashings at once.
const AT_ONCE: usize = 2;

/// Shortest password, characters.
const LENGTH_MIN: usize = 10;

/// Longest password, bytes: long enough for any sentence.
const LENGTH_MAX: usize = 256;

/// What people here choose when they must choose something. Compared without
/// digits, spaces and marks.
const COMMON: &[&str] = &[
    "password",
    "passwordku",
    "katasandi",
    "sandi",
    "rahasia",
    "rahasiaku",
    "admin",
    "administrator",
    "operator",
    "lumbung",
    "lumbungdesa",
    "kabupaten",
    "kabupatenblitar",
    "blitar",
    "kabblitar",
    "blitarkab",
    "indonesia",
    "merdeka",
    "pancasila",
    "bismillah",
    "alhamdulillah",
    "assalamualaikum",
    "sayang",
    "sayangku",
    "cintaku",
    "akucintakamu",
    "iloveyou",
    "qwerty",
    "qwertyuiop",
    "asdfghjkl",
    "zxcvbnm",
    "dasawisma",
    "posyandu",
    "kelurahan",
    "kecamatan",
    "desa",
    "pemdes",
    "dpmd",
    "welcome",
    "selamatdatang",
    "letmein",
    "default",
    "secret",
    "test",
    "testing",
    "coba",
    "cobacoba",
];

/// A password that is too easy. The sentence says what to do.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum WeakPassword {
    /// Too short.
    #[error("Kata sandi paling sedikit 10 huruf. Pakai beberapa kata yang mudah Anda ingat.")]
    Short,
    /// Too long.
    #[error("Kata sandi terlalu panjang: paling banyak 256 huruf.")]
    Long,
    /// Everybody's first guess.
    #[error("Kata sandi ini terlalu mudah ditebak. Pakai beberapa kata yang tidak berhubungan.")]
    Common,
    /// The one that is to be replaced.
    #[error("Kata sandi baru harus lain daripada yang lama.")]
    Same,
}

impl WeakPassword {
    /// The sentence in English.
    pub(super) const fn english(self) -> &'static str {
        match self {
            Self::Short => {
                "A password has 10 characters at least. Use some words that you remember easily."
            }
            Self::Long => "The password is too long: 256 characters at most.",
            Self::Common => {
                "This password is too easy to guess. Use some words that have nothing to do with \
                 each other."
            }
            Self::Same => "The new password must differ from the old one.",
        }
    }
}

/// Refuses what is too easy.
pub(super) fn check(password: &str, name: &str) -> Result<(), WeakPassword> {
    if password.chars().count() < LENGTH_MIN {
        return Err(WeakPassword::Short);
    }
    if password.len() > LENGTH_MAX {
        return Err(WeakPassword::Long);
    }
    let letters: String =
        password.to_lowercase().chars().filter(|letter| letter.is_alphabetic()).collect();
    let mut kinds: Vec<char> = password.chars().collect();
    kinds.sort_unstable();
    kinds.dedup();
    let village = || {
        use lumbung_domain::region::roster;
        let same = |name: &str| name.to_lowercase().replace(' ', "") == letters;
        roster().villages().iter().any(|desa| same(desa.name))
            || roster().kecamatan().iter().any(|kecamatan| same(kecamatan.name))
    };
    let name: String = name.chars().filter(|letter| letter.is_alphabetic()).collect();
    let easy = letters.is_empty()
        || kinds.len() < 5
        || letters == name.to_lowercase()
        || COMMON.contains(&letters.as_str())
        || village();
    if easy { Err(WeakPassword::Common) } else { Ok(()) }
}

fn argon2() -> Argon2<'static> {
    let params = Params::new(MEMORY_KIB, PASSES, 1, None).unwrap_or(Params::DEFAULT);
    Argon2::new(Algorithm::Argon2id, Version::V0x13, params)
}

fn hash_now(password: &str) -> Result<String, argon2::password_hash::Error> {
    Ok(argon2().hash_password(password.as_bytes())?.to_string())
}

/// Whether the password has this hash.
pub(super) fn is(password: &str, hash: &str) -> bool {
    PasswordHash::new(hash)
        .is_ok_and(|hash| argon2().verify_password(password.as_bytes(), &hash).is_ok())
}

/// Compared against when there is no such account: an answer takes as long.
static NOBODY: LazyLock<String> = LazyLock::new(|| hash_now("nobody").unwrap_or_default());

/// Hashes passwords, a few at once.
#[derive(Clone)]
pub(super) struct Hashing {
    room: Arc<Semaphore>,
}

impl Default for Hashing {
    fn default() -> Self {
        Self { room: Arc::new(Semaphore::new(AT_ONCE)) }
    }
}

impl Hashing {
    /// The hash of a password as a PHC string; `None` when the machine can't
    /// make one now.
    pub(super) async fn hash(&self, password: String) -> Option<String> {
        self.run(move || hash_now(&password).ok()).await.flatten()
    }

    /// Whether the password has this hash. `None` = no such account; takes as
    /// long.
    pub(super) async fn verify(&self, password: String, hash: Option<String>) -> bool {
        let work = move || {
            let known = hash.is_some();
            let hash = hash.unwrap_or_else(|| NOBODY.clone());
            is(&password, &hash) && known
        };
        self.run(work).await.unwrap_or(false)
    }

    async fn run<T: Send + 'static>(&self, work: impl FnOnce() -> T + Send + 'static) -> Option<T> {
        let permit = Arc::clone(&self.room).acquire_owned().await.ok()?;
        // The permit goes with the work: who hangs up frees no room.
        let work = move || {
            let outcome = work();
            drop(permit);
            outcome
        };
        tokio::task::spawn_blocking(work).await.ok()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn easy_passwords_are_refused() {
        for (password, weak) in [
            ("pendek", WeakPassword::Short),
            ("1234567890", WeakPassword::Common),
            ("Rahasia12345", WeakPassword::Common),
            ("aaaaaaaaaaaaa", WeakPassword::Common),
            ("Kademangan2026", WeakPassword::Common),
            ("Budi.Utami-99", WeakPassword::Common),
        ] {
            assert_eq!(check(password, "budi.utami"), Err(weak), "{password}");
        }
        assert_eq!(check(&"panjang ".repeat(40), "x"), Err(WeakPassword::Long));
        assert_eq!(check("sapi merah di sawah", "budi"), Ok(()));
    }

    #[tokio::test]
    async fn a_hash_knows_its_password_and_no_other() {
        let hashing = Hashing::default();
        let hash = hashing.hash("sapi merah di sawah".into()).await.unwrap();
        assert!(hash.starts_with("$argon2id$v=19$m=65536,t=2,p=1$"), "{hash}");
        assert!(hashing.verify("sapi merah di sawah".into(), Some(hash.clone())).await);
        assert!(!hashing.verify("sapi merah di sawah ".into(), Some(hash)).await);
        assert!(!hashing.verify("nobody".into(), None).await);
    }
}
