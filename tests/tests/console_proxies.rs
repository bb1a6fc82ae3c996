//! The console behind the proxies of `deploy/console`.
#![allow(clippy::unwrap_used, reason = "a failing test may panic")]

use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context as _, ensure};
use lumbung_demo::ports::free_address;
use lumbung_tests::browser::{Answer, OWN_PASSWORD, form};
use lumbung_tests::district::District;
use lumbung_tests::front::{self, Front, deployed};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpSocket, TcpStream};
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;
use tokio_rustls::rustls::crypto::ring;
use tokio_rustls::rustls::pki_types::pem::PemObject as _;
use tokio_rustls::rustls::pki_types::{CertificateDer, ServerName};
use tokio_rustls::rustls::{ClientConfig, RootCertStore};

const WITHIN: Duration = Duration::from_secs(30);
const NAME: &str = "lumbung.blitarkab.go.id";
const HERE: IpAddr = IpAddr::V4(Ipv4Addr::LOCALHOST);
/// Somebody else on the loopback network.
const ELSEWHERE: IpAddr = IpAddr::V4(Ipv4Addr::new(127, 0, 0, 2));

/// A proxy before a hub's console.
struct Proxy {
    front: Front,
    /// Where it speaks in the clear, if it does.
    plain: Option<SocketAddr>,
    connector: TlsConnector,
}

impl Proxy {
    async fn start(program: &Path, folder: &Path, console: SocketAddr) -> anyhow::Result<Self> {
        let (address, plain) = (free_address()?, free_address()?);
        let letsencrypt = format!("/etc/letsencrypt/live/{NAME}/");
        let (front, plain) = if program.ends_with("nginx") {
            let server = deployed(
                "console/nginx.conf",
                &[
                    (&letsencrypt, format!("{}/", folder.display())),
                    ("listen 80;", format!("listen {plain};")),
                    ("listen 443 ", format!("listen {address} ")),
                    (NAME, front::NAME.to_owned()),
                    ("127.0.0.1:8700;", format!("{console};")),
                ],
            )?;
            (Front::nginx(program, folder, &server, address).await?, Some(plain))
        } else {
            let files = format!("tls {0}/fullchain.pem {0}/privkey.pem", folder.display());
            let site =
                format!("https://localhost:{} {{\n\tbind 127.0.0.1\n\t{files}", address.port());
            let site = deployed(
                "console/Caddyfile",
                &[
                    (&format!("{NAME} {{"), site),
                    ("proxy 127.0.0.1:8700", format!("proxy {console}")),
                ],
            )?;
            (Front::caddy(program, folder, &site, address).await?, None)
        };
        let mut roots = RootCertStore::empty();
        roots.add(CertificateDer::from_pem_slice(front.authority.as_bytes())?)?;
        let config = ClientConfig::builder_with_provider(Arc::new(ring::default_provider()))
            .with_safe_default_protocol_versions()?
            .with_root_certificates(roots)
            .with_no_client_auth();
        let connector = TlsConnector::from(Arc::new(config));
        Ok(Self { front, plain, connector })
    }

    /// Asks over HTTPS, coming from an address; the line stays open.
    async fn ask(
        &self,
        from: IpAddr,
        request: &str,
        headers: &str,
        form: &str,
    ) -> anyhow::Result<TlsStream<TcpStream>> {
        let socket = TcpSocket::new_v4()?;
        socket.bind(SocketAddr::new(from, 0))?;
        let stream = socket.connect(self.front.address).await?;
        let name = ServerName::try_from("localhost")?;
        let mut stream = self.connector.connect(name, stream).await?;
        let host = format!("localhost:{}", self.front.address.port());
        let length = form.len();
        let request = format!(
            "{request} HTTP/1.1\r\nhost: {host}\r\norigin: https://{host}\r\n\
             connection: close\r\ncontent-length: {length}\r\n\
             content-type: application/x-www-form-urlencoded\r\n{headers}\r\n{form}"
        );
        stream.write_all(request.as_bytes()).await?;
        Ok(stream)
    }

    async fn answer(
        &self,
        from: IpAddr,
        request: &str,
        headers: &str,
        form: &str,
    ) -> anyhow::Result<Answer> {
        let mut stream = self.ask(from, request, headers, form).await?;
        let mut answer = Vec::new();
        // A proxy may close without a word of farewell.
        let read = tokio::time::timeout(WITHIN, stream.read_to_end(&mut answer)).await?;
        ensure!(read.is_ok() || !answer.is_empty(), "no answer");
        Answer::of(&answer)
    }

    async fn sign_in(&self, from: IpAddr, name: &str, password: &str) -> anyhow::Result<Answer> {
        let fields = form(&[("nama", name), ("sandi", password), ("kode", "")]);
        // What a browser says of itself there is hearsay.
        let forged = format!("x-forwarded-for: 10.0.0.{}\r\n", name.len());
        self.answer(from, "POST /masuk", &forged, &fields).await
    }
}

/// Reads until the stream has said something `times` times.
async fn until(
    stream: &mut TlsStream<TcpStream>,
    words: &str,
    times: usize,
    heard: &mut String,
) -> anyhow::Result<()> {
    let mut part = vec![0; 16 * 1024];
    while heard.matches(words).count() < times {
        let read = tokio::time::timeout(WITHIN, stream.read(&mut part)).await;
        let read = read.with_context(|| format!("only this was heard: {heard}"))??;
        ensure!(read > 0, "the stream has ended: {heard}");
        heard.push_str(&String::from_utf8_lossy(&part[..read]));
    }
    Ok(())
}

async fn stands_behind(program: &str) -> anyhow::Result<()> {
    let Some(program) = front::program(program)? else { return Ok(()) };
    let mut district = District::new(env!("CARGO_BIN_EXE_lumbung-process"), 1)?;
    let arguments = ["--console-https", "--console-proxy", "127.0.0.1"];
    district.hub.arguments = arguments.map(str::to_owned).to_vec();
    district.start().await?;
    let added = district.hub.run(&["operators", "add", "siti", "--plain"])?;
    ensure!(added.status.success(), "{}", String::from_utf8_lossy(&added.stderr));
    let password = String::from_utf8(added.stdout)?.trim().to_owned();
    let folder = district.folder().join("proxy");
    std::fs::create_dir(&folder)?;
    let proxy = Proxy::start(&program, &folder, district.hub.console).await?;

    // Who comes in the clear is sent to HTTPS.
    if let Some(plain) = proxy.plain {
        let mut stream = TcpStream::connect(plain).await?;
        stream
            .write_all(b"GET /desa HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\n\r\n")
            .await?;
        let mut answer = Vec::new();
        stream.read_to_end(&mut answer).await?;
        let answer = Answer::of(&answer)?;
        assert_eq!(
            (answer.status, answer.header("location")),
            (308, Some("https://localhost/desa"))
        );
    }
    let entered = proxy.sign_in(HERE, "siti", &password).await?;
    assert_eq!(entered.status, 303, "{}", entered.text());
    let cookie = entered.header("set-cookie").context("no session")?;
    assert!(cookie.contains("; Secure"), "{cookie}");
    let only = entered.header("strict-transport-security").context("no HSTS")?;
    assert!(only.starts_with("max-age=31536000"), "{only}");
    let session = format!("cookie: {}\r\n", cookie.split(';').next().unwrap_or_default());
    // A first password opens nothing but the way to another one.
    let fields = form(&[("lama", &password), ("baru", OWN_PASSWORD)]);
    let changed = proxy.answer(HERE, "POST /akun/sandi", &session, &fields).await?;
    assert_eq!(changed.status, 303, "{}", changed.text());
    let password = OWN_PASSWORD.to_owned();
    let page = proxy.answer(HERE, "GET /", &session, "").await?;
    assert_eq!(page.status, 200, "{}", page.text());
    assert!(page.text().contains("desa segar"), "{}", page.text());

    // Each event comes when it happens, however small it is.
    let mut events = proxy.ask(HERE, "GET /events", &session, "").await?;
    let mut heard = String::new();
    until(&mut events, "data: ", 1, &mut heard).await?;
    let told = heard.matches("data: ").count();
    district.nodes[0].save_dusun("Krajan").await?;
    until(&mut events, "data: ", told + 1, &mut heard).await?;
    drop(events);

    // Wrong passwords make their own address wait, whatever it says it is, and
    // nobody else.
    for attempt in 1..=5 {
        let wrong = proxy.sign_in(HERE, &"x".repeat(attempt + 3), "bukan sandinya").await?;
        assert_eq!(wrong.status, 422);
        assert!(!wrong.text().contains("detik"), "{attempt}: {}", wrong.text());
    }
    let waits = proxy.sign_in(HERE, "siti", &password).await?;
    assert!(waits.status == 422 && waits.text().contains("detik"), "{}", waits.text());
    let other = proxy.sign_in(ELSEWHERE, "siti", &password).await?;
    assert_eq!(other.status, 303, "{}", other.text());
    district.stop().await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_console_stands_behind_nginx() -> anyhow::Result<()> {
    stands_behind("nginx").await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_console_stands_behind_caddy() -> anyhow::Result<()> {
    stands_behind("caddy").await
}
