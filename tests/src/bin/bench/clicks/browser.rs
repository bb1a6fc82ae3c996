//! A browser's connection: HTTP/1.1 that stays open, pages as they come
//! compressed, and a stream of events.

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use anyhow::Context as _;
use tokio::io::{AsyncBufReadExt as _, AsyncReadExt as _, AsyncWriteExt as _, BufReader};
use tokio::net::TcpStream;

/// Name and password of an account.
pub(crate) struct Secret {
    pub(crate) name: &'static str,
    pub(crate) password: String,
}

/// What came back.
pub(super) struct Answer {
    pub(super) status: u16,
    pub(super) location: Option<String>,
    cookie: Option<String>,
    /// Bytes of the body as they crossed the wire.
    pub(super) bytes: usize,
}

/// One open connection.
pub(crate) struct Browser {
    console: SocketAddr,
    stream: BufReader<TcpStream>,
}

impl Browser {
    pub(crate) async fn open(console: SocketAddr) -> anyhow::Result<Self> {
        let stream = TcpStream::connect(console).await?;
        stream.set_nodelay(true)?;
        Ok(Self { console, stream: BufReader::new(stream) })
    }

    /// Signs in with the first password and chooses another one.
    pub(crate) async fn choose_password(&mut self, secret: &mut Secret) -> anyhow::Result<()> {
        let cookie = self.sign_in(secret).await?;
        let own = format!("{} milik sendiri", secret.password);
        let form = format!("lama={}&baru={}", escaped(&secret.password), escaped(&own));
        let answer = self.ask("/akun/sandi", Some(&form), &cookie).await?;
        anyhow::ensure!(answer.status == 303, "{} keeps its password", secret.name);
        secret.password = own;
        Ok(())
    }

    /// Signs in; the session's cookie.
    pub(crate) async fn sign_in(&mut self, secret: &Secret) -> anyhow::Result<String> {
        let form = format!("nama={}&sandi={}&kode=", secret.name, escaped(&secret.password));
        let answer = self.ask("/masuk", Some(&form), "").await?;
        anyhow::ensure!(answer.status == 303, "{} is not let in: {}", secret.name, answer.status);
        answer.cookie.context("no session")
    }

    /// Asks for a page and reads all of it.
    pub(super) async fn ask(
        &mut self,
        path: &str,
        form: Option<&str>,
        cookie: &str,
    ) -> anyhow::Result<Answer> {
        let request = request(self.console, path, form, cookie);
        self.stream.get_mut().write_all(request.as_bytes()).await?;
        let (mut answer, length) = self.head().await?;
        answer.bytes = match length {
            Length::Known(bytes) => self.skip(bytes).await?,
            Length::Chunked => self.chunks().await?,
        };
        Ok(answer)
    }

    async fn line(&mut self) -> anyhow::Result<String> {
        let mut line = String::new();
        let read = self.stream.read_line(&mut line).await?;
        anyhow::ensure!(read > 0, "the console hung up");
        Ok(line.trim_end().to_owned())
    }

    async fn head(&mut self) -> anyhow::Result<(Answer, Length)> {
        let first = self.line().await?;
        let status = first.split(' ').nth(1).and_then(|code| code.parse().ok());
        let status = status.context("no status")?;
        let mut answer = Answer { status, location: None, cookie: None, bytes: 0 };
        let mut length = Length::Known(0);
        loop {
            let line = self.line().await?;
            let Some((name, value)) = line.split_once(':') else { return Ok((answer, length)) };
            let value = value.trim();
            match name.to_lowercase().as_str() {
                "content-length" => length = Length::Known(value.parse()?),
                "transfer-encoding" => length = Length::Chunked,
                "location" => answer.location = Some(value.to_owned()),
                "set-cookie" => {
                    answer.cookie = value.split(';').next().map(ToOwned::to_owned);
                }
                _ => {}
            }
        }
    }

    async fn skip(&mut self, bytes: usize) -> anyhow::Result<usize> {
        let mut body = vec![0; bytes];
        self.stream.read_exact(&mut body).await?;
        Ok(bytes)
    }

    async fn chunks(&mut self) -> anyhow::Result<usize> {
        let mut all = 0;
        loop {
            let size = usize::from_str_radix(&self.line().await?, 16)?;
            // Each chunk ends with an empty line.
            self.skip(size + 2).await?;
            all += size;
            if size == 0 {
                return Ok(all);
            }
        }
    }
}

enum Length {
    Known(usize),
    Chunked,
}

fn request(console: SocketAddr, path: &str, form: Option<&str>, cookie: &str) -> String {
    let method = if form.is_some() { "POST" } else { "GET" };
    let mut request = format!("{method} {path} HTTP/1.1\r\nhost: {console}\r\n");
    request.push_str("accept-encoding: gzip\r\n");
    if !cookie.is_empty() {
        request.push_str(&format!("cookie: {cookie}\r\n"));
    }
    if let Some(form) = form {
        request.push_str(&format!("origin: http://{console}\r\n"));
        request.push_str("content-type: application/x-www-form-urlencoded\r\n");
        request.push_str(&format!("content-length: {}\r\n", form.len()));
    }
    request.push_str("\r\n");
    request.push_str(form.unwrap_or_default());
    request
}

fn escaped(text: &str) -> String {
    let one = |byte: u8| match byte {
        byte if byte.is_ascii_alphanumeric() => char::from(byte).to_string(),
        byte => format!("%{byte:02X}"),
    };
    text.bytes().map(one).collect()
}

/// Listens to the first page's updates until it is dropped.
pub(super) async fn listen(
    console: SocketAddr,
    cookie: String,
    heard: Arc<AtomicUsize>,
) -> anyhow::Result<()> {
    let mut browser = Browser::open(console).await?;
    let request = request(console, "/events", None, &cookie);
    browser.stream.get_mut().write_all(request.as_bytes()).await?;
    let (answer, _) = browser.head().await?;
    anyhow::ensure!(answer.status == 200, "no updates: {}", answer.status);
    loop {
        if browser.line().await?.starts_with("data:") {
            heard.fetch_add(1, Ordering::Relaxed);
        }
    }
}
