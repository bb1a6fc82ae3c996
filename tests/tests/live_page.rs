//! The first page while things happen, in a real browser: its reader stops
//! what moves, keeps what they stand on and have marked, and is warned before
//! the session ends.
#![allow(clippy::unwrap_used, reason = "a failing test may panic")]

use std::time::Duration;

use anyhow::{Context as _, ensure};
use lumbung_tests::chromium::{self, Chromium};
use lumbung_tests::district::District;

const PASSWORD: &str = "sapi merah di sawah";

/// Longer than updates are gathered for, several times.
const A_WHILE: Duration = Duration::from_secs(3);

fn of(browser: &mut Chromium, part: &str) -> anyhow::Result<String> {
    let text = browser.eval(&format!("document.getElementById('{part}').innerText"))?;
    Ok(text.as_str().context("a part of the page")?.to_owned())
}

fn changes(browser: &mut Chromium, part: &str, from: &str) -> anyhow::Result<()> {
    let from = serde_json::json!(from);
    browser.wait(&format!("document.getElementById('{part}').innerText !== {from}"))
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_reader_is_master_of_a_page_that_changes() -> anyhow::Result<()> {
    let Some(program) = chromium::program() else { return Ok(()) };
    let mut district = District::new(env!("CARGO_BIN_EXE_lumbung-process"), 2)?;
    district.nodes[0].start().await?;
    district.hub.start().await?;
    let mut browser = Chromium::start(&program, 1280, 900)?;
    let said = district.hub.said();
    let code = said.split("dengan kode ").nth(1).context("no code was printed")?;
    let code = code.split(['.', '\n']).next().unwrap_or_default();
    browser.open(&format!("http://{}/", district.hub.console))?;
    for (field, value) in [
        ("Kode dari hub", code),
        ("Nama operator", "siti"),
        ("Kata sandi", PASSWORD),
        ("Ulangi kata sandi", PASSWORD),
    ] {
        browser.fill(field, value)?;
    }
    browser.press("Buat operator")?;
    browser.fill("Nama operator", "siti")?;
    browser.fill("Kata sandi", PASSWORD)?;
    browser.press("Masuk")?;
    browser.wait("document.body.hasAttribute('data-hidup')")?;
    district.wait_proven(Duration::from_secs(30)).await?;
    browser.wait("/^1\\s/.test(document.querySelector('#hitung a').innerText)")?;

    // What has the focus keeps it when its part is written anew.
    let stood = "document.querySelector('#hitung a[href*=segar]').focus()";
    browser.eval(stood)?;
    district.nodes[1].start().await?;
    browser.wait("/^2\\s/.test(document.querySelector('#hitung a').innerText)")?;
    let stands = "document.activeElement.matches('#hitung a[href*=segar]')";
    ensure!(browser.eval(stands)? == true, "the focus is lost");

    // Marked words stay until they are let go.
    let mark = "getSelection().selectAllChildren(document.querySelector('#jumlah dl'))";
    let before = of(&mut browser, "jumlah")?;
    browser.eval(mark)?;
    district.nodes[0].save_dusun("Krajan").await?;
    district.wait_proven(Duration::from_secs(30)).await?;
    std::thread::sleep(A_WHILE);
    ensure!(of(&mut browser, "jumlah")? == before, "written over");
    let marked = browser.eval("getSelection().isCollapsed")?;
    ensure!(marked == false, "what was marked is let go");
    browser.eval("getSelection().removeAllRanges()")?;
    changes(&mut browser, "jumlah", &before)?;

    // A pause stops all of it, and what was missed comes afterwards.
    browser.eval("document.getElementById('jeda').click()")?;
    let parts = ["kalimat", "hitung", "jumlah", "hub", "perlu", "umpan"];
    let page = |browser: &mut Chromium| -> anyhow::Result<Vec<String>> {
        parts.iter().map(|part| of(browser, part)).collect()
    };
    let before = page(&mut browser)?;
    district.nodes[0].save_dusun("Sumber").await?;
    district.wait_proven(Duration::from_secs(30)).await?;
    std::thread::sleep(A_WHILE);
    ensure!(page(&mut browser)? == before, "it went on");
    warned(&mut browser)?;
    browser.eval("document.getElementById('jeda').click()")?;
    changes(&mut browser, "jumlah", &before[2])?;
    district.stop().await
}

/// Nearly half an hour passes on a page that stands still.
fn warned(browser: &mut Chromium) -> anyhow::Result<()> {
    let shown = "!document.getElementById('sesi-peringatan').hidden";
    ensure!(browser.eval(shown)? == false, "warned at once");
    let later = "const then = Date.now(); Date.now = () => then + 25 * 60 * 1000;
        document.dispatchEvent(new Event('visibilitychange'));";
    browser.eval(later)?;
    browser.wait(shown)?;
    browser.says("Sesi Anda segera berakhir")?;
    browser.eval("document.querySelector('#sesi-peringatan button').click()")?;
    browser.wait(&format!("!({shown})"))
}
