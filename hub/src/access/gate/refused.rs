//! Why somebody is not let in, or an account is not changed.

use crate::access::operator::Refused;
use crate::access::password::WeakPassword;
use crate::dataset::DatasetError;
use crate::words::Words;

/// Why somebody was not let in, or an account was not changed. Nothing
/// changed.
#[derive(Debug, thiserror::Error)]
pub enum SignInRefused {
    /// Name, password or code: which one is not said.
    #[error("Nama, kata sandi atau kode tidak cocok.")]
    Wrong,
    /// A first password that nobody used in time.
    #[error(
        "Sandi awal ini sudah lewat 72 jam dan tidak berlaku lagi. Tidak ada yang berubah. Minta \
         sandi awal baru kepada yang membuat akun Anda."
    )]
    FirstPasswordOver,
    /// A first password that was used and replaced: when, and from where.
    #[error(
        "Sandi awal ini sudah dipakai{} dan diganti dengan yang lain. Bila itu bukan Anda, orang \
         lain memegang akun Anda: segera beri tahu kepala operator supaya akunnya ditutup, dan \
         minta sandi awal baru.",
        used(.0, .1).id
    )]
    FirstPasswordUsed(i64, String),
    /// Too many failures.
    #[error("Terlalu banyak percobaan. Coba lagi {seconds} detik lagi.")]
    Wait {
        /// For so long.
        seconds: i64,
    },
    /// A first operator exists, or the code is not the one shown.
    #[error("Kode tidak cocok, atau operator pertama sudah ada.")]
    NotFirst,
    /// The name can't be one.
    #[error("Nama operator: 3 sampai 40 huruf kecil, angka, titik atau tanda hubung.")]
    Name,
    /// The name is taken.
    #[error("Nama ini sudah dipakai operator lain.")]
    Taken,
    /// No such account.
    #[error("Operator ini tidak ada.")]
    Unknown,
    /// A kecamatan operator without kecamatan.
    #[error("Operator kecamatan harus punya paling sedikit satu kecamatan.")]
    NoKecamatan,
    /// A supporter without an end, or with one too far.
    #[error("Akun dukungan harus berakhir paling lama 14 hari lagi.")]
    NoEnd,
    /// One's own account, where that would let a stolen session keep it.
    #[error(
        "Ini akun Anda sendiri: kata sandi dan kode diganti di halaman Akun saya, peran dan masa \
         berlaku oleh kepala operator. Tidak ada yang diubah."
    )]
    Own,
    /// Nobody could open it again.
    #[error("Ini kepala operator terakhir yang aktif; tidak bisa diubah atau diblokir.")]
    LastHead,
    /// The password is too easy.
    #[error(transparent)]
    Weak(#[from] WeakPassword),
    /// The role may not.
    #[error(transparent)]
    Refused(#[from] Refused),
    /// The store or the machine failed.
    #[error("Hub sedang tidak bisa memeriksa. Tidak ada yang berubah. Coba lagi sebentar.")]
    Failed(#[source] Box<dyn std::error::Error + Send + Sync>),
}

impl SignInRefused {
    /// Why, in both languages.
    #[must_use]
    pub fn words(&self) -> Words {
        let english = match self {
            Self::Wrong => "Name, password or code do not match.",
            Self::FirstPasswordOver => {
                "This first password is older than 72 hours and counts no longer. Nothing has \
                 changed. Ask whoever made your account for a new one."
            }
            Self::FirstPasswordUsed(at_ms, from) => {
                let english = format!(
                    "This first password was used{} and replaced by another one. If that was not \
                     you, somebody else holds your account: tell the head operator at once, so \
                     that it is closed, and ask for a new first password.",
                    used(at_ms, from).en
                );
                return Words::new(self.to_string(), english);
            }
            Self::Wait { seconds } => {
                let english = format!("Too many attempts. Try again in {seconds} seconds.");
                return Words::new(self.to_string(), english);
            }
            Self::NotFirst => "The code does not match, or there is a first operator already.",
            Self::Name => "An operator's name: 3 to 40 small letters, digits, dots or hyphens.",
            Self::Taken => "Another operator has this name.",
            Self::Unknown => "There is no such operator.",
            Self::NoKecamatan => "An operator of kecamatan needs one kecamatan at least.",
            Self::NoEnd => "A supporter's account must end within 14 days.",
            Self::Own => {
                "This is your own account: change password and codes on the page My account; the \
                 head operator changes role and end. Nothing has changed."
            }
            Self::LastHead => {
                "This is the last head operator who may sign in; it can't be changed or closed."
            }
            Self::Weak(weak) => weak.english(),
            Self::Refused(refused) => refused.english(),
            Self::Failed(_) => {
                "The hub can't look just now. Nothing has changed. Try again in a moment."
            }
        };
        Words::new(self.to_string(), english)
    }
}

/// When and from where something was used, as far as that was noted.
fn used(at_ms: &i64, from: &str) -> Words {
    if *at_ms == 0 {
        return Words::new("", "");
    }
    let at = Words::moment(*at_ms);
    let (id, en) = match from {
        "" => (String::new(), String::new()),
        from => (format!(" dari {from}"), format!(" from {from}")),
    };
    Words::new(format!(" pada {}{id}", at.id), format!(" on {}{en}", at.en))
}

impl From<DatasetError> for SignInRefused {
    fn from(error: DatasetError) -> Self {
        Self::Failed(Box::new(error))
    }
}

impl From<getrandom::Error> for SignInRefused {
    fn from(error: getrandom::Error) -> Self {
        Self::Failed(Box::new(error))
    }
}
