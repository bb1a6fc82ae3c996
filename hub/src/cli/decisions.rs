//! `villages leftovers`, `villages branch` and `villages resolve`: what only
//! an operator decides after a village was reinstalled, restored or doubled.

use lumbung_domain::id::{Kind, KindCode};
use lumbung_domain::region::VillageCode;
use lumbung_telemetry::clock;

use super::{table, village};
use crate::dataset::HubsOwn;
use crate::desk::machine::{leftovers_forgotten, leftovers_returned, one_machine_left};

#[derive(clap::Args)]
pub(super) struct LeftoversArgs {
    /// Kode desa.
    pub(super) code: String,
    /// Kembalikan ke desa; desa memakai isinya sendiri bila sudah ada.
    #[arg(long = "return", conflicts_with = "forget")]
    hand_back: bool,
    /// Akhiri: tidak terbaca lagi, versinya tetap tersimpan.
    #[arg(long)]
    forget: bool,
}

impl LeftoversArgs {
    /// Whether it decides something, and does not only look.
    pub(super) const fn decides(&self) -> bool {
        self.hand_back || self.forget
    }
}

fn kind_name(kind: KindCode) -> String {
    Kind::from_code(kind).map_or_else(|| format!("jenis {}", kind.0), |kind| kind.to_string())
}

pub(super) fn leftovers(args: &LeftoversArgs, dataset: &dyn HubsOwn) -> anyhow::Result<()> {
    let code = village(&args.code)?.code;
    let left = dataset.village(code)?.leftovers;
    if left == 0 {
        lumbung_telemetry::say!("Tidak ada catatan lama yang menunggu. Tidak ada yang diubah.");
        return Ok(());
    }
    let now = clock::now_ms();
    if args.hand_back {
        let count = dataset.return_leftovers(code, &leftovers_returned, now)?;
        lumbung_telemetry::say!(
            "{count} catatan lama akan dikembalikan pada kontak berikutnya. Hasilnya: lumbung-hub \
             villages branch {code}."
        );
        return Ok(());
    }
    if args.forget {
        let count = dataset.forget_leftovers(code, &leftovers_forgotten, now)?;
        lumbung_telemetry::say!("{count} catatan lama diakhiri. Versinya tetap tersimpan.");
        return Ok(());
    }
    let mut table = table(["jenis", "catatan lama"]);
    for (kind, count) in dataset.leftovers(code)? {
        table.add_row([kind_name(kind), count.to_string()]);
    }
    lumbung_telemetry::say!("{table}");
    lumbung_telemetry::say!(
        "{left} catatan dari log lama, tidak ikut dihitung. Pilih --return untuk \
         mengembalikannya ke desa atau --forget untuk mengakhirinya."
    );
    Ok(())
}

#[derive(clap::Args)]
pub(super) struct BranchArgs {
    /// Kode desa.
    code: String,
    /// Paling banyak sekian.
    #[arg(long, default_value_t = 100)]
    limit: u32,
}

pub(super) fn branch(args: &BranchArgs, dataset: &dyn HubsOwn) -> anyhow::Result<()> {
    let code = village(&args.code)?.code;
    let mut table = table(["no", "catatan", "jenis", "nomor", "ditulis", "oleh", "hasil"]);
    for version in dataset.branch(&dataset.whole(), code, args.limit)? {
        table.add_row([
            version.number.to_string(),
            version.id.to_string(),
            kind_name(version.kind),
            format!("{}.{}", version.epoch, version.seq),
            clock::display(version.time_ms),
            version.actor.to_string(),
            version.outcome.words().to_owned(),
        ]);
    }
    lumbung_telemetry::say!("{table}");
    Ok(())
}

pub(super) fn resolve(code: &str, dataset: &dyn HubsOwn) -> anyhow::Result<()> {
    let code = village(code)?.code;
    if dataset.resolve_twin(code, &one_machine_left(), clock::now_ms())? {
        lumbung_telemetry::say!("Penggabungan desa {code} berjalan lagi pada kontak berikutnya.");
    } else {
        lumbung_telemetry::say!("Desa {code} tidak sedang dihentikan. Tidak ada yang diubah.");
    }
    Ok(())
}

/// Says that the damaged stores a village keeps aside may go.
pub(super) fn release_aside(code: &str, dataset: &dyn HubsOwn) -> anyhow::Result<()> {
    let desa = village(code)?;
    let released = dataset.release_damaged_stores(desa.code, clock::now_ms())?;
    anyhow::ensure!(
        released > 0,
        "Tidak ada berkas rusak {} yang menunggu keputusan. Tidak ada yang diubah.",
        desa.full_name()
    );
    lumbung_telemetry::say!(
        "Komputer {} diberi tahu saat menghubungi hub berikutnya, atau lewat jawaban di stik, bahwa \
         berkas rusaknya boleh dihapus. Node menghapusnya sendiri 30 hari sesudah itu.",
        desa.full_name()
    );
    Ok(())
}

/// The damaged stores that a village keeps aside.
pub(super) fn show_aside(code: VillageCode, dataset: &dyn HubsOwn) -> anyhow::Result<()> {
    for store in dataset.damaged_stores(code)? {
        let at = clock::display(store.at_ms);
        let what = match (store.may_go, store.whole) {
            (true, _) => "boleh dihapus".to_owned(),
            (false, true) => "tunggu sampai terbukti sama".to_owned(),
            (false, false) => format!(
                "mungkin berisi yang belum pernah sampai di sini; bila sudah diperiksa: lumbung-hub \
                 villages release-aside {code}"
            ),
        };
        lumbung_telemetry::say!("Berkas rusak di komputer desa ({at}, jam desa): {what}.");
    }
    Ok(())
}
