//! How `top` looks.

use lumbung_proto::v1::{CellKind, ListRow};
use lumbung_telemetry::clock;
use ratatui::Frame;
use ratatui::layout::{Constraint, Layout};
use ratatui::style::{Color, Modifier, Style};
use ratatui::text::Line;
use ratatui::widgets::{Cell, Paragraph, Row, Table};

use super::board::Board;
use crate::ctl::print::{Language, for_people, size};

/// From this width on everything is shown; below it what says least goes.
const WIDE: u16 = 110;

/// Below this width, which the usual terminal has, only which village, how it
/// is and what waits is shown.
const USUAL: u16 = 70;

/// Lines on top that tell of the district.
const fn head_lines(width: u16) -> u16 {
    if width < USUAL { 4 } else { 2 }
}

/// A column: its header, its width, and from which width of the screen on it
/// is there.
const COLUMNS: [(&str, Constraint, u16); 9] = [
    ("kode", Constraint::Length(13), WIDE),
    ("desa", Constraint::Fill(2), 0),
    ("keadaan", Constraint::Length(15), 0),
    ("sambungan", Constraint::Length(12), USUAL),
    ("antre", Constraint::Length(6), 0),
    ("gabung/dtk", Constraint::Length(10), WIDE),
    ("lalu lintas", Constraint::Length(11), WIDE),
    ("kontak", Constraint::Length(10), USUAL),
    ("masalah", Constraint::Fill(1), USUAL),
];

/// Those of a screen this wide.
fn shown<T>(all: [T; COLUMNS.len()], width: u16) -> impl Iterator<Item = T> {
    all.into_iter().zip(COLUMNS).filter(move |(_, column)| width >= column.2).map(|(it, _)| it)
}

/// The time of today, the day of any other.
fn contact(cell: &str) -> String {
    let told = for_people(Language::Id, CellKind::Moment, cell);
    let today = clock::today().to_string();
    match told.split_once(' ') {
        Some((day, time)) if day == today => time.to_owned(),
        Some((day, _)) => day.to_owned(),
        None => told,
    }
}

fn row<'a>(board: &Board, row: &'a ListRow, colours: bool, width: u16) -> Row<'a> {
    let cell = |key: &str| board.cell(row, key);
    // Codes as people read them.
    let words = |key: &str| cell(key).replace('_', " ");
    let rate = board.rate(row);
    let cells = [
        cell("code").to_owned(),
        board.name(row),
        // What is wrong has no column of its own on a narrow screen.
        match words("trouble") {
            trouble if width < USUAL && !trouble.is_empty() => trouble,
            _ => words("state"),
        },
        words("phase"),
        if cell("lag") == "0" { String::new() } else { cell("lag").to_owned() },
        if rate > 0.0 { format!("{rate:.0}") } else { String::new() },
        size(board.traffic(row)),
        contact(cell("last_contact_ms")),
        words("trouble"),
    ];
    // The words say it too: colour is never alone.
    let style = match (board.is_wrong(row), cell("state")) {
        (true, _) if colours => Style::new().fg(Color::Red),
        (true, _) => Style::new().add_modifier(Modifier::BOLD),
        (false, "belum_terdaftar") => Style::new().add_modifier(Modifier::DIM),
        _ => Style::new(),
    };
    Row::new(shown(cells, width).map(Cell::from)).style(style)
}

/// Draws the board.
pub(super) fn draw(frame: &mut Frame<'_>, board: &Board, colours: bool) {
    let head = Constraint::Length(head_lines(frame.area().width));
    let areas = Layout::vertical([head, Constraint::Min(1), Constraint::Length(1)]);
    let [head, body, foot] = areas.areas(frame.area());
    let summary = Paragraph::new(board.summary()).wrap(ratatui::widgets::Wrap { trim: true });
    frame.render_widget(summary, head);
    let rows = board.rows();
    let width = body.width;
    let nothing = rows.is_empty().then(|| board.nothing());
    let lines = rows.into_iter().skip(board.first()).map(|it| row(board, it, colours, width));
    let header = Row::new(shown(COLUMNS.map(|it| it.0), width));
    let header = header.style(Style::new().add_modifier(Modifier::REVERSED));
    let table = Table::new(lines, shown(COLUMNS.map(|it| it.1), width)).header(header);
    frame.render_widget(table, body);
    if let Some(words) = nothing {
        let below = Layout::vertical([Constraint::Length(2), Constraint::Min(1)]).split(body)[1];
        let words = Paragraph::new(words).wrap(ratatui::widgets::Wrap { trim: true });
        frame.render_widget(words, below);
    }
    let keys = if board.is_typing() {
        format!("Saring: {}_  (Enter pakai, Esc batal)", board.filter())
    } else {
        let only = if board.is_wrong_only() { " · bermasalah saja" } else { "" };
        let filter = match board.filter() {
            "" => String::new(),
            filter => format!(" · saring \"{filter}\""),
        };
        format!(
            "q keluar · s urut ({}) · p masalah · / saring · ↑↓ gulir{only}{filter}",
            board.order().words()
        )
    };
    frame.render_widget(Line::from(keys), foot);
}

#[cfg(test)]
mod tests {
    use std::time::Instant;

    use ratatui::Terminal;
    use ratatui::backend::TestBackend;

    use super::*;
    use crate::ctl::top::board::tests::list;

    fn drawn(width: u16, height: u16) -> String {
        let board = Board::new(list(1), Instant::now());
        let mut terminal = Terminal::new(TestBackend::new(width, height)).unwrap();
        terminal.draw(|frame| draw(frame, &board, true)).unwrap();
        terminal.backend().to_string()
    }

    #[test]
    fn an_empty_table_says_why() {
        let mut well = list(1);
        let (at, of) = (Instant::now(), |key| well.columns.iter().position(|it| it.key == key));
        let [trouble, state] = ["trouble", "state"].map(|key| of(key).unwrap());
        for row in &mut well.rows {
            row.cells[trouble].clear();
            row.cells[state] = "segar".to_owned();
        }
        let mut board = Board::new(well, at);
        board.toggle_wrong_only();
        let screen = |board: &Board| {
            let mut terminal = Terminal::new(TestBackend::new(80, 12)).unwrap();
            terminal.draw(|frame| draw(frame, board, true)).unwrap();
            terminal.backend().to_string()
        };
        assert!(screen(&board).contains("Tidak ada desa yang bermasalah"), "{}", screen(&board));
        board.toggle_wrong_only();
        "tiada".chars().for_each(|letter| board.type_letter(letter));
        assert!(screen(&board).contains("Tidak ada desa yang cocok"), "{}", screen(&board));
    }

    #[test]
    fn the_screen_tells_of_the_district_and_of_each_village() {
        let wide = drawn(140, 12);
        for told in ["3 desa: 2 segar", "Salam", "kembar", "mencoba lagi", "lalu lintas"] {
            assert!(wide.contains(told), "{told}\n{wide}");
        }
        // The usual terminal holds what matters, whole.
        let usual = drawn(80, 24);
        for told in ["Salam", "kembar", "mencoba lagi", "keadaan", "masalah", "↑↓ gulir"] {
            assert!(usual.contains(told), "{told}\n{usual}");
        }
        assert!(!usual.contains("lalu lintas"), "{usual}");
        // A telephone's terminal is small; nothing may break.
        let small = drawn(40, 10);
        for told in ["3 desa", "antre 9", "Salam", "lama", "Krajan", "kembar", "q keluar"] {
            assert!(small.contains(told), "{told}\n{small}");
        }
        drawn(5, 2);
    }
}
