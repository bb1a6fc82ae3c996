//! An operator at the console: a browser without a window.

use std::net::SocketAddr;
use std::time::Duration;

use anyhow::{Context, ensure};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;

use crate::district::HubProcess;

/// A page answers within this.
const ANSWER_WITHIN: Duration = Duration::from_secs(20);

/// What an operator chooses instead of the first password.
pub const OWN_PASSWORD: &str = "sapi merah di sawah";

/// A browser that is signed in.
#[derive(Clone, Debug)]
pub struct Browser {
    console: SocketAddr,
    cookie: String,
}

/// What the console answered.
#[derive(Clone, Debug)]
pub struct Answer {
    /// HTTP status.
    pub status: u16,
    /// The head, as it came.
    pub head: String,
    /// The body.
    pub body: Vec<u8>,
}

impl Answer {
    /// An answer as it came over the line.
    ///
    /// # Errors
    /// When it is none.
    pub fn of(answer: &[u8]) -> anyhow::Result<Self> {
        let split = answer.windows(4).position(|four| four == b"\r\n\r\n").context("no head")?;
        let head = String::from_utf8_lossy(&answer[..split]).into_owned();
        let status = head.split(' ').nth(1).and_then(|code| code.parse().ok());
        let body = if head.to_lowercase().contains("transfer-encoding: chunked") {
            unchunk(&answer[split + 4..])
        } else {
            answer[split + 4..].to_vec()
        };
        Ok(Self { status: status.context("no status")?, head, body })
    }

    /// The body as text.
    #[must_use]
    pub fn text(&self) -> String {
        String::from_utf8_lossy(&self.body).into_owned()
    }

    /// A header's value.
    #[must_use]
    pub fn header(&self, name: &str) -> Option<&str> {
        let mut lines = self.head.lines().filter_map(|line| line.split_once(':'));
        lines.find(|(key, _)| key.eq_ignore_ascii_case(name)).map(|(_, value)| value.trim())
    }
}

/// Form fields as a browser sends them.
#[must_use]
pub fn form(fields: &[(&str, &str)]) -> String {
    let escape = |text: &str| -> String {
        let one = |byte: u8| match byte {
            byte if byte.is_ascii_alphanumeric() => char::from(byte).to_string(),
            byte => format!("%{byte:02X}"),
        };
        text.bytes().map(one).collect()
    };
    let pairs: Vec<_> =
        fields.iter().map(|(name, value)| format!("{name}={}", escape(value))).collect();
    pairs.join("&")
}

impl Browser {
    /// A browser that is not signed in.
    #[must_use]
    pub const fn stranger(console: SocketAddr) -> Self {
        Self { console, cookie: String::new() }
    }

    /// Makes an operator with the hub's own command and signs in as them.
    /// `args` go to `operators add`, for example `--role auditor`.
    ///
    /// # Errors
    /// When the operator can't be made, or isn't let in.
    pub async fn sign_in(hub: &HubProcess, name: &str, args: &[&str]) -> anyhow::Result<Self> {
        let add = [&["operators", "add", name, "--plain"][..], args].concat();
        let added = hub.run(&add)?;
        ensure!(added.status.success(), "{}", String::from_utf8_lossy(&added.stderr));
        let password = String::from_utf8_lossy(&added.stdout).trim().to_owned();
        let browser = Self::enter(hub.console, name, &password).await?;
        // A first password opens nothing but the way to another one.
        let fields = form(&[("lama", &password), ("baru", OWN_PASSWORD)]);
        let answer = browser.post("/akun/sandi", &fields).await?;
        ensure!(answer.status == 303, "no new password: {} {}", answer.status, answer.text());
        Ok(browser)
    }

    /// Signs in with a password.
    ///
    /// # Errors
    /// When the console doesn't let it in.
    pub async fn enter(console: SocketAddr, name: &str, password: &str) -> anyhow::Result<Self> {
        let mut browser = Self::stranger(console);
        let fields = form(&[("nama", name), ("sandi", password), ("kode", "")]);
        let answer = browser.post("/masuk", &fields).await?;
        ensure!(answer.status == 303, "not let in: {} {}", answer.status, answer.text());
        let cookie = answer.header("set-cookie").context("no session")?;
        cookie.split(';').next().unwrap_or_default().clone_into(&mut browser.cookie);
        Ok(browser)
    }

    /// Asks for a page.
    ///
    /// # Errors
    /// When the console does not answer in time.
    pub async fn get(&self, path: &str) -> anyhow::Result<Answer> {
        self.ask("GET", path, None).await
    }

    /// Sends a form, as from a page of the console.
    ///
    /// # Errors
    /// When the console does not answer in time.
    pub async fn post(&self, path: &str, form: &str) -> anyhow::Result<Answer> {
        self.ask("POST", path, Some(form)).await
    }

    /// A page that must be there, as text.
    ///
    /// # Errors
    /// When it is not.
    pub async fn page(&self, path: &str) -> anyhow::Result<String> {
        let answer = self.get(path).await?;
        ensure!(answer.status == 200, "{path}: {} {}", answer.status, answer.text());
        Ok(answer.text())
    }

    async fn ask(&self, method: &str, path: &str, form: Option<&str>) -> anyhow::Result<Answer> {
        let console = self.console;
        let mut request = format!("{method} {path} HTTP/1.1\r\nhost: {console}\r\n");
        request.push_str("connection: close\r\n");
        if !self.cookie.is_empty() {
            request.push_str(&format!("cookie: {}\r\n", self.cookie));
        }
        if let Some(form) = form {
            let length = form.len();
            request.push_str(&format!("origin: http://{console}\r\ncontent-length: {length}\r\n"));
            request.push_str("content-type: application/x-www-form-urlencoded\r\n");
        }
        request.push_str("\r\n");
        request.push_str(form.unwrap_or_default());
        let talk = async {
            let mut stream = TcpStream::connect(console).await?;
            stream.write_all(request.as_bytes()).await?;
            let mut answer = Vec::new();
            stream.read_to_end(&mut answer).await?;
            anyhow::Ok(answer)
        };
        Answer::of(&tokio::time::timeout(ANSWER_WITHIN, talk).await??)
    }
}

/// A chunked body in one piece.
fn unchunk(mut rest: &[u8]) -> Vec<u8> {
    let mut body = Vec::new();
    while let Some(end) = rest.windows(2).position(|two| two == b"\r\n") {
        let size = std::str::from_utf8(&rest[..end]).ok();
        let Some(size) = size.and_then(|size| usize::from_str_radix(size.trim(), 16).ok()) else {
            break;
        };
        let begin = end + 2;
        if size == 0 || rest.len() < begin + size + 2 {
            break;
        }
        body.extend_from_slice(&rest[begin..begin + size]);
        rest = &rest[begin + size + 2..];
    }
    body
}
