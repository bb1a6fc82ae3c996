//! Tells people what needs somebody, by e-mail and by webhook.
//!
//! Once in a while the hub looks at all villages ([`crate::reason`]); what
//! somebody must do and nobody has been told of becomes one letter per
//! channel, and so does what is over. Decisions and letters are durable
//! together, deliveries are tried again with growing pauses, and a hub that
//! has just started waits until lines are back. Nothing is sent unless
//! `pemberitahuan.toml` in the hub's folder says to whom; that file is read
//! again at every look.

mod config;
mod decide;
mod deliver;
mod words;

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use lumbung_telemetry::clock;
use tokio::time::Instant;

use crate::dataset::{Dataset, DatasetError};
use crate::live::Live;
use crate::merge::WriterWatch;
use crate::outlook::Outlook;
use crate::reason::Reasons;

pub use config::{Config, ConfigError, Email, LifeSign, Security, Webhook};
pub use decide::{Decision, decide};
pub use deliver::{DeliveryError, Tried, deliver, test};
pub use words::letters;

/// How often the hub looks.
const LOOK_EVERY: Duration = Duration::from_secs(5);

/// First and longest pause before a letter is tried again, milliseconds.
const RETRY_MS: (i64, i64) = (5_000, 60 * 60_000);

/// A letter that could not be delivered for this long is given up,
/// milliseconds: the news in it is old.
const GIVE_UP_MS: i64 = 48 * 60 * 60_000;

/// The file that says to whom.
#[must_use]
pub fn config_file(data: &Path) -> PathBuf {
    data.join("pemberitahuan.toml")
}

/// Tells people, for as long as it is polled.
pub struct Alerting {
    /// The dataset.
    pub dataset: Arc<dyn Dataset>,
    /// The view of the moment.
    pub live: Arc<Live>,
    /// The writer: a hub whose writer has ended gives no sign of life.
    pub writer: WriterWatch,
    /// The hub's folder.
    pub data: PathBuf,
}

impl Alerting {
    /// Looks, tells, delivers; for ever.
    pub async fn keep(self) {
        let this = Arc::new(self);
        let mut config = None;
        let mut complained = String::new();
        let mut life_sign: Option<Instant> = None;
        loop {
            tokio::time::sleep(LOOK_EVERY).await;
            match Config::load(&config_file(&this.data)) {
                Ok(read) => {
                    complained.clear();
                    config = read.map(Arc::new);
                }
                // What was valid last stays in force.
                Err(error) => {
                    let error = error.to_string();
                    if error != complained {
                        tracing::error!(code = "WCH-1101", %error, "pemberitahuan.toml can't be used");
                        complained = error;
                    }
                }
            }
            let Some(config) = config.clone() else { continue };
            let due = config
                .life_sign
                .as_ref()
                .is_some_and(|sign| life_sign.is_none_or(|last| last.elapsed() >= sign.every()));
            if due {
                life_sign = Some(Instant::now());
            }
            let this = Arc::clone(&this);
            let looked = tokio::task::spawn_blocking(move || this.look(&config, due));
            if let Ok(Err(error)) = looked.await {
                tracing::error!(code = "WCH-1102", %error, "nobody can be told now");
            }
        }
    }

    fn look(&self, config: &Config, life_sign: bool) -> Result<(), DatasetError> {
        let dataset = &*self.dataset;
        let outlook = Outlook::now(dataset, &self.live)?;
        let now_ms = outlook.now_ms;
        let known = dataset.known_alerts()?;
        let windows = dataset.maintenance(now_ms)?;
        let grace_over = now_ms - outlook.hub.started_ms >= config.grace_ms();
        if grace_over {
            let reasons = Reasons::of(&outlook);
            let decision = decide(&reasons, &known, &windows, config.settle_ms(), now_ms);
            if decision.known != known || !decision.is_silent() {
                dataset.settle_alerts(&decision.known, &letters(&decision, config, now_ms))?;
            }
        }
        self.deliver_due(config)?;
        if life_sign && !self.writer.has_ended() {
            self.give_life_sign(config);
        }
        Ok(())
    }

    fn deliver_due(&self, config: &Config) -> Result<(), DatasetError> {
        let counts = self.writer.counts();
        for channel in config.channels() {
            counts.know_channel(channel);
        }
        for letter in self.dataset.letters_due(clock::now_ms())? {
            match deliver(config, &letter) {
                Ok(()) => {
                    self.dataset.letter_done(letter.number)?;
                    counts.letter(&letter.channel, "delivered");
                }
                Err(error) => {
                    let now_ms = clock::now_ms();
                    counts.letter(&letter.channel, "failed");
                    if now_ms - letter.made_ms >= GIVE_UP_MS {
                        counts.letter(&letter.channel, "given_up");
                        let channel = &letter.channel;
                        tracing::error!(code = "WCH-1104", channel, "a letter is given up");
                        self.dataset.letter_done(letter.number)?;
                        continue;
                    }
                    tracing::warn!(
                        code = "WCH-1103", channel = letter.channel, attempts = letter.attempts + 1,
                        %error, "a letter can't be delivered now"
                    );
                    let pause_ms = RETRY_MS.0.saturating_mul(1 << letter.attempts.min(10));
                    let due_ms = now_ms + pause_ms.min(RETRY_MS.1);
                    self.dataset.letter_failed(letter.number, due_ms)?;
                }
            }
        }
        Ok(())
    }

    fn give_life_sign(&self, config: &Config) {
        let Some(sign) = &config.life_sign else { return };
        let given = deliver::life_sign(sign);
        let result = if given.is_ok() { "delivered" } else { "failed" };
        self.writer.counts().letter(config::LIFE_SIGN, result);
        if let Err(error) = given {
            tracing::warn!(code = "WCH-1105", %error, "a sign of life can't be given");
        }
    }
}
