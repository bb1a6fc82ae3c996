//! What `top` shows: the villages in some order, some of them, and how fast
//! things move. No screen here.

use std::cmp::Reverse;
use std::collections::HashMap;
use std::time::Instant;

use lumbung_proto::v1::ListRow;

use crate::ctl::print::List;

/// The states of a village, worst first; those that never joined come last:
/// nothing is wrong with them.
const WORST_FIRST: [&str; 5] = ["hilang", "lama", "terlambat", "segar", "belum_terdaftar"];

/// By what villages are ordered.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Order {
    /// What needs somebody first.
    Wrong,
    Lag,
    LastContact,
    Traffic,
    Rate,
    Name,
}

impl Order {
    const ALL: [Self; 6] =
        [Self::Wrong, Self::Lag, Self::LastContact, Self::Traffic, Self::Rate, Self::Name];

    /// For people.
    pub(super) const fn words(self) -> &'static str {
        match self {
            Self::Wrong => "yang bermasalah dulu",
            Self::Lag => "antrean",
            Self::LastContact => "kontak terlama",
            Self::Traffic => "lalu lintas",
            Self::Rate => "laju gabung",
            Self::Name => "nama",
        }
    }
}

/// What `top` shows.
pub(super) struct Board {
    list: List,
    at: Instant,
    /// Entries merged a second, by village.
    rates: HashMap<String, f64>,
    order: Order,
    filter: String,
    typing: bool,
    wrong_only: bool,
    /// Rows that are scrolled away.
    first: usize,
}

fn number(cell: &str) -> i64 {
    cell.parse().unwrap_or(0)
}

impl Board {
    pub(super) fn new(list: List, at: Instant) -> Self {
        Self {
            list,
            at,
            rates: HashMap::new(),
            order: Order::Wrong,
            filter: String::new(),
            typing: false,
            wrong_only: false,
            first: 0,
        }
    }

    /// Takes how things are now; rates come from the difference.
    pub(super) fn take(&mut self, list: List, at: Instant) {
        let seconds = at.saturating_duration_since(self.at).as_secs_f64();
        let merged = |list: &List| -> HashMap<String, i64> {
            let rows = list.rows.iter();
            rows.map(|row| {
                (list.cell(row, "code").to_owned(), number(list.cell(row, "merged_seq")))
            })
            .collect()
        };
        let (before, now) = (merged(&self.list), merged(&list));
        // The page's columns may come only once.
        let columns = if list.columns.is_empty() { self.list.columns.clone() } else { vec![] };
        self.list = if columns.is_empty() { list } else { List { columns, ..list } };
        if seconds > 0.0 {
            let rate = |(code, seq): (String, i64)| {
                let moved = seq - before.get(&code).copied().unwrap_or(seq);
                (code, moved.max(0) as f64 / seconds)
            };
            self.rates = now.into_iter().map(rate).collect();
        }
        self.at = at;
    }

    pub(super) fn rate(&self, row: &ListRow) -> f64 {
        self.rates.get(self.cell(row, "code")).copied().unwrap_or(0.0)
    }

    pub(super) fn cell<'a>(&self, row: &'a ListRow, key: &str) -> &'a str {
        self.list.cell(row, key)
    }

    pub(super) fn traffic(&self, row: &ListRow) -> u64 {
        let bytes = number(self.cell(row, "received_bytes")) + number(self.cell(row, "sent_bytes"));
        bytes.max(0).unsigned_abs()
    }

    /// The rows that are wanted, in order.
    pub(super) fn rows(&self) -> Vec<&ListRow> {
        let wanted = self.filter.to_lowercase();
        let is_wanted = |row: &&ListRow| {
            let named = ["code", "name", "kecamatan", "state", "trouble", "phase"];
            let named =
                named.iter().any(|key| self.cell(row, key).to_lowercase().contains(&wanted));
            named && (!self.wrong_only || self.is_wrong(row))
        };
        let mut rows: Vec<_> = self.list.rows.iter().filter(is_wanted).collect();
        let contact = |row: &&ListRow| number(self.cell(row, "last_contact_ms"));
        match self.order {
            Order::Wrong => {
                rows.sort_by_key(|row| (!self.is_wrong(row), self.badness(row), contact(row)))
            }
            Order::Lag => rows.sort_by_key(|row| Reverse(number(self.cell(row, "lag")))),
            Order::LastContact => rows.sort_by_key(contact),
            Order::Traffic => rows.sort_by_key(|row| Reverse(self.traffic(row))),
            Order::Rate => rows.sort_by(|a, b| self.rate(b).total_cmp(&self.rate(a))),
            Order::Name => rows.sort_by_key(|row| self.cell(row, "name")),
        }
        rows
    }

    /// Why no village is shown.
    pub(super) fn nothing(&self) -> &'static str {
        match (self.filter.as_str(), self.wrong_only) {
            ("", true) => "Tidak ada desa yang bermasalah. Tekan p untuk melihat semua.",
            ("", false) => "Belum ada desa.",
            _ => "Tidak ada desa yang cocok dengan saringan. Tekan / lalu Esc untuk menghapusnya.",
        }
    }

    /// The same as a list, to be printed once.
    pub(super) fn shown_list(&self) -> List {
        let rows = self.rows().into_iter().cloned().collect();
        List { rows, ..self.list.clone() }
    }

    /// A village's name, with its kecamatan where another one has it too.
    pub(super) fn name(&self, row: &ListRow) -> String {
        let name = self.cell(row, "name");
        let bearers = self.list.rows.iter().filter(|row| self.cell(row, "name") == name);
        match bearers.take(2).count() {
            2 => format!("{name} ({})", self.cell(row, "kecamatan")),
            _ => name.to_owned(),
        }
    }

    fn badness(&self, row: &ListRow) -> usize {
        let state = self.cell(row, "state");
        WORST_FIRST.iter().position(|it| *it == state).unwrap_or(0)
    }

    pub(super) fn is_wrong(&self, row: &ListRow) -> bool {
        let late = matches!(self.cell(row, "state"), "terlambat" | "lama" | "hilang");
        late || !self.cell(row, "trouble").is_empty()
    }

    /// How the district is, in a line.
    pub(super) fn summary(&self) -> String {
        let rows = &self.list.rows;
        let count =
            |key: &str, value: &str| rows.iter().filter(|row| self.cell(row, key) == value).count();
        let lag: i64 = rows.iter().map(|row| number(self.cell(row, "lag"))).sum();
        let troubled = rows.iter().filter(|row| !self.cell(row, "trouble").is_empty()).count();
        let rate: f64 = rows.iter().map(|row| self.rate(row)).sum();
        format!(
            "{} desa: {} segar, {} terlambat, {} lama, {} hilang, {} belum terdaftar; {} \
             tersambung, {troubled} bermasalah; antre {lag}, gabung {rate:.0}/dtk",
            rows.len(),
            count("state", "segar"),
            count("state", "terlambat"),
            count("state", "lama"),
            count("state", "hilang"),
            count("state", "belum_terdaftar"),
            count("phase", "tersambung") + count("phase", "mengejar"),
        )
    }

    pub(super) const fn order(&self) -> Order {
        self.order
    }

    pub(super) fn next_order(&mut self) {
        let at = Order::ALL.iter().position(|order| *order == self.order).unwrap_or(0);
        self.order = Order::ALL[(at + 1) % Order::ALL.len()];
        self.first = 0;
    }

    pub(super) const fn toggle_wrong_only(&mut self) {
        self.wrong_only = !self.wrong_only;
        self.first = 0;
    }

    pub(super) const fn is_wrong_only(&self) -> bool {
        self.wrong_only
    }

    pub(super) fn filter(&self) -> &str {
        &self.filter
    }

    pub(super) const fn is_typing(&self) -> bool {
        self.typing
    }

    pub(super) const fn begin_typing(&mut self) {
        self.typing = true;
    }

    /// Ends typing; what was typed goes unless it is to be kept.
    pub(super) fn end_typing(&mut self, keep: bool) {
        self.typing = false;
        if !keep {
            self.filter.clear();
        }
        self.first = 0;
    }

    pub(super) fn type_letter(&mut self, letter: char) {
        self.filter.push(letter);
        self.first = 0;
    }

    pub(super) fn untype(&mut self) {
        self.filter.pop();
    }

    pub(super) fn scroll(&mut self, rows: isize) {
        let last = self.rows().len().saturating_sub(1);
        self.first = self.first.saturating_add_signed(rows).min(last);
    }

    pub(super) const fn first(&self) -> usize {
        self.first
    }
}

#[cfg(test)]
pub(super) mod tests {
    use std::time::Duration;

    use lumbung_proto::v1::{CellKind, ListColumn};

    use super::*;

    const KEYS: [&str; 11] = [
        "code",
        "name",
        "kecamatan",
        "state",
        "phase",
        "lag",
        "proven",
        "last_contact_ms",
        "trouble",
        "merged_seq",
        "received_bytes",
    ];

    pub(in crate::ctl::top) fn list(merged: i64) -> List {
        let column = |key: &&str| ListColumn {
            key: (*key).into(),
            label_id: (*key).into(),
            label_en: (*key).into(),
            kind: CellKind::Text.into(),
            wide: false,
        };
        let row = |cells: [&str; 11]| ListRow { cells: cells.map(str::to_owned).to_vec() };
        let merged = merged.to_string();
        List {
            columns: KEYS.iter().map(column).collect(),
            rows: vec![
                row([
                    "1",
                    "Jaten",
                    "Wonodadi",
                    "segar",
                    "tersambung",
                    "0",
                    "true",
                    "90",
                    "",
                    &merged,
                    "5",
                ]),
                row([
                    "2",
                    "Salam",
                    "Wonodadi",
                    "lama",
                    "mencoba_lagi",
                    "7",
                    "false",
                    "10",
                    "",
                    "4",
                    "90",
                ]),
                row([
                    "3",
                    "Krajan",
                    "Kademangan",
                    "segar",
                    "berhenti",
                    "2",
                    "false",
                    "50",
                    "kembar",
                    "4",
                    "1",
                ]),
            ],
            ..List::default()
        }
    }

    fn names(board: &Board) -> Vec<&str> {
        board.rows().into_iter().map(|row| board.cell(row, "name")).collect()
    }

    #[test]
    fn what_needs_somebody_comes_first_and_orders_go_round() {
        let mut board = Board::new(list(1), Instant::now());
        assert_eq!(names(&board), ["Salam", "Krajan", "Jaten"]);
        let mut seen = Vec::new();
        for _ in Order::ALL {
            board.next_order();
            seen.push(names(&board)[0].to_owned());
        }
        assert_eq!(seen, ["Salam", "Salam", "Salam", "Jaten", "Jaten", "Salam"]);
    }

    #[test]
    fn a_filter_narrows_and_rates_come_from_the_difference() {
        let start = Instant::now();
        let mut board = Board::new(list(10), start);
        "kademangan".chars().for_each(|letter| board.type_letter(letter));
        assert_eq!(names(&board), ["Krajan"]);
        board.end_typing(false);
        board.toggle_wrong_only();
        assert_eq!(names(&board), ["Salam", "Krajan"]);
        board.take(list(30), start + Duration::from_secs(2));
        let all = board.list.rows.clone();
        assert!((board.rate(&all[0]) - 10.0).abs() < 1e-9 && board.rate(&all[1]) == 0.0);
        assert!(board.summary().starts_with("3 desa: 2 segar, 0 terlambat, 1 lama"));
        board.scroll(99);
        assert_eq!(board.first(), 1);
        board.scroll(isize::MIN);
        assert_eq!(board.first(), 0);
    }

    #[test]
    fn villages_of_one_name_are_told_apart() {
        let mut list = list(1);
        list.rows[2].cells[1] = "Jaten".to_owned();
        let board = Board::new(list, Instant::now());
        let names: Vec<_> = board.rows().into_iter().map(|row| board.name(row)).collect();
        assert_eq!(names, ["Salam", "Jaten (Kademangan)", "Jaten (Wonodadi)"]);
    }
}
