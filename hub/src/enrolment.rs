//! Joining the district, and getting a village's data back.
//!
//! Joining takes a token's secret against a certificate. Restoring streams
//! what the hub holds of the caller's village: of the village in its
//! certificate, whatever the message says.

pub(crate) mod restore;

use std::collections::BTreeSet;
use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use lumbung_domain::id::RecordId;
use lumbung_domain::region::VillageCode;
use lumbung_identity::{PublicKey, Secret, join_message};
use lumbung_link::world;
use lumbung_proto::v1;
use lumbung_telemetry::clock;
use lumbung_wire::batch;
use tokio::sync::{Semaphore, mpsc};
use tokio_stream::Stream;
use tokio_stream::wrappers::ReceiverStream;
use tonic::{Request, Response, Status};

use crate::dataset::{Dataset, DatasetError, VillageState};
use crate::registry::{Redemption, TokenRefused};
use crate::uplink::{Caller, Door, is_allowed};
use restore::Restored;

/// Records that are handed out between two looks at whether the key is still
/// allowed; with pages, it is looked at before each.
const RECORDS_A_LOOK: u32 = 500;

/// Joinings looked at at the same time; with the pause below, what guessing a
/// secret of 128 bits is slowed to.
const JOININGS_MAX: usize = 8;

/// A wrong secret is answered after this.
const WRONG_PAUSE: Duration = Duration::from_secs(1);

/// Records that may wait for a slow link, for a node that reads no pages.
const RECORDS_QUEUED: usize = 1_000;

/// Pages that may wait for a slow link.
const PAGES_QUEUED: usize = 2;

/// The service.
pub(crate) struct EnrolmentService {
    door: Arc<Door>,
    joinings: Semaphore,
}

impl EnrolmentService {
    /// Serves those who come through `door`.
    pub(crate) fn new(door: Arc<Door>) -> Self {
        Self { door, joinings: Semaphore::new(JOININGS_MAX) }
    }
}

#[tonic::async_trait]
impl v1::enrolment_server::Enrolment for EnrolmentService {
    async fn join(
        &self,
        request: Request<v1::JoinRequest>,
    ) -> Result<Response<v1::JoinReply>, Status> {
        let Ok(_permit) = self.joinings.acquire().await else {
            return Err(Status::unavailable("hub sedang berhenti; coba lagi sebentar lagi"));
        };
        let request = request.into_inner();
        let now_ms = clock::now_ms();
        let life = self.door.lifetime.node;
        let until_ms = now_ms.saturating_add(i64::try_from(life.as_millis()).unwrap_or(i64::MAX));
        let authority = self.door.authority();
        let redemption = read(&request, until_ms, authority.root_hash())?;
        let registry = Arc::clone(&self.door.registry);
        let redeemed = world::blocking(move || registry.redeem(&redemption, now_ms)).await;
        match redeemed.map_err(|_| stopping())?.map_err(|error| unreadable(&error))? {
            Ok(()) => {}
            Err(refused) => {
                tracing::warn!(village = %redemption.village, %refused, "a joining was refused");
                tokio::time::sleep(WRONG_PAUSE).await;
                return Err(Status::permission_denied(sentence(refused)));
            }
        }
        let certificate = authority.issue_node(redemption.village, &redemption.key, now_ms, life);
        let certificate = certificate.map_err(|error| {
            tracing::error!(%error, "no certificate can be made");
            Status::internal("Kabupaten gagal membuat sertifikat. Token masih berlaku; coba lagi.")
        })?;
        let held = self.held(redemption.village).await?;
        tracing::info!(village = %redemption.village, key = %redemption.key, "a node joined");
        Ok(Response::new(v1::JoinReply {
            certificate: Bytes::copy_from_slice(&certificate),
            anchors: authority.anchors().iter().map(|root| Bytes::copy_from_slice(root)).collect(),
            clock_ms: now_ms,
            backup_recipient: self.door.backup_recipient.clone(),
            records: held.records(),
            hub_key: Bytes::copy_from_slice(&authority.hub_key().public().0),
        }))
    }

    type RestoreStream = Pin<Box<dyn Stream<Item = Result<v1::RestoreItem, Status>> + Send>>;

    async fn restore(
        &self,
        request: Request<v1::RestoreRequest>,
    ) -> Result<Response<Self::RestoreStream>, Status> {
        let caller = request.extensions().get::<Caller>();
        let Some((peer, stay)) = caller.and_then(|caller| Some((caller.peer?, &caller.stay)))
        else {
            return Err(Status::unauthenticated("Tidak ada sertifikat desa."));
        };
        // It may have been revoked since it connected.
        if !self.door.is_allowed(peer).await {
            return Err(revoked());
        }
        stay.known();
        let request = request.into_inner();
        let held = self.held(peer.village).await?;
        let stands = request.position.as_ref().and_then(batch::position_from_wire);
        let known = stands.is_some() && stands == held.state.position;
        let after = if known { request.after } else { 0 };
        let (queued, page_bytes) = match request.page_bytes {
            0 => (RECORDS_QUEUED, None),
            wanted => (PAGES_QUEUED, Some(wanted)),
        };
        let (items, stream) = mpsc::channel(queued);
        let looks_every = if page_bytes.is_some() { 1 } else { RECORDS_A_LOOK };
        let dataset = Arc::clone(&self.door.dataset);
        let registry = Arc::clone(&self.door.registry);
        tokio::task::spawn_blocking(move || {
            let mut given = 0_u32;
            let send = |item| {
                given += 1;
                if given.is_multiple_of(looks_every) && !is_allowed(&*registry, peer) {
                    drop(items.blocking_send(Err(revoked())));
                    return false;
                }
                items.blocking_send(Ok(item)).is_ok()
            };
            let refused = match restore::stream(&*dataset, &held, after, page_bytes, send) {
                Ok(Restored::Sent | Restored::Gone) => return,
                Ok(Restored::MovedOn) => moved_on(),
                Err(error) => unreadable(&error),
            };
            // The node may be gone by then.
            drop(items.blocking_send(Err(refused)));
        });
        tracing::info!(village = %peer.village, after, "a village gets its data back");
        Ok(Response::new(Box::pin(ReceiverStream::new(stream))))
    }
}

impl EnrolmentService {
    async fn held(&self, village: VillageCode) -> Result<Held, Status> {
        let dataset = Arc::clone(&self.door.dataset);
        let held = world::blocking(move || Held::of(&*dataset, village));
        held.await.map_err(|_| stopping())?.map_err(|error| unreadable(&error))
    }
}

/// What there is of a village.
pub(crate) struct Held {
    /// Where it stands.
    pub(crate) state: VillageState,
    /// Records of a closed log that no later log has replaced: a machine that
    /// is rebuilt gets these, too, because nobody else has them.
    pub(crate) leftovers: u64,
    /// Those of them that stay here: see
    /// [`crate::dataset::Recovery::stay_behind`].
    pub(crate) stay: BTreeSet<RecordId>,
}

impl Held {
    /// Reads it.
    pub(crate) fn of(dataset: &dyn Dataset, village: VillageCode) -> Result<Self, DatasetError> {
        let leftovers: u64 = dataset.leftovers(village)?.values().sum();
        let stay = match leftovers {
            0 => BTreeSet::new(),
            _ => dataset.stay_behind(village)?,
        };
        let leftovers = leftovers.saturating_sub(stay.len() as u64);
        Ok(Self { state: dataset.village(village)?, leftovers, stay })
    }

    const fn records(&self) -> u64 {
        self.state.records + self.leftovers
    }
}

fn revoked() -> Status {
    Status::permission_denied("Izin komputer ini dicabut. Hubungi kabupaten.")
}

fn stopping() -> Status {
    Status::unavailable("Hub sedang berhenti. Tidak ada yang hilang; coba lagi sebentar lagi.")
}

fn moved_on() -> Status {
    Status::aborted("Data desa ini di kabupaten berubah selama dikirim. Ulangi.")
}

fn unreadable(error: &DatasetError) -> Status {
    tracing::error!(%error, "the dataset can't be read");
    Status::unavailable(
        "Data kabupaten tidak bisa dibaca. Tidak ada yang berubah; coba lagi nanti.",
    )
}

/// The wish in a request, if its sender holds the key.
fn read(
    request: &v1::JoinRequest,
    certified_until_ms: i64,
    root: [u8; 16],
) -> Result<Redemption, Status> {
    let malformed = || Status::invalid_argument("Permintaan bergabung tidak lengkap.");
    let village = VillageCode::from_u64(request.village).ok_or_else(malformed)?;
    let secret = Secret::from_slice(&request.secret).ok_or_else(malformed)?;
    let key = PublicKey::from_slice(&request.public_key).ok_or_else(malformed)?;
    if !key.verifies(&join_message(village, &secret), &request.signature) {
        return Err(malformed());
    }
    Ok(Redemption { secret_hash: secret.hash(), village, key, certified_until_ms, root })
}

/// Why a token was refused, in the clerk's words.
const fn sentence(refused: TokenRefused) -> &'static str {
    match refused {
        TokenRefused::Unknown => {
            "Token tidak dikenal. Tidak ada yang berubah. Minta token baru ke kabupaten."
        }
        TokenRefused::Used => {
            "Token sudah dipakai komputer lain atau sudah dicabut. Tidak ada yang berubah. Minta \
             token baru ke kabupaten."
        }
        TokenRefused::Expired => {
            "Masa berlaku token habis. Tidak ada yang berubah. Minta token baru ke kabupaten."
        }
        TokenRefused::Occupied => {
            "Desa ini sudah punya komputer yang terdaftar. Tidak ada yang berubah. Bila komputer \
             itu rusak, minta token pengganti ke kabupaten."
        }
    }
}
