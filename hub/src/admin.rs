//! The admin API: what operators reach from a command line.
//!
//! A face like the console: everything goes through the desk and the gate,
//! with the role and the villages that the account has at the moment of the
//! call. Who calls is known from the connection: on the unix socket in the
//! hub's folder whoever may open it, on the port for far-away operators the
//! account that a certificate of the district names.
//!
//! Does not: touch the dataset, keep sessions, decide who may.

mod act;
mod get;
mod port;
mod sheet;
mod socket;
mod village;
mod words;

use std::io::{self, Write};
use std::sync::Arc;
use std::time::{Duration, Instant};

use bytes::Bytes;
use lumbung_domain::region::VillageCode;
use lumbung_proto::v1;
use tokio::sync::mpsc;
use tokio_stream::Stream;
use tokio_stream::wrappers::ReceiverStream;
use tonic::transport::server::UdsConnectInfo;
use tonic::{Code, Extensions, Request, Response, Status};

use crate::access::{Gate, Operator};
use crate::desk::Desk;
use crate::spans;
pub use port::Port;
pub(crate) use socket::user_of;
pub use socket::{SOCKET, Socket, socket};
use words::gate_refused;

/// A watcher hears of changes this often at most.
const TELL_EVERY: Duration = Duration::from_millis(500);

/// A watcher is told how things are this often at least: ages move too.
const TELL_ANYHOW: Duration = Duration::from_secs(10);

/// Bytes of a file in one piece.
const PIECE_BYTES: usize = 256 * 1024;

/// Pieces that wait for a slow reader.
const PIECES_QUEUED: usize = 4;

/// The service.
#[derive(Clone)]
pub struct AdminService {
    desk: Arc<Desk>,
    gate: Gate,
}

impl AdminService {
    /// Answers from this desk whom this gate knows.
    #[must_use]
    pub const fn new(desk: Arc<Desk>, gate: Gate) -> Self {
        Self { desk, gate }
    }

    /// Who calls, as the account is now.
    async fn who(&self, call: &Extensions) -> Result<Operator, Status> {
        let unknown = || Status::unauthenticated("Sambungan ini tidak menunjukkan siapa Anda.");
        if let Some(local) = call.get::<UdsConnectInfo>() {
            let uid = local.peer_cred.map(|peer| peer.uid()).ok_or_else(unknown)?;
            return Ok(Operator::of_this_machine(&user_of(uid)));
        }
        let shown = &call.get::<port::Certified>().ok_or_else(unknown)?.0;
        let known = self.gate.certified(&shown.account, shown.key).await.map_err(gate_refused)?;
        known.ok_or_else(|| {
            Status::unauthenticated(
                "Sertifikat ini tidak berlaku lagi, atau operatornya diblokir. Minta sertifikat \
                 baru kepada petugas keamanan kabupaten.",
            )
        })
    }

    /// Counts a call, and how long it takes until it answers.
    async fn counted<T>(
        &self,
        method: &'static str,
        work: impl Future<Output = Result<T, Status>>,
    ) -> Result<T, Status> {
        let begun = Instant::now();
        let answer = spans::admin_call(method, work).await;
        let code = answer.as_ref().map_or_else(Status::code, |_| Code::Ok);
        self.gate.counts().called(method, code, begun.elapsed());
        answer
    }

    /// Work at the desk off the reactor.
    async fn at_desk<T: Send + 'static>(
        &self,
        who: Operator,
        work: impl FnOnce(&Desk, &Operator) -> Result<T, Status> + Send + 'static,
    ) -> Result<T, Status> {
        let desk = Arc::clone(&self.desk);
        let work = spans::within(move || work(&desk, &who));
        let done = tokio::task::spawn_blocking(work).await;
        done.unwrap_or_else(|_| Err(Status::unavailable("Hub sedang berhenti.")))
    }
}

type Items<T> = std::pin::Pin<Box<dyn Stream<Item = Result<T, Status>> + Send>>;

#[tonic::async_trait]
impl v1::admin_server::Admin for AdminService {
    type GetStream = Items<v1::Listing>;

    async fn get(
        &self,
        request: Request<v1::GetRequest>,
    ) -> Result<Response<Self::GetStream>, Status> {
        self.counted("Get", async {
            let who = self.who(request.extensions()).await?;
            let what = request.into_inner().what;
            let what = what.ok_or_else(|| Status::invalid_argument("nothing is asked for"))?;
            let sheet = match what {
                v1::get_request::What::Operators(_) => {
                    get::operators(&self.gate.accounts(&who).await.map_err(gate_refused)?)
                }
                what => self.at_desk(who, move |desk, who| get::sheet(desk, who, what)).await?,
            };
            let pages = sheet.pages().into_iter().map(Ok);
            let pages: Items<_> = Box::pin(tokio_stream::iter(pages));
            Ok(Response::new(pages))
        })
        .await
    }

    type WatchStream = Items<v1::Listing>;

    async fn watch(
        &self,
        request: Request<v1::WatchRequest>,
    ) -> Result<Response<Self::WatchStream>, Status> {
        self.counted("Watch", async {
            self.who(request.extensions()).await?;
            let (metadata, call, asked) = request.into_parts();
            drop(metadata);
            let codes = asked.codes.iter().map(|code| words::village(code));
            let codes = codes.collect::<Result<Vec<_>, _>>()?;
            let watcher = Watcher { service: self.clone(), call, codes };
            let (tell, told) = mpsc::channel(1);
            tokio::spawn(watcher.run(tell));
            let told: Items<_> = Box::pin(ReceiverStream::new(told));
            Ok(Response::new(told))
        })
        .await
    }

    async fn act(
        &self,
        request: Request<v1::ActRequest>,
    ) -> Result<Response<v1::ActReply>, Status> {
        self.counted("Act", async {
            let who = self.who(request.extensions()).await?;
            let act = request.into_inner().act;
            let act = act.ok_or_else(|| Status::invalid_argument("nothing is to be done"))?;
            let reply = match act::of_accounts(&self.gate, &self.desk, &who, &act).await? {
                Some(reply) => reply,
                None => self.at_desk(who, move |desk, who| act::at_desk(desk, who, act)).await?,
            };
            Ok(Response::new(reply))
        })
        .await
    }

    type ExportRecordsStream = Items<v1::ExportPiece>;

    async fn export_records(
        &self,
        request: Request<v1::ExportRecordsRequest>,
    ) -> Result<Response<Self::ExportRecordsStream>, Status> {
        self.counted("ExportRecords", async {
            let who = self.who(request.extensions()).await?;
            let asked = request.into_inner();
            let order = words::export_order(&who, asked)?;
            let (pieces, sent) = mpsc::channel(PIECES_QUEUED);
            let desk = Arc::clone(&self.desk);
            tokio::task::spawn_blocking(spans::within(move || {
                let mut out = Pieces { pieces: pieces.clone(), waiting: Vec::new() };
                let written = desk.export_now(&who, order, &mut out).map_err(Status::from);
                let last = written.and_then(|records| {
                    out.flush().map_err(|_| Status::cancelled("the reader went away"))?;
                    Ok(v1::ExportPiece { content: Bytes::new(), records })
                });
                // A reader that went away needs no last piece.
                drop(pieces.blocking_send(last));
            }));
            let sent: Items<_> = Box::pin(ReceiverStream::new(sent));
            Ok(Response::new(sent))
        })
        .await
    }

    type ExportRecapStream = Items<v1::ExportPiece>;

    async fn export_recap(
        &self,
        request: Request<v1::ExportRecapRequest>,
    ) -> Result<Response<Self::ExportRecapStream>, Status> {
        self.counted("ExportRecap", async {
            let who = self.who(request.extensions()).await?;
            let asked = request.into_inner();
            let file = self.at_desk(who, move |desk, who| get::recap_file(desk, who, &asked));
            let mut rest = Bytes::from(file.await?);
            let mut pieces = Vec::new();
            while !rest.is_empty() {
                let content = rest.split_to(rest.len().min(PIECE_BYTES));
                pieces.push(Ok(v1::ExportPiece { content, records: 0 }));
            }
            let pieces: Items<_> = Box::pin(tokio_stream::iter(pieces));
            Ok(Response::new(pieces))
        })
        .await
    }
}

/// A file on its way, piece by piece.
struct Pieces {
    pieces: mpsc::Sender<Result<v1::ExportPiece, Status>>,
    waiting: Vec<u8>,
}

impl Write for Pieces {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.waiting.extend_from_slice(bytes);
        if self.waiting.len() >= PIECE_BYTES {
            self.flush()?;
        }
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        if self.waiting.is_empty() {
            return Ok(());
        }
        let content = std::mem::take(&mut self.waiting).into();
        let piece = v1::ExportPiece { content, records: 0 };
        let sent = self.pieces.blocking_send(Ok(piece));
        sent.map_err(|_| io::Error::from(io::ErrorKind::BrokenPipe))
    }
}

/// One who watches the villages.
struct Watcher {
    service: AdminService,
    /// The call: the account is looked up again each time.
    call: Extensions,
    /// Of these villages only; empty = all.
    codes: Vec<VillageCode>,
}

impl Watcher {
    async fn look(&self) -> Result<v1::Listing, Status> {
        let who = self.service.who(&self.call).await?;
        let codes = self.codes.clone();
        let sheet =
            self.service.at_desk(who, move |desk, who| village::all(desk, who, &codes)).await?;
        Ok(sheet.whole())
    }

    async fn run(self, tell: mpsc::Sender<Result<v1::Listing, Status>>) {
        let mut moved = self.service.desk.watch();
        loop {
            moved.borrow_and_update();
            let told = self.look().await;
            let over = told.is_err();
            if tell.send(told).await.is_err() || over {
                return;
            }
            tokio::time::sleep(TELL_EVERY).await;
            tokio::select! {
                () = tell.closed() => return,
                changed = moved.changed() => if changed.is_err() { return },
                () = tokio::time::sleep(TELL_ANYHOW) => {}
            }
        }
    }
}

#[cfg(test)]
mod tests;
