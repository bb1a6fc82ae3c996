//! How `top` looks.

use lumbung_proto::v1::{CellKind, ListRow};
use ratatui::Frame;
use ratatui::layout::{Constraint, Layout};
use ratatui::style::{Color, Modifier, Style};
use ratatui::text::Line;
use ratatui::widgets::{Cell, Paragraph, Row, Table};

use super::board::Board;
use crate::ctl::print::{for_people, size};

const HEADERS: [&str; 9] = [
    "kode",
    "desa",
    "keadaan",
    "sambungan",
    "antre",
    "gabung/dtk",
    "lalu lintas",
    "kontak",
    "masalah",
];

const WIDTHS: [Constraint; 9] = [
    Constraint::Length(13),
    Constraint::Fill(2),
    Constraint::Length(15),
    Constraint::Length(12),
    Constraint::Length(7),
    Constraint::Length(10),
    Constraint::Length(11),
    Constraint::Length(19),
    Constraint::Fill(1),
];

fn row<'a>(board: &Board, row: &'a ListRow, colours: bool) -> Row<'a> {
    let cell = |key: &str| board.cell(row, key);
    let rate = board.rate(row);
    let cells = [
        cell("code").to_owned(),
        cell("name").to_owned(),
        cell("state").to_owned(),
        cell("phase").to_owned(),
        cell("lag").to_owned(),
        if rate > 0.0 { format!("{rate:.0}") } else { String::new() },
        size(board.traffic(row)),
        for_people(CellKind::Moment, cell("last_contact_ms")),
        cell("trouble").to_owned(),
    ];
    // The words say it too: colour is never alone.
    let style = match (board.is_wrong(row), cell("state")) {
        (true, _) if colours => Style::new().fg(Color::Red),
        (true, _) => Style::new().add_modifier(Modifier::BOLD),
        (false, "belum_terdaftar") => Style::new().add_modifier(Modifier::DIM),
        _ => Style::new(),
    };
    Row::new(cells.map(Cell::from)).style(style)
}

/// Draws the board.
pub(super) fn draw(frame: &mut Frame<'_>, board: &Board, colours: bool) {
    let areas =
        Layout::vertical([Constraint::Length(2), Constraint::Min(1), Constraint::Length(1)]);
    let [head, body, foot] = areas.areas(frame.area());
    let summary = Paragraph::new(board.summary()).wrap(ratatui::widgets::Wrap { trim: true });
    frame.render_widget(summary, head);
    let rows = board.rows();
    let shown = rows.into_iter().skip(board.first()).map(|it| row(board, it, colours));
    let header = Row::new(HEADERS).style(Style::new().add_modifier(Modifier::REVERSED));
    frame.render_widget(Table::new(shown, WIDTHS).header(header), body);
    let keys = if board.is_typing() {
        format!("Saring: {}_  (Enter pakai, Esc batal)", board.filter())
    } else {
        let only = if board.is_wrong_only() { " · bermasalah saja" } else { "" };
        let filter = match board.filter() {
            "" => String::new(),
            filter => format!(" · saring \"{filter}\""),
        };
        format!(
            "urut: {}{only}{filter}   s urut · p bermasalah · / saring · ↑↓ gulir · q keluar",
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
    fn the_screen_tells_of_the_district_and_of_each_village() {
        let wide = drawn(140, 12);
        for told in ["3 desa: 2 segar", "Salam", "kembar", "mencoba_lagi", "q keluar"] {
            assert!(wide.contains(told), "{told}\n{wide}");
        }
        // A telephone's terminal is small; nothing may break.
        assert!(drawn(40, 8).contains("3 desa"));
        drawn(5, 2);
    }
}
