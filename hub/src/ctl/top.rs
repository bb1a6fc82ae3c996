//! `top`: the villages as they are now, on the whole screen. Off a terminal
//! it prints once and ends.

mod board;
mod screen;

use std::io::{self, IsTerminal as _, Write as _};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use lumbung_proto::v1;
use lumbung_proto::v1::admin_client::AdminClient;
use ratatui::crossterm::event::{self, Event, KeyCode, KeyEvent, KeyEventKind, KeyModifiers};
use tokio::sync::mpsc;
use tonic::transport::Channel;

use super::outcome::{Exit, Failure};
use super::print::{Format, List, View};
use board::Board;

/// How long the keyboard is waited for before it is asked whether to stop.
const KEYS_EVERY: Duration = Duration::from_millis(100);

/// Keys that wait to be read.
const KEYS_QUEUED: usize = 16;

pub(super) async fn run(admin: &mut AdminClient<Channel>, view: View) -> Result<Exit, Failure> {
    let mut told = admin.watch(v1::WatchRequest::default()).await?.into_inner();
    let gone = || Failure::new(Exit::Unreachable, "Hub berhenti.");
    let first = told.message().await?.ok_or_else(gone)?;
    let mut board = Board::new(list(first), Instant::now());
    if !io::stdout().is_terminal() || !io::stdin().is_terminal() {
        if view.format == Format::Table {
            writeln!(io::stdout(), "{}", board.summary())?;
        }
        board.shown_list().print(view, &mut io::stdout().lock())?;
        return Ok(Exit::Done);
    }
    let colours = std::env::var_os("NO_COLOR").is_none_or(|value| value.is_empty());
    let (stop, mut keys) = keyboard();
    // Whoever is stopped leaves the terminal as it was.
    let ended_from_outside = lumbung_telemetry::stop::asked();
    tokio::pin!(ended_from_outside);
    let mut terminal = ratatui::try_init()?;
    let ended = loop {
        if let Err(error) = terminal.draw(|frame| screen::draw(frame, &board, colours)) {
            break Err(error.into());
        }
        tokio::select! {
            now = told.message() => match now {
                Ok(Some(now)) => board.take(list(now), Instant::now()),
                Ok(None) => break Err(gone()),
                Err(status) => break Err(status.into()),
            },
            key = keys.recv() => match key {
                Some(Key::Pressed(key)) if !pressed(&mut board, key) => break Ok(Exit::Done),
                Some(_) => {}
                None => break Ok(Exit::Done),
            },
            () = &mut ended_from_outside => break Ok(Exit::Done),
        }
    };
    stop.store(true, Ordering::Relaxed);
    ratatui::try_restore()?;
    ended
}

fn list(now: v1::Listing) -> List {
    let v1::Listing { schema, columns, rows, notes } = now;
    List { schema, columns, rows, notes }
}

/// What comes from the terminal.
enum Key {
    Pressed(KeyEvent),
    /// It has another size.
    Resized,
}

/// Reads the keyboard until the flag is set: reading it blocks.
fn keyboard() -> (Arc<AtomicBool>, mpsc::Receiver<Key>) {
    let stop = Arc::new(AtomicBool::new(false));
    let (pressed, keys) = mpsc::channel(KEYS_QUEUED);
    let stopped = Arc::clone(&stop);
    std::thread::spawn(move || {
        while !stopped.load(Ordering::Relaxed) {
            let key = match event::poll(KEYS_EVERY) {
                Ok(false) => continue,
                Ok(true) => event::read(),
                Err(_) => return,
            };
            let key = match key {
                Ok(Event::Key(key)) if key.kind == KeyEventKind::Press => Key::Pressed(key),
                Ok(Event::Resize(..)) => Key::Resized,
                Ok(_) => continue,
                Err(_) => return,
            };
            if pressed.blocking_send(key).is_err() {
                return;
            }
        }
    });
    (stop, keys)
}

/// Does what a key means; `false` = the end.
fn pressed(board: &mut Board, key: KeyEvent) -> bool {
    if key.modifiers.contains(KeyModifiers::CONTROL) && key.code == KeyCode::Char('c') {
        return false;
    }
    if board.is_typing() {
        match key.code {
            KeyCode::Enter => board.end_typing(true),
            KeyCode::Esc => board.end_typing(false),
            KeyCode::Backspace => board.untype(),
            KeyCode::Char(letter) => board.type_letter(letter),
            _ => {}
        }
        return true;
    }
    match key.code {
        KeyCode::Char('q') | KeyCode::Esc => return false,
        KeyCode::Char('s') => board.next_order(),
        KeyCode::Char('p') => board.toggle_wrong_only(),
        KeyCode::Char('/' | 'f') => board.begin_typing(),
        KeyCode::Down | KeyCode::Char('j') => board.scroll(1),
        KeyCode::Up | KeyCode::Char('k') => board.scroll(-1),
        KeyCode::PageDown => board.scroll(20),
        KeyCode::PageUp => board.scroll(-20),
        KeyCode::Home => board.scroll(isize::MIN),
        _ => {}
    }
    true
}
