//! Commands while the hub runs: they run within it, so that one process alone
//! reads and writes the dataset's file.
//!
//! `lumbung-hub` looks for the hub's socket. If it answers, the command line
//! is handed over and what it says comes back; if not, the command takes the
//! folder's lock and works on the file itself. A hub that starts meanwhile
//! waits for the lock. Keys of the district, backups and bundles stay with
//! the command: they are files beside the dataset, or merge under its own
//! transactions.

use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::pin::Pin;
use std::process::ExitCode;
use std::sync::Arc;
use std::time::{Duration, Instant};

use anyhow::Context;
use bytes::Bytes;
use clap::Parser as _;
use lumbung_link::channel;
use lumbung_proto::v1;
use lumbung_proto::v1::command_client::CommandClient;
use lumbung_telemetry::said;
use tokio_stream::{Stream, StreamExt as _};
use tonic::transport::Channel;
use tonic::transport::server::UdsConnectInfo;
use tonic::{Request, Response, Status};

use super::{Cli, Workplace, perform};
use crate::admin::{socket, user_of};
use crate::dataset::sqlite::SqliteDataset;
use crate::serve::FolderLock;

/// How long a command waits for a hub that is starting or stopping.
const WITHIN: Duration = Duration::from_secs(20);

/// How often it looks.
const LOOK_EVERY: Duration = Duration::from_millis(50);

/// Bytes of what a command says in one piece.
const PIECE_BYTES: usize = 256 * 1024;

/// How a command gets to the dataset.
pub(super) enum Way {
    /// Through the hub that serves it.
    Hub(CommandClient<Channel>),
    /// Itself; nobody else does until the lock goes.
    File(FolderLock),
}

impl Way {
    /// Finds the way to the dataset in `data`.
    pub(super) async fn to(data: &Path) -> anyhow::Result<Self> {
        let since = Instant::now();
        loop {
            if let Ok(channel) = channel::dial_unix(&socket(data)).await {
                return Ok(Self::Hub(CommandClient::new(channel)));
            }
            let lock = FolderLock::try_take(data)
                .with_context(|| format!("Folder {} tidak bisa dipakai", data.display()))?;
            if let Some(lock) = lock {
                return Ok(Self::File(lock));
            }
            anyhow::ensure!(
                since.elapsed() < WITHIN,
                "Hub sedang berjalan tetapi tidak menjawab, atau perintah lain belum selesai. \
                 Tidak ada yang diubah. Coba lagi sebentar."
            );
            tokio::time::sleep(LOOK_EVERY).await;
        }
    }
}

/// Has the hub run a command line, and says what it says.
pub(super) async fn hand_over(
    mut hub: CommandClient<Channel>,
    args: Vec<String>,
) -> anyhow::Result<ExitCode> {
    let folder = std::env::current_dir().unwrap_or_default().display().to_string();
    let failed = |status: Status| {
        anyhow::anyhow!("Hub tidak menyelesaikan perintah ini: {}", status.message())
    };
    let said = hub.run(v1::RunRequest { args, folder }).await.map_err(failed)?;
    let mut said = said.into_inner();
    while let Some(piece) = said.message().await.map_err(failed)? {
        // A reader that went away (`| head`) is no error.
        drop(std::io::stdout().write_all(&piece.out));
        drop(std::io::stderr().write_all(&piece.err));
        if piece.ended {
            drop(std::io::stdout().flush());
            return Ok(ExitCode::from(u8::try_from(piece.code).unwrap_or(1)));
        }
    }
    anyhow::bail!("Hub berhenti sebelum perintah ini selesai. Lihat hasilnya, lalu ulangi.")
}

/// The hub's side.
pub(crate) struct CommandService {
    data: PathBuf,
    dataset: Arc<SqliteDataset>,
}

impl CommandService {
    pub(crate) const fn new(data: PathBuf, dataset: Arc<SqliteDataset>) -> Self {
        Self { data, dataset }
    }
}

fn pieces(said: &said::Said, code: u8) -> Vec<v1::RunOutput> {
    let out = said
        .out
        .as_bytes()
        .chunks(PIECE_BYTES)
        .map(|piece| v1::RunOutput { out: Bytes::copy_from_slice(piece), ..Default::default() });
    let err = said
        .err
        .as_bytes()
        .chunks(PIECE_BYTES)
        .map(|piece| v1::RunOutput { err: Bytes::copy_from_slice(piece), ..Default::default() });
    let last = v1::RunOutput { ended: true, code: code.into(), ..Default::default() };
    out.chain(err).chain([last]).collect()
}

/// Runs a command line on an open dataset; its exit code.
fn run(args: Vec<String>, place: &Workplace<'_>) -> u8 {
    let args = std::iter::once("lumbung-hub".to_owned()).chain(args);
    match Cli::try_parse_from(args) {
        Ok(cli) => match perform(cli.command, place) {
            Ok(()) => 0,
            Err(error) => {
                lumbung_telemetry::remark!("{error:#}");
                1
            }
        },
        // The command is of another version than the hub.
        Err(error) => {
            lumbung_telemetry::remark!("{error}");
            2
        }
    }
}

#[tonic::async_trait]
impl v1::command_server::Command for CommandService {
    type RunStream = Pin<Box<dyn Stream<Item = Result<v1::RunOutput, Status>> + Send>>;

    async fn run(
        &self,
        request: Request<v1::RunRequest>,
    ) -> Result<Response<Self::RunStream>, Status> {
        let peer = request.extensions().get::<UdsConnectInfo>().and_then(|it| it.peer_cred);
        let peer = peer.ok_or_else(|| Status::unauthenticated("only on the hub's machine"))?;
        let user = user_of(peer.uid());
        let v1::RunRequest { args, folder } = request.into_inner();
        let (data, dataset) = (self.data.clone(), Arc::clone(&self.dataset));
        let done = tokio::task::spawn_blocking(move || {
            let folder = PathBuf::from(folder);
            let place =
                Workplace { data: &data, dataset: &dataset, user: &user, folder: Some(&folder) };
            said::aside(|| run(args, &place))
        });
        let (code, said) = done.await.map_err(|_| Status::unavailable("the hub is stopping"))?;
        let pieces = tokio_stream::iter(pieces(&said, code)).map(Ok);
        Ok(Response::new(Box::pin(pieces)))
    }
}
