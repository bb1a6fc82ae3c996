//! One of the two programs as a process of its own: started, killed
//! (SIGKILL), stopped (SIGTERM). What it says goes to a file beside its
//! folder. A process ends with its owner.

use std::fs::File;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::process::{Child, Command, Output, Stdio};
use std::time::{Duration, Instant};

use anyhow::{Context, bail, ensure};
use lumbung_telemetry::clock;

use crate::district::wait_until;

/// How long a process may take to answer after its start, and to end after
/// it was asked to.
pub(crate) const PROCESS_WITHIN: Duration = Duration::from_secs(20);

/// One of the two programs, on one folder.
#[derive(Clone, Debug)]
pub(crate) struct Program {
    pub(crate) binary: PathBuf,
    pub(crate) part: &'static str,
    /// The network namespace it runs in; none = this machine's.
    pub(crate) namespace: Option<String>,
    /// How far its clock is ahead of the machine's, seconds.
    pub(crate) clock_ahead_seconds: i64,
    /// What else its environment says.
    pub(crate) environment: Vec<(&'static str, String)>,
    pub(crate) dir: PathBuf,
}

impl Program {
    /// The part `part` of `binary` on the folder `dir`, with nothing special.
    pub(crate) fn of(binary: &str, part: &'static str, dir: PathBuf) -> Self {
        Self {
            binary: binary.into(),
            part,
            namespace: None,
            clock_ahead_seconds: 0,
            environment: Vec::new(),
            dir,
        }
    }

    fn command(&self, args: &[&str]) -> Command {
        let mut command = match &self.namespace {
            None => Command::new(&self.binary),
            Some(namespace) => {
                let mut command = Command::new("ip");
                command.args(["netns", "exec", namespace]).arg(&self.binary);
                command
            }
        };
        if self.clock_ahead_seconds != 0 {
            command.env(clock::AHEAD, self.clock_ahead_seconds.to_string());
        }
        command.envs(self.environment.iter().map(|(name, value)| (name, value)));
        command.arg(self.part).arg("--data").arg(&self.dir).args(args).stdin(Stdio::null());
        command
    }

    /// Runs the operators' command.
    pub(crate) fn operators(&self, args: &[&str]) -> anyhow::Result<Output> {
        let mut command = Command::new(&self.binary);
        command.arg("hubctl").args(args).stdin(Stdio::null());
        command.output().context("the program can't be started")
    }

    /// Runs a command that ends by itself.
    pub(crate) fn run(&self, args: &[&str]) -> anyhow::Result<Output> {
        self.command(args).output().context("the program can't be started")
    }

    fn log(&self) -> PathBuf {
        self.dir.with_extension("log")
    }

    /// Starts a process that serves; what it says goes to the log.
    pub(crate) fn spawn(&self, args: &[&str]) -> anyhow::Result<Running> {
        let log = File::options().create(true).append(true).open(self.log())?;
        let child = self.command(args).stdout(log.try_clone()?).stderr(log).spawn()?;
        Ok(Running { child, log: self.log() })
    }

    pub(crate) fn said(&self) -> String {
        let text = std::fs::read(self.log()).unwrap_or_default();
        String::from_utf8_lossy(&text).into_owned()
    }
}

/// A process; it ends with its owner.
#[derive(Debug)]
pub(crate) struct Running {
    child: Child,
    log: PathBuf,
}

impl Running {
    pub(crate) fn kill(mut self) -> anyhow::Result<()> {
        self.child.kill()?;
        self.child.wait()?;
        Ok(())
    }

    pub(crate) async fn stop(mut self) -> anyhow::Result<()> {
        let asked = Command::new("kill").arg("-TERM").arg(self.child.id().to_string()).status()?;
        ensure!(asked.success(), "the process can't be asked to stop");
        wait_until(PROCESS_WITHIN, "the process ends", async || {
            Ok(self.child.try_wait()?.is_some())
        })
        .await?;
        let status = self.child.wait()?;
        ensure!(status.success(), "the process ended with {status}");
        Ok(())
    }

    /// Whether it still runs.
    pub(crate) fn is_alive(&mut self) -> anyhow::Result<bool> {
        Ok(self.child.try_wait()?.is_none())
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        // Gone already when it was killed or stopped.
        drop(self.child.kill());
        drop(self.child.wait());
        let said = std::fs::read(&self.log).unwrap_or_default();
        let line = line_with_number(&String::from_utf8_lossy(&said));
        let (found, program) = (line.unwrap_or_default(), self.log.display());
        assert!(
            found.is_empty() || std::thread::panicking(),
            "{program} was given a number like a person's: {found}"
        );
    }
}

/// The first line of a log with a run of sixteen digits, or with the mask that
/// stands where the log itself held one back; without its digits. Digits
/// within a word of letters are a hash's.
fn line_with_number(log: &str) -> Option<String> {
    let is_number = |word: &str| {
        word == "angka" || word.len() >= 16 && word.bytes().all(|it| it.is_ascii_digit())
    };
    let told = |line: &&str| {
        let masked = line.contains("[angka]");
        let mut words = line.split(|it: char| !it.is_ascii_alphanumeric());
        words.any(|word| is_number(word) && (word != "angka" || masked))
    };
    let line = log.lines().find(told)?;
    Some(line.chars().map(|it| if it.is_ascii_digit() { '#' } else { it }).collect())
}

/// Waits until something listens at `address`; fails at once when the
/// process has ended.
pub(crate) async fn answers(
    running: &mut Running,
    program: &Program,
    address: SocketAddr,
) -> anyhow::Result<()> {
    let deadline = Instant::now() + PROCESS_WITHIN;
    while tokio::net::TcpStream::connect(address).await.is_err() {
        if let Some(status) = running.child.try_wait()? {
            bail!("the {} ended at once ({status}):\n{}", program.part, program.said());
        }
        ensure!(Instant::now() < deadline, "the {} does not answer", program.part);
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_number_in_a_log_is_found_and_not_repeated() {
        let said = |text: &str| line_with_number(&format!("{{\"msg\":\"ready\"}}\n{text}\nend"));
        let line = said("nik=3505900101900001 of 7").unwrap();
        assert_eq!(line, "nik=################ of #");
        assert!(said("error: [angka]").is_some());
        for fine in ["seq 123456789012345", "hash ab1234567890123456cd", "3 angka", "xx[angka]yy"] {
            assert_eq!(said(fine).is_some(), fine == "xx[angka]yy", "{fine}");
        }
    }
}
