//! Who signs in at the demo's console, and with what.

use std::path::{Path, PathBuf};

use lumbung_hub::access::Accounts as _;
use lumbung_hub::dataset::sqlite::SqliteDataset;
use lumbung_telemetry::clock;

use super::parts;

/// The name the demo's operator signs in with.
pub(super) const NAME: &str = "demo";

/// What the demo's operator signs in with.
pub(super) enum SignIn {
    /// The first password, which nobody has replaced yet.
    First(String),
    /// Another one, which only its owner knows.
    Own,
}

impl SignIn {
    /// The first password, made at the first start and kept in the demo's
    /// folder, as long as it opens the account.
    ///
    /// # Errors
    /// When the account can't be made or read.
    pub(super) fn of(dir: &Path) -> anyhow::Result<Self> {
        let first = made(dir)?;
        let dataset = SqliteDataset::open(parts::hub_file(dir))?;
        let account = dataset.account(NAME)?;
        let opens = account.is_some_and(|it| it.opens_with_first(&first, clock::now_ms()));
        Ok(if opens { Self::First(first) } else { Self::Own })
    }

    /// How to sign in, for people.
    pub(super) fn words(&self, dir: &Path) -> String {
        match self {
            Self::First(password) => format!(
                "masuk sebagai {NAME} dengan sandi awal {password}, yang diganti saat pertama \
                 kali masuk"
            ),
            Self::Own => format!(
                "masuk sebagai {NAME} dengan sandi yang Anda pilih; sandi awalnya sudah diganti. \
                 Lupa? Sandi awal baru: {} part-hub --data {} operators reset {NAME}",
                program().display(),
                dir.join("hub").display()
            ),
        }
    }
}

/// This very program, as somebody can start it.
fn program() -> PathBuf {
    std::env::current_exe().unwrap_or_else(|_| PathBuf::from("lumbung-demo"))
}

/// The password that the account was made with.
fn made(dir: &Path) -> anyhow::Result<String> {
    let kept = dir.join("sandi-operator.txt");
    if let Ok(password) = std::fs::read_to_string(&kept) {
        return Ok(password.trim().to_owned());
    }
    let hub = dir.join("hub").display().to_string();
    let add = ["part-hub", "--data", &hub, "operators", "add", NAME, "--role", "kab.kepala"];
    let password = parts::command(&[&add[..], &["--plain"]].concat())?;
    std::fs::write(&kept, &password)?;
    Ok(password.trim().to_owned())
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use lumbung_hub::access::gate::Visitor;
    use lumbung_hub::access::{Gate, NewAccount, Role};

    use super::*;

    const OWN: &str = "sapi merah di sawah";

    #[tokio::test]
    async fn the_first_password_is_told_until_it_was_replaced() {
        let folder = tempfile::tempdir().unwrap();
        let dir = folder.path();
        std::fs::create_dir(dir.join("hub")).unwrap();
        let store = Arc::new(SqliteDataset::open(parts::hub_file(dir)).unwrap());
        let gate = Gate::new(store.clone(), store.clone());
        let by_nobody = Visitor::default();
        let code = gate.first_code().await.unwrap().unwrap();
        gate.found(&code, "kepala", OWN, &by_nobody).await.unwrap();
        let secret = gate.sign_in("kepala", OWN, "", &by_nobody).await.unwrap();
        let head = gate.operator(&secret).await.unwrap().unwrap();
        let new = NewAccount {
            name: NAME.to_owned(),
            role: Role::Head,
            kecamatan: Vec::new(),
            until_ms: None,
        };
        let first = gate.add(&head, &new).await.unwrap();
        std::fs::write(dir.join("sandi-operator.txt"), format!("{first}\n")).unwrap();

        let told = SignIn::of(dir).unwrap().words(dir);
        assert!(told.contains(&first), "{told}");

        let secret = gate.sign_in(NAME, &first, "", &by_nobody).await.unwrap();
        let demo = gate.operator(&secret).await.unwrap().unwrap();
        gate.change_password(&demo, &first, OWN).await.unwrap();
        let told = SignIn::of(dir).unwrap().words(dir);
        assert!(!told.contains(&first) && told.contains("sudah diganti"), "{told}");
        assert!(told.contains(&format!("operators reset {NAME}")), "{told}");

        // Another first password is not the one in the file.
        gate.reset(&head, NAME).await.unwrap();
        let told = SignIn::of(dir).unwrap().words(dir);
        assert!(!told.contains(&first), "{told}");
    }
}
