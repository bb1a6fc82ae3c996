//! The unix socket in the hub's folder: its file permissions are the
//! password, and who opened it is asked from the kernel.

use std::future::Future;
use std::io;
use std::os::unix::fs::{MetadataExt as _, PermissionsExt as _};
use std::path::{Path, PathBuf};

use lumbung_proto::v1::admin_server::AdminServer;
use lumbung_proto::v1::command_server::{Command, CommandServer};
use tokio::net::UnixListener;
use tokio_stream::StreamExt as _;
use tokio_stream::wrappers::UnixListenerStream;
use tonic::transport::Server;

use super::AdminService;

/// Name of the socket in the hub's folder.
pub const SOCKET: &str = "admin.sock";

/// The root user may always.
const ROOT: u32 = 0;

/// The socket of the hub that keeps `data`.
#[must_use]
pub fn socket(data: &Path) -> PathBuf {
    data.join(SOCKET)
}

/// The open socket.
pub struct Socket {
    listener: UnixListener,
    path: PathBuf,
    /// Whose it is.
    owner: u32,
}

impl Socket {
    /// Opens it. The caller holds the folder's lock: what lies there was left
    /// by a process that is gone.
    ///
    /// # Errors
    /// When the folder takes no socket.
    pub fn open(data: &Path) -> io::Result<Self> {
        let path = socket(data);
        match std::fs::remove_file(&path) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
            _ => {}
        }
        let listener = UnixListener::bind(&path)?;
        std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o600))?;
        let owner = std::fs::metadata(&path)?.uid();
        Ok(Self { listener, path, owner })
    }

    /// Serves until `stop` completes.
    ///
    /// # Errors
    /// When the transport fails.
    pub async fn serve<C: Command>(
        self,
        admin: AdminService,
        command: C,
        stop: impl Future<Output = ()>,
    ) -> io::Result<()> {
        let Self { listener, path, owner } = self;
        // Between its making and the change of its permissions somebody else
        // may have got in.
        let own = move |stream: &io::Result<tokio::net::UnixStream>| match stream {
            Ok(stream) => {
                stream.peer_cred().is_ok_and(|peer| peer.uid() == owner || peer.uid() == ROOT)
            }
            Err(_) => true,
        };
        let incoming = UnixListenerStream::new(listener).filter(own);
        let served = Server::builder()
            .add_service(AdminServer::new(admin))
            .add_service(CommandServer::new(command))
            .serve_with_incoming_shutdown(incoming, stop)
            .await;
        drop(std::fs::remove_file(path));
        served.map_err(io::Error::other)
    }
}

/// The name of a user of this machine, for the audit log.
pub(crate) fn user_of(uid: u32) -> String {
    let known = std::fs::read_to_string("/etc/passwd").ok().and_then(|text| named(&text, uid));
    known.unwrap_or_else(|| format!("uid{uid}"))
}

/// The name that `/etc/passwd` gives a user.
fn named(passwd: &str, uid: u32) -> Option<String> {
    passwd.lines().find_map(|line| {
        let mut fields = line.split(':');
        let name = fields.next()?;
        (fields.nth(1)?.parse() == Ok(uid)).then(|| name.to_owned())
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_user_is_named_as_the_machine_names_them() {
        let passwd = "root:x:0:0:root:/root:/bin/sh\n\nlumbung:x:998:998::/var/lib/lumbung:\n";
        assert_eq!(named(passwd, 998).as_deref(), Some("lumbung"));
        assert_eq!(named(passwd, 0).as_deref(), Some("root"));
        assert_eq!(named(passwd, 9), None);
    }
}
