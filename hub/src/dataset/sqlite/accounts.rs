//! Accounts and sessions of operators in the dataset's file.

use lumbung_domain::region::KecamatanCode;
use lumbung_identity::PublicKey;
use rusqlite::{Connection, OptionalExtension as _, Row as SqlRow, TransactionBehavior};

use super::SqliteDataset;
use super::village::count;
use crate::access::certificate::OperatorKey;
use crate::access::{Account, Accounts, FirstUse, Role, Session};
use crate::dataset::DatasetError;

/// What an account is read from, by [`account`].
const ACCOUNT: &str = "name, role, kecamatan, password, totp, totp_step, active, until_ms, operator.made_ms, \
     first_password, used_ms, used_from, used_password";

fn account(row: &SqlRow<'_>, at: usize) -> rusqlite::Result<Account> {
    let role = row.get_ref(at + 1)?.as_str()?;
    let role = Role::parse(role).ok_or_else(|| {
        rusqlite::Error::FromSqlConversionFailure(
            at + 1,
            rusqlite::types::Type::Text,
            format!("no role {role}").into(),
        )
    })?;
    let kecamatan = row.get_ref(at + 2)?.as_str()?;
    Ok(Account {
        name: row.get(at)?,
        role,
        kecamatan: kecamatan.split(',').filter_map(KecamatanCode::parse).collect(),
        password: row.get(at + 3)?,
        totp: row.get(at + 4)?,
        totp_step: count(row, at + 5)?,
        active: row.get(at + 6)?,
        until_ms: row.get(at + 7)?,
        made_ms: row.get(at + 8)?,
        first_password: row.get(at + 9)?,
        first_use: FirstUse {
            at_ms: row.get(at + 10)?,
            from: row.get(at + 11)?,
            password: row.get(at + 12)?,
        },
    })
}

fn session(row: &SqlRow<'_>) -> rusqlite::Result<Session> {
    Ok(Session {
        hash: row.get(0)?,
        account: row.get(1)?,
        made_ms: row.get(2)?,
        seen_ms: row.get(3)?,
        two_factors: row.get(4)?,
        agent: row.get(5)?,
    })
}

/// What a session is read from, by [`session`].
const SESSION: &str = "hash, operator, operator_session.made_ms, seen_ms, two_factors, agent";

fn keep(conn: &Connection, account: &Account) -> rusqlite::Result<()> {
    let kecamatan: Vec<_> = account.kecamatan.iter().map(|code| code.compact()).collect();
    conn.execute(
        "INSERT INTO operator (name, role, kecamatan, password, totp, totp_step, active,
                               until_ms, made_ms, first_password, used_ms, used_from,
                               used_password)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13)
         ON CONFLICT (name) DO UPDATE SET
           role = excluded.role, kecamatan = excluded.kecamatan, password = excluded.password,
           totp = excluded.totp, active = excluded.active, until_ms = excluded.until_ms,
           first_password = excluded.first_password, used_ms = excluded.used_ms,
           used_from = excluded.used_from, used_password = excluded.used_password",
        (
            &account.name,
            account.role.name(),
            kecamatan.join(","),
            &account.password,
            &account.totp,
            account.totp_step.cast_signed(),
            account.active,
            account.until_ms,
            account.made_ms,
            account.first_password,
            account.first_use.at_ms,
            &account.first_use.from,
            &account.first_use.password,
        ),
    )?;
    Ok(())
}

impl Accounts for SqliteDataset {
    fn accounts(&self) -> Result<Vec<Account>, DatasetError> {
        self.read(|conn| {
            let sql = format!("SELECT {ACCOUNT} FROM operator ORDER BY name");
            let mut statement = conn.prepare_cached(&sql)?;
            let accounts = statement.query_map([], |row| account(row, 0))?;
            Ok(accounts.collect::<Result<_, _>>()?)
        })
    }

    fn account(&self, name: &str) -> Result<Option<Account>, DatasetError> {
        self.read(|conn| {
            let sql = format!("SELECT {ACCOUNT} FROM operator WHERE name = ?1");
            let mut statement = conn.prepare_cached(&sql)?;
            Ok(statement.query_row([name], |row| account(row, 0)).optional()?)
        })
    }

    fn keep_account(&self, account: &Account, sign_out: bool) -> Result<(), DatasetError> {
        let mut writer = self.writer();
        let tx = writer.conn.transaction_with_behavior(TransactionBehavior::Immediate)?;
        keep(&tx, account)?;
        if sign_out {
            tx.execute("DELETE FROM operator_session WHERE operator = ?1", [&account.name])?;
        }
        Ok(tx.commit()?)
    }

    fn keep_first_account(&self, account: &Account) -> Result<bool, DatasetError> {
        let mut writer = self.writer();
        let tx = writer.conn.transaction_with_behavior(TransactionBehavior::Immediate)?;
        let none: bool =
            tx.query_row("SELECT NOT EXISTS (SELECT 1 FROM operator)", [], |row| row.get(0))?;
        if none {
            keep(&tx, account)?;
        }
        tx.commit()?;
        Ok(none)
    }

    fn spend_code(&self, account: &str, step: u64) -> Result<bool, DatasetError> {
        let spent = self.writer().conn.execute(
            "UPDATE operator SET totp_step = ?2 WHERE name = ?1 AND totp_step < ?2",
            (account, step.cast_signed()),
        )?;
        Ok(spent > 0)
    }

    fn keep_recovery_codes(&self, account: &str, hashes: &[[u8; 32]]) -> Result<(), DatasetError> {
        let mut writer = self.writer();
        let tx = writer.conn.transaction_with_behavior(TransactionBehavior::Immediate)?;
        tx.execute("DELETE FROM recovery_code WHERE operator = ?1", [account])?;
        for hash in hashes {
            tx.execute(
                "INSERT INTO recovery_code (operator, hash) VALUES (?1, ?2)",
                (account, hash),
            )?;
        }
        Ok(tx.commit()?)
    }

    fn recovery_codes(&self, account: &str) -> Result<u64, DatasetError> {
        self.read(|conn| {
            let sql = "SELECT count(*) FROM recovery_code WHERE operator = ?1";
            Ok(conn.prepare_cached(sql)?.query_row([account], |row| count(row, 0))?)
        })
    }

    fn spend_recovery_code(&self, account: &str, hash: [u8; 32]) -> Result<bool, DatasetError> {
        let spent = self.writer().conn.execute(
            "DELETE FROM recovery_code WHERE operator = ?1 AND hash = ?2",
            (account, hash),
        )?;
        Ok(spent > 0)
    }

    fn open_session(&self, session: &Session, ended_ms: i64) -> Result<(), DatasetError> {
        let mut writer = self.writer();
        let tx = writer.conn.transaction_with_behavior(TransactionBehavior::Immediate)?;
        tx.execute("DELETE FROM operator_session WHERE made_ms < ?1", [ended_ms])?;
        tx.execute(
            "INSERT INTO operator_session (hash, operator, made_ms, seen_ms, two_factors, agent)
             VALUES (?1, ?2, ?3, ?4, ?5, ?6)",
            (
                session.hash,
                &session.account,
                session.made_ms,
                session.seen_ms,
                session.two_factors,
                &session.agent,
            ),
        )?;
        Ok(tx.commit()?)
    }

    fn session(&self, hash: [u8; 32]) -> Result<Option<(Session, Account)>, DatasetError> {
        self.read(|conn| {
            let sql = format!(
                "SELECT {SESSION}, {ACCOUNT} FROM operator_session
                 JOIN operator ON operator.name = operator_session.operator WHERE hash = ?1"
            );
            let mut statement = conn.prepare_cached(&sql)?;
            let found = statement.query_row([hash], |row| Ok((session(row)?, account(row, 6)?)));
            Ok(found.optional()?)
        })
    }

    fn count_sessions(&self, made_ms: i64, seen_ms: i64) -> Result<u64, DatasetError> {
        self.read(|conn| {
            let sql = "SELECT count(*) FROM operator_session WHERE made_ms > ?1 AND seen_ms > ?2";
            let mut statement = conn.prepare_cached(sql)?;
            Ok(statement.query_row((made_ms, seen_ms), |row| count(row, 0))?)
        })
    }

    fn sessions(&self, account: &str) -> Result<Vec<Session>, DatasetError> {
        self.read(|conn| {
            let sql = format!(
                "SELECT {SESSION} FROM operator_session WHERE operator = ?1 ORDER BY made_ms DESC"
            );
            let mut statement = conn.prepare_cached(&sql)?;
            let sessions = statement.query_map([account], session)?;
            Ok(sessions.collect::<Result<_, _>>()?)
        })
    }

    fn touch_session(&self, hash: [u8; 32], seen_ms: i64) -> Result<(), DatasetError> {
        self.writer()
            .conn
            .execute("UPDATE operator_session SET seen_ms = ?2 WHERE hash = ?1", (hash, seen_ms))?;
        Ok(())
    }

    fn end_session(&self, hash: [u8; 32]) -> Result<(), DatasetError> {
        self.writer().conn.execute("DELETE FROM operator_session WHERE hash = ?1", [hash])?;
        Ok(())
    }

    fn keep_operator_key(&self, key: &OperatorKey) -> Result<(), DatasetError> {
        self.writer().conn.execute(
            "INSERT INTO operator_key (key, operator, made_ms, until_ms, revoked_ms)
             VALUES (?1, ?2, ?3, ?4, ?5)
             ON CONFLICT (key) DO UPDATE SET
               operator = excluded.operator, made_ms = excluded.made_ms,
               until_ms = excluded.until_ms, revoked_ms = excluded.revoked_ms",
            (key.key.0, &key.account, key.made_ms, key.until_ms, key.revoked_ms),
        )?;
        Ok(())
    }

    fn operator_key(&self, key: &PublicKey) -> Result<Option<OperatorKey>, DatasetError> {
        self.read(|conn| {
            let mut statement = conn.prepare_cached(
                "SELECT key, operator, made_ms, until_ms, revoked_ms FROM operator_key
                 WHERE key = ?1",
            )?;
            let found = statement.query_row([key.0], |row| {
                Ok(OperatorKey {
                    key: PublicKey(row.get(0)?),
                    account: row.get(1)?,
                    made_ms: row.get(2)?,
                    until_ms: row.get(3)?,
                    revoked_ms: row.get(4)?,
                })
            });
            Ok(found.optional()?)
        })
    }

    fn revoke_operator_keys(&self, account: &str, now_ms: i64) -> Result<u64, DatasetError> {
        let revoked = self.writer().conn.execute(
            "UPDATE operator_key SET revoked_ms = ?2 WHERE operator = ?1 AND revoked_ms IS NULL",
            (account, now_ms),
        )?;
        Ok(revoked as u64)
    }
}
