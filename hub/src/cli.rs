//! The `lumbung-hub` command: parse, read or serve, print.

mod authority;
mod decisions;
mod erasures;
mod export;
mod findings;
mod hub_backup;
mod incidents;
mod join_token;
mod media;
mod noted;
mod operators;
mod quarantine;
mod recap;
mod records;
mod relay;
mod villages;
mod watch;

use std::ffi::OsString;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::sync::Arc;

use anyhow::Context;
use clap::{Parser, Subcommand};
use lumbung_telemetry::table::with_header as table;
use lumbung_telemetry::traces::{self, Collector, Traces};

use crate::access::Operator;
use crate::backup;
use crate::console::Front;
use crate::dataset::sqlite::SqliteDataset;
use crate::desk::{Desk, DeskParts};
use crate::metrics::OperatorCounts;
use crate::puller::Wishes;
use crate::serve::{self, ServeOptions};
use crate::uplink::Arrivals;
pub(crate) use relay::CommandService;

/// Lumbung kabupaten: mengambil perubahan dari semua desa dan
/// menggabungkannya.
#[derive(Parser)]
#[command(name = "lumbung-hub", version, disable_help_subcommand = true)]
struct Cli {
    /// Folder data kabupaten.
    #[arg(long, global = true, env = "LUMBUNG_HUB", default_value = "lumbung-kabupaten")]
    data: PathBuf,
    #[command(subcommand)]
    command: Command,
}

/// In which form the hub logs.
#[derive(Clone, Copy, Debug, Default, clap::ValueEnum)]
enum LogFormat {
    /// Sesuai tempat.
    #[default]
    #[value(name = "sesuai")]
    Fitting,
    /// Untuk dibaca orang.
    #[value(name = "teks")]
    Text,
    /// Satu baris JSON tiap kejadian.
    Json,
}

impl From<LogFormat> for lumbung_telemetry::Format {
    fn from(format: LogFormat) -> Self {
        match format {
            LogFormat::Fitting => Self::Fitting,
            LogFormat::Text => Self::Text,
            LogFormat::Json => Self::Json,
        }
    }
}

#[derive(Subcommand)]
enum Command {
    /// Menjalankan hub dan konsolnya.
    Serve {
        /// Alamat konsol.
        #[arg(long, default_value = "127.0.0.1:8700")]
        console: SocketAddr,
        /// Konsol hanya dibuka lewat HTTPS, yang dibuat proxy di depannya.
        #[arg(long)]
        console_https: bool,
        /// Alamat IP proxy di depan konsol: hanya dia yang dipercaya soal siapa yang datang dan
        /// lewat apa (X-Forwarded-For, X-Forwarded-Proto).
        #[arg(long, value_name = "IP")]
        console_proxy: Option<std::net::IpAddr>,
        /// Alamat tempat node desa bergabung dan menghubungi hub.
        #[arg(long, default_value = "0.0.0.0:8710")]
        uplink: SocketAddr,
        /// Alamat metrik untuk Prometheus, di komputer ini saja; tidak disajikan tanpa ini.
        #[arg(long)]
        metrics: Option<SocketAddr>,
        /// Bentuk log: json, teks, atau sesuai tempat (teks di terminal, json di tempat lain).
        #[arg(long, value_enum, default_value_t)]
        log_format: LogFormat,
        /// Alamat pengumpul jejak OTLP/gRPC (Jaeger, Tempo, OpenTelemetry Collector), misalnya
        /// http://127.0.0.1:4317; tidak ada jejak tanpa ini.
        #[arg(long, value_name = "URL", env = "OTEL_EXPORTER_OTLP_ENDPOINT")]
        otlp: Option<String>,
        /// Bagian jejak yang dikirim: 1 semua, 0.1 satu dari sepuluh.
        #[arg(long, value_name = "BAGIAN", default_value_t = 1.0, requires = "otlp")]
        otlp_ratio: f64,
        /// Alamat untuk operator dari jauh (lumbung-hubctl dengan sertifikat), misalnya
        /// 0.0.0.0:8702; tidak dilayani tanpa ini.
        #[arg(long)]
        admin: Option<SocketAddr>,
        /// Sambungan desa yang dilayani sekaligus; selebihnya diminta datang lagi.
        #[arg(long, default_value_t = crate::uplink::SESSIONS_MAX)]
        sessions_max: usize,
        /// Peta desa (GeoJSON, kode desa di properti) untuk konsol.
        #[arg(long)]
        map: Option<PathBuf>,
        /// Operator harus punya kode dua langkah sebelum membuka atau
        /// mengekspor data dan mengubah kunci atau operator.
        #[arg(long)]
        require_second_factor: bool,
    },
    /// Akar semua sertifikat di kabupaten.
    #[command(subcommand)]
    Authority(authority::AuthorityCommand),
    /// Token untuk node desa yang akan bergabung.
    #[command(subcommand)]
    JoinToken(join_token::JoinTokenCommand),
    /// Daftar desa yang diikuti.
    #[command(subcommand)]
    Villages(villages::VillagesCommand),
    /// Keadaan seluruh kabupaten.
    Status(villages::StatusArgs),
    /// Apa yang perlu dilakukan siapa, dan mengapa.
    Needs(watch::NeedsArgs),
    /// Siapa yang dihubungi tentang suatu desa.
    #[command(subcommand)]
    Narahubung(watch::NarahubungCommand),
    /// Kapan tidak ada yang perlu diberi tahu.
    #[command(subcommand)]
    Maintenance(watch::MaintenanceCommand),
    /// Pemberitahuan lewat surel dan webhook.
    #[command(subcommand)]
    Alert(watch::AlertCommand),
    /// Rekapitulasi PKK suatu wilayah.
    Recap(recap::RecapArgs),
    /// Menulis catatan ke berkas.
    Export(export::ExportArgs),
    /// Catatan satu jenis.
    Query(records::QueryArgs),
    /// Satu catatan lengkap.
    Show(records::ShowArgs),
    /// Pertentangan antardesa.
    Findings(findings::FindingsArgs),
    /// Apa yang pernah terjadi dengan desa dan datanya.
    Incidents(incidents::IncidentsArgs),
    /// Operator konsol: siapa yang boleh masuk.
    #[command(subcommand)]
    Operators(operators::OperatorsCommand),
    /// Buku penghapusan: catatan yang dihapus permanen oleh desa.
    Erasures(erasures::ErasuresArgs),
    /// Bundel yang dibawa desa di stik USB.
    #[command(subcommand)]
    Bundle(media::BundleCommand),
    /// Cadangan hub ini, dan cadangan desa.
    #[command(subcommand)]
    Backup(media::BackupCommand),
    Restore(hub_backup::RestoreArgs),
    /// Catatan yang belum bisa diterima hub.
    #[command(subcommand)]
    Quarantine(quarantine::QuarantineCommand),
}

impl Command {
    /// Whether it needs nothing but the dataset, so that a running hub can do
    /// it.
    const fn is_of_dataset(&self) -> bool {
        !matches!(
            self,
            Self::Serve { .. }
                | Self::Alert(_)
                | Self::Authority(_)
                | Self::Backup(_)
                | Self::Bundle(_)
                | Self::Restore(_)
        )
    }

    /// Its files are named from this folder.
    fn named_from(mut self, folder: &Path) -> Self {
        let file = match &mut self {
            Self::Export(args) => Some(&mut args.file),
            Self::Recap(args) => args.out.as_mut(),
            Self::JoinToken(join_token::JoinTokenCommand::Create(args)) => args.page.as_mut(),
            _ => None,
        };
        if let Some(file) = file {
            *file = folder.join(&file);
        }
        self
    }
}

/// Where a command of the dataset runs.
struct Workplace<'a> {
    /// The hub's folder.
    data: &'a Path,
    dataset: &'a Arc<SqliteDataset>,
    /// Who called it, a user of this machine.
    user: &'a str,
    /// Where it was called; `None` = here.
    folder: Option<&'a Path>,
}

impl Workplace<'_> {
    /// The desk as whoever runs the hub's own commands has it: what is opened
    /// and what leaves here is asked for and noted as everywhere.
    fn desk(&self) -> (Desk, Operator) {
        let desk = Desk::new(DeskParts {
            dataset: self.dataset.clone(),
            audit: self.dataset.clone(),
            live: Arc::default(),
            registry: self.dataset.clone(),
            wishes: Wishes::default(),
            identity: self.data.join("identity"),
            counts: OperatorCounts::default(),
            arrivals: Arrivals::default(),
            letters: crate::alerting::config_file(self.data),
        });
        (desk, Operator::of_this_machine(self.user))
    }
}

/// Runs the command line and gives its exit code: 0 done, 1 failed, 2 used
/// wrongly.
pub fn main(args: impl IntoIterator<Item = OsString>) -> ExitCode {
    let args: Vec<OsString> = args.into_iter().collect();
    let cli = match Cli::try_parse_from(&args) {
        Ok(cli) => cli,
        Err(error) => {
            let code = if error.use_stderr() { 2 } else { 0 };
            drop(error.print());
            return ExitCode::from(code);
        }
    };
    // Serving begins to log by itself: traces need its runtime.
    if !matches!(cli.command, Command::Serve { .. }) {
        lumbung_telemetry::start("warn");
    }
    match run(cli, &args) {
        Ok(code) => code,
        Err(error) => {
            eprintln!("{error:#}");
            ExitCode::FAILURE
        }
    }
}

fn run(cli: Cli, args: &[OsString]) -> anyhow::Result<ExitCode> {
    if let Command::Serve {
        console,
        console_https,
        console_proxy,
        uplink,
        metrics,
        admin,
        sessions_max,
        map,
        require_second_factor,
        log_format,
        otlp,
        otlp_ratio,
    } = cli.command
    {
        let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
        let traces = {
            let _within = runtime.enter();
            observe(log_format, otlp, otlp_ratio)?
        };
        let front = Front { https: console_https, proxy: console_proxy };
        let data = cli.data;
        let options = ServeOptions {
            data,
            console,
            front,
            uplink,
            metrics,
            admin,
            sessions_max,
            map,
            require_second_factor,
        };
        let stop = {
            let _within = runtime.enter();
            lumbung_telemetry::stop::asked()
        };
        let served = runtime.block_on(serve::run(options, stop));
        if let Some(traces) = traces {
            traces.end();
        }
        // Console pages that are still open don't hold the process.
        runtime.shutdown_timeout(std::time::Duration::from_secs(1));
        return served.map(|()| ExitCode::SUCCESS);
    }
    std::fs::create_dir_all(&cli.data)
        .with_context(|| format!("Folder {} tidak bisa dipakai", cli.data.display()))?;
    let lock = if cli.command.is_of_dataset() {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
        match runtime.block_on(relay::Way::to(&cli.data))? {
            relay::Way::Hub(hub) => {
                let args = args.iter().skip(1).map(|arg| arg.to_str().map(str::to_owned));
                let args = args.collect::<Option<Vec<_>>>();
                let args = args.context("Perintah ini berisi huruf yang tidak dikenal")?;
                return runtime.block_on(relay::hand_over(hub, args));
            }
            relay::Way::File(lock) => Some(lock),
        }
    } else {
        None
    };
    let user = std::env::var("USER").unwrap_or_else(|_| "hub".into());
    if let Command::Backup(command) = &cli.command {
        return media::backup(command, &cli.data, &user).map(|()| ExitCode::SUCCESS);
    }
    if let Command::Restore(args) = &cli.command {
        return hub_backup::restore(args, &cli.data, &user).map(|()| ExitCode::SUCCESS);
    }
    if let Command::Alert(command) = &cli.command {
        return watch::alert(command, &cli.data).map(|()| ExitCode::SUCCESS);
    }
    let dataset = SqliteDataset::open(serve::dataset_file(&cli.data))
        .context("Data kabupaten tidak bisa dibuka. Tidak ada yang diubah")?;
    let place =
        Workplace { data: &cli.data, dataset: &Arc::new(dataset), user: &user, folder: None };
    perform(cli.command, &place)?;
    drop(lock);
    Ok(ExitCode::SUCCESS)
}

/// Begins to log, and to trace when there is a collector for it.
fn observe(
    log_format: LogFormat,
    collector: Option<String>,
    ratio: f64,
) -> anyhow::Result<Option<Traces>> {
    // Set to nothing is not set, as OpenTelemetry has it.
    let Some(endpoint) = collector.filter(|endpoint| !endpoint.is_empty()) else {
        lumbung_telemetry::start_as("info", log_format.into());
        return Ok(None);
    };
    let collector =
        Collector { endpoint, ratio, service: "lumbung-hub", version: env!("CARGO_PKG_VERSION") };
    let traces = traces::start_as("info", log_format.into(), &collector).context(
        "Jejak tidak bisa dikirim ke alamat --otlp. Tidak ada yang dijalankan. Contoh yang benar: \
         http://127.0.0.1:4317",
    )?;
    lumbung_telemetry::say!("Jejak dikirim ke {}.", collector.endpoint);
    Ok(Some(traces))
}

/// Runs a command on the open dataset.
fn perform(command: Command, place: &Workplace<'_>) -> anyhow::Result<()> {
    let command = match place.folder {
        Some(folder) => command.named_from(folder),
        None => command,
    };
    noted::note(&command, place)?;
    let (data, dataset) = (place.data, &**place.dataset);
    match command {
        Command::Serve { .. } | Command::Backup(_) | Command::Restore(_) | Command::Alert(_) => {
            Ok(())
        }
        Command::Operators(command) => operators::run(command, place.dataset, place.user),
        Command::Needs(args) => watch::needs(&args, dataset),
        Command::Narahubung(command) => watch::narahubung(&command, dataset),
        Command::Maintenance(command) => watch::maintenance(&command, dataset),
        Command::Bundle(command) => media::bundle(&command, data, dataset),
        Command::Authority(command) => authority::run(&command, data, dataset),
        Command::JoinToken(command) => join_token::run(&command, data, dataset),
        Command::Villages(command) => villages::villages(&command, dataset),
        Command::Status(args) => villages::status(&args, backup::set_aside(data).len(), dataset),
        Command::Recap(args) => recap::run(&args, place),
        Command::Export(args) => export::run(&args, place),
        Command::Query(args) => records::query(&args, dataset),
        Command::Show(args) => records::show(&args, place),
        Command::Findings(args) => findings::run(&args, dataset),
        Command::Incidents(args) => incidents::run(&args, dataset),
        Command::Erasures(args) => erasures::run(&args, dataset.path()),
        Command::Quarantine(command) => quarantine::run(&command, dataset),
    }
}

/// The village with this code in the roster.
fn village(code: &str) -> anyhow::Result<&'static lumbung_domain::region::Desa> {
    use lumbung_domain::region::{VillageCode, roster};
    VillageCode::parse(code).ok().and_then(|code| roster().village(code)).with_context(|| {
        format!("Kode {code} bukan desa atau kelurahan di Kabupaten Blitar. Tidak ada yang diubah")
    })
}

#[cfg(test)]
mod tests {
    #[test]
    fn a_table_has_a_line_below_its_header_and_none_between_rows() {
        let mut table = super::table(["kode", "desa"]);
        table.add_row(["35.05.01.2001", "Jaten"]).add_row(["35.05.01.2002", "Salam"]);
        let printed = table.to_string();
        let ruled: Vec<_> = printed.lines().map(|line| line.contains('─')).collect();
        assert_eq!(ruled, [false, true, false, false], "{printed}");
    }
}
