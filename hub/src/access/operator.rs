//! A person who is signed in, for the length of one request.

use std::fmt;

use super::account::{Account, Session};
use super::role::{Right, Role};
use super::scope::Scope;

/// A person who is signed in. Only the gate makes one.
#[derive(Clone)]
pub struct Operator {
    name: String,
    role: Role,
    scope: Scope,
    /// Hash of the session's secret; `None` without a session: on the
    /// machine's own socket, or by certificate.
    session: Option<[u8; 32]>,
    /// Proved a one-time code when signing in.
    two_factors: bool,
    /// Came with a password that somebody else was shown.
    first_password: bool,
    /// Why it may not yet what asks for a code.
    lacks: Option<Refused>,
}

/// Why not. Nothing was shown or changed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Refused {
    /// The role may not, or not there.
    #[error("Peran Anda tidak mengizinkan ini. Tidak ada yang diubah.")]
    Role,
    /// The one-time code was proved too long ago.
    #[error("Untuk ini ketik dulu kode enam angka dari ponsel Anda. Belum ada yang diubah.")]
    Stale,
    /// There are no one-time codes, and this hub wants them.
    #[error("Untuk ini pasang dulu kode dua langkah di akun Anda. Belum ada yang diubah.")]
    NoCodes,
}

impl Refused {
    /// The sentence in English.
    pub(crate) const fn english(self) -> &'static str {
        match self {
            Self::Role => "Your role does not allow this. Nothing has changed.",
            Self::Stale => {
                "Type the six-digit code from your phone first. Nothing has changed yet."
            }
            Self::NoCodes => {
                "Set up two-step codes in your account first. Nothing has changed yet."
            }
        }
    }
}

impl Operator {
    pub(super) fn signed_in(account: Account, session: &Session, lacks: Option<Refused>) -> Self {
        let scope = account.scope();
        let Account { name, role, first_password, .. } = account;
        let Session { hash, two_factors, .. } = *session;
        Self { name, role, scope, session: Some(hash), two_factors, first_password, lacks }
    }

    /// Who holds a certificate of an account, at one call.
    pub(super) const fn certified(name: String, role: Role, scope: Scope) -> Self {
        Self {
            name,
            role,
            scope,
            session: None,
            two_factors: false,
            first_password: false,
            lacks: None,
        }
    }

    /// Whoever may read and write the hub's folder on its own machine: the
    /// socket's file permissions are the password.
    #[must_use]
    pub(crate) fn of_this_machine(user: &str) -> Self {
        Self {
            name: format!("lokal:{user}"),
            role: Role::Head,
            scope: Scope::everything(),
            session: None,
            two_factors: false,
            first_password: false,
            lacks: None,
        }
    }

    /// The account's name, as the audit log writes it.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The role.
    #[must_use]
    pub const fn role(&self) -> Role {
        self.role
    }

    /// The villages it may see and touch.
    #[must_use]
    pub const fn scope(&self) -> &Scope {
        &self.scope
    }

    /// Whether a one-time code was proved for this session.
    #[must_use]
    pub const fn has_two_factors(&self) -> bool {
        self.two_factors
    }

    pub(super) const fn session(&self) -> Option<[u8; 32]> {
        self.session
    }

    /// Whether the password is still the one that somebody else was shown.
    #[must_use]
    pub const fn has_first_password(&self) -> bool {
        self.first_password
    }

    /// Whether the role may. Nobody may anything with a first password.
    #[must_use]
    pub const fn may(&self, right: Right) -> bool {
        !self.first_password && self.role.may(right)
    }

    /// Passes only who may, and where a code is asked for has proved one
    /// lately.
    ///
    /// # Errors
    /// [`Refused`].
    pub const fn must(&self, right: Right) -> Result<(), Refused> {
        match self.lacks {
            _ if !self.may(right) => Err(Refused::Role),
            Some(refused) if right.asks_for_code() => Err(refused),
            _ => Ok(()),
        }
    }
}

impl fmt::Debug for Operator {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Operator").field("role", &self.role).finish_non_exhaustive()
    }
}
