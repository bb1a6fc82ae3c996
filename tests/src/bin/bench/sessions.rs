//! (i) What sessions of nodes that dial cost, by the thousand.
//!
//! The hub is a real process; the nodes are real ones in everything but
//! their disk: the same uplink, TLS and services over barns in memory, all in
//! one process. First they come one and all, then they are idle, then the hub
//! is killed and all return at once while its console is asked.

use std::net::SocketAddr;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::time::{Duration, Instant};

use anyhow::Context;
use lumbung_demo::ports::free_address;
use lumbung_domain::id::Kind;
use lumbung_domain::record::{Dusun, Record};
use lumbung_domain::region::VillageCode;
use lumbung_hub::dataset::Dataset;
use lumbung_hub::dataset::sqlite::SqliteDataset;
use lumbung_hub::registry::{Redemption, Registry};
use lumbung_identity::{Authority, Lifetime};
use lumbung_ledger::{LogId, Source};
use lumbung_link::meter::Traffic;
use lumbung_node::barn::{Ground, MemoryStore};
use lumbung_node::identity::{self, Identity, Membership, hex};
use lumbung_node::serving::{Confirmed, SyncService};
use lumbung_node::uplink::{self, Account, Services};
use lumbung_node::village::{Village, Wish};
use lumbung_telemetry::clock::{self, Clock};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};

use crate::clicks::browser::{Browser, Secret};
use crate::machine;

/// Records of each village before it comes.
const RECORDS: usize = 5;

/// How long everything is left alone, seconds: two signs of life of each.
const IDLE: Duration = Duration::from_secs(200);

/// Given up after this.
const WITHIN: Duration = Duration::from_secs(900);

/// TCP and IP headers with timestamps, bytes a packet.
const PACKET_HEADER: f64 = 52.0;

struct Node {
    code: VillageCode,
    traffic: Traffic,
    account: Arc<Account>,
}

pub(crate) async fn measure(sessions: usize) -> anyhow::Result<()> {
    let dir = tempfile::tempdir()?;
    let (console, port) = (free_address()?, free_address()?);
    let codes = codes(sessions);
    println!("(i) {sessions} nodes that dial in, TLS on every line");
    enrol(dir.path(), &codes, port)?;
    let mut secret = account(dir.path())?;
    let mut hub = spawn(dir.path(), console, port, sessions)?;
    let cookie = signed_in(console, &mut secret).await.context("the hub does not answer")?;
    let before_mb = rss_mb(hub.id());
    let begun = Instant::now();
    let mut nodes = Vec::with_capacity(sessions);
    for code in &codes {
        nodes.push(start(dir.path(), *code).await?);
    }
    let dataset = SqliteDataset::open(dir.path().join("hub/hub.db"))?;
    let came = proven(&dataset, &codes, 0, (console, &cookie)).await?;
    println!("    first connected, merged and proven   {:>9.1} s", begun.elapsed().as_secs_f64());
    println!("    asked meanwhile, console p50 / max   {:>5.0} / {:.0} ms", came.0, came.1);
    tokio::time::sleep(Duration::from_secs(5)).await;
    let held_mb = rss_mb(hub.id());
    println!("    hub's memory, empty / with all       {before_mb:>5.0} / {held_mb:.0} MB");
    let each_kb = (held_mb - before_mb) * 1024.0 / sessions as f64;
    println!("    hub's memory per idle session        {each_kb:>9.1} KB");
    idle(&nodes, hub.id()).await;
    hub.kill()?;
    hub.wait()?;
    let since_ms = clock::now_ms();
    let begun = Instant::now();
    let mut hub = spawn(dir.path(), console, port, sessions)?;
    answer(console, &cookie).await.context("the hub does not answer")?;
    let back = proven(&dataset, &codes, since_ms, (console, &cookie)).await?;
    println!("    all back and proven after a restart  {:>9.1} s", begun.elapsed().as_secs_f64());
    println!("    asked meanwhile, console p50 / max   {:>5.0} / {:.0} ms\n", back.0, back.1);
    hub.kill()?;
    hub.wait()?;
    Ok(())
}

/// Codes of made-up villages, in the shape of real ones.
fn codes(count: usize) -> Vec<VillageCode> {
    let kecamatan = (3_505_010_000..).step_by(10_000);
    let all = kecamatan.flat_map(|base| (2_001..2_900).map(move |desa| base + desa));
    all.filter_map(VillageCode::from_u64).take(count).collect()
}

/// Lets every village join, without a token's errand each.
fn enrol(dir: &Path, codes: &[VillageCode], port: SocketAddr) -> anyhow::Result<()> {
    let now_ms = clock::now_ms();
    std::fs::create_dir_all(dir.join("hub"))?;
    let authority = Authority::open(&dir.join("hub/identity"), now_ms)?;
    let dataset = SqliteDataset::open(dir.join("hub/hub.db"))?;
    let life = Lifetime::default().node;
    let until_ms = now_ms + i64::try_from(life.as_millis())?;
    for (number, code) in codes.iter().enumerate() {
        let data = dir.join(code.compact());
        let key = identity::key(&data)?;
        let mut secret_hash = [0; 32];
        secret_hash[..8].copy_from_slice(&number.to_le_bytes());
        dataset.add_token(secret_hash, *code, false, now_ms, until_ms)?;
        let redemption = Redemption {
            secret_hash,
            village: *code,
            key: key.public(),
            certified_until_ms: until_ms,
            root: authority.root_hash(),
        };
        dataset.redeem(&redemption, now_ms)??;
        let certificate = authority.issue_node(*code, &key.public(), now_ms, life)?;
        let membership = Membership {
            address: port.to_string(),
            certificate: hex(&certificate),
            anchors: authority.anchors().iter().map(|root| hex(root)).collect(),
            hub_key: hex(&authority.hub_key().public().0),
        };
        Identity::keep(&data, &membership)?;
    }
    Ok(())
}

async fn start(dir: &Path, code: VillageCode) -> anyhow::Result<Node> {
    let data = dir.join(code.compact());
    let mut log_id = [0; 16];
    log_id[..8].copy_from_slice(&code.as_u64().to_le_bytes());
    let ground =
        Ground { store: Arc::new(MemoryStore::default()), witness: None, salts: code.as_u64() };
    let village = Village::open_in_task(ground, Some(LogId(log_id)), code, Clock::default())?;
    let dusun = |nth| {
        let nama = format!("DUSUN {nth}");
        let record = Some(Record::Dusun(Dusun { nama, ..Dusun::default() }));
        Wish { id: None, kind: Kind::Dusun, record, seen: None }
    };
    village.save("ukur", Source::MANUAL, (0..RECORDS).map(dusun).collect()).await?;
    let confirmed: Arc<Confirmed> = Arc::default();
    let mut incarnation = [0; 16];
    incarnation[..8].copy_from_slice(&code.as_u64().to_be_bytes());
    let sync = SyncService::new(village.clone(), incarnation, Arc::clone(&confirmed));
    let services =
        Services { sync, barn: village.barn().clone(), confirmed, witness: None, unclean_stops: 0 };
    let traffic = Traffic::default();
    let account = Arc::new(Account::open(&uplink::account_file(&data), traffic.clone()));
    let identity = Identity::load(&data)?.context("enrolled before")?;
    tokio::spawn(uplink::keep(identity, services, traffic.clone(), Arc::clone(&account)));
    Ok(Node { code, traffic, account })
}

/// Waits until every village was proven after `since_ms`, asking the console
/// meanwhile; the median and the longest answer in milliseconds.
async fn proven(
    dataset: &SqliteDataset,
    codes: &[VillageCode],
    since_ms: i64,
    (console, cookie): (SocketAddr, &str),
) -> anyhow::Result<(f64, f64)> {
    let begun = Instant::now();
    let mut answers = Vec::new();
    loop {
        let asked = Instant::now();
        answer(console, cookie).await?;
        answers.push(asked.elapsed().as_secs_f64() * 1_000.0);
        let states = tokio::task::block_in_place(|| dataset.villages())?;
        let done = states.iter().filter(|state| state.last_proof_ms > since_ms).count();
        if done >= codes.len() {
            break;
        }
        anyhow::ensure!(begun.elapsed() < WITHIN, "only {done} of {} are proven", codes.len());
        tokio::time::sleep(Duration::from_millis(250)).await;
    }
    answers.sort_by(f64::total_cmp);
    let middle = answers.get(answers.len() / 2).copied().unwrap_or_default();
    Ok((middle, answers.last().copied().unwrap_or_default()))
}

async fn idle(nodes: &[Node], hub: u32) {
    let crossed =
        || -> u64 { nodes.iter().map(|node| node.traffic.received() + node.traffic.sent()).sum() };
    let connected = nodes.iter().filter(|node| node.account.state().connected);
    let connected = connected.count();
    let (bytes, cpu) = (crossed(), machine::cpu_seconds(hub));
    tokio::time::sleep(IDLE).await;
    let bytes = (crossed() - bytes) as f64 / nodes.len() as f64;
    let cpu = machine::cpu_seconds(hub) - cpu;
    // Silences of 60 and 120 seconds: two signs of life.
    let sign = bytes / 2.0;
    let a_day = 24.0 * 60.0 * 60.0 / lumbung_link::quiet::LONGEST.as_secs_f64();
    // Every fourth sign is answered; each packet is acknowledged by another.
    let packets = 2.0 + 2.0 / 4.0;
    let village = nodes.first().map_or_else(String::new, |node| node.code.to_string());
    println!("    connected while idle                 {connected:>9} (first: {village})");
    println!("    a sign of life, inside TCP           {sign:>9.1} bytes");
    println!(
        "    a day at a sign every 15 minutes     {:>9.1} KB with TCP/IP headers (computed)",
        a_day * (sign + packets * PACKET_HEADER) / 1_000.0
    );
    let share = cpu / IDLE.as_secs_f64() * 100.0;
    println!("    hub's CPU while all are idle         {share:>9.1} % of a core");
}

fn rss_mb(pid: u32) -> f64 {
    let status = std::fs::read_to_string(format!("/proc/{pid}/status")).unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:")).unwrap_or("0");
    let kb: f64 = line.trim().trim_end_matches(" kB").parse().unwrap_or(0.0);
    kb / 1024.0
}

fn spawn(
    dir: &Path,
    console: SocketAddr,
    port: SocketAddr,
    sessions: usize,
) -> anyhow::Result<Child> {
    let log = std::fs::File::options().create(true).append(true).open(dir.join("hub.log"))?;
    Command::new(std::env::current_exe()?)
        .args(["part-hub", "--data"])
        .arg(dir.join("hub"))
        .args(["serve", "--console", &console.to_string(), "--uplink", &port.to_string()])
        .args(["--sessions-max", &(sessions * 2).to_string()])
        .stdin(Stdio::null())
        .stdout(log.try_clone()?)
        .stderr(log)
        .spawn()
        .context("the hub can't be started")
}

/// Makes an operator of the whole kabupaten.
fn account(dir: &Path) -> anyhow::Result<Secret> {
    let name = "kabupaten.satu";
    let made = Command::new(std::env::current_exe()?)
        .args(["part-hub", "--data"])
        .arg(dir.join("hub"))
        .args(["operators", "add", name, "--plain", "--role", "kab.operator"])
        .output()?;
    anyhow::ensure!(made.status.success(), "{}", String::from_utf8_lossy(&made.stderr));
    Ok(Secret { name, password: String::from_utf8(made.stdout)?.trim().to_owned() })
}

/// Signs in as soon as the console can be reached; the session's cookie.
async fn signed_in(console: SocketAddr, secret: &mut Secret) -> anyhow::Result<String> {
    let begun = Instant::now();
    let mut browser = loop {
        match Browser::open(console).await {
            Ok(browser) => break browser,
            Err(error) if begun.elapsed() > Duration::from_secs(60) => return Err(error),
            Err(_) => tokio::time::sleep(Duration::from_millis(50)).await,
        }
    };
    browser.choose_password(secret).await?;
    browser.sign_in(secret).await
}

/// Asks the console for its first page, until it answers.
async fn answer(console: SocketAddr, cookie: &str) -> anyhow::Result<()> {
    let begun = Instant::now();
    loop {
        if let Ok(mut stream) = tokio::net::TcpStream::connect(console).await {
            let request = format!(
                "GET / HTTP/1.1\r\nHost: {console}\r\nCookie: {cookie}\r\nConnection: close\r\n\r\n"
            );
            let mut page = Vec::new();
            if stream.write_all(request.as_bytes()).await.is_ok()
                && stream.read_to_end(&mut page).await.is_ok()
                && page.starts_with(b"HTTP/1.1 200")
            {
                return Ok(());
            }
        }
        anyhow::ensure!(begun.elapsed() < Duration::from_secs(60), "no answer in a minute");
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
}
