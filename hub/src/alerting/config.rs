//! `pemberitahuan.toml`: to whom, and how. Secrets are read from a file or
//! from the environment, never from here.

use std::path::{Path, PathBuf};
use std::time::Duration;

use serde::Deserialize;

/// The channel of e-mail, as letters and metrics name it.
pub(super) const EMAIL: &str = "surel";
/// The channel of the webhook.
pub(super) const WEBHOOK: &str = "webhook";
/// Signs of life.
pub(super) const LIFE_SIGN: &str = "tanda_hidup";

/// Who is told, and how.
#[derive(Clone, Debug, Deserialize, PartialEq, Eq)]
#[serde(deny_unknown_fields)]
pub struct Config {
    /// Address of the console, for links; empty = no links.
    #[serde(default, rename = "konsol")]
    pub console: String,
    /// Minutes after the hub's start in which nobody is told.
    #[serde(default = "grace_minutes", rename = "jeda_awal_menit")]
    grace_minutes: u32,
    /// Minutes for which something must last before it is told, and be gone
    /// before it counts as over.
    #[serde(default = "settle_minutes", rename = "tunggu_menit")]
    settle_minutes: u32,
    /// By e-mail.
    #[serde(rename = "surel")]
    pub email: Option<Email>,
    /// By webhook.
    pub webhook: Option<Webhook>,
    /// A sign of life outward.
    #[serde(rename = "tanda_hidup")]
    pub life_sign: Option<LifeSign>,
}

const fn grace_minutes() -> u32 {
    30
}

const fn settle_minutes() -> u32 {
    5
}

/// How the line to the mail server is secured.
#[derive(Clone, Copy, Debug, Default, Deserialize, PartialEq, Eq)]
#[serde(rename_all = "lowercase")]
pub enum Security {
    /// Begins in the clear, becomes TLS before anything is said.
    #[default]
    StartTls,
    /// TLS from the start.
    Tls,
    /// In the clear: for a mail server on this machine.
    #[serde(rename = "tanpa")]
    Nothing,
}

/// E-mail.
#[derive(Clone, Debug, Deserialize, PartialEq, Eq)]
#[serde(deny_unknown_fields)]
pub struct Email {
    /// The mail server's name.
    pub server: String,
    /// Its port.
    #[serde(default = "submission", rename = "porta")]
    pub port: u16,
    /// How the line is secured.
    #[serde(default, rename = "keamanan")]
    pub security: Security,
    /// The sender.
    #[serde(rename = "dari")]
    pub from: String,
    /// The recipients.
    #[serde(rename = "kepada")]
    pub to: Vec<String>,
    /// Who logs in; nobody when it is missing.
    #[serde(rename = "pengguna")]
    pub user: Option<String>,
    /// A file with the password.
    #[serde(rename = "sandi_berkas")]
    pub password_file: Option<PathBuf>,
    /// A variable of the environment with the password.
    #[serde(rename = "sandi_env")]
    pub password_env: Option<String>,
}

const fn submission() -> u16 {
    587
}

/// A webhook: a JSON document is posted there.
#[derive(Clone, Debug, Deserialize, PartialEq, Eq)]
#[serde(deny_unknown_fields)]
pub struct Webhook {
    /// Where.
    pub url: String,
    /// A file with a bearer token.
    #[serde(rename = "token_berkas")]
    pub token_file: Option<PathBuf>,
    /// A variable of the environment with a bearer token.
    #[serde(rename = "token_env")]
    pub token_env: Option<String>,
}

/// A sign of life: whoever expects it notices when the hub is gone.
#[derive(Clone, Debug, Deserialize, PartialEq, Eq)]
#[serde(deny_unknown_fields)]
pub struct LifeSign {
    /// Asked for with GET.
    pub url: String,
    /// Minutes between two signs.
    #[serde(default = "life_sign_minutes", rename = "setiap_menit")]
    minutes: u32,
}

const fn life_sign_minutes() -> u32 {
    5
}

impl LifeSign {
    pub(super) fn every(&self) -> Duration {
        Duration::from_secs(u64::from(self.minutes.max(1)) * 60)
    }
}

/// Why the file can't be used.
#[derive(Debug, thiserror::Error)]
pub enum ConfigError {
    /// It can't be read.
    #[error("the file can't be read: {0}")]
    Io(#[from] std::io::Error),
    /// It is not what it should be. The message names a line, not a secret.
    #[error("the file is not understood: {0}")]
    Toml(String),
    /// A value makes no sense.
    #[error("{0}")]
    Value(&'static str),
}

impl Config {
    /// Reads the file; `None` when there is none.
    ///
    /// # Errors
    /// [`ConfigError`].
    pub fn load(path: &Path) -> Result<Option<Self>, ConfigError> {
        match std::fs::read_to_string(path) {
            Ok(text) => Self::parse(&text).map(Some),
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(None),
            Err(error) => Err(error.into()),
        }
    }

    /// Understands the file's text.
    ///
    /// # Errors
    /// [`ConfigError`].
    pub fn parse(text: &str) -> Result<Self, ConfigError> {
        let config: Self =
            toml::from_str(text).map_err(|error| ConfigError::Toml(error.message().to_owned()))?;
        let is_url = |url: &str| url.starts_with("https://") || url.starts_with("http://");
        let urls = config.webhook.iter().map(|webhook| &webhook.url);
        if !urls.chain(config.life_sign.iter().map(|sign| &sign.url)).all(|url| is_url(url)) {
            return Err(ConfigError::Value("url must begin with https:// or http://"));
        }
        if config.email.as_ref().is_some_and(|email| email.to.is_empty()) {
            return Err(ConfigError::Value("surel.kepada names nobody"));
        }
        Ok(config)
    }

    /// The channels that are set up.
    pub fn channels(&self) -> impl Iterator<Item = &'static str> {
        let email = self.email.as_ref().map(|_| EMAIL);
        email.into_iter().chain(self.webhook.as_ref().map(|_| WEBHOOK))
    }

    pub(super) fn grace_ms(&self) -> i64 {
        i64::from(self.grace_minutes) * 60_000
    }

    pub(super) fn settle_ms(&self) -> i64 {
        i64::from(self.settle_minutes) * 60_000
    }
}

/// A secret in a file or in the environment; `None` when neither is named.
pub(super) fn secret(file: Option<&Path>, env: Option<&str>) -> std::io::Result<Option<String>> {
    let missing = |_| std::io::Error::from(std::io::ErrorKind::NotFound);
    let text = match (file, env) {
        (Some(file), _) => std::fs::read_to_string(file)?,
        (None, Some(env)) => std::env::var(env).map_err(missing)?,
        (None, None) => return Ok(None),
    };
    Ok(Some(text.trim_end_matches(['\r', '\n']).to_owned()))
}

#[cfg(test)]
mod tests {
    use super::*;

    const WHOLE: &str = r#"
        konsol = "https://lumbung.example/"
        [surel]
        server = "mail.example"
        keamanan = "tls"
        porta = 465
        dari = "Lumbung <lumbung@mail.example>"
        kepada = ["operator@mail.example"]
        pengguna = "lumbung"
        sandi_env = "SANDI"
        [webhook]
        url = "https://gerbang.example/lumbung"
        token_berkas = "/etc/lumbung/token"
        [tanda_hidup]
        url = "https://hidup.example/abc"
        setiap_menit = 2
    "#;

    #[test]
    fn a_whole_file_is_understood() {
        let config = Config::parse(WHOLE).unwrap();
        assert_eq!(config.email.as_ref().unwrap().security, Security::Tls);
        assert_eq!(config.channels().collect::<Vec<_>>(), ["surel", "webhook"]);
        assert_eq!((config.grace_ms(), config.settle_ms()), (30 * 60_000, 5 * 60_000));
        assert_eq!(config.life_sign.unwrap().every(), Duration::from_secs(120));
    }

    #[test]
    fn nonsense_is_refused_and_no_secret_may_stand_in_it() {
        assert!(matches!(Config::parse("[surel]\nsandi = \"x\""), Err(ConfigError::Toml(_))));
        let ftp = "[webhook]\nurl = \"ftp://x\"";
        assert!(matches!(Config::parse(ftp), Err(ConfigError::Value(_))));
        let nobody = "[surel]\nserver = \"x\"\ndari = \"a@x\"\nkepada = []";
        assert!(matches!(Config::parse(nobody), Err(ConfigError::Value(_))));
        assert_eq!(Config::parse("").unwrap().channels().count(), 0);
    }

    #[test]
    fn a_missing_file_is_no_error_and_a_secret_is_read_without_its_line_end() {
        let folder = tempfile::tempdir().unwrap();
        assert_eq!(Config::load(&folder.path().join("x.toml")).unwrap(), None);
        let file = folder.path().join("sandi");
        std::fs::write(&file, "rahasia 1\n").unwrap();
        assert_eq!(secret(Some(&file), None).unwrap().as_deref(), Some("rahasia 1"));
        assert_eq!(secret(None, None).unwrap(), None);
        assert!(secret(Some(&folder.path().join("y")), None).is_err());
    }
}
