//! Sheets on paper: what is published and printed, and what its pages hold.

use anyhow::Context;
use serde_json::json;

use crate::walk::Walk;

impl Walk {
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
    pub(crate) fn print(&mut self) -> anyhow::Result<()> {
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
