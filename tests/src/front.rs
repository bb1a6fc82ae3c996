//! A real web server before the hub: nginx or Caddy with a file of `deploy/`
//! as it is written; only names, ports and certificates are this machine's.

use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use anyhow::{bail, ensure};
use tokio::net::TcpStream;

use crate::certificates::Issuing;
use crate::district::wait_until;

const WITHIN: Duration = Duration::from_secs(30);

/// The name it has a certificate for.
pub const NAME: &str = "localhost";

/// Where the program is, nginx or caddy; `None` with the reason on standard
/// error when this machine has none and can't get it, unless it must.
///
/// # Errors
/// When it must, or nothing can be run.
pub fn program(name: &str) -> anyhow::Result<Option<PathBuf>> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let kept = std::path::absolute(root.join("../target/front"))?;
    let found = Command::new(root.join("front/install")).arg(name).arg(kept).output()?;
    if found.status.success() {
        return Ok(Some(String::from_utf8(found.stdout)?.trim().into()));
    }
    let why = String::from_utf8_lossy(&found.stderr).into_owned();
    ensure!(std::env::var_os("LUMBUNG_REQUIRE_TOOLS").is_none(), "no {name}: {why}");
    eprintln!("skipped, no {name}: {why}");
    Ok(None)
}

/// A file of `deploy/` with this machine's ports and certificates in the place
/// of what is written there.
///
/// # Errors
/// When the file says nothing of something that is to be changed.
pub fn deployed(file: &str, changes: &[(&str, String)]) -> anyhow::Result<String> {
    let deploy = Path::new(env!("CARGO_MANIFEST_DIR")).join("../deploy");
    let mut text = std::fs::read_to_string(deploy.join(file))?;
    for (old, new) in changes {
        ensure!(text.contains(old), "{file} says nothing of {old}");
        text = text.replace(old, new);
    }
    Ok(text)
}

/// Such a server, as long as this is held.
pub struct Front {
    command: Command,
    process: Child,
    folder: PathBuf,
    /// Where it listens.
    pub address: SocketAddr,
    /// The authority that its certificate is of, PEM.
    pub authority: String,
}

impl Drop for Front {
    fn drop(&mut self) {
        // Gone already when it could not start.
        drop(self.process.kill());
        drop(self.process.wait());
    }
}

/// Puts a certificate for [`NAME`] and its key into a folder; the authority's
/// own, PEM.
fn certify(folder: &Path) -> anyhow::Result<String> {
    let issuing = Issuing::new("Kabupaten (uji)")?;
    let served = issuing.serve(NAME)?;
    std::fs::write(folder.join("fullchain.pem"), &served.certificate)?;
    std::fs::write(folder.join("privkey.pem"), &served.key)?;
    Ok(issuing.pem)
}

impl Front {
    /// Starts nginx with these servers, one of which listens at `address` with
    /// the certificate in `folder`.
    ///
    /// # Errors
    /// What nginx says when it does not listen.
    pub async fn nginx(
        program: &Path,
        folder: &Path,
        servers: &str,
        address: SocketAddr,
    ) -> anyhow::Result<Self> {
        // One process: it is gone when it is killed, and takes no other name.
        let main = format!(
            "daemon off; master_process off; pid nginx.pid; error_log stderr info;\n\
             events {{}}\nhttp {{ access_log off; client_body_temp_path body; \
             proxy_temp_path proxy; fastcgi_temp_path fastcgi; uwsgi_temp_path uwsgi; \
             scgi_temp_path scgi;\n{servers}}}\n"
        );
        std::fs::write(folder.join("main.conf"), main)?;
        let mut command = Command::new(program);
        command.arg("-p").arg(folder).args(["-c", "main.conf"]);
        Self::start(command, folder, address).await
    }

    /// Starts Caddy with these sites, one of which listens at `address` with
    /// the certificate in `folder`.
    ///
    /// # Errors
    /// What Caddy says when it does not listen.
    pub async fn caddy(
        program: &Path,
        folder: &Path,
        sites: &str,
        address: SocketAddr,
    ) -> anyhow::Result<Self> {
        let whole = format!("{{\n\tadmin off\n\tauto_https disable_redirects\n}}\n{sites}");
        std::fs::write(folder.join("Caddyfile"), whole)?;
        let mut command = Command::new(program);
        command.args(["run", "--adapter", "caddyfile", "--config"]);
        command.arg(folder.join("Caddyfile")).env("HOME", folder);
        command.env_remove("XDG_DATA_HOME").env_remove("XDG_CONFIG_HOME");
        Self::start(command, folder, address).await
    }

    async fn start(
        mut command: Command,
        folder: &Path,
        address: SocketAddr,
    ) -> anyhow::Result<Self> {
        let authority = certify(folder)?;
        let process = spawn(&mut command, folder)?;
        let front = Self { command, process, folder: folder.to_owned(), address, authority };
        front.answers().await?;
        Ok(front)
    }

    /// Kills it and starts it anew.
    ///
    /// # Errors
    /// When it does not listen again.
    pub async fn restart(&mut self) -> anyhow::Result<()> {
        self.process.kill()?;
        self.process.wait()?;
        self.process = spawn(&mut self.command, &self.folder)?;
        self.answers().await
    }

    async fn answers(&self) -> anyhow::Result<()> {
        let listens = wait_until(WITHIN, "the web server listens", async || {
            Ok(TcpStream::connect(self.address).await.is_ok())
        });
        if let Err(error) = listens.await {
            bail!("{error:#}: {}", self.said());
        }
        Ok(())
    }

    /// Everything it said.
    #[must_use]
    pub fn said(&self) -> String {
        std::fs::read_to_string(self.folder.join("front.log")).unwrap_or_default()
    }
}

fn spawn(command: &mut Command, folder: &Path) -> anyhow::Result<Child> {
    let log = folder.join("front.log");
    let said = std::fs::File::options().create(true).append(true).open(log)?;
    Ok(command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(said).spawn()?)
}
