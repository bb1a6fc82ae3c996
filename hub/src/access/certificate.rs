//! Certificates of operators: which keys count, and until when.

use lumbung_identity::PublicKey;

use super::account::Account;
use super::audit::Act;
use super::gate::{Gate, SignInRefused, must_manage};
use super::operator::{Operator, Refused};
use super::role::Right;
use crate::metrics::Entrance;
use lumbung_telemetry::clock;

/// Life of a certificate unless told otherwise, days.
pub const CERTIFICATE_DAYS: u32 = 90;

/// The longest life of one, days.
pub const CERTIFICATE_DAYS_MAX: u32 = 366;

const DAY_MS: i64 = 24 * 60 * 60 * 1000;

/// The key of an operator's certificate.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OperatorKey {
    /// The key.
    pub key: PublicKey,
    /// Whose: an account's name.
    pub account: String,
    /// Made at, hub clock, Unix milliseconds.
    pub made_ms: i64,
    /// Its certificate ends, hub clock.
    pub until_ms: i64,
    /// Counts no longer since; `None` = it counts.
    pub revoked_ms: Option<i64>,
}

impl Gate {
    /// Lets a key speak for an account for so many days; when that ends. The
    /// key's holder gets the account's rights at once, so nobody certifies
    /// more than they may themselves.
    ///
    /// # Errors
    /// [`SignInRefused::Refused`] without [`Right::ManageOperators`] and all
    /// rights of the account, [`SignInRefused::Unknown`],
    /// [`SignInRefused::Failed`].
    pub async fn certify(
        &self,
        who: &Operator,
        account: &str,
        key: PublicKey,
        days: u32,
    ) -> Result<i64, SignInRefused> {
        who.must(Right::ManageOperators)?;
        let of = self.theirs(who, account).await?;
        must_manage(who, &of)?;
        if !who.role().covers(of.role) {
            return Err(Refused::Role.into());
        }
        let days = if days == 0 { CERTIFICATE_DAYS } else { days.min(CERTIFICATE_DAYS_MAX) };
        let made_ms = clock::now_ms();
        let until_ms = made_ms + i64::from(days) * DAY_MS;
        let account = account.to_owned();
        self.note(who.name(), Act::Certified, &account, &format!("{key}, {days} hari")).await?;
        let made = OperatorKey { key, account, made_ms, until_ms, revoked_ms: None };
        self.store(move |inside| Ok(inside.accounts.keep_operator_key(&made)?)).await?;
        Ok(until_ms)
    }

    /// Lets none of an account's keys count any more; how many did.
    ///
    /// # Errors
    /// [`SignInRefused::Refused`] without [`Right::ManageOperators`],
    /// [`SignInRefused::Unknown`], [`SignInRefused::Failed`].
    pub async fn revoke_certificates(
        &self,
        who: &Operator,
        account: &str,
    ) -> Result<u64, SignInRefused> {
        who.must(Right::ManageOperators)?;
        must_manage(who, &self.theirs(who, account).await?)?;
        self.note(who.name(), Act::Certified, account, "dicabut").await?;
        let account = account.to_owned();
        self.store(move |inside| {
            Ok(inside.accounts.revoke_operator_keys(&account, clock::now_ms())?)
        })
        .await
    }

    /// Who a proven key and name belong to at this moment; `None` = nobody
    /// any more.
    ///
    /// # Errors
    /// When the store fails: then nobody is let in.
    pub async fn certified(
        &self,
        account: &str,
        key: PublicKey,
    ) -> Result<Option<Operator>, SignInRefused> {
        let account = account.to_owned();
        self.store(move |inside| {
            let now_ms = clock::now_ms();
            let found = inside.accounts.operator_key(&key)?;
            let counts = found.is_some_and(|it| {
                it.account == account && it.revoked_ms.is_none() && now_ms < it.until_ms
            });
            let open = match counts {
                true => inside.accounts.account(&account)?.filter(|it| it.is_open(now_ms)),
                false => None,
            };
            if open.is_none() {
                inside.counts.came(Entrance::Certificate);
            }
            Ok(open.map(|account| {
                let scope = account.scope();
                let Account { name, role, .. } = account;
                Operator::certified(name, role, scope)
            }))
        })
        .await
    }
}
