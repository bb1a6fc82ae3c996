//! A new operator's first day, in a real browser on a phone and on a desk:
//! from an empty hub to the first screen, a contradiction that its villages
//! end, a printed sheet, a number revealed, an export, a notice with receipts,
//! and why a village is late.
#![allow(clippy::unwrap_used, reason = "a failing test may panic")]

use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::Context;
use lumbung_domain::id::Kind;
use lumbung_domain::region::roster;
use lumbung_hub::dataset::{ContactNote, FindingKind};
use lumbung_proto::v1;
use lumbung_telemetry::clock;
use lumbung_tests::chromium::{self, Chromium};
use lumbung_tests::district::{District, NodeProcess};
use lumbung_tests::fictitious::{lone_row, nik, sheet};
use serde_json::{Value, json};

const PASSWORD: &str = "sapi merah di sawah";

/// Where pictures of the walk are kept, when somebody wants to see them.
fn pictures() -> Option<PathBuf> {
    let folder = PathBuf::from(std::env::var_os("LUMBUNG_PICTURES")?);
    std::fs::create_dir_all(&folder).ok()?;
    Some(folder)
}

/// Three villages with residents; one person is claimed by the first two. The
/// hub was given a map of them.
async fn district() -> anyhow::Result<District> {
    let mut district = District::new(env!("CARGO_BIN_EXE_lumbung-process"), 3)?;
    let map = district.folder().join("peta.geojson");
    std::fs::write(&map, squares(&district).to_string())?;
    district.hub.arguments = vec!["--map".to_owned(), map.display().to_string()];
    district.start().await?;
    // The first token tells the hub where villages find it.
    district.hub.token(district.nodes[2].village, district.hub.uplink, false)?;
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

/// A map: a square for each village, side by side.
fn squares(district: &District) -> Value {
    let square = |(at, node): (u32, &NodeProcess)| {
        let (left, right) = (112.0 + f64::from(at) / 10.0, 112.1 + f64::from(at) / 10.0);
        let ring = [[left, -8.0], [right, -8.0], [right, -8.1], [left, -8.1], [left, -8.0]];
        json!({
            "type": "Feature",
            "properties": { "kode": node.village.to_string() },
            "geometry": { "type": "Polygon", "coordinates": [ring] },
        })
    };
    let features: Vec<_> = (0..).zip(&district.nodes).map(square).collect();
    json!({ "type": "FeatureCollection", "features": features })
}

async fn import(district: &District, node: &NodeProcess, csv: &str) -> anyhow::Result<()> {
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
    let hub = district.hub.dataset()?;
    let findings = hub.findings(&hub.whole(), true, 9)?;
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

/// The clerks of all villages read what the district wrote under this title.
async fn clerks_read(district: &District, title: &str) -> anyhow::Result<()> {
    for node in &district.nodes {
        let listed = node.run(&["notices", "list", "--json"]).await?;
        let listed: Value = serde_json::from_slice(&listed.stdout)?;
        let notices = listed.as_array().context("a list")?;
        let notice = notices.iter().find(|it| it["judul"] == title).context("the notice")?;
        let read = node.run(&["notices", "read", notice["id"].as_str().context("an id")?]).await?;
        anyhow::ensure!(read.status.success(), "{}", String::from_utf8_lossy(&read.stderr));
    }
    Ok(())
}

/// The last village comes every twenty hours for some days, then no more; the
/// hub is awake all the time and goes on five days after that.
async fn the_last_village_falls_silent(district: &mut District) -> anyhow::Result<()> {
    const HOUR_MS: i64 = 60 * 60 * 1000;
    /// More often than what would be taken for a hub that was away.
    const AWAKE_EVERY_MS: i64 = 9 * 60 * 1000;
    let silent = district.nodes[2].village;
    district.nodes[2].kill()?;
    district.hub.stop().await?;
    let (now_ms, visits) = (clock::now_ms(), 6);
    let until_ms = now_ms + visits * 20 * HOUR_MS + 5 * 24 * HOUR_MS;
    let dataset = district.hub.dataset()?;
    for visit in 1..=visits {
        let at_ms = now_ms + visit * 20 * HOUR_MS;
        dataset.note_contacts(&[(silent, ContactNote { at_ms, ..ContactNote::default() })])?;
    }
    let mut at_ms = now_ms;
    while at_ms < until_ms {
        at_ms += AWAKE_EVERY_MS;
        anyhow::ensure!(dataset.hub_awake(at_ms)?.is_none(), "the hub was away");
    }
    district.hub.look_away();
    district.hub.set_clock_ahead((at_ms - clock::now_ms()) / 1000 + 60);
    district.hub.start().await
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
        for words in ["berbeda", "Tanggal lahir", "Dibuat", "ditulis"] {
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

    /// Writes to the whole kabupaten; every village says that it has it. Gives
    /// the title and where the notice is.
    fn inform(&mut self) -> anyhow::Result<(String, String)> {
        let title = format!("Posyandu serentak ({})", self.name);
        self.open("/informasi")?;
        self.press("Tulis informasi")?;
        self.browser.fill("Judul", &title)?;
        self.browser.fill("Isi", "Posyandu bulan ini hari Kamis.")?;
        self.browser.fill("Seluruh kabupaten", "ya")?;
        self.press("Periksa dulu")?;
        self.browser.says("Periksa sebelum dikirim")?;
        self.press("Kirim ke")?;
        self.browser.says("Tanda terima")?;
        let address = self.browser.eval("location.pathname")?;
        let address = address.as_str().context("an address")?.to_owned();
        self.until(&address, "sampai 3 dari")?;
        Ok((title, address))
    }

    /// Opens a page until it says something.
    fn until(&mut self, path: &str, words: &str) -> anyhow::Result<()> {
        for _ in 0..100 {
            self.open(path)?;
            if self.browser.text()?.contains(words) {
                return Ok(());
            }
            std::thread::sleep(Duration::from_millis(100));
        }
        anyhow::bail!("never says {words}: {}", self.browser.text()?)
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

    /// Publishes the quarter that is over, unless it was, and opens what anybody
    /// may have of it; gives where that is.
    fn publish(&mut self) -> anyhow::Result<String> {
        self.open("/terbitan")?;
        if self.browser.text()?.contains("Bisa diterbitkan sekarang") {
            self.press("Terbitkan")?;
        }
        self.browser.says("Yang sudah terbit")?;
        let sheet = "document.querySelector('td a, th a').getAttribute('href')";
        let sheet = self.browser.eval(sheet)?;
        let sheet = sheet.as_str().context("nothing was published")?.to_owned();
        self.open(&sheet)?;
        self.browser.says("Untuk umum: dari terbitan terakhir")?;
        Ok(sheet)
    }

    /// Prints the sheet of the kabupaten, the office's and the public's, on both
    /// papers.
    fn print(&mut self) -> anyhow::Result<()> {
        let public = self.publish()?;
        for sheet in ["/rekap", &public] {
            self.print_one(sheet)?;
        }
        Ok(())
    }

    fn print_one(&mut self, sheet: &str) -> anyhow::Result<()> {
        for (paper, wide, high) in [("A4", 297, 210), ("F4", 330, 215)] {
            self.open(sheet)?;
            self.press(&format!("Cetak {paper}"))?;
            self.browser.says("4.17c")?;
            self.fits_on_paper(wide)?;
            let pdf = self.browser.pdf()?;
            let size = page_size(&pdf).context("no page")?;
            let points = |mm: u32| f64::from(mm) / 25.4 * 72.0;
            let (off, over) = (size.0 - points(wide), size.1 - points(high));
            anyhow::ensure!(off.abs() < 1.0 && over.abs() < 1.0, "{paper}: {size:?} points");
            anyhow::ensure!(
                pages(&pdf) == 1,
                "{sheet} {paper}: who signs is not on the sheet's page"
            );
        }
        Ok(())
    }

    /// Every column of the sheet lies whole on a page so many millimetres wide.
    fn fits_on_paper(&mut self, wide: u32) -> anyhow::Result<()> {
        const MARGINS: u32 = 2 * 8;
        // CSS has 96 pixels to the inch.
        let pixels = (wide - MARGINS) * 960 / 254;
        self.browser.paper(Some(pixels))?;
        let seen = self.browser.eval(
            "(() => { const cells = [...document.querySelectorAll('.sheet th, .sheet td')];
               const cut = cells.filter((it) => it.getBoundingClientRect().right > innerWidth + 0.5
                 || it.scrollWidth > it.clientWidth + 1 || it.scrollHeight > it.clientHeight + 1);
               const columns = document.querySelector('.sheet tfoot tr').cells.length;
               return { columns, cut: cut.map((it) => it.innerText) }; })()",
        )?;
        self.browser.paper(None)?;
        anyhow::ensure!(seen["columns"].as_u64() > Some(30), "{seen}");
        anyhow::ensure!(seen["cut"] == json!([]), "cut at {pixels} pixels: {}", seen["cut"]);
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

    /// Finds out why a village is late: from what needs somebody on the first
    /// page to the reason in words, held against what is usual for it.
    fn why(&mut self, name: &str) -> anyhow::Result<()> {
        self.open("/")?;
        self.browser.says("Sesi Anda sudah berakhir")?;
        self.sign_in()?;
        self.browser.wait(&format!(
            "document.getElementById('perlu').innerText.includes({})",
            json!(name)
        ))?;
        self.press(name)?;
        for words in [
            "Tidak terdengar selama 5 hari",
            "biasanya paling lama 20 jam",
            "(dari 6 jeda)",
            "Hubungi perangkat desa",
            "30 hari",
        ] {
            self.browser.says(words)?;
        }
        anyhow::ensure!(!self.browser.text()?.contains("itu biasa"), "called usual");
        self.look()
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
        let (diagnostics, token) =
            (format!("{village}/diagnostik"), format!("{village}/tindakan/token"));
        let (person, house) = self.one_person()?;
        let notice = self.first_href("/informasi", "/informasi/")?;
        let pages = [
            "/",
            "/desa",
            &village,
            &deed,
            &diagnostics,
            "/peta",
            "/versi",
            "/cari",
            &person,
            &house,
            "/rekap",
            "/gambaran",
            "/mutu",
            "/ekspor",
            "/temuan",
            &asked,
            "/karantina",
            "/informasi",
            &notice,
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
            // A token is shown once, as the answer to a form.
            self.open(&token)?;
            self.press(if language == "id" { "Buat token" } else { "Make a token" })?;
            self.browser.says("lumbung-node join")?;
        }
        self.browser.dark(false)
    }

    /// Where a person's page is, and their house's.
    fn one_person(&mut self) -> anyhow::Result<(String, String)> {
        self.open("/cari")?;
        self.browser.fill("Nama", "contoh")?;
        self.press("Cari")?;
        let person = self.href("/warga/")?;
        self.open(&person)?;
        Ok((person, self.href("/rumah/")?))
    }

    fn first_href(&mut self, path: &str, begins: &str) -> anyhow::Result<String> {
        self.open(path)?;
        self.href(begins)
    }

    /// The first link on the page to something whose address ends in a number
    /// or an id.
    fn href(&mut self, begins: &str) -> anyhow::Result<String> {
        let script = format!(
            "[...document.querySelectorAll('main a')].map((it) => it.getAttribute('href'))
               .find((it) => it.startsWith({}) && /[0-9a-f]$/.test(it) && /[0-9]/.test(it))",
            json!(begins)
        );
        let found = self.browser.eval(&script)?;
        Ok(found.as_str().with_context(|| format!("no link to {begins}"))?.to_owned())
    }

    fn english(&mut self) -> anyhow::Result<()> {
        self.press("English")?;
        self.browser.says("My account")?;
        self.press("Indonesia")
    }
}

/// Pages of a printed file.
fn pages(pdf: &[u8]) -> usize {
    let text = String::from_utf8_lossy(pdf);
    let starts = text.match_indices("/Type /Page").map(|(at, name)| at + name.len());
    starts.filter(|end| !text[*end..].starts_with('s')).count()
}

/// Width and height of a printed file's first page, points.
fn page_size(pdf: &[u8]) -> Option<(f64, f64)> {
    let text = String::from_utf8_lossy(pdf);
    let (_, sides) = text.split_once("/MediaBox [")?;
    let sides: Vec<f64> =
        sides.split(']').next()?.split_whitespace().filter_map(|it| it.parse().ok()).collect();
    let [left, bottom, right, top] = sides[..] else { return None };
    Some((right - left, top - bottom))
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_new_operator_finds_the_way() -> anyhow::Result<()> {
    let Some(program) = chromium::program() else { return Ok(()) };
    let mut district = district().await?;
    let code = printed_code(&district)?;
    let mut desk = Walk::new(&program, &district, "meja")?;
    desk.found(&code)?;
    let mut phone = Walk::new(&program, &district, "ponsel")?;
    for walk in [&mut desk, &mut phone] {
        walk.day()?;
        walk.english()?;
        let (title, address) = walk.inform()?;
        clerks_read(&district, &title).await?;
        walk.until(&address, "dibaca 3")?;
        walk.ask()?;
        walk.reveal()?;
        walk.print()?;
        walk.export()?;
    }
    let hub = district.hub.dataset()?;
    let open = hub.findings(&hub.whole(), true, 9)?;
    let finding = open.first().context("an open finding")?.number;
    Walk::new(&program, &district, "semua")?.all(&district, finding)?;

    let number = the_second_village_gives_way(&mut district).await?;
    for walk in [&mut desk, &mut phone] {
        walk.until(&format!("/temuan/{number}"), "Tertutup sendiri")?;
    }
    the_last_village_falls_silent(&mut district).await?;
    let lost = roster().village(district.nodes[2].village).context("in the roster")?;
    for walk in [&mut desk, &mut phone] {
        walk.why(lost.name)?;
    }
    district.stop().await
}
