//! What an operator does at the console in a browser of one width.

use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::Context;
use lumbung_tests::chromium::Chromium;
use lumbung_tests::district::District;
use lumbung_tests::fictitious::nik;
use serde_json::json;

const PASSWORD: &str = "sapi merah di sawah";

/// Where pictures of the walk are kept, when somebody wants to see them.
fn pictures() -> Option<PathBuf> {
    let folder = PathBuf::from(std::env::var_os("LUMBUNG_PICTURES")?);
    std::fs::create_dir_all(&folder).ok()?;
    Some(folder)
}

/// The console, seen at one width.
pub(crate) struct Walk {
    pub(crate) browser: Chromium,
    console: String,
    name: &'static str,
    step: usize,
}

impl Walk {
    pub(crate) fn new(
        program: &Path,
        district: &District,
        name: &'static str,
    ) -> anyhow::Result<Self> {
        let (width, height) = if name == "ponsel" { (360, 800) } else { (1280, 900) };
        let browser = Chromium::start(program, width, height)?;
        let console = format!("http://{}", district.hub.console);
        Ok(Self { browser, console, name, step: 0 })
    }

    /// Looks at the page: nothing hangs over, and a picture for who asks.
    pub(crate) fn look(&mut self) -> anyhow::Result<()> {
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

    pub(crate) fn open(&mut self, path: &str) -> anyhow::Result<()> {
        self.browser.open(&format!("{}{path}", self.console))?;
        self.look()
    }

    pub(crate) fn press(&mut self, words: &str) -> anyhow::Result<()> {
        self.browser.press(words)?;
        self.look()
    }

    pub(crate) fn sign_in(&mut self) -> anyhow::Result<()> {
        self.open("/")?;
        self.browser.fill("Nama operator", "kepala")?;
        self.browser.fill("Kata sandi", PASSWORD)?;
        self.press("Masuk")?;
        self.browser.says("desa segar")
    }

    pub(crate) fn found(&mut self, code: &str) -> anyhow::Result<()> {
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
    pub(crate) fn day(&mut self) -> anyhow::Result<()> {
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
    pub(crate) fn inform(&mut self) -> anyhow::Result<(String, String)> {
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
    pub(crate) fn until(&mut self, path: &str, words: &str) -> anyhow::Result<()> {
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
    pub(crate) fn reveal(&mut self) -> anyhow::Result<()> {
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

    /// Takes the residents of a kecamatan out, for a purpose.
    pub(crate) fn export(&mut self) -> anyhow::Result<()> {
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
    pub(crate) fn why(&mut self, name: &str) -> anyhow::Result<()> {
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
    pub(crate) fn ask(&mut self) -> anyhow::Result<()> {
        self.open("/temuan")?;
        self.press("NIK yang sama di dua desa")?;
        self.press("Kirim pertanyaan")?;
        self.browser.says("Mohon diperiksa")?;
        self.browser.says("oleh kepala")
    }

    pub(crate) fn english(&mut self) -> anyhow::Result<()> {
        self.press("English")?;
        self.browser.says("My account")?;
        self.press("Indonesia")
    }
}
