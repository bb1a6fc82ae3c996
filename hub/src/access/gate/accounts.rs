//! What operators who may do with the accounts of others.
//!
//! Nobody hands out, touches or certifies more villages than they see, nor a
//! head's account without being one, nor changes their own: a security
//! officer can't become head. First passwords open nothing until their owner
//! has chosen another one.

use lumbung_domain::region::KecamatanCode;
use lumbung_telemetry::clock;

use super::{Gate, SignInRefused};
use crate::access::account::{Account, AccountChange, End, FirstUse, NewAccount};
use crate::access::audit::Act;
use crate::access::codes;
use crate::access::operator::{Operator, Refused};
use crate::access::role::{Right, Role};

/// The longest a supporter's account lasts, milliseconds.
const SUPPORT_MS_MAX: i64 = 14 * 24 * 60 * 60 * 1000;

impl Gate {
    /// Every account that sees no more than who asks.
    ///
    /// # Errors
    /// [`SignInRefused::Refused`] without [`Right::ManageOperators`].
    pub async fn accounts(&self, who: &Operator) -> Result<Vec<Account>, SignInRefused> {
        who.must(Right::ManageOperators)?;
        let scope = who.scope().clone();
        self.store(move |inside| {
            let mut all = inside.accounts.accounts()?;
            all.retain(|account| scope.covers(&account.scope()));
            Ok(all)
        })
        .await
    }

    /// An account that sees no more than who asks; another one is not there
    /// for them.
    pub(in crate::access) async fn theirs(
        &self,
        who: &Operator,
        name: &str,
    ) -> Result<Account, SignInRefused> {
        let account = self.named(name).await?;
        let seen = who.scope().covers(&account.scope());
        if seen { Ok(account) } else { Err(SignInRefused::Unknown) }
    }

    /// Makes an account and gives its first password, to be told to its
    /// owner.
    ///
    /// # Errors
    /// [`SignInRefused::Refused`]; name, kecamatan or end can't be taken.
    pub async fn add(&self, who: &Operator, new: &NewAccount) -> Result<String, SignInRefused> {
        who.must(Right::ManageOperators)?;
        let password = codes::random(4)?;
        let account = self.account_of(new, &password, clock::now_ms()).await?;
        must_manage(who, &account)?;
        let words = described(&account);
        if self.named(&new.name).await.is_ok() {
            return Err(SignInRefused::Taken);
        }
        self.note(who.name(), Act::AccountMade, &new.name, &words).await?;
        self.store(move |inside| Ok(inside.accounts.keep_account(&account, true)?)).await?;
        Ok(password)
    }

    /// Changes role, kecamatan and end of an account, or blocks it. Its
    /// sessions end.
    ///
    /// # Errors
    /// [`SignInRefused::Refused`], [`SignInRefused::Unknown`],
    /// [`SignInRefused::Own`], [`SignInRefused::LastHead`]; kecamatan or end
    /// can't be taken.
    pub async fn change(
        &self,
        who: &Operator,
        name: &str,
        change: &AccountChange,
    ) -> Result<(), SignInRefused> {
        who.must(Right::ManageOperators)?;
        let old = self.theirs(who, name).await?;
        must_manage(who, &old)?;
        if who.name() == name && who.role() != Role::Head {
            return Err(SignInRefused::Own);
        }
        let (role, ended) = (old.role, old.until_ms);
        let account = change.of(old);
        must_manage(who, &account)?;
        check_role(account.role, &account.kecamatan)?;
        // An end that stays may be over: then the account can still be closed.
        if change.end != End::Stays || role != account.role || ended.is_none() {
            check_end(account.role, account.until_ms, clock::now_ms())?;
        }
        self.keep_a_head(&account).await?;
        let words = described(&account);
        self.note(who.name(), Act::AccountChanged, name, &words).await?;
        self.store(move |inside| Ok(inside.accounts.keep_account(&account, true)?)).await
    }

    /// A new first password for an account whose owner lost it; one-time
    /// codes are taken away, sessions end, certificates count no longer.
    ///
    /// # Errors
    /// [`SignInRefused::Refused`], [`SignInRefused::Unknown`],
    /// [`SignInRefused::Own`]: whoever took a session must not get the
    /// account.
    pub async fn reset(&self, who: &Operator, name: &str) -> Result<String, SignInRefused> {
        who.must(Right::ManageOperators)?;
        let mut account = self.theirs(who, name).await?;
        must_manage(who, &account)?;
        if who.name() == name {
            return Err(SignInRefused::Own);
        }
        let password = codes::random(4)?;
        account.password = self.hashed(&password).await?;
        account.first_password = true;
        account.first_use = FirstUse::default();
        account.totp = None;
        self.note(who.name(), Act::PasswordChanged, name, "sandi awal baru").await?;
        self.store(move |inside| {
            inside.accounts.keep_recovery_codes(&account.name, &[])?;
            inside.accounts.revoke_operator_keys(&account.name, clock::now_ms())?;
            Ok(inside.accounts.keep_account(&account, true)?)
        })
        .await?;
        Ok(password)
    }

    async fn keep_a_head(&self, account: &Account) -> Result<(), SignInRefused> {
        let stays = account.role == Role::Head && account.active && account.until_ms.is_none();
        let name = account.name.clone();
        let others = self.store(move |inside| {
            let all = inside.accounts.accounts()?;
            let is_head = |it: &Account| it.role == Role::Head && it.is_open(clock::now_ms());
            Ok(all.iter().any(|it| it.name != name && is_head(it)))
        });
        if stays || others.await? { Ok(()) } else { Err(SignInRefused::LastHead) }
    }
}

/// Passes only who may touch such an account.
pub(in crate::access) fn must_manage(who: &Operator, account: &Account) -> Result<(), Refused> {
    let fits = who.role().may_manage(account.role) && who.scope().covers(&account.scope());
    if fits { Ok(()) } else { Err(Refused::Role) }
}

pub(super) fn is_name(name: &str) -> bool {
    let fits =
        |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || b".-".contains(&byte);
    (3..=40).contains(&name.len())
        && name.bytes().all(fits)
        && name.bytes().any(|byte| byte.is_ascii_lowercase())
}

pub(super) fn check_account(new: &NewAccount, now_ms: i64) -> Result<(), SignInRefused> {
    if !is_name(&new.name) {
        return Err(SignInRefused::Name);
    }
    check_role(new.role, &new.kecamatan)?;
    check_end(new.role, new.until_ms, now_ms)
}

const fn check_role(role: Role, kecamatan: &[KecamatanCode]) -> Result<(), SignInRefused> {
    if role.is_of_kecamatan() && kecamatan.is_empty() {
        return Err(SignInRefused::NoKecamatan);
    }
    Ok(())
}

fn check_end(role: Role, until_ms: Option<i64>, now_ms: i64) -> Result<(), SignInRefused> {
    let ends = until_ms.is_some_and(|until| (now_ms..=now_ms + SUPPORT_MS_MAX).contains(&until));
    if role == Role::Support && !ends {
        return Err(SignInRefused::NoEnd);
    }
    Ok(())
}

fn described(account: &Account) -> String {
    let kecamatan: Vec<_> = account.kecamatan.iter().map(ToString::to_string).collect();
    let state = if account.active { "aktif" } else { "diblokir" };
    format!("{} {} {state}", account.role, kecamatan.join(" "))
}
