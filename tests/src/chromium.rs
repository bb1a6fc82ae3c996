//! A real browser without a window, driven over the DevTools protocol.
//!
//! The protocol runs over two named pipes (`--remote-debugging-pipe`): JSON
//! messages that end in a zero byte. Pages are used as a person would: by what
//! is written on links and buttons and beside fields.

use std::fs::{File, OpenOptions};
use std::io::{BufRead as _, BufReader, Write as _};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::mpsc::{self, Receiver};
use std::time::{Duration, Instant};

use anyhow::{Context, bail, ensure};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use serde_json::{Value, json};

/// The script that judges a page.
const ACCESSIBLE: &str = include_str!("accessible.js");

/// The browser answers within this.
const ANSWER_WITHIN: Duration = Duration::from_secs(30);

/// What is waited for on a page shows within this.
const SHOWS_WITHIN: Duration = Duration::from_secs(30);

/// A browser with one page.
pub struct Chromium {
    process: Child,
    to: File,
    from: Receiver<Value>,
    session: String,
    next: u64,
    /// Width of the window, CSS pixels.
    width: u32,
    _folder: tempfile::TempDir,
}

/// The browser's program; `None` with the reason on standard error when this
/// machine has none and can't install one.
#[must_use]
pub fn program() -> Option<PathBuf> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let kept = root.join("../target/browser");
    let installed = Command::new(root.join("browser/install")).arg(kept).output();
    match installed {
        Ok(output) if output.status.success() => {
            let path = String::from_utf8_lossy(&output.stdout).trim().to_owned();
            Some(PathBuf::from(path))
        }
        Ok(output) => {
            eprintln!("skipped, no browser: {}", String::from_utf8_lossy(&output.stderr));
            None
        }
        Err(error) => {
            eprintln!("skipped, no browser: {error}");
            None
        }
    }
}

impl Chromium {
    /// Starts the browser with a window of this size.
    ///
    /// # Errors
    /// When it can't be started.
    pub fn start(program: &Path, width: u32, height: u32) -> anyhow::Result<Self> {
        let folder = tempfile::tempdir()?;
        let (to, from) = (folder.path().join("to"), folder.path().join("from"));
        let made = Command::new("mkfifo").args([&to, &from]).status()?;
        ensure!(made.success(), "no named pipes");
        // Opening blocks until both ends are there: the shell opens them in
        // this order too.
        let script = format!(
            "exec '{}' --headless --no-sandbox --disable-gpu --disable-dev-shm-usage \
             --no-first-run --hide-scrollbars --remote-debugging-pipe \
             --user-data-dir='{}' --window-size={width},{height} about:blank 3<'{}' 4>'{}'",
            program.display(),
            folder.path().join("profile").display(),
            to.display(),
            from.display(),
        );
        let process = Command::new("sh")
            .args(["-c", &script])
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()?;
        let to = OpenOptions::new().write(true).open(&to)?;
        let mut reader = BufReader::new(File::open(&from)?);
        let (send, from) = mpsc::channel();
        std::thread::spawn(move || {
            let mut message = Vec::new();
            while reader.read_until(0, &mut message).is_ok_and(|read| read > 0) {
                message.pop();
                let Ok(value) = serde_json::from_slice(&message) else { return };
                if send.send(value).is_err() {
                    return;
                }
                message.clear();
            }
        });
        let mut browser =
            Self { process, to, from, session: String::new(), next: 0, width, _folder: folder };
        let target = browser.call("Target.createTarget", &json!({ "url": "about:blank" }))?;
        let attach = json!({ "targetId": target["targetId"], "flatten": true });
        let session = browser.call("Target.attachToTarget", &attach)?;
        session["sessionId"].as_str().unwrap_or_default().clone_into(&mut browser.session);
        browser.size(width, height)?;
        browser.call("Page.enable", &json!({}))?;
        Ok(browser)
    }

    /// Looks through a window of another size; narrow ones are phones.
    ///
    /// # Errors
    /// When the browser fails.
    pub fn size(&mut self, width: u32, height: u32) -> anyhow::Result<()> {
        let phone = width < 600;
        let metrics =
            json!({ "width": width, "height": height, "deviceScaleFactor": 1, "mobile": phone });
        self.call("Emulation.setDeviceMetricsOverride", &metrics)?;
        self.width = width;
        Ok(())
    }

    /// Asks the browser for anything of its protocol.
    ///
    /// # Errors
    /// When it refuses or stays silent.
    pub fn call(&mut self, method: &str, params: &Value) -> anyhow::Result<Value> {
        self.next += 1;
        let id = self.next;
        let mut message = json!({ "id": id, "method": method, "params": params });
        if !self.session.is_empty() {
            message["sessionId"] = self.session.clone().into();
        }
        let mut bytes = serde_json::to_vec(&message)?;
        bytes.push(0);
        self.to.write_all(&bytes)?;
        let until = Instant::now() + ANSWER_WITHIN;
        loop {
            let left = until.saturating_duration_since(Instant::now());
            let mut answer = self.from.recv_timeout(left).context("the browser is silent")?;
            if answer["id"] != id {
                continue;
            }
            ensure!(answer["error"].is_null(), "{method}: {}", answer["error"]);
            return Ok(answer["result"].take());
        }
    }

    /// What a script of the page comes to.
    ///
    /// # Errors
    /// When the browser fails or the script throws.
    pub fn eval(&mut self, script: &str) -> anyhow::Result<Value> {
        let params = json!({ "expression": script, "returnByValue": true, "awaitPromise": true });
        let mut result = self.call("Runtime.evaluate", &params)?;
        ensure!(result["exceptionDetails"].is_null(), "{script}: {}", result["exceptionDetails"]);
        Ok(result["result"]["value"].take())
    }

    /// Opens a page and waits until it is whole.
    ///
    /// # Errors
    /// When the browser fails.
    pub fn open(&mut self, address: &str) -> anyhow::Result<()> {
        self.leave(|browser| browser.call("Page.navigate", &json!({ "url": address })).map(drop))
    }

    /// Does what leads to another page and waits until that is whole.
    fn leave(&mut self, act: impl FnOnce(&mut Self) -> anyhow::Result<()>) -> anyhow::Result<()> {
        self.eval("window.lumbungBefore = true")?;
        act(self)?;
        self.wait("document.readyState === 'complete' && !window.lumbungBefore")
    }

    /// Waits until a script is true.
    ///
    /// # Errors
    /// When it doesn't become true in time.
    pub fn wait(&mut self, script: &str) -> anyhow::Result<()> {
        let until = Instant::now() + SHOWS_WITHIN;
        while Instant::now() < until {
            // Between two pages there is nothing to ask.
            if self.eval(script).is_ok_and(|value| value == true) {
                return Ok(());
            }
            std::thread::sleep(Duration::from_millis(50));
        }
        bail!("never true: {script}; the page: {}", self.text().unwrap_or_default())
    }

    /// Everything that can be read on the page.
    ///
    /// # Errors
    /// When the browser fails.
    pub fn text(&mut self) -> anyhow::Result<String> {
        let text = self.eval("document.body ? document.body.innerText : ''")?;
        Ok(text.as_str().unwrap_or_default().to_owned())
    }

    /// Waits until the page says something.
    ///
    /// # Errors
    /// When it doesn't in time.
    pub fn says(&mut self, words: &str) -> anyhow::Result<()> {
        self.wait(&format!("document.body.innerText.includes({})", json!(words)))
    }

    /// Follows the first link or presses the first button that says this, and
    /// waits for the page behind it.
    ///
    /// # Errors
    /// When there is none.
    pub fn press(&mut self, words: &str) -> anyhow::Result<()> {
        let script = format!(
            "(() => {{ const all = [...document.querySelectorAll('main a, main button'),
                 ...document.querySelectorAll('a, button')];
               const visible = all.filter(it => it.offsetParent !== null);
               const it = visible.find(it => it.innerText.trim() === {0})
                 || visible.find(it => it.innerText.includes({0}))
                 || visible.find(it => (it.getAttribute('aria-label') || '').includes({0}));
               if (!it) return false; setTimeout(() => it.click(), 0); return true; }})()",
            json!(words)
        );
        self.leave(|browser| {
            let found = browser.eval(&script)?;
            ensure!(found == true, "nothing says {words} on: {}", browser.text()?);
            Ok(())
        })
    }

    /// Writes into the field with this label.
    ///
    /// # Errors
    /// When there is none.
    pub fn fill(&mut self, label: &str, value: &str) -> anyhow::Result<()> {
        let script = format!(
            "(() => {{ const label = [...document.querySelectorAll('label')]
                 .find(it => it.innerText.trim().startsWith({}));
               if (!label) return false;
               const field = label.control; if (!field) return false;
               if (field.type === 'checkbox') {{ field.checked = {1} === 'ya'; return true; }}
               field.value = {1}; return field.value === {1}; }})()",
            json!(label),
            json!(value)
        );
        ensure!(self.eval(&script)? == true, "no field {label} for {value} on: {}", self.text()?);
        Ok(())
    }

    /// Keeps a picture of the whole page.
    ///
    /// # Errors
    /// When the browser or the disk fails.
    pub fn picture(&mut self, file: &Path) -> anyhow::Result<()> {
        let params = json!({ "format": "png", "captureBeyondViewport": true });
        let shot = self.call("Page.captureScreenshot", &params)?;
        let data = shot["data"].as_str().context("no picture")?;
        std::fs::write(file, BASE64.decode(data)?)?;
        Ok(())
    }

    /// What the page breaks of WCAG 2.2 AA, as far as a script can tell:
    /// contrast, names, headings, sizes of what is pressed, focus.
    ///
    /// # Errors
    /// When the browser fails.
    pub fn breaches(&mut self) -> anyhow::Result<Vec<String>> {
        let found = self.eval(ACCESSIBLE)?;
        let found = found.as_array().context("a list")?;
        Ok(found.iter().filter_map(Value::as_str).map(str::to_owned).collect())
    }

    /// Looks at pages as who has asked for dark ones, or not.
    ///
    /// # Errors
    /// When the browser fails.
    pub fn dark(&mut self, dark: bool) -> anyhow::Result<()> {
        let scheme = if dark { "dark" } else { "light" };
        let features = json!([{ "name": "prefers-color-scheme", "value": scheme }]);
        self.call("Emulation.setEmulatedMedia", &json!({ "features": features })).map(drop)
    }

    /// Lays the page out as on paper, `width` pixels between the margins, or
    /// as on the screen again; `None` = the screen.
    ///
    /// # Errors
    /// When the browser fails.
    pub fn paper(&mut self, width: Option<u32>) -> anyhow::Result<()> {
        let (media, shown) = width.map_or(("", self.width), |width| ("print", width));
        self.call("Emulation.setEmulatedMedia", &json!({ "media": media }))?;
        let metrics =
            json!({ "width": shown, "height": 900, "deviceScaleFactor": 1, "mobile": shown < 600 });
        self.call("Emulation.setDeviceMetricsOverride", &metrics).map(drop)
    }

    /// The page as a file to be printed, on the paper that it asks for.
    ///
    /// # Errors
    /// When the browser fails.
    pub fn pdf(&mut self) -> anyhow::Result<Vec<u8>> {
        let sheet = self.call("Page.printToPDF", &json!({ "preferCSSPageSize": true }))?;
        Ok(BASE64.decode(sheet["data"].as_str().context("no sheet")?)?)
    }

    /// How far the page reaches beyond the window to the right, pixels: a
    /// reader on a phone should never have to push a page sideways.
    ///
    /// # Errors
    /// When the browser fails.
    pub fn overhang(&mut self) -> anyhow::Result<i64> {
        // A phone widens its view to what hangs over: the window can't be asked.
        let wide = self.eval("document.documentElement.scrollWidth")?;
        Ok(wide.as_i64().unwrap_or_default() - i64::from(self.width))
    }
}

impl Drop for Chromium {
    fn drop(&mut self) {
        drop(self.process.kill());
        drop(self.process.wait());
    }
}
