//! `lumbung-hubctl top` on a terminal of its own: a real hub and nodes, keys
//! that are pressed, what stands on the screen, and a terminal that is left
//! as it was however the program ends.
#![allow(clippy::unwrap_used, reason = "a test that fails may panic")]

use std::fs::File;
use std::io::{Read as _, Write as _};
use std::os::fd::OwnedFd;
use std::process::{Child, Command, ExitStatus};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use anyhow::{Context, bail, ensure};
use lumbung_domain::region::{VillageCode, roster};
use lumbung_tests::district::{District, HubProcess};
use rustix::pty::{OpenptFlags, grantpt, openpt, ptsname, unlockpt};
use rustix::termios::{LocalModes, Winsize, tcgetattr, tcsetwinsize};

const BINARY: &str = env!("CARGO_BIN_EXE_lumbung-process");

const WITHIN: Duration = Duration::from_secs(20);

/// Lines and columns of the terminal at first.
const WHOLE: (u16, u16) = (24, 120);

const DOWN: &str = "\x1b[B";
const UP: &str = "\x1b[A";
const ESCAPE: &str = "\x1b";

/// A terminal with `top` in it.
struct Terminal {
    /// The end that a person sits at.
    person: OwnedFd,
    /// The end of the program; held so that its settings can be read after.
    program: OwnedFd,
    screen: Arc<Mutex<vt100::Parser>>,
    top: Child,
}

impl Terminal {
    fn open(hub: &HubProcess) -> anyhow::Result<Self> {
        let person = openpt(OpenptFlags::RDWR | OpenptFlags::NOCTTY | OpenptFlags::CLOEXEC)?;
        grantpt(&person)?;
        unlockpt(&person)?;
        let name = ptsname(&person, Vec::new())?;
        let program = File::options().read(true).write(true).open(name.to_str()?)?;
        tcsetwinsize(&person, size(WHOLE))?;
        let screen = Arc::new(Mutex::new(vt100::Parser::new(WHOLE.0, WHOLE.1, 0)));
        let mut written = File::from(person.try_clone()?);
        let reader = Arc::clone(&screen);
        std::thread::spawn(move || {
            let mut bytes = [0; 4096];
            // Ends when nobody holds the program's end any more.
            while let Ok(count @ 1..) = written.read(&mut bytes) {
                reader.lock().unwrap_or_else(PoisonError::into_inner).process(&bytes[..count]);
            }
        });
        // The terminal becomes the program's own: that is how it hears of its
        // size.
        let top = Command::new("setsid")
            .args(["--ctty", BINARY, "hubctl", "--hub"])
            .arg(hub.dir())
            .arg("top")
            .env("TERM", "xterm-256color")
            .env_remove("NO_COLOR")
            .stdin(program.try_clone()?)
            .stdout(program.try_clone()?)
            .stderr(program.try_clone()?)
            .spawn()
            .context("setsid of util-linux is missing")?;
        Ok(Self { person, program: program.into(), screen, top })
    }

    fn see<T>(&self, of: impl FnOnce(&vt100::Screen) -> T) -> T {
        of(self.screen.lock().unwrap_or_else(PoisonError::into_inner).screen())
    }

    /// The lines on the screen.
    fn lines(&self) -> Vec<String> {
        self.see(|screen| {
            let (_, columns) = screen.size();
            screen.rows(0, columns).map(|line| line.trim_end().to_owned()).collect()
        })
    }

    /// Waits until the screen is as it should be.
    fn wait(&self, what: &str, is: impl Fn(&[String]) -> bool) -> anyhow::Result<Vec<String>> {
        let begun = Instant::now();
        loop {
            let lines = self.lines();
            if is(&lines) {
                return Ok(lines);
            }
            if begun.elapsed() > WITHIN {
                bail!("{what}: the screen shows\n{}", lines.join("\n"));
            }
            std::thread::sleep(Duration::from_millis(20));
        }
    }

    fn press(&self, keys: &str) -> anyhow::Result<()> {
        File::from(self.person.try_clone()?).write_all(keys.as_bytes())?;
        Ok(())
    }

    fn resize(&self, to: (u16, u16)) -> anyhow::Result<()> {
        let mut screen = self.screen.lock().unwrap_or_else(PoisonError::into_inner);
        screen.screen_mut().set_size(to.0, to.1);
        tcsetwinsize(&self.person, size(to))?;
        Ok(())
    }

    /// Whether the program reads each key as it is pressed and unseen, and
    /// has put its own screen over what was there.
    fn is_taken(&self) -> anyhow::Result<bool> {
        let by_line = tcgetattr(&self.program)?.local_modes;
        let by_line = by_line.contains(LocalModes::ICANON | LocalModes::ECHO | LocalModes::ISIG);
        Ok(!by_line && self.see(vt100::Screen::alternate_screen))
    }

    /// Waits for the end, and for a terminal as it was before.
    fn ended(&mut self) -> anyhow::Result<ExitStatus> {
        let begun = Instant::now();
        let status = loop {
            if let Some(status) = self.top.try_wait()? {
                break status;
            }
            ensure!(begun.elapsed() < WITHIN, "top goes on: {}", self.lines().join("\n"));
            std::thread::sleep(Duration::from_millis(20));
        };
        let modes = tcgetattr(&self.program)?.local_modes;
        let usual = LocalModes::ICANON | LocalModes::ECHO | LocalModes::ISIG;
        ensure!(modes.contains(usual), "keys are not read by the line again: {modes:?}");
        self.wait("the program's screen stays", |_| {
            self.see(|screen| !screen.alternate_screen() && !screen.hide_cursor())
        })?;
        Ok(status)
    }
}

impl Drop for Terminal {
    fn drop(&mut self) {
        drop(self.top.kill());
        drop(self.top.wait());
    }
}

const fn size((lines, columns): (u16, u16)) -> Winsize {
    Winsize { ws_row: lines, ws_col: columns, ws_xpixel: 0, ws_ypixel: 0 }
}

fn name(village: VillageCode) -> &'static str {
    roster().village(village).unwrap().name
}

/// The line of a village in good order.
fn is_well(line: &str, name: &str) -> bool {
    line.contains(name) && line.contains("segar") && line.contains("tersambung")
}

/// The villages' lines: below two of the district and the header, above the
/// keys.
fn villages(lines: &[String]) -> &[String] {
    &lines[3..lines.len() - 1]
}

async fn district() -> anyhow::Result<District> {
    let mut district = District::joined(BINARY, 2, None).await?;
    district.start().await?;
    district.wait_proven(WITHIN).await?;
    Ok(district)
}

#[tokio::test(flavor = "multi_thread")]
async fn top_shows_the_villages_and_follows_keys_and_size() -> anyhow::Result<()> {
    let mut district = district().await?;
    let codes: Vec<_> = district.nodes.iter().map(|node| node.village).collect();
    let [one, other] = [name(codes[0]), name(codes[1])];
    let mut terminal = Terminal::open(&district.hub)?;
    let lines = terminal.wait("both villages", |lines| {
        let seen = |name| lines.iter().any(|line| is_well(line, name));
        seen(one) && seen(other) && lines.concat().contains("2 tersambung")
    })?;
    assert!(terminal.is_taken()?, "keys come one by one, on a screen of its own");
    assert!(lines[0].starts_with("248 desa: 2 segar"), "{}", lines[0]);
    assert!(lines[2].contains("kode") && lines[2].contains("lalu lintas"), "{}", lines[2]);
    let on_top = codes.iter().any(|code| lines[3].starts_with(&code.to_string()));
    assert!(on_top, "those that joined come first: {lines:?}");
    assert!(lines.last().unwrap().starts_with("q keluar"), "{lines:?}");

    // What is on top scrolls away and comes again.
    let (first, second) = (lines[3].clone(), lines[4].clone());
    let named = |line: &str| line.split_whitespace().next().map(str::to_owned);
    let is_first = |lines: &[String], line: &str| named(&lines[3]) == named(line);
    terminal.press(DOWN)?;
    terminal.wait("one down", |lines| is_first(lines, &second))?;
    terminal.press(UP)?;
    terminal.wait("and up", |lines| is_first(lines, &first))?;

    // Letters of a filter are no commands, not even q.
    terminal.press("/q")?;
    terminal.wait("typing", |lines| lines.last().unwrap().starts_with("Saring: q_"))?;
    terminal.press("\x7f")?;
    terminal.press(&one.to_lowercase())?;
    terminal.press("\r")?;
    terminal.wait("filtered", |lines| {
        let mut shown = villages(lines).iter().filter(|line| !line.is_empty());
        let named = lines.last().unwrap().contains(&format!("saring \"{}\"", one.to_lowercase()));
        named && shown.clone().count() > 0 && shown.all(|line| line.contains(one))
    })?;
    terminal.press("/")?;
    terminal.press(ESCAPE)?;
    terminal.wait("all again", |lines| villages(lines).iter().all(|line| !line.is_empty()))?;

    // Nothing is wrong yet; then a line breaks, which the screen tells by
    // itself.
    terminal.press("p")?;
    terminal.wait("nothing wrong", |lines| {
        lines.last().unwrap().contains("bermasalah saja")
            && villages(lines).concat().starts_with("Tidak ada desa yang bermasalah.")
    })?;
    terminal.press("p")?;
    district.nodes[1].kill()?;
    terminal.wait("a line that broke", |lines| {
        let gone = lines.iter().any(|line| line.contains(other) && !line.contains("tersambung"));
        gone && lines.concat().contains("1 tersambung")
    })?;

    // A telephone's width: fewer columns, nothing beyond the edge.
    terminal.resize((12, 40))?;
    let lines = terminal.wait("small", |lines| {
        let header = &lines[4];
        lines[0].starts_with("248 desa") && header.contains("desa") && !header.contains("kode")
    })?;
    assert!(lines[..4].concat().contains("antre"), "all that is said of the district: {lines:?}");
    let is_one = |line: &String| line.contains(one) && line.contains("segar");
    assert!(lines[5..].iter().any(is_one), "{lines:?}");
    assert!(lines.last().unwrap().starts_with("q keluar"), "{lines:?}");

    terminal.press("q")?;
    assert_eq!(terminal.ended()?.code(), Some(0));
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn whatever_ends_top_leaves_the_terminal_as_it_was() -> anyhow::Result<()> {
    let mut district = district().await?;
    for how in ["ctrl-c", "terminate", "hub"] {
        let mut terminal = Terminal::open(&district.hub)?;
        terminal.wait(how, |lines| lines[0].starts_with("248 desa"))?;
        assert!(terminal.is_taken()?, "{how}");
        let code = match how {
            "ctrl-c" => {
                terminal.press("\x03")?;
                0
            }
            "terminate" => {
                let top = terminal.top.id().to_string();
                ensure!(Command::new("kill").args(["-TERM", &top]).status()?.success());
                0
            }
            _ => {
                district.hub.stop().await?;
                8
            }
        };
        assert_eq!(terminal.ended()?.code(), Some(code), "{how}");
        if how == "hub" {
            let why = "Sambungan ke hub terputus";
            terminal.wait("why it ended", |lines| lines.concat().contains(why))?;
        }
    }
    Ok(())
}
