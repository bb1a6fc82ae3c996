//! Every page, in each width, light and language.

use anyhow::Context;
use lumbung_tests::district::District;
use serde_json::json;

use crate::walk::Walk;

impl Walk {
    /// Signs in and looks at all there is.
    pub(crate) fn all(&mut self, district: &District, finding: i64) -> anyhow::Result<()> {
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
}
