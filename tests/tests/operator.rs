//! A new operator's first day, in a real browser on a phone and on a desk:
//! from an empty hub to the first screen, a contradiction that its villages
//! end, a printed sheet, a number revealed, an export, a notice with receipts,
//! and why a village does not answer.
#![allow(clippy::unwrap_used, reason = "a failing test may panic")]

use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::Context;
use lumbung_domain::id::Kind;
use lumbung_domain::region::roster;
use lumbung_hub::dataset::{FindingKind, Scope};
use lumbung_proto::v1;
use lumbung_tests::chromium::{self, Chromium};
use lumbung_tests::district::District;
use lumbung_tests::fictitious::{lone_row, nik, sheet};
use serde_json::json;

const PASSWORD: &str = "sapi merah di sawah";

/// Where pictures of the walk are kept, when somebody wants to see them.
fn pictures() -> Option<PathBuf> {
    let folder = PathBuf::from(std::env::var_os("LUMBUNG_PICTURES")?);
    std::fs::create_dir_all(&folder).ok()?;
    Some(folder)
}

/// Three villages with residents; one person is claimed by the first two.
async fn district() -> anyhow::Result<District> {
    let mut district = District::new(env!("CARGO_BIN_EXE_lumbung-process"), 3)?;
    district.start().await?;
    for (at, node) in district.nodes.iter().enumerate() {
        let mut csv = sheet(at, 12);
        if at == 1 {
            csv.push_str(&lone_row(at, &nik(0, 0, 0)));
        }
        import(&district, node, &csv).await?;
    }
    district.wait_proven(Duration::from_secs(30)).await?;
    Ok(district)
}

async fn import(
    district: &District,
    node: &lumbung_tests::district::NodeProcess,
    csv: &str,
) -> anyhow::Result<()> {
    let file = district.folder().join("warga.csv");
    std::fs::write(&file, csv)?;
    let done = node.run(&["import", file.to_str().context("a path")?, "--json"]).await?;
    anyhow::ensure!(done.status.success(), "{}", String::from_utf8_lossy(&done.stderr));
    Ok(())
}

/// The code that the hub printed for its first operator.
fn printed_code(district: &District) -> anyhow::Result<String> {
    let said = district.hub.said();
    let code = said.split("dengan kode ").nth(1).context("no code was printed")?;
    Ok(code.chars().take_while(|letter| letter.is_ascii_alphanumeric() || *letter == '-').collect())
}

/// The second village finds that the person is not its own, and lets go of
/// them; the number of the finding that this ends.
async fn the_second_village_gives_way(district: &mut District) -> anyhow::Result<i64> {
    let village = district.nodes[1].village;
    let findings = district.hub.dataset()?.findings(&Scope::whole(), true, 9)?;
    let twin = findings.iter().find(|it| it.kind == FindingKind::NikGanda).context("a finding")?;
    let claim = twin.claims.iter().find(|claim| claim.village == village).context("its claim")?;
    let change = v1::RecordChange {
        id: claim.id.as_bytes().to_vec().into(),
        kind: Kind::Warga.code().0.into(),
        delete: true,
        ..v1::RecordChange::default()
    };
    district.nodes[1].save(vec![change]).await?;
    Ok(twin.number)
}

/// The console, seen at one width.
struct Walk {
    browser: Chromium,
    console: String,
    name: &'static str,
    step: usize,
}

impl Walk {
    fn new(program: &Path, district: &District, name: &'static str) -> anyhow::Result<Self> {
        let (width, height) = if name == "ponsel" { (360, 800) } else { (1280, 900) };
        let browser = Chromium::start(program, width, height)?;
        let console = format!("http://{}", district.hub.console);
        Ok(Self { browser, console, name, step: 0 })
    }

    /// Looks at the page: nothing hangs over, and a picture for who asks.
    fn look(&mut self) -> anyhow::Result<()> {
        self.step += 1;
        let overhang = self.browser.overhang()?;
        anyhow::ensure!(overhang <= 0, "{overhang} pixels too wide: {}", self.browser.text()?);
        let breaches = self.browser.breaches()?;
        let place = self.browser.eval("location.pathname")?;
        anyhow::ensure!(breaches.is_empty(), "{place} {}: {breaches:#?}", self.name);
        if let Some(folder) = pictures() {
            let file = folder.join(format!("{}-{:02}.png", self.name, self.step));
            self.browser.picture(&file)?;
        }
        Ok(())
    }

    fn open(&mut self, path: &str) -> anyhow::Result<()> {
        self.browser.open(&format!("{}{path}", self.console))?;
        self.look()
    }

    fn press(&mut self, words: &str) -> anyhow::Result<()> {
        self.browser.press(words)?;
        self.look()
    }

    fn sign_in(&mut self) -> anyhow::Result<()> {
        self.open("/")?;
        self.browser.fill("Nama operator", "kepala")?;
        self.browser.fill("Kata sandi", PASSWORD)?;
        self.press("Masuk")?;
        self.browser.says("desa segar")
    }

    fn found(&mut self, code: &str) -> anyhow::Result<()> {
        self.open("/")?;
        self.browser.says("Operator pertama")?;
        self.browser.fill("Kode dari hub", code)?;
        self.browser.fill("Nama operator", "kepala")?;
        self.browser.fill("Kata sandi", PASSWORD)?;
        self.browser.fill("Ulangi kata sandi", PASSWORD)?;
        self.press("Buat operator")?;
        self.browser.says("Masuk")
    }

    /// What the operator sees on any day.
    fn day(&mut self) -> anyhow::Result<()> {
        self.sign_in()?;
        self.open("/temuan")?;
        self.press("NIK yang sama di dua desa")?;
        for words in ["berbeda", "Tanggal lahir", "Ditulis"] {
            self.browser.says(words)?;
        }
        let numbers = self.browser.eval("/[0-9]{6}[*0-9]{10}/.test(document.body.innerText)")?;
        anyhow::ensure!(numbers == false, "an identity number: {}", self.browser.text()?);
        for (path, words) in [
            ("/rekap", "KABUPATEN"),
            ("/karantina", "Karantina kosong"),
            ("/operator", "Operator baru"),
            ("/audit", "Utuh"),
            ("/akun", "Kode dua langkah"),
        ] {
            self.open(path)?;
            let text = self.browser.text()?.to_lowercase();
            anyhow::ensure!(text.contains(&words.to_lowercase()), "{path}: {text}");
        }
        Ok(())
    }

    /// Writes to the whole kabupaten; every village says that it has it.
    fn inform(&mut self) -> anyhow::Result<()> {
        self.open("/informasi")?;
        self.press("Tulis informasi")?;
        self.browser.fill("Judul", "Posyandu serentak")?;
        self.browser.fill("Isi", "Posyandu bulan ini hari Kamis.")?;
        self.browser.fill("Seluruh kabupaten", "ya")?;
        self.press("Periksa dulu")?;
        self.browser.says("Periksa sebelum dikirim")?;
        self.press("Kirim ke")?;
        self.browser.says("Tanda terima")?;
        let address = self.browser.eval("location.pathname")?;
        let address = address.as_str().context("an address")?.to_owned();
        for _ in 0..100 {
            self.open(&address)?;
            if self.browser.text()?.contains("sampai 3 dari") {
                return Ok(());
            }
            std::thread::sleep(Duration::from_millis(100));
        }
        anyhow::bail!("no receipts: {}", self.browser.text()?)
    }

    /// Opens one person's number with a reason, and finds that in the log.
    fn reveal(&mut self) -> anyhow::Result<()> {
        let number = nik(0, 0, 0);
        self.open("/cari")?;
        self.browser.fill("Nama", "contoh kembar")?;
        self.press("Cari")?;
        self.press("CONTOH KEMBAR")?;
        anyhow::ensure!(!self.browser.text()?.contains(&number), "shown without a reason");
        self.browser.fill("NIK, nomor KK", "ya")?;
        self.browser.fill("Alasan", "Warga meminta salinan datanya")?;
        self.press("Buka dan catat")?;
        self.browser.says(&number)?;
        self.open("/audit")?;
        self.browser.says("Data satu orang dibuka")?;
        self.browser.says("Warga meminta salinan datanya")?;
        anyhow::ensure!(!self.browser.text()?.contains(&number), "the log names a number");
        Ok(())
    }

    /// Prints the sheet of the kabupaten.
    fn print(&mut self) -> anyhow::Result<()> {
        self.open("/rekap")?;
        self.press("Cetak F4")?;
        self.browser.says("4.17c")?;
        let sheet = self.browser.call("Page.printToPDF", &json!({ "preferCSSPageSize": true }))?;
        let pdf = sheet["data"].as_str().unwrap_or_default().len();
        anyhow::ensure!(pdf > 10_000, "an empty sheet: {pdf}");
        Ok(())
    }

    /// Takes the residents of a kecamatan out, for a purpose.
    fn export(&mut self) -> anyhow::Result<()> {
        self.open("/ekspor")?;
        let chosen = "document.getElementById('wilayah').value = '35.05.01';
            document.getElementById('wilayah').value === '35.05.01'";
        anyhow::ensure!(self.browser.eval(chosen)? == true, "no kecamatan to choose");
        self.browser.fill("Untuk keperluan apa", "Uji coba ekspor kecamatan")?;
        self.press("Lihat dulu")?;
        self.browser.says("Yang akan keluar")?;
        // A download leaves the page where it is: the same request by hand.
        let file = self.browser.eval(
            "(async () => { const form = document.querySelector('main form');
              const body = new URLSearchParams(new FormData(form));
              const answer = await fetch(form.action, { method: 'POST', body });
              return answer.status + ' ' + await answer.text(); })()",
        )?;
        let file = file.as_str().context("a file")?;
        anyhow::ensure!(file.starts_with("200 "), "{file}");
        anyhow::ensure!(file.contains("Uji coba ekspor kecamatan"), "no purpose: {file}");
        anyhow::ensure!(file.lines().count() > 100 && !file.contains(&nik(0, 0, 0)), "{file}");
        self.open("/audit")?;
        self.browser.says("Data diekspor")
    }

    /// Finds out why a village does not answer: in words, held against what is
    /// usual for it.
    fn why(&mut self, name: &str) -> anyhow::Result<()> {
        for _ in 0..100 {
            self.open("/")?;
            self.press(name)?;
            if self.browser.text()?.contains("Tidak tersambung") {
                self.browser.says("itu biasa")?;
                return self.browser.says("30 hari");
            }
            std::thread::sleep(Duration::from_millis(200));
        }
        anyhow::bail!("no reason: {}", self.browser.text()?)
    }

    /// Looks at the finding once its villages agree.
    fn ended(&mut self, number: i64) -> anyhow::Result<()> {
        for _ in 0..100 {
            self.open(&format!("/temuan/{number}"))?;
            if self.browser.text()?.contains("Tertutup sendiri") {
                return Ok(());
            }
            std::thread::sleep(Duration::from_millis(100));
        }
        anyhow::bail!("still open: {}", self.browser.text()?)
    }

    /// Asks both villages about the contradiction.
    fn ask(&mut self) -> anyhow::Result<()> {
        self.open("/temuan")?;
        self.press("NIK yang sama di dua desa")?;
        self.press("Kirim pertanyaan")?;
        self.browser.says("Mohon diperiksa")?;
        self.browser.says("oleh kepala")
    }

    /// Signs in and looks at all there is.
    fn all(&mut self, district: &District, finding: i64) -> anyhow::Result<()> {
        self.sign_in()?;
        self.everywhere(&district.nodes[0].village.to_string(), finding)
    }

    /// Looks at every page on a small phone and on a desk, in light and dark,
    /// in both languages: each look judges it.
    fn everywhere(&mut self, village: &str, finding: i64) -> anyhow::Result<()> {
        let village = format!("/desa/{village}");
        let (asked, deed) = (format!("/temuan/{finding}"), format!("{village}/tindakan/tahan"));
        let pages = [
            "/",
            "/desa",
            &village,
            &deed,
            "/versi",
            "/cari",
            "/rekap",
            "/gambaran",
            "/mutu",
            "/ekspor",
            "/temuan",
            &asked,
            "/karantina",
            "/informasi",
            "/informasi/tulis",
            "/operator",
            "/operator/kepala",
            "/audit",
            "/akun",
            "/akun/kode",
            "/tidak-ada",
        ];
        for (width, dark, language) in
            [(320, false, "id"), (320, true, "en"), (768, false, "en"), (1280, true, "id")]
        {
            self.browser.size(width, 900)?;
            self.browser.dark(dark)?;
            self.browser.eval(&format!("document.cookie = 'bahasa={language}; path=/'"))?;
            for page in pages {
                self.open(page)?;
            }
        }
        self.browser.dark(false)
    }

    fn english(&mut self) -> anyhow::Result<()> {
        self.press("English")?;
        self.browser.says("My account")?;
        self.press("Indonesia")
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_new_operator_finds_the_way() -> anyhow::Result<()> {
    let Some(program) = chromium::program() else { return Ok(()) };
    let mut district = district().await?;
    let code = printed_code(&district)?;
    let mut desk = Walk::new(&program, &district, "meja")?;
    desk.found(&code)?;
    desk.day()?;
    desk.english()?;
    desk.inform()?;
    desk.ask()?;
    desk.reveal()?;
    desk.print()?;
    desk.export()?;
    let mut phone = Walk::new(&program, &district, "ponsel")?;
    phone.day()?;
    let open = district.hub.dataset()?.findings(&Scope::whole(), true, 9)?;
    let finding = open.first().context("an open finding")?.number;
    Walk::new(&program, &district, "semua")?.all(&district, finding)?;

    let number = the_second_village_gives_way(&mut district).await?;
    desk.ended(number)?;
    district.nodes[2].kill()?;
    let lost = roster().village(district.nodes[2].village).context("in the roster")?;
    desk.why(lost.name)?;
    phone.why(lost.name)?;
    district.stop().await
}
