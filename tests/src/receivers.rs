//! Others outside: a mail server and a web server that take what the hub
//! sends, over real sockets, and keep it to be looked at.

use std::net::SocketAddr;
use std::sync::atomic::{AtomicU16, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use anyhow::Context as _;
use tokio::io::{
    AsyncBufReadExt as _, AsyncRead, AsyncReadExt as _, AsyncWrite, AsyncWriteExt as _, BufReader,
};
use tokio::net::{TcpListener, TcpStream};
use tokio_rustls::TlsAcceptor;

use crate::certificates::Served;

/// What has arrived.
#[derive(Clone, Debug, Default)]
pub struct Arrived(Arc<Mutex<Vec<String>>>);

impl Arrived {
    fn add(&self, text: String) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).push(text);
    }

    /// Everything, in the order in which it came.
    #[must_use]
    pub fn all(&self) -> Vec<String> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

/// What a server proves itself with; none = it speaks in the clear.
#[derive(Clone, Default)]
struct Proof(Arc<Mutex<Option<TlsAcceptor>>>);

impl Proof {
    fn now(&self) -> Option<TlsAcceptor> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    fn set(&self, served: &Served) -> anyhow::Result<()> {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = Some(served.acceptor()?);
        Ok(())
    }
}

impl std::fmt::Debug for Proof {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(if self.now().is_some() { "TLS" } else { "in the clear" })
    }
}

/// A mail server without passwords. Takes every letter; with a certificate
/// only after STARTTLS.
#[derive(Debug)]
pub struct MailServer {
    /// Where it listens.
    pub address: SocketAddr,
    /// Letters: the recipients of the envelope on the first line, then the
    /// message.
    pub letters: Arrived,
    proof: Proof,
}

impl MailServer {
    /// Listens from now on, as long as the runtime lives.
    ///
    /// # Errors
    /// When no port is free.
    pub async fn start() -> anyhow::Result<Self> {
        let listener = TcpListener::bind("127.0.0.1:0").await?;
        let (address, letters) = (listener.local_addr()?, Arrived::default());
        let (arrived, proof) = (letters.clone(), Proof::default());
        let proofs = proof.clone();
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                // A caller that breaks off has sent nothing.
                tokio::spawn(greet(stream, arrived.clone(), proofs.now()));
            }
        });
        Ok(Self { address, letters, proof })
    }

    /// Asks for TLS from now on, and proves itself with this.
    ///
    /// # Errors
    /// When key and certificate don't fit.
    pub fn prove_with(&self, served: &Served) -> anyhow::Result<()> {
        self.proof.set(served)
    }
}

async fn greet(
    mut stream: TcpStream,
    letters: Arrived,
    proof: Option<TlsAcceptor>,
) -> anyhow::Result<()> {
    stream.write_all(b"220 uji\r\n").await?;
    let mut stream = BufReader::new(stream);
    let Some(proof) = proof else { return converse(stream, letters).await };
    let mut line = String::new();
    loop {
        line.clear();
        anyhow::ensure!(stream.read_line(&mut line).await? != 0, "cut off");
        match line.trim_end() {
            "STARTTLS" => break,
            line if line.starts_with("EHLO") => {
                stream.write_all(b"250-uji\r\n250-STARTTLS\r\n250 8BITMIME\r\n").await?;
            }
            _ => stream.write_all(b"530 STARTTLS first\r\n").await?,
        }
    }
    stream.write_all(b"220 go on\r\n").await?;
    let stream = proof.accept(stream.into_inner()).await?;
    converse(BufReader::new(stream), letters).await
}

async fn converse<S: AsyncRead + AsyncWrite + Unpin>(
    mut stream: BufReader<S>,
    letters: Arrived,
) -> anyhow::Result<()> {
    let mut to = Vec::new();
    let mut line = String::new();
    loop {
        line.clear();
        if stream.read_line(&mut line).await? == 0 {
            return Ok(());
        }
        let verb = line.split_whitespace().next().unwrap_or_default().to_ascii_uppercase();
        let answer: &[u8] = match verb.as_str() {
            "EHLO" => b"250-uji\r\n250 8BITMIME\r\n",
            "RCPT" => {
                to.push(line.trim().to_owned());
                b"250 ok\r\n"
            }
            "DATA" => {
                stream.write_all(b"354 go on\r\n").await?;
                let mut message = format!("{}\r\n", to.join(" "));
                loop {
                    line.clear();
                    anyhow::ensure!(stream.read_line(&mut line).await? != 0, "cut off");
                    if line == ".\r\n" {
                        break;
                    }
                    message.push_str(line.strip_prefix('.').unwrap_or(&line));
                }
                letters.add(message);
                to.clear();
                b"250 taken\r\n"
            }
            "QUIT" => {
                stream.write_all(b"221 bye\r\n").await?;
                return Ok(());
            }
            _ => b"250 ok\r\n",
        };
        stream.write_all(answer).await?;
    }
}

/// A web server that takes whatever is sent; with a certificate over HTTPS.
#[derive(Debug)]
pub struct WebServer {
    /// Where it listens.
    pub address: SocketAddr,
    /// Requests: head and body.
    pub requests: Arrived,
    answer: Arc<AtomicU16>,
    proof: Proof,
}

impl WebServer {
    /// Listens from now on, as long as the runtime lives; answers with 200.
    ///
    /// # Errors
    /// When no port is free.
    pub async fn start() -> anyhow::Result<Self> {
        let listener = TcpListener::bind("127.0.0.1:0").await?;
        let (address, requests) = (listener.local_addr()?, Arrived::default());
        let answer = Arc::new(AtomicU16::new(200));
        let (arrived, answers) = (requests.clone(), Arc::clone(&answer));
        let proof = Proof::default();
        let proofs = proof.clone();
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                let (arrived, answers) = (arrived.clone(), Arc::clone(&answers));
                let proof = proofs.now();
                tokio::spawn(async move {
                    match proof {
                        Some(proof) => take(proof.accept(stream).await?, arrived, answers).await,
                        None => take(stream, arrived, answers).await,
                    }
                });
            }
        });
        Ok(Self { address, requests, answer, proof })
    }

    /// Speaks HTTPS from now on, and proves itself with this.
    ///
    /// # Errors
    /// When key and certificate don't fit.
    pub fn prove_with(&self, served: &Served) -> anyhow::Result<()> {
        self.proof.set(served)
    }

    /// Answers with this status from now on.
    pub fn answer_with(&self, status: u16) {
        self.answer.store(status, Ordering::SeqCst);
    }
}

async fn take(
    stream: impl AsyncRead + AsyncWrite + Unpin,
    requests: Arrived,
    answer: Arc<AtomicU16>,
) -> anyhow::Result<()> {
    let mut stream = BufReader::new(stream);
    let mut head = String::new();
    while !head.ends_with("\r\n\r\n") {
        anyhow::ensure!(stream.read_line(&mut head).await? != 0, "cut off");
    }
    let length = head.lines().find_map(|line| {
        let (name, value) = line.split_once(':')?;
        name.eq_ignore_ascii_case("content-length").then(|| value.trim().parse::<usize>())
    });
    let mut body = vec![0; length.transpose()?.unwrap_or(0)];
    stream.read_exact(&mut body).await?;
    requests.add(format!("{head}{}", String::from_utf8(body)?));
    let status = answer.load(Ordering::SeqCst);
    let reply = format!("HTTP/1.1 {status} Uji\r\nContent-Length: 0\r\nConnection: close\r\n\r\n");
    stream.write_all(reply.as_bytes()).await?;
    stream.shutdown().await?;
    Ok(())
}

/// The value of one series on a hub's page of metrics.
///
/// # Errors
/// When the page can't be read or has no such series.
pub async fn measured(address: SocketAddr, series: &str) -> anyhow::Result<u64> {
    let (_, page) = get(address, "/metrics").await?;
    let mut values = page.lines().filter_map(|line| line.strip_prefix(series)?.strip_prefix(' '));
    let value = values.next().with_context(|| format!("{series} is not measured"))?;
    Ok(value.parse()?)
}

/// What a web server answers to GET: its status and its body.
///
/// # Errors
/// When it can't be reached or answers nonsense.
pub async fn get(address: SocketAddr, path: &str) -> anyhow::Result<(u16, String)> {
    let mut stream = TcpStream::connect(address).await?;
    let request = format!("GET {path} HTTP/1.1\r\nHost: {address}\r\nConnection: close\r\n\r\n");
    stream.write_all(request.as_bytes()).await?;
    let mut reply = String::new();
    stream.read_to_string(&mut reply).await?;
    let (head, body) = reply.split_once("\r\n\r\n").context("no end of the head")?;
    let status = head.split(' ').nth(1).context("no status")?.parse()?;
    Ok((status, body.to_owned()))
}
