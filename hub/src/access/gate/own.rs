//! What operators do with their own account: password, one-time codes,
//! sessions.

use lumbung_telemetry::clock;

use super::{Gate, SignInRefused, Visitor};
use crate::access::account::{Account, FirstUse, Session};
use crate::access::audit::Act;
use crate::access::operator::Operator;
use crate::access::{WeakPassword, codes, password};

/// One-time codes to be set up: nothing is kept until a code proves that the
/// app has them.
#[derive(Clone)]
pub struct NewCodes {
    /// The secret; comes back in [`Gate::keep_codes`].
    pub secret: Vec<u8>,
    /// The secret as people type it.
    pub typed: String,
    /// What an app reads as a QR code.
    pub address: String,
}

impl Gate {
    /// The operator's own sessions, newest first.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn sessions(&self, who: &Operator) -> Result<Vec<Session>, SignInRefused> {
        let name = who.name().to_owned();
        self.store(move |inside| Ok(inside.accounts.sessions(&name)?)).await
    }

    /// Ends all of the operator's sessions but this one.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn end_other_sessions(&self, who: &Operator) -> Result<(), SignInRefused> {
        self.note(who.name(), Act::SessionEnded, who.name(), "").await?;
        let (name, own) = (who.name().to_owned(), who.session());
        self.store(move |inside| {
            for session in inside.accounts.sessions(&name)? {
                if Some(session.hash) != own {
                    inside.accounts.end_session(session.hash)?;
                }
            }
            Ok(())
        })
        .await
    }

    /// Changes the operator's own password; every other session ends.
    ///
    /// # Errors
    /// The old password is wrong, or the new one too easy.
    pub async fn change_password(
        &self,
        who: &Operator,
        old: &str,
        new: &str,
    ) -> Result<(), SignInRefused> {
        let mut account = self.proven_own(who, old).await?;
        self.must_count(account.clone(), clock::now_ms()).await?;
        password::check(new, who.name())?;
        if new == old {
            return Err(WeakPassword::Same.into());
        }
        let taken = std::mem::replace(&mut account.password, self.hashed(new).await?);
        let mut words = "";
        if std::mem::take(&mut account.first_password) {
            account.first_use.password = taken;
            words = "sandi awal diganti";
        }
        self.note(who.name(), Act::PasswordChanged, who.name(), words).await?;
        self.store(move |inside| Ok(inside.accounts.keep_account(&account, false)?)).await?;
        self.end_other_sessions(who).await
    }

    /// One-time codes for the operator to set up.
    ///
    /// # Errors
    /// When the machine has no randomness.
    pub fn new_codes(&self, who: &Operator) -> Result<NewCodes, SignInRefused> {
        Ok(offer(codes::new_secret()?, who.name()))
    }

    /// The codes of a secret as people type it, to be shown once more.
    #[must_use]
    pub fn same_codes(&self, who: &Operator, typed: &str) -> Option<NewCodes> {
        codes::read_typed(typed).map(|secret| offer(secret, who.name()))
    }

    /// Sets up one-time codes once `code` proves that the app has them, and
    /// gives the recovery codes: shown now and never again. Asks for the
    /// password: whoever took a session must not make it theirs.
    ///
    /// # Errors
    /// [`SignInRefused::Wrong`] when the code is not one of this secret or
    /// the password is another, [`SignInRefused::Wait`].
    pub async fn keep_codes(
        &self,
        who: &Operator,
        secret: Vec<u8>,
        code: &str,
        password: &str,
    ) -> Result<Vec<String>, SignInRefused> {
        let step = codes::step(&secret, who.name(), code, clock::now_ms());
        let step = step.ok_or(SignInRefused::Wrong)?;
        let mut account = self.proven_own(who, password).await?;
        account.totp = Some(secret);
        let session = who.session();
        let recovery = codes::recovery()?;
        let hashes: Vec<_> = recovery.iter().map(|code| codes::hash(code)).collect();
        self.note(who.name(), Act::CodesChanged, who.name(), "dipasang").await?;
        self.store(move |inside| {
            inside.accounts.keep_recovery_codes(&account.name, &hashes)?;
            inside.accounts.keep_account(&account, false)?;
            inside.accounts.spend_code(&account.name, step)?;
            if let Some(hash) = session {
                inside.proofs.proved(hash, clock::now_ms());
            }
            Ok(())
        })
        .await?;
        self.end_other_sessions(who).await?;
        Ok(recovery)
    }

    /// Proves a one-time code in an open session: what asks for one is open
    /// for a while.
    ///
    /// # Errors
    /// [`SignInRefused::Wrong`], [`SignInRefused::Wait`].
    pub async fn prove(&self, who: &Operator, code: &str) -> Result<(), SignInRefused> {
        let now_ms = clock::now_ms();
        self.may_try(who.name(), &Visitor::default(), now_ms)?;
        let account = self.own(who).await?;
        let Some(hash) = who.session().filter(|_| account.totp.is_some()) else {
            return Err(SignInRefused::Wrong);
        };
        if !self.proves(&account, code, now_ms).await? {
            self.0.attempts.failed(who.name(), None, now_ms);
            self.note(who.name(), Act::SignInFailed, who.name(), "kode dua langkah").await?;
            return Err(SignInRefused::Wrong);
        }
        self.0.proofs.proved(hash, now_ms);
        Ok(())
    }

    /// Lets all proofs be long ago.
    #[cfg(test)]
    pub(crate) fn forget_proofs(&self) {
        self.0.proofs.forget();
    }

    /// How many recovery codes the operator has left; `None` = one-time codes are
    /// not set up.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn recovery_codes(&self, who: &Operator) -> Result<Option<u64>, SignInRefused> {
        let account = self.own(who).await?;
        if account.totp.is_none() {
            return Ok(None);
        }
        let left = self.store(move |inside| Ok(inside.accounts.recovery_codes(&account.name)?));
        Ok(Some(left.await?))
    }

    /// The operator's own account, once its password is proved.
    async fn proven_own(&self, who: &Operator, password: &str) -> Result<Account, SignInRefused> {
        let now_ms = clock::now_ms();
        self.may_try(who.name(), &Visitor::default(), now_ms)?;
        let account = self.own(who).await?;
        let hash = Some(account.password.clone());
        if !self.0.hashing.verify(password.to_owned(), hash).await {
            self.0.attempts.failed(who.name(), None, now_ms);
            return Err(SignInRefused::Wrong);
        }
        Ok(account)
    }

    /// When and from where the account's first password was used first; `None`
    /// = it never was, or nobody noted it then.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn first_use(&self, who: &Operator) -> Result<Option<FirstUse>, SignInRefused> {
        Ok(Some(self.own(who).await?.first_use).filter(|used| used.at_ms > 0))
    }

    async fn own(&self, who: &Operator) -> Result<Account, SignInRefused> {
        self.named(who.name()).await
    }
}

fn offer(secret: Vec<u8>, name: &str) -> NewCodes {
    NewCodes { typed: codes::typed(&secret), address: codes::address(&secret, name), secret }
}
