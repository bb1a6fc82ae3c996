//! The `Local` service: how commands on this machine reach the node.

use std::path::PathBuf;
use std::pin::Pin;
use std::sync::Arc;

use bytes::Bytes;
use futures_util::Stream;
use lumbung_domain::id::{Kind, KindCode, RecordId};
use lumbung_domain::validation::Severity;
use lumbung_ledger::{Seq, Source};
use lumbung_link::meter::Traffic;
use lumbung_proto::v1;
use lumbung_wire::record as wire;
use tokio::sync::mpsc;
use tokio_stream::wrappers::ReceiverStream;
use tonic::{Request, Response, Status};

use super::confirmed::Confirmed;
use super::importing::run_import;
use super::refusal::{blocking, store_failed, submit_failed};
use super::report::{Report, condition_sentence, happenings, mending_sentence, set_aside_sentence};
use super::{audit_witness, erasing, media, notices};
use crate::backup::{Shelf, damaged_stores};
use crate::barn::{Barn, RederiveError, Stored};
use crate::export::{self, ExportFormat};
use crate::uplink::Account;
use crate::village::{Remark, SaveError, Village, Wish};

/// Bytes of a file sent in one piece.
const CHUNK_BYTES: usize = 256 * 1024;

/// The service.
#[derive(Clone)]
pub struct LocalService {
    pub(super) village: Village,
    /// The village's folder.
    pub(super) dir: PathBuf,
    pub(super) confirmed: Arc<Confirmed>,
    traffic: Traffic,
    account: Option<Arc<Account>>,
    serving: bool,
}

impl LocalService {
    /// Answers for a village that is being served; `dir` is its folder.
    #[must_use]
    pub const fn new(
        village: Village,
        dir: PathBuf,
        confirmed: Arc<Confirmed>,
        traffic: Traffic,
    ) -> Self {
        Self { village, dir, confirmed, traffic, account: None, serving: true }
    }

    /// Tells of the way to the district too.
    #[must_use]
    pub fn linked(self, account: Arc<Account>) -> Self {
        Self { account: Some(account), ..self }
    }

    /// Answers for a village that was opened for one command only.
    #[must_use]
    pub fn at_rest(village: Village, dir: PathBuf) -> Self {
        // Unreadable, it counts for nothing: then everything is unconfirmed.
        let confirmed = Confirmed::open(&dir, village.barn()).unwrap_or_default();
        let (confirmed, traffic) = (Arc::new(confirmed), Traffic::default());
        Self { village, dir, confirmed, traffic, account: None, serving: false }
    }

    fn remarks(&self) -> Vec<String> {
        let mending = self.village.barn().mending().ok().flatten();
        let mended = mending.iter().map(mending_sentence);
        let broken = self.village.checkup().broken_at().map(|seq| {
            format!(
                "Log tidak cocok dengan rantainya mulai catatan nomor {seq}. Tidak ada yang \
                 diubah. Jangan hapus apa pun. Hentikan node, lalu jalankan lumbung-node recover: \
                 yang sudah terkirim diambil kembali dari kabupaten."
            )
        });
        // A folder that can't be read says nothing.
        let aside = damaged_stores(&self.dir).unwrap_or_default();
        let aside = aside.into_iter().map(|path| set_aside_sentence(&path));
        let doubted = audit_witness::doubted(&self.dir).map(|doubted| doubted.sentence());
        let condition = *self.village.barn().condition().borrow();
        let condition = condition_sentence(condition).into_iter();
        condition.chain(mended).chain(broken).chain(aside).chain(doubted).collect()
    }

    fn report(&self) -> Report {
        let barn = self.village.barn();
        let head = barn.head();
        let (steps, losses) = happenings(barn, self.confirmed.before());
        // A folder that can't be read holds no backup to rely on.
        let backup = Shelf::of(&self.dir).list().ok().and_then(|kept| kept.into_iter().next());
        Report {
            village: self.village.code().as_u64(),
            records: head.records,
            seq: head.position.seq.0,
            epoch: head.position.epoch.0,
            log_id: head.position.log_id.to_string(),
            fingerprint: head.fingerprint.to_string(),
            confirmed_seq: self.confirmed.seq().0,
            confirmed_at_ms: self.confirmed.at_ms(),
            serving: self.serving,
            link: self.account.as_ref().map(|account| account.state()),
            received_bytes: self.traffic.received(),
            sent_bytes: self.traffic.sent(),
            disk_bytes: barn.disk_bytes(),
            boots: barn.boots(),
            erased: barn.erased().len() as u64,
            scrub_pending: barn.scrub_pending(),
            steps,
            losses,
            remarks: self.remarks(),
            backup_at_ms: backup.as_ref().map_or(0, |kept| kept.at_ms),
            backup_seq: backup.map_or(0, |kept| kept.at.1.0),
        }
    }
}

fn notes(remarks: Vec<Remark>) -> Vec<v1::Note> {
    remarks
        .into_iter()
        .map(|Remark { change, finding }| v1::Note {
            change: u32::try_from(change).unwrap_or(u32::MAX),
            reject: finding.severity == Severity::Reject,
            field: finding.field.to_owned(),
            code: finding.code.to_owned(),
            message: finding.message,
        })
        .collect()
}

/// `seen` is the entry its record was read at; 0: not stated.
fn wish(change: &v1::RecordChange, seen: u64) -> Result<Wish, Status> {
    let bad = |what: &'static str| Status::invalid_argument(what);
    let kind = u16::try_from(change.kind).ok().and_then(|kind| Kind::from_code(KindCode(kind)));
    let kind = kind.ok_or_else(|| bad("unknown kind"))?;
    let id = match change.id.is_empty() {
        true => None,
        false => Some(RecordId::from_slice(&change.id).ok_or_else(|| bad("not a record id"))?),
    };
    let record = match change.delete {
        true => None,
        false => Some(wire::decode(kind, &change.payload).map_err(|_| bad("not a record"))?),
    };
    let seen = (seen != 0).then_some(Seq(seen));
    Ok(Wish { id, kind, record, seen })
}

fn local_record(stored: &Stored) -> v1::LocalRecord {
    let header = &stored.entry.header;
    v1::LocalRecord {
        id: Bytes::copy_from_slice(header.id.as_bytes()),
        kind: u32::from(header.kind.0),
        schema: u32::from(header.schema),
        seq: header.seq.0,
        time_ms: header.time_ms,
        actor: header.actor.to_string(),
        source: u32::from(header.source.0),
        payload: stored.content().cloned().unwrap_or_default(),
        ..v1::LocalRecord::default()
    }
}

/// When a record was made, and by whom: by its first entry, or by its id in a
/// log that began with the district's copy. A log that can't be read says
/// nothing.
fn made(barn: &Barn, id: RecordId) -> (i64, String) {
    let copied = barn.predecessor().ok().flatten().is_some();
    match barn.first_of(id).ok().flatten().filter(|_| !copied) {
        Some(first) => (first.time_ms, first.actor.to_string()),
        None => (id.minted_ms().unwrap_or(0), String::new()),
    }
}

type Items<T> = Pin<Box<dyn Stream<Item = Result<T, Status>> + Send>>;

#[tonic::async_trait]
impl v1::local_server::Local for LocalService {
    async fn status(
        &self,
        _: Request<v1::StatusRequest>,
    ) -> Result<Response<v1::StatusReply>, Status> {
        let json = serde_json::to_string(&self.report())
            .map_err(|_| Status::internal("the status can't be written"))?;
        Ok(Response::new(v1::StatusReply { json }))
    }

    async fn entered_again(
        &self,
        _: Request<v1::EnteredAgainRequest>,
    ) -> Result<Response<v1::EnteredAgainReply>, Status> {
        let at_ms = self.village.clock().now_ms();
        let losses = self.village.barn().entered_again(at_ms).map_err(|error| {
            tracing::error!(%error, "it can't be noted that lost entries were entered again");
            Status::internal(
                "Disk tidak bisa ditulisi, jadi belum dicatat. Data aman. Periksa disk, lalu \
                 ulangi.",
            )
        })?;
        let losses = u32::try_from(losses).unwrap_or(u32::MAX);
        Ok(Response::new(v1::EnteredAgainReply { losses }))
    }

    async fn save(
        &self,
        request: Request<v1::SaveRequest>,
    ) -> Result<Response<v1::SaveReply>, Status> {
        let v1::SaveRequest { actor, changes, seen_seqs } = request.into_inner();
        let seen = seen_seqs.into_iter().chain(std::iter::repeat(0));
        let wishes = changes.iter().zip(seen).map(|(change, seen)| wish(change, seen));
        let wishes = wishes.collect::<Result<Vec<_>, _>>()?;
        let reply = match self.village.save(&actor, Source::MANUAL, wishes).await {
            Ok(saved) => v1::SaveReply {
                ids: saved.ids.iter().map(|id| Bytes::copy_from_slice(&id.0)).collect(),
                last_seq: saved.receipt.last.0,
                notes: notes(saved.remarks),
                refused: false,
            },
            Err(SaveError::Refused(remarks)) => {
                v1::SaveReply { notes: notes(remarks), refused: true, ..Default::default() }
            }
            Err(SaveError::Barn(error)) => return Err(submit_failed(&error)),
        };
        Ok(Response::new(reply))
    }

    type ListStream = Items<v1::LocalRecord>;

    async fn list(
        &self,
        request: Request<v1::ListRequest>,
    ) -> Result<Response<Self::ListStream>, Status> {
        let v1::ListRequest { kind, limit } = request.into_inner();
        let barn = self.village.barn().clone();
        let (_, living) = blocking(move || barn.living()).await?;
        let limit = if limit == 0 { usize::MAX } else { limit as usize };
        let items = living
            .into_iter()
            .filter(move |stored| kind == 0 || u32::from(stored.entry.header.kind.0) == kind)
            .take(limit)
            .map(|stored| Ok(local_record(&stored)));
        Ok(Response::new(Box::pin(tokio_stream::iter(items))))
    }

    async fn show(
        &self,
        request: Request<v1::ShowRequest>,
    ) -> Result<Response<v1::LocalRecord>, Status> {
        let id = RecordId::from_slice(&request.into_inner().id)
            .ok_or_else(|| Status::invalid_argument("not a record id"))?;
        let barn = self.village.barn().clone();
        let found = blocking(move || {
            let Some(stored) = barn.get(id)? else { return Ok(None) };
            Ok(Some((local_record(&stored), made(&barn, id))))
        });
        let (record, (first_ms, first_actor)) =
            found.await?.ok_or_else(|| Status::not_found("Catatan itu tidak ada di desa ini."))?;
        Ok(Response::new(v1::LocalRecord { first_ms, first_actor, ..record }))
    }

    type ImportStream = Items<v1::ImportEvent>;

    async fn import(
        &self,
        request: Request<v1::ImportRequest>,
    ) -> Result<Response<Self::ImportStream>, Status> {
        let request = request.into_inner();
        let village = self.village.clone();
        let (events, stream) = mpsc::channel(8);
        tokio::task::spawn_blocking(move || {
            // The caller may have gone away: an import goes on all the same,
            // since half a sheet helps nobody.
            let mut tell = |event| {
                let event = v1::ImportEvent { event: Some(event) };
                drop(events.blocking_send(Ok(event)));
            };
            if let Err(status) = run_import(&village, &request, &mut tell) {
                drop(events.blocking_send(Err(status)));
            }
        });
        Ok(Response::new(Box::pin(ReceiverStream::new(stream))))
    }

    type ExportStream = Items<v1::FileChunk>;

    async fn export(
        &self,
        request: Request<v1::ExportRequest>,
    ) -> Result<Response<Self::ExportStream>, Status> {
        let format = format_named(&request.into_inner().format).ok_or_else(|| {
            Status::invalid_argument(
                "Bentuk itu tidak dikenal. Pilih opensid-xlsx, opensid-csv, siak-csv, templat, \
                 atau templat-kosong.",
            )
        })?;
        let village = self.village.clone();
        let code = village.code();
        let census = blocking(move || village.census()).await?;
        let mut file = Vec::new();
        let exported = export::write(format, code, &census, &mut file).map_err(|error| {
            tracing::error!(%error, "an export failed");
            Status::internal("Berkas tidak bisa dibuat. Data desa tidak berubah.")
        })?;
        let file = Bytes::from(file);
        let chunks = (0..file.len()).step_by(CHUNK_BYTES).map(move |at| {
            let end = file.len().min(at + CHUNK_BYTES);
            let without_kk = if end == file.len() { exported.without_kk } else { 0 };
            Ok(v1::FileChunk { content: file.slice(at..end), without_kk })
        });
        Ok(Response::new(Box::pin(tokio_stream::iter(chunks))))
    }

    async fn erase(
        &self,
        request: Request<v1::EraseRequest>,
    ) -> Result<Response<v1::EraseReply>, Status> {
        let (village, request) = (self.village.clone(), request.into_inner());
        let work = move || erasing::erase(&village, &request);
        let reply = tokio::task::spawn_blocking(work)
            .await
            .map_err(|_| Status::internal("the node is stopping"))?;
        Ok(Response::new(reply?))
    }

    async fn erasures(
        &self,
        _: Request<v1::ErasuresRequest>,
    ) -> Result<Response<v1::ErasuresReply>, Status> {
        let json = serde_json::to_string(&erasing::report(self.village.barn(), &self.dir))
            .map_err(|_| Status::internal("the ledger can't be written"))?;
        Ok(Response::new(v1::ErasuresReply { json }))
    }

    async fn verify(
        &self,
        request: Request<v1::VerifyRequest>,
    ) -> Result<Response<v1::VerifyReply>, Status> {
        let mut mended = 0;
        if request.into_inner().repair {
            mended = match self.village.put_right().await {
                Ok(rederived) => rederived.mending.map_or(0, |mending| mending.things()),
                // The verification says where.
                Err(RederiveError::Broken(_) | RederiveError::Closed) => 0,
                Err(RederiveError::Store(error)) => return Err(store_failed(&error)),
            };
        }
        let barn = self.village.barn().clone();
        let soundness = blocking(move || barn.verify()).await?;
        let json = serde_json::json!({
            "entries": soundness.entries,
            "records": soundness.head.records,
            "position": soundness.head.position.to_string(),
            "fingerprint": format!("{:?}", soundness.head.fingerprint),
            "faults": soundness.faults.iter().map(|f| format!("{f:?}")).collect::<Vec<_>>(),
            "mended": mended,
        });
        Ok(Response::new(v1::VerifyReply {
            json: json.to_string(),
            sound: soundness.faults.is_empty(),
            log_broken: soundness.broken_at().is_some(),
            mended,
        }))
    }

    async fn backup(
        &self,
        request: Request<v1::BackupRequest>,
    ) -> Result<Response<v1::BackupReply>, Status> {
        Ok(Response::new(media::back_up(self, request.into_inner()).await?))
    }

    async fn import_answer(
        &self,
        request: Request<v1::ImportAnswerRequest>,
    ) -> Result<Response<v1::ImportAnswerReply>, Status> {
        Ok(Response::new(media::import_answer(self, request.into_inner()).await?))
    }

    async fn export_bundle(
        &self,
        request: Request<v1::ExportBundleRequest>,
    ) -> Result<Response<v1::ExportBundleReply>, Status> {
        Ok(Response::new(media::export_bundle(self, request.into_inner()).await?))
    }

    async fn notices(
        &self,
        request: Request<v1::NoticesRequest>,
    ) -> Result<Response<v1::NoticesReply>, Status> {
        Ok(Response::new(notices::list(&self.village, request.into_inner()).await?))
    }

    async fn read_notice(
        &self,
        request: Request<v1::ReadNoticeRequest>,
    ) -> Result<Response<v1::ReadNoticeReply>, Status> {
        Ok(Response::new(notices::read(&self.village, request.into_inner()).await?))
    }
}

/// The export format with this name on the command line.
#[must_use]
pub fn format_named(name: &str) -> Option<ExportFormat> {
    Some(match name {
        "opensid-xlsx" => ExportFormat::OpensidXlsx,
        "opensid-csv" => ExportFormat::OpensidCsv,
        "siak-csv" => ExportFormat::SiakCsv,
        "templat" => ExportFormat::Template,
        "templat-kosong" => ExportFormat::EmptyTemplate,
        _ => return None,
    })
}
