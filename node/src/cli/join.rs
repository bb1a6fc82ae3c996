//! `join`: becomes the village's node with a token from the district, and
//! gets back what the district holds when there is no data here yet.

use std::fs;
use std::path::Path;
use std::process::ExitCode;
use std::sync::Arc;

use anyhow::{Context, bail, ensure};
use indicatif::{ProgressBar, ProgressStyle};
use lumbung_domain::region::{VillageCode, roster};
use lumbung_identity::{JoinToken, TrustedTime, join_message, tls};
use lumbung_ledger::Position;
use lumbung_link::limits;
use lumbung_proto::v1;
use lumbung_proto::v1::enrolment_client::EnrolmentClient;
use lumbung_telemetry::clock;

use super::{reach, recover};
use crate::barn::Barn;
use crate::config::Config;
use crate::identity::{self, Identity, Membership, hex};
use crate::recovery::{Patience, Returned, Returning, SOMEBODY_WAITS};
use crate::uplink;
use crate::village::Village;

/// Stands in a folder whose data is being rebuilt: what is there is not whole.
const REBUILDING: &str = "membangun-ulang";

#[derive(clap::Args)]
pub(super) struct JoinArgs {
    /// Token dari kabupaten; tanpa ini diminta lewat papan ketik.
    token: Option<String>,
    /// Alamat hub bila lain dari yang tertulis di token.
    #[arg(long)]
    address: Option<String>,
}

pub(super) async fn join(data: &Path, args: &JoinArgs) -> anyhow::Result<ExitCode> {
    let text = match &args.token {
        Some(text) => text.clone(),
        None => asked()?,
    };
    let token: JoinToken = text.parse().map_err(|_| {
        anyhow::anyhow!(
            "Token salah ketik atau terpotong. Tidak ada yang dikirim. Periksa lagi huruf dan \
             angkanya."
        )
    })?;
    let desa = roster().village(token.village);
    let name = desa.map_or_else(|| token.village.to_string(), |desa| desa.full_name());
    if let Ok(config) = Config::load(data) {
        ensure!(
            config.desa == token.village,
            "Folder ini milik desa {}, tetapi token untuk {name}. Tidak ada yang dikirim.",
            config.desa
        );
    }
    let address = args.address.clone().unwrap_or_else(|| token.address.clone());
    let membership = enrol(data, &token, &address).await?;
    lumbung_telemetry::say!("{name} bergabung dengan kabupaten.");
    if membership.records > 0 {
        clear_blank(data, token.village)?;
    }
    if Config::load(data).is_ok() {
        lumbung_telemetry::say!(
            "Data yang ada di folder ini tetap dipakai. Node yang sedang berjalan segera \
             menghubungi kabupaten; bila tidak berjalan: lumbung-node --data {} serve",
            data.display()
        );
        return Ok(ExitCode::SUCCESS);
    }
    if membership.records == 0 && !data.join(REBUILDING).exists() {
        super::create(data, token.village)?.close();
        lumbung_telemetry::say!("Kabupaten belum menyimpan data desa ini; mulai dari kosong.");
    } else {
        rebuild(data, &token).await?;
    }
    lumbung_telemetry::say!("Langkah berikut: lumbung-node --data {} serve", data.display());
    Ok(ExitCode::SUCCESS)
}

fn asked() -> anyhow::Result<String> {
    lumbung_telemetry::say!("Ketik token dari kabupaten (garis penghubung boleh dilewati):");
    let mut line = String::new();
    std::io::stdin().read_line(&mut line).context("Token tidak terbaca")?;
    Ok(line)
}

/// What joining gave.
struct Enrolled {
    records: u64,
}

/// Trades the token's secret for a certificate. The key is on disk before
/// anything is sent, so a lost answer is asked for again with the same one.
async fn enrol(data: &Path, token: &JoinToken, address: &str) -> anyhow::Result<Enrolled> {
    let key = identity::key(data)?;
    // The token was made then: an earlier clock is wrong.
    let time = TrustedTime::at(i64::from(token.issued_min) * 60_000);
    let config = Arc::new(tls::joining(token.root, time)?);
    let channel = uplink::join_channel(address, config).await.map_err(|error| {
        let hint = match error {
            lumbung_link::channel::ConnectError::Untrusted { .. } => {
                "Yang menjawab bukan kabupaten yang membuat token ini. Rahasia token tidak \
                 dikirim. Hubungi kabupaten"
            }
            _ => {
                "Kabupaten tidak bisa dihubungi. Tidak ada yang berubah. Periksa internet, lalu \
                 ulangi; token masih berlaku"
            }
        };
        anyhow::Error::new(error).context(hint)
    })?;
    let request = v1::JoinRequest {
        village: token.village.as_u64(),
        secret: token.secret.0.to_vec().into(),
        public_key: key.public().0.to_vec().into(),
        signature: key.sign(&join_message(token.village, &token.secret))?.into(),
        software: env!("CARGO_PKG_VERSION").to_owned(),
        clock_ms: clock::now_ms(),
    };
    let mut client = EnrolmentClient::new(channel);
    let answer = tokio::time::timeout(limits::ANSWER_TIMEOUT, client.join(request)).await;
    let answer = answer.context(
        "Kabupaten tidak menjawab pada waktunya. Ulangi; token masih berlaku untuk komputer ini",
    )?;
    let reply = answer.map_err(reach::said)?.into_inner();
    let membership = Membership {
        address: address.to_owned(),
        certificate: hex(&reply.certificate),
        anchors: reply.anchors.iter().map(|anchor| hex(anchor)).collect(),
        hub_key: hex(&reply.hub_key),
    };
    Identity::keep(data, &membership)?;
    identity::keep_recipient(data, &reply.backup_recipient)?;
    if let Some(identity) = Identity::load(data)? {
        identity.time().told(reply.clock_ms).context("Waktu kabupaten tidak bisa disimpan")?;
    }
    Ok(Enrolled { records: reply.records })
}

/// Streams the village's data back and builds a new barn of it. Until it is
/// whole and proven a marker stands in the folder, and `join` begins anew.
async fn rebuild(data: &Path, token: &JoinToken) -> anyhow::Result<()> {
    let marker = data.join(REBUILDING);
    if marker.exists() {
        clear(data).context("Sisa pemulihan sebelumnya tidak bisa dibersihkan")?;
    }
    ensure!(
        !Barn::exists(data),
        "Di {} ada data tanpa pengaturan. Tidak ada yang diubah. Hubungi kabupaten.",
        data.display()
    );
    lumbung_identity::write_private(&marker, b"").context("Folder data tidak bisa ditulis")?;
    let Some(identity) = Identity::load(data)? else { bail!("Identitas tidak terbaca.") };
    let returning = Returning::begin(&identity).await.map_err(recover::not_returned)?;
    let held = returning.held();
    let bar = ProgressBar::new(held.records).with_style(
        ProgressStyle::with_template("{bar:30} {pos}/{len} catatan")
            .unwrap_or_else(|_| ProgressStyle::default_bar()),
    );
    let patience = Patience::Limited(SOMEBODY_WAITS);
    let built = returning.build(data, token.village, patience, |taken| bar.set_position(taken));
    let built = built.await;
    bar.finish_and_clear();
    let Returned { village, left_out, doubtful } = built.map_err(recover::not_returned)?;
    let records = village.barn().head().records;
    village.close();
    Config::new(token.village).create(data)?;
    fs::remove_file(&marker).context("Penanda pemulihan tidak bisa dihapus")?;
    lumbung_telemetry::say!(
        "{} catatan kembali dan terbukti sama dengan di kabupaten. Semua yang sudah sampai di \
         kabupaten per {} ada di sini; yang dicatat sesudahnya di komputer lama tidak ada.",
        records,
        clock::display(held.last_contact_ms)
    );
    recover::say_incomplete(left_out, doubtful);
    Ok(())
}

/// A folder that was only prepared (`init`) must not hide what the district
/// holds: where nothing was ever saved it becomes an empty one again. A folder
/// that is in use or can't be opened stays as it is.
fn clear_blank(data: &Path, desa: VillageCode) -> anyhow::Result<()> {
    let Ok(config) = Config::load(data) else { return Ok(()) };
    if config != Config::new(desa) || !Barn::exists(data) {
        return Ok(());
    }
    let Ok(village) = Village::open(data, desa) else { return Ok(()) };
    let blank = is_blank(village.barn());
    village.close();
    if !blank {
        return Ok(());
    }
    // From the marker on `join` begins anew, wherever this is cut off: the
    // settings go before the store, and without them nobody can save here.
    lumbung_identity::write_private(&data.join(REBUILDING), b"")
        .and_then(|()| fs::remove_file(data.join("node.toml")))
        .context("Folder data tidak bisa ditulis")
}

/// Whether nothing was ever saved here, as far as store and witness know.
fn is_blank(barn: &Barn) -> bool {
    let position = barn.head().position;
    position == Position::origin(position.log_id)
        && barn.steps().is_empty()
        && barn.erased().is_empty()
}

/// Removes what an interrupted rebuild left, and nothing else.
fn clear(data: &Path) -> std::io::Result<()> {
    match fs::remove_dir_all(data.join("store")) {
        Err(error) if error.kind() != std::io::ErrorKind::NotFound => return Err(error),
        _ => {}
    }
    match fs::remove_file(data.join("witness")) {
        Err(error) if error.kind() != std::io::ErrorKind::NotFound => Err(error),
        _ => Ok(()),
    }
}
