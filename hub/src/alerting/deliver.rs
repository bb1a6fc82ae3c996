//! Deliveries: one e-mail, one call to a webhook, one sign of life. They
//! block, for seconds at most; callers use a blocking thread. Errors hold
//! no address and no secret.

use std::io;
use std::sync::Arc;
use std::time::Duration;

use lettre::message::header::ContentType;
use lettre::transport::smtp::authentication::Credentials;
use lettre::transport::smtp::client::{Tls, TlsParameters};
use lettre::{Message, SmtpTransport, Transport as _};
use lumbung_telemetry::clock;
use serde_json::json;
use ureq::tls::{Certificate, RootCerts, TlsConfig, TlsProvider};

use super::config::{Config, EMAIL, Email, LifeSign, Security, WEBHOOK, secret};
use crate::dataset::alerts::Letter;

/// How long one delivery may take.
const WITHIN: Duration = Duration::from_secs(15);

/// Why a letter did not go out. It stays and is tried again.
#[derive(Debug, thiserror::Error)]
pub enum DeliveryError {
    /// The channel is not set up (any more).
    #[error("the channel is not set up")]
    NoChannel,
    /// A secret can't be read.
    #[error("the secret can't be read: {0}")]
    Secret(#[source] io::Error),
    /// An address of a person or a server is none.
    #[error("an address is not valid")]
    Address,
    /// The machine's certificates can't be read.
    #[error("the machine's certificates can't be read")]
    Certificates,
    /// The mail server was not reached.
    #[error("the mail server can't be reached or trusted")]
    MailServer,
    /// The mail server said no.
    #[error("the mail server refused the letter")]
    Refused,
    /// The other end of a call was not reached.
    #[error("the address can't be reached or trusted")]
    Unreached,
    /// The other end of a call said no.
    #[error("the other end answered {0}")]
    Answered(u16),
}

/// Delivers one letter through its channel.
///
/// # Errors
/// [`DeliveryError`].
pub fn deliver(config: &Config, letter: &Letter) -> Result<(), DeliveryError> {
    match letter.channel.as_str() {
        EMAIL => mail(config.email.as_ref().ok_or(DeliveryError::NoChannel)?, letter),
        WEBHOOK => {
            let webhook = config.webhook.as_ref().ok_or(DeliveryError::NoChannel)?;
            let token = secret(webhook.token_file.as_deref(), webhook.token_env.as_deref())
                .map_err(DeliveryError::Secret)?;
            let mut call = agent(&webhook.url)?
                .post(&webhook.url)
                .header("Content-Type", "application/json")
                // The same letter again is the same key.
                .header("Idempotency-Key", &identity(letter));
            if let Some(token) = token {
                call = call.header("Authorization", &format!("Bearer {token}"));
            }
            answered(&call.send(letter.body.as_bytes()))
        }
        _ => Err(DeliveryError::NoChannel),
    }
}

/// A channel, and what became of a letter through it.
pub type Tried = (&'static str, Result<(), DeliveryError>);

/// Sends a letter that needs nothing through every channel; what became of
/// each.
#[must_use]
pub fn test(config: &Config) -> Vec<Tried> {
    let letter = |channel: &'static str| Letter {
        number: 0,
        channel: channel.to_owned(),
        subject: "Lumbung: surat percobaan".to_owned(),
        body: match channel {
            WEBHOOK => json!({ "version": 1, "test": true }).to_string(),
            _ => "Surat percobaan dari hub kabupaten. Tidak perlu apa-apa.\n".to_owned(),
        },
        made_ms: clock::now_ms(),
        attempts: 0,
    };
    config.channels().map(|channel| (channel, deliver(config, &letter(channel)))).collect()
}

/// Gives a sign of life.
pub(super) fn life_sign(sign: &LifeSign) -> Result<(), DeliveryError> {
    answered(&agent(&sign.url)?.get(&sign.url).call())
}

/// What tells a letter from every other, also when it comes twice.
fn identity(letter: &Letter) -> String {
    format!("lumbung-{}-{}", letter.made_ms, letter.number)
}

fn answered(
    outcome: &Result<ureq::http::Response<ureq::Body>, ureq::Error>,
) -> Result<(), DeliveryError> {
    match outcome {
        Ok(_) => Ok(()),
        Err(ureq::Error::StatusCode(code)) => Err(DeliveryError::Answered(*code)),
        Err(_) => Err(DeliveryError::Unreached),
    }
}

/// A caller that trusts what the machine trusts.
fn agent(url: &str) -> Result<ureq::Agent, DeliveryError> {
    let config = ureq::Agent::config_builder().timeout_global(Some(WITHIN)).max_redirects(0);
    if !url.starts_with("https://") {
        return Ok(config.build().into());
    }
    let found = rustls_native_certs::load_native_certs();
    if found.certs.is_empty() {
        return Err(DeliveryError::Certificates);
    }
    let certificates = found.certs.iter().map(|cert| Certificate::from_der(cert).to_owned());
    let tls = TlsConfig::builder()
        .provider(TlsProvider::Rustls)
        .root_certs(RootCerts::new_with_certs(&certificates.collect::<Vec<_>>()))
        .unversioned_rustls_crypto_provider(Arc::new(rustls::crypto::ring::default_provider()))
        .build();
    Ok(config.tls_config(tls).build().into())
}

fn mail(email: &Email, letter: &Letter) -> Result<(), DeliveryError> {
    let mut message = Message::builder()
        .from(email.from.parse().map_err(|_| DeliveryError::Address)?)
        .message_id(Some(format!("<{}@lumbung>", identity(letter))))
        .subject(&letter.subject)
        .header(ContentType::TEXT_PLAIN);
    for to in &email.to {
        message = message.to(to.parse().map_err(|_| DeliveryError::Address)?);
    }
    let message = message.body(letter.body.clone()).map_err(|_| DeliveryError::Address)?;
    let tls = || TlsParameters::new(email.server.clone()).map_err(|_| DeliveryError::Certificates);
    let tls = match email.security {
        Security::Nothing => Tls::None,
        Security::StartTls => Tls::Required(tls()?),
        Security::Tls => Tls::Wrapper(tls()?),
    };
    let mut transport = SmtpTransport::builder_dangerous(&email.server)
        .port(email.port)
        .tls(tls)
        .timeout(Some(WITHIN));
    if let Some(user) = &email.user {
        let password = secret(email.password_file.as_deref(), email.password_env.as_deref())
            .map_err(DeliveryError::Secret)?;
        let password = password.unwrap_or_default();
        transport = transport.credentials(Credentials::new(user.clone(), password));
    }
    match transport.build().send(&message) {
        Ok(_) => Ok(()),
        Err(error) if error.is_permanent() || error.is_transient() => Err(DeliveryError::Refused),
        Err(_) => Err(DeliveryError::MailServer),
    }
}
