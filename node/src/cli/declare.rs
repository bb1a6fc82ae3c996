//! `declare`: totals as the village states them itself (monografi, buku B.3,
//! the heads of RT), to be held against what the records add up to.

mod place;
mod sheet;

use std::path::{Path, PathBuf};
use std::process::ExitCode;

use anyhow::Context as _;
use bytes::Bytes;
use jiff::civil::Date;
use lumbung_domain::id::{Kind, RecordId};
use lumbung_domain::record::{PernyataanJumlah, Record, Ukuran};
use lumbung_proto::v1::{self, local_client::LocalClient};
use lumbung_wire::record as wire;
use tonic::transport::Channel;

use self::place::{Named, Places};
use super::reach::{node, said};
use crate::import;

/// What takes a stated total back.
const BLANK: &str = "-";

#[derive(clap::Subcommand)]
pub(super) enum DeclareCommand {
    /// Mencatat jumlah yang dinyatakan desa pada satu tanggal. Yang tidak
    /// disebut tetap seperti semula.
    Set(SetArgs),
    /// Membaca jumlah dari berkas CSV; judul kolomnya ada di `declare template`.
    Import {
        /// Berkas CSV.
        file: PathBuf,
        /// Hanya memeriksa; tidak ada yang disimpan.
        #[arg(long)]
        dry_run: bool,
    },
    /// Menulis berkas CSV dengan judul kolomnya saja.
    Template {
        /// Berkas tujuan; "-" menulis ke layar.
        file: PathBuf,
    },
    /// Menghapus satu pernyataan, misalnya yang tanggalnya salah.
    Remove {
        /// Id pernyataan, seperti di kolom pertama `declare list`.
        id: RecordId,
    },
    /// Daftar jumlah yang dinyatakan.
    List {
        /// Sebagai JSON.
        #[arg(long)]
        json: bool,
    },
}

#[derive(clap::Args)]
pub(super) struct SetArgs {
    /// Per tanggal berapa, misalnya 31-10-2026.
    #[arg(long)]
    tanggal: String,
    /// Di mana dinyatakan, misalnya "Monografi desa".
    #[arg(long)]
    sumber: Option<String>,
    /// Hanya untuk dusun atau lingkungan ini (namanya).
    #[arg(long, default_value = "")]
    dusun: String,
    /// Hanya untuk RW ini (nomornya).
    #[arg(long, default_value = "")]
    rw: String,
    /// Hanya untuk RT ini (nomornya).
    #[arg(long, default_value = "")]
    rt: String,
    /// Hanya untuk dasawisma ini (namanya), beserta RT-nya.
    #[arg(long, default_value = "")]
    dasawisma: String,
    /// Jumlahnya: jiwa=5088 laki_laki=2556 perempuan=2532 kk=1600; "kk=-"
    /// menghapus. Yang lain: rumah_tangga, jumlah_dusun, jumlah_rw, jumlah_rt,
    /// jumlah_dasawisma, balita_l, balita_p, pus, wus, lansia.
    #[arg(required = true)]
    jumlah: Vec<String>,
}

pub(super) async fn declare(
    dir: &Path,
    actor: &str,
    command: &DeclareCommand,
) -> anyhow::Result<ExitCode> {
    match command {
        DeclareCommand::Set(args) => set(dir, actor, args).await,
        DeclareCommand::Import { file, dry_run } => import_file(dir, actor, file, *dry_run).await,
        DeclareCommand::Template { file } => template(file),
        DeclareCommand::Remove { id } => remove(dir, actor, *id).await,
        DeclareCommand::List { json } => list(dir, *json).await,
    }
}

/// A statement that the village has, and the entry it stands at.
struct Kept {
    id: RecordId,
    seq: u64,
    stated: PernyataanJumlah,
}

/// The village's statements and regions.
struct Standing {
    node: LocalClient<Channel>,
    places: Places,
    kept: Vec<Kept>,
}

impl Standing {
    async fn read(dir: &Path) -> anyhow::Result<Self> {
        let mut node = node(dir).await?;
        let mut places = Places::default();
        for kind in [Kind::Dusun, Kind::Rw, Kind::Rt, Kind::Dasawisma] {
            for (id, _, record) in records(&mut node, kind).await? {
                places.insert(id, record);
            }
        }
        let stated = records(&mut node, Kind::PernyataanJumlah).await?.into_iter();
        let kept = stated.filter_map(|(id, seq, record)| match record {
            Record::PernyataanJumlah(stated) => Some(Kept { id, seq, stated: *stated }),
            _ => None,
        });
        Ok(Self { node, places, kept: kept.collect() })
    }

    /// What is stated of this region and day already.
    fn find(&self, wilayah: Option<RecordId>, day: Date) -> Option<&Kept> {
        self.kept
            .iter()
            .find(|it| it.stated.wilayah_id == wilayah && it.stated.per_tanggal == Some(day))
    }

    /// Saves statements together, each in the place of what was stated of its
    /// region and day. Says why none was, if so.
    async fn save(
        &mut self,
        actor: &str,
        stated: &[PernyataanJumlah],
    ) -> anyhow::Result<Vec<v1::Note>> {
        let (mut changes, mut seen_seqs) = (Vec::new(), Vec::new());
        for stated in stated {
            let kept = stated.per_tanggal.and_then(|day| self.find(stated.wilayah_id, day));
            seen_seqs.push(kept.map_or(0, |kept| kept.seq));
            changes.push(v1::RecordChange {
                id: kept.map_or_else(Bytes::new, |kept| Bytes::copy_from_slice(kept.id.as_bytes())),
                kind: u32::from(Kind::PernyataanJumlah.code().0),
                delete: false,
                payload: wire::encode(&Record::PernyataanJumlah(Box::new(stated.clone()))),
            });
        }
        self.send(actor, changes, seen_seqs).await
    }

    async fn send(
        &mut self,
        actor: &str,
        changes: Vec<v1::RecordChange>,
        seen_seqs: Vec<u64>,
    ) -> anyhow::Result<Vec<v1::Note>> {
        let request = v1::SaveRequest { actor: actor.to_owned(), changes, seen_seqs };
        let reply = self.node.save(request).await.map_err(said)?.into_inner();
        if reply.refused {
            let why: Vec<_> = reply.notes.iter().filter(|note| note.reject).collect();
            let why = why.iter().map(|note| note.message.as_str()).collect::<Vec<_>>().join(" ");
            anyhow::bail!("{why} Tidak ada yang disimpan.");
        }
        Ok(reply.notes)
    }
}

async fn records(
    node: &mut LocalClient<Channel>,
    kind: Kind,
) -> anyhow::Result<Vec<(RecordId, u64, Record)>> {
    let request = v1::ListRequest { kind: u32::from(kind.code().0), limit: 0 };
    let mut found = node.list(request).await.map_err(said)?.into_inner();
    let mut records = Vec::new();
    while let Some(record) = found.message().await.map_err(said)? {
        let id = RecordId::from_slice(&record.id).unwrap_or_default();
        if let Ok(read) = wire::decode(kind, &record.payload) {
            records.push((id, record.seq, read));
        }
    }
    Ok(records)
}

/// Reads a day as people write it.
fn day(text: &str) -> Result<Date, String> {
    import::date(text.trim()).ok().flatten().ok_or_else(|| {
        format!("Tanggal \"{text}\" tidak terbaca. Tulis seperti 31-10-2026 atau 2026-10-31.")
    })
}

/// Reads a total: digits, with dots between thousands if need be.
fn total(ukuran: Ukuran, text: &str) -> Result<Option<u32>, String> {
    let text = text.trim();
    if text == BLANK {
        return Ok(None);
    }
    let digits: String = text.chars().filter(|c| *c != '.').collect();
    let unread = || format!("{}: \"{text}\" bukan bilangan bulat.", ukuran.label());
    digits.parse().map(Some).map_err(|_| unread())
}

async fn set(dir: &Path, actor: &str, args: &SetArgs) -> anyhow::Result<ExitCode> {
    let nothing = |why: String| anyhow::anyhow!("{why} Tidak ada yang disimpan.");
    let day = day(&args.tanggal).map_err(nothing)?;
    let mut standing = Standing::read(dir).await?;
    let named =
        Named { dusun: &args.dusun, rw: &args.rw, rt: &args.rt, dasawisma: &args.dasawisma };
    let wilayah_id = standing.places.find(named).map_err(nothing)?;
    let mut stated = standing.find(wilayah_id, day).map(|kept| kept.stated.clone());
    let stated = stated.get_or_insert_default();
    (stated.wilayah_id, stated.per_tanggal) = (wilayah_id, Some(day));
    if let Some(sumber) = &args.sumber {
        sumber.clone_into(&mut stated.sumber);
    }
    for pair in &args.jumlah {
        let (key, text) = pair.split_once('=').unwrap_or((pair, ""));
        let ukuran = Ukuran::ALL.into_iter().find(|ukuran| ukuran.key() == key);
        let ukuran = ukuran.ok_or_else(|| {
            let known: Vec<_> = Ukuran::ALL.map(Ukuran::key).into();
            nothing(format!("Jumlah \"{key}\" tidak dikenal. Yang ada: {}.", known.join(", ")))
        })?;
        stated.nyatakan(ukuran, total(ukuran, text).map_err(nothing)?);
    }
    let stated = std::mem::take(stated);
    let notes = standing.save(actor, std::slice::from_ref(&stated)).await?;
    for note in notes {
        eprintln!("Perhatikan: {}", note.message);
    }
    let place = standing.places.name(wilayah_id);
    lumbung_telemetry::say!("Tercatat untuk {place} per {day}: {}.", totals(&stated));
    Ok(ExitCode::SUCCESS)
}

async fn remove(dir: &Path, actor: &str, id: RecordId) -> anyhow::Result<ExitCode> {
    let mut standing = Standing::read(dir).await?;
    let kept = standing.kept.iter().find(|it| it.id == id);
    let kept = kept.context("Pernyataan itu tidak ada di desa ini. Tidak ada yang dihapus.")?;
    let (seq, place) = (kept.seq, standing.places.name(kept.stated.wilayah_id));
    let change = v1::RecordChange {
        id: Bytes::copy_from_slice(id.as_bytes()),
        kind: u32::from(Kind::PernyataanJumlah.code().0),
        delete: true,
        payload: Bytes::new(),
    };
    standing.send(actor, vec![change], vec![seq]).await?;
    lumbung_telemetry::say!("Pernyataan untuk {place} dihapus.");
    Ok(ExitCode::SUCCESS)
}

async fn import_file(
    dir: &Path,
    actor: &str,
    file: &Path,
    dry_run: bool,
) -> anyhow::Result<ExitCode> {
    let unread = || format!("Berkas {} tidak bisa dibaca. Tidak ada yang diubah", file.display());
    let content = std::fs::read(file).with_context(unread)?;
    let mut standing = Standing::read(dir).await?;
    let read = sheet::read(&content, &standing.places)?;
    let (mut new, mut changed, mut same) = (0, 0, 0);
    let mut to_save = Vec::new();
    for stated in read.stated {
        let kept = stated.per_tanggal.and_then(|day| standing.find(stated.wilayah_id, day));
        match kept {
            None => new += 1,
            Some(kept) if kept.stated == stated => {
                same += 1;
                continue;
            }
            Some(_) => changed += 1,
        }
        to_save.push(stated);
    }
    if !dry_run && !to_save.is_empty() {
        standing.save(actor, &to_save).await?;
    }
    for line in read.remarks.iter().chain(&read.rejected) {
        eprintln!("{line}");
    }
    let rejected = read.rejected.len();
    lumbung_telemetry::say!(
        "{new} pernyataan baru, {changed} berubah, {same} sama, {rejected} baris ditolak."
    );
    if dry_run {
        lumbung_telemetry::say!("Ini hanya pemeriksaan: tidak ada yang disimpan.");
    }
    Ok(if rejected == 0 { ExitCode::SUCCESS } else { ExitCode::from(3) })
}

fn template(file: &Path) -> anyhow::Result<ExitCode> {
    let text = sheet::template();
    if file == Path::new("-") {
        lumbung_telemetry::say!("{}", text.trim_end());
        return Ok(ExitCode::SUCCESS);
    }
    std::fs::write(file, text)
        .with_context(|| format!("Berkas {} tidak bisa ditulis", file.display()))?;
    lumbung_telemetry::say!("Tertulis di {}.", file.display());
    Ok(ExitCode::SUCCESS)
}

async fn list(dir: &Path, json: bool) -> anyhow::Result<ExitCode> {
    let mut standing = Standing::read(dir).await?;
    standing
        .kept
        .sort_by_key(|it| (it.stated.wilayah_id, std::cmp::Reverse(it.stated.per_tanggal)));
    let day = |stated: &PernyataanJumlah| {
        stated.per_tanggal.map(|day| day.to_string()).unwrap_or_default()
    };
    if json {
        let told: Vec<_> = standing
            .kept
            .iter()
            .map(|Kept { id, stated, .. }| {
                let jumlah = stated.dinyatakan().map(|(it, count)| (it.key(), count));
                serde_json::json!({
                    "id": id.to_string(),
                    "wilayah_id": stated.wilayah_id.map(|id| id.to_string()),
                    "wilayah": standing.places.name(stated.wilayah_id),
                    "per_tanggal": day(stated),
                    "sumber": stated.sumber,
                    "jumlah": jumlah.collect::<std::collections::BTreeMap<_, _>>(),
                })
            })
            .collect();
        lumbung_telemetry::say!("{}", serde_json::to_string(&told)?);
        return Ok(ExitCode::SUCCESS);
    }
    if standing.kept.is_empty() {
        lumbung_telemetry::say!("Belum ada jumlah yang dinyatakan: declare set, declare import.");
        return Ok(ExitCode::SUCCESS);
    }
    let mut table = super::table(["id", "wilayah", "per tanggal", "sumber", "jumlah"]);
    for Kept { id, stated, .. } in &standing.kept {
        table.add_row([
            id.to_string(),
            standing.places.name(stated.wilayah_id),
            day(stated),
            stated.sumber.clone(),
            totals(stated),
        ]);
    }
    lumbung_telemetry::say!("{table}");
    Ok(ExitCode::SUCCESS)
}

fn totals(stated: &PernyataanJumlah) -> String {
    let each = stated.dinyatakan().map(|(ukuran, count)| format!("{} {count}", ukuran.label()));
    each.collect::<Vec<_>>().join(", ")
}
