//! (j) Operators at the console while every village syncs.
//!
//! Signed-in browsers, each on a connection of its own that stays open, click
//! a page every one to three seconds; whoever looks at the first page also
//! listens to its updates, as a browser does. Meanwhile villages save, the hub
//! merges and proves. Beside it the raw limit: one browser alone, the same
//! pages, nobody saving.

pub(crate) mod browser;
mod edits;
mod pages;

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::{Duration, Instant};

use lumbung_hub::dataset::Dataset as _;
use lumbung_hub::dataset::sqlite::SqliteDataset;
use rand::{RngExt as _, SeedableRng as _};
use rand_chacha::ChaCha8Rng;
use tokio::task::{AbortHandle, JoinSet};

use self::browser::{Browser, Secret};
use self::pages::{Page, Places};
use crate::machine::{self, cpu_seconds};
use crate::nodes::District;

/// Operators who click at the same time.
pub(crate) const OPERATORS: usize = 200;

/// How long they click.
const CLICKING: Duration = Duration::from_secs(60);

/// Clicks of each kind by the browser that is alone.
const ALONE: usize = 12;

/// Between two clicks of one operator, milliseconds.
const PAUSE_MS: std::ops::Range<u64> = 1_000..3_000;

/// Accounts, by their role; the sessions are shared out among them.
const ACCOUNTS: [(&str, &str, &[&str]); 8] = [
    ("kepala.satu", "kab.kepala", &[]),
    ("kabupaten.satu", "kab.operator", &[]),
    ("kabupaten.dua", "kab.operator", &[]),
    ("kecamatan.satu", "kec.operator", &["35.05.01"]),
    ("kecamatan.dua", "kec.operator", &["35.05.11", "35.05.12"]),
    ("pemeriksa.satu", "auditor", &[]),
    ("keamanan.satu", "kab.keamanan", &[]),
    ("dukungan.satu", "dukungan", &[]),
];

/// How long each page took, milliseconds.
#[derive(Default)]
struct Waits {
    by_page: BTreeMap<Page, Vec<f64>>,
    errors: usize,
    bytes: usize,
    updates: usize,
}

impl Waits {
    fn add(&mut self, other: Self) {
        for (page, waits) in other.by_page {
            self.by_page.entry(page).or_default().extend(waits);
        }
        self.errors += other.errors;
        self.bytes += other.bytes;
        self.updates += other.updates;
    }

    fn clicks(&self) -> usize {
        self.by_page.values().map(Vec::len).sum()
    }

    fn all(&self) -> Vec<f64> {
        self.by_page.values().flatten().copied().collect()
    }
}

fn at(waits: &mut [f64], share: f64) -> f64 {
    waits.sort_by(f64::total_cmp);
    waits.get((waits.len() as f64 * share) as usize).copied().unwrap_or_default()
}

pub(crate) async fn measure(district: &District, operators: usize) -> anyhow::Result<()> {
    let Some((console, hub)) = district.hub() else { anyhow::bail!("the hub does not run") };
    let begun = Instant::now();
    let mut made = tokio::task::block_in_place(|| accounts(district))?;
    let signed_in = sign_in(console, &mut made, operators).await?;
    let seconds = begun.elapsed().as_secs_f64();
    println!("(j) {operators} operators at the console of {} villages", district.nodes.len());
    println!("    accounts made, all signed in  {seconds:>9.1} s");
    let dataset = SqliteDataset::open(district.hub_file())?;
    let places = Arc::new(tokio::task::block_in_place(|| Places::of(&dataset, district))?);
    let mut alone = alone(console, &signed_in, &places).await?;
    let edits = edits::begin(district).await?;
    let merged = |states: &[lumbung_hub::dataset::VillageState]| -> u64 {
        states.iter().filter_map(|it| it.position).map(|it| it.seq.0).sum()
    };
    let before = merged(&tokio::task::block_in_place(|| dataset.villages())?);
    let cpu = cpu_seconds(hub);
    let mut waits = click(console, &signed_in, &places).await?;
    let cpu = cpu_seconds(hub) - cpu;
    let after = merged(&tokio::task::block_in_place(|| dataset.villages())?);
    let edited = edits.end();
    report(&mut waits, &mut alone);
    let seconds = CLICKING.as_secs_f64();
    println!("    pages a second                {:>9.1}", waits.clicks() as f64 / seconds);
    println!("    updates of first pages        {:>9.1} a second", waits.updates as f64 / seconds);
    println!(
        "    on the wire                   {:>9.1} KB a page",
        waits.bytes as f64 / waits.clicks().max(1) as f64 / 1e3
    );
    println!("    errors                        {:>9}", waits.errors);
    println!("    saved by nodes                {:>9.1} a second", edited as f64 / seconds);
    println!(
        "    merged meanwhile              {:>9.1} a second",
        (after - before) as f64 / seconds
    );
    println!("    hub's CPU                     {:>9.0} % of a core", cpu / seconds * 100.0);
    println!("    load at the end               {:>9}\n", machine::load());
    Ok(())
}

fn report(waits: &mut Waits, alone: &mut Waits) {
    println!("    ms                        p50     p95     p99   alone p50   ratio of p50");
    let line = |name: &str, mut waits: Vec<f64>, mut alone: Vec<f64>| {
        let (p50, quiet) = (at(&mut waits, 0.5), at(&mut alone, 0.5));
        let (p95, p99) = (at(&mut waits, 0.95), at(&mut waits, 0.99));
        let ratio = p50 / quiet;
        println!("    {name:<20} {p50:>8.1}{p95:>8.1}{p99:>8.1}{quiet:>12.1}{ratio:>15.1}");
    };
    for page in Page::ALL {
        let of = |all: &Waits| all.by_page.get(&page).cloned().unwrap_or_default();
        line(page.name(), of(waits), of(alone));
    }
    line("all pages", waits.all(), alone.all());
}

/// Makes the accounts; name and first password of each.
fn accounts(district: &District) -> anyhow::Result<Vec<(Secret, &'static str)>> {
    let mut made = Vec::new();
    for (name, role, kecamatan) in ACCOUNTS {
        let mut args = vec!["operators", "add", name, "--plain", "--role", role];
        kecamatan.iter().for_each(|code| args.extend(["--kecamatan", code]));
        if role == "dukungan" {
            args.extend(["--days", "7"]);
        }
        let password = district.hub_says(&args)?;
        made.push((Secret { name, password: password.trim().to_owned() }, role));
    }
    Ok(made)
}

/// One signed-in session.
#[derive(Clone)]
struct Session {
    cookie: String,
    role: &'static str,
    kecamatan: &'static [&'static str],
}

async fn sign_in(
    console: SocketAddr,
    accounts: &mut [(Secret, &'static str)],
    operators: usize,
) -> anyhow::Result<Vec<Session>> {
    let mut sessions = Vec::new();
    let mut browser = Browser::open(console).await?;
    for (secret, _) in accounts.iter_mut() {
        browser.choose_password(secret).await?;
    }
    for number in 0..operators {
        let (secret, role) = &accounts[number % accounts.len()];
        let kecamatan = ACCOUNTS[number % ACCOUNTS.len()].2;
        let cookie = browser.sign_in(secret).await?;
        sessions.push(Session { cookie, role, kecamatan });
    }
    Ok(sessions)
}

/// The raw limit: one browser, nobody else.
async fn alone(
    console: SocketAddr,
    sessions: &[Session],
    places: &Places,
) -> anyhow::Result<Waits> {
    let mut waits = Waits::default();
    let mut dice = ChaCha8Rng::seed_from_u64(1);
    let Some(session) = sessions.first() else { anyhow::bail!("nobody is signed in") };
    let mut browser = Browser::open(console).await?;
    for _ in 0..ALONE {
        for page in Page::ALL {
            one(&mut browser, session, page, places, &mut dice, &mut waits).await?;
        }
    }
    Ok(waits)
}

/// Everybody clicks; how long they waited.
async fn click(
    console: SocketAddr,
    sessions: &[Session],
    places: &Arc<Places>,
) -> anyhow::Result<Waits> {
    let until = Instant::now() + CLICKING;
    let mut clicking = JoinSet::new();
    for (seed, session) in (2..).zip(sessions) {
        let (session, places) = (session.clone(), Arc::clone(places));
        clicking.spawn(async move { operator(console, &session, &places, seed, until).await });
    }
    let mut all = Waits::default();
    while let Some(waits) = clicking.join_next().await {
        all.add(waits??);
    }
    Ok(all)
}

/// A first page that listens to its updates until it is left.
struct Listening(AbortHandle);

impl Drop for Listening {
    fn drop(&mut self) {
        self.0.abort();
    }
}

async fn operator(
    console: SocketAddr,
    session: &Session,
    places: &Places,
    seed: u64,
    until: Instant,
) -> anyhow::Result<Waits> {
    let mut waits = Waits::default();
    let mut dice = ChaCha8Rng::seed_from_u64(seed);
    let pages: Vec<_> = Page::ALL.into_iter().filter(|page| page.is_for(session.role)).collect();
    let mut browser = Browser::open(console).await?;
    let heard = Arc::new(std::sync::atomic::AtomicUsize::new(0));
    // Nobody begins at the same moment.
    tokio::time::sleep(Duration::from_millis(dice.random_range(0..PAUSE_MS.end))).await;
    let mut listening = None;
    while Instant::now() < until {
        let page = pages[dice.random_range(0..pages.len())];
        drop(listening.take());
        one(&mut browser, session, page, places, &mut dice, &mut waits).await?;
        if page == Page::First {
            let (cookie, heard) = (session.cookie.clone(), Arc::clone(&heard));
            let task = tokio::spawn(browser::listen(console, cookie, heard));
            listening = Some(Listening(task.abort_handle()));
        }
        tokio::time::sleep(Duration::from_millis(dice.random_range(PAUSE_MS))).await;
    }
    drop(listening);
    waits.updates = heard.load(std::sync::atomic::Ordering::Relaxed);
    Ok(waits)
}

/// One click: the page, and the one it leads to.
async fn one(
    browser: &mut Browser,
    session: &Session,
    page: Page,
    places: &Places,
    dice: &mut ChaCha8Rng,
    waits: &mut Waits,
) -> anyhow::Result<()> {
    let (path, form) = places.request(page, session.kecamatan, dice);
    let begun = Instant::now();
    let mut answer = browser.ask(&path, form.as_deref(), &session.cookie).await?;
    waits.bytes += answer.bytes;
    if let Some(location) = answer.location.take() {
        answer = browser.ask(&location, None, &session.cookie).await?;
        waits.bytes += answer.bytes;
    }
    waits.by_page.entry(page).or_default().push(begun.elapsed().as_secs_f64() * 1e3);
    if answer.status != 200 {
        waits.errors += 1;
        if waits.errors == 1 {
            eprintln!("    {path}: {}", answer.status);
        }
    }
    Ok(())
}
