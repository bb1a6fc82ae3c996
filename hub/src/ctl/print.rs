//! One printer for every list: as a table for people, or as JSON, NDJSON or
//! CSV for programs. What was asked for goes to standard output, sentences
//! beside it to standard error.

use std::io::{self, IsTerminal as _, Write};

use comfy_table::{ContentArrangement, LineStyle, TableStyle};
use lumbung_proto::v1::{CellKind, ListColumn, ListRow};
use lumbung_telemetry::clock;
use lumbung_telemetry::table::PLAIN;
use serde_json::{Map, Value, json};

/// How lists are printed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
pub(super) enum Format {
    /// Tabel ringkas.
    Table,
    /// Tabel dengan semua kolom.
    Wide,
    /// Satu objek JSON.
    Json,
    /// Satu objek JSON per baris.
    Ndjson,
    /// CSV.
    Csv,
}

/// In which language lists are printed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
pub(super) enum Language {
    /// Bahasa Indonesia.
    Id,
    /// Inggris, sejauh ada.
    En,
}

impl Language {
    const fn say(self, id: &'static str, en: &'static str) -> &'static str {
        match self {
            Self::Id => id,
            Self::En => en,
        }
    }
}

/// How lists are printed, and in which language.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct View {
    pub(super) format: Format,
    pub(super) language: Language,
    /// Columns of the terminal that tables fit into; `None` = as wide as they
    /// are.
    pub(super) width: Option<u16>,
}

/// Columns of the terminal, when that is where standard output goes.
pub(super) fn terminal_width() -> Option<u16> {
    let on_terminal = io::stdout().is_terminal();
    let size = on_terminal.then(ratatui::crossterm::terminal::size)?.ok()?;
    (size.0 > 0).then_some(size.0)
}

/// Blanks beside what a column holds, and the one between two columns.
const PADDING: usize = 3;

/// Rows of several lines, with a line between them.
const RULED: TableStyle = PLAIN.row_separator(LineStyle::none().fill('─').junction('─'));

/// A list that has arrived whole.
#[derive(Clone, Debug, Default)]
pub(super) struct List {
    pub(super) schema: String,
    pub(super) columns: Vec<ListColumn>,
    pub(super) rows: Vec<ListRow>,
    pub(super) notes: Vec<String>,
}

impl List {
    /// Where the column with this key stands.
    pub(super) fn column(&self, key: &str) -> Option<usize> {
        self.columns.iter().position(|column| column.key == key)
    }

    /// A cell of a row by its column's key; empty where there is none.
    pub(super) fn cell<'a>(&self, row: &'a ListRow, key: &str) -> &'a str {
        let at = self.column(key);
        at.and_then(|at| row.cells.get(at)).map_or("", String::as_str)
    }

    /// Prints it.
    pub(super) fn print(&self, view: View, out: &mut dyn Write) -> io::Result<()> {
        match view.format {
            Format::Table => self.table(false, view, out),
            Format::Wide => self.table(true, view, out),
            Format::Json => self.json(out),
            Format::Ndjson => self.ndjson(out),
            Format::Csv => self.csv(out),
        }
    }

    /// Whether people who read this language see a column: of two that say
    /// the same, one in each.
    fn is_for(&self, language: Language, key: &str) -> bool {
        match (language, key.strip_suffix("_en")) {
            (Language::Id, Some(other)) => self.column(other).is_none(),
            (Language::En, None) => self.column(&format!("{key}_en")).is_none(),
            _ => true,
        }
    }

    fn table(&self, wide: bool, view: View, out: &mut dyn Write) -> io::Result<()> {
        let language = view.language;
        let shown: Vec<(usize, &ListColumn)> = self
            .columns
            .iter()
            .enumerate()
            .filter(|(_, column)| (wide || !column.wide) && self.is_for(language, &column.key))
            .collect();
        let mut table = comfy_table::Table::new();
        table.load_style(PLAIN);
        table.set_header(shown.iter().map(|(_, column)| match language {
            Language::Id => &column.label_id,
            Language::En => &column.label_en,
        }));
        for row in &self.rows {
            table.add_row(shown.iter().map(|(at, column)| {
                let cell = row.cells.get(*at).map_or("", String::as_str);
                for_people(language, column.kind(), cell)
            }));
        }
        for (at, (_, column)) in shown.iter().enumerate() {
            let right =
                matches!(column.kind(), CellKind::Number | CellKind::Bytes | CellKind::Span);
            if right && let Some(column) = table.column_mut(at) {
                column.set_cell_alignment(comfy_table::CellAlignment::Right);
            }
        }
        let widths = table.column_max_content_widths();
        let whole: usize = widths.iter().map(|width| usize::from(*width) + PADDING).sum();
        if let Some(width) = view.width.filter(|width| whole > usize::from(*width)) {
            table.set_width(width).set_content_arrangement(ContentArrangement::Dynamic);
            // What is said of one thing is told apart by its words.
            if shown.len() > 2 {
                table.load_style(RULED);
            }
        }
        writeln!(out, "{}", table.trim_fmt())
    }

    fn object(&self, row: &ListRow) -> Value {
        let cells = self.columns.iter().zip(&row.cells);
        let pairs =
            cells.map(|(column, cell)| (column.key.clone(), for_programs(column.kind(), cell)));
        Value::Object(pairs.collect::<Map<_, _>>())
    }

    fn json(&self, out: &mut dyn Write) -> io::Result<()> {
        let rows: Vec<_> = self.rows.iter().map(|row| self.object(row)).collect();
        let whole = json!({ "schema": self.schema, "rows": rows });
        writeln!(out, "{whole:#}")
    }

    fn ndjson(&self, out: &mut dyn Write) -> io::Result<()> {
        self.rows.iter().try_for_each(|row| writeln!(out, "{}", self.object(row)))
    }

    fn csv(&self, out: &mut dyn Write) -> io::Result<()> {
        let mut writer = csv::Writer::from_writer(out);
        // Spreadsheets are read by people: moments are written out.
        writer.write_record(self.columns.iter().map(|column| match column.kind() {
            CellKind::Moment => column.key.trim_end_matches("_ms"),
            _ => &column.key,
        }))?;
        for row in &self.rows {
            let cells = self.columns.iter().zip(&row.cells);
            writer.write_record(cells.map(|(column, cell)| match column.kind() {
                CellKind::Moment => moment(cell).unwrap_or_default(),
                _ => harmless(cell),
            }))?;
        }
        writer.flush()
    }
}

/// Text that no spreadsheet takes for a formula.
fn harmless(text: &str) -> String {
    let formula = text.starts_with(['=', '+', '-', '@', '\t', '\r']);
    if formula && text.parse::<i64>().is_err() { format!("'{text}") } else { text.to_owned() }
}

/// A moment as programs read it; `None` = never.
fn moment(cell: &str) -> Option<String> {
    let at_ms = cell.parse::<i64>().ok().filter(|at_ms| *at_ms != 0)?;
    Some(clock::local(at_ms).strftime("%Y-%m-%dT%H:%M:%S+07:00").to_string())
}

fn for_programs(kind: CellKind, cell: &str) -> Value {
    match kind {
        CellKind::Text => Value::from(cell),
        CellKind::Flag => Value::from(cell == "true"),
        CellKind::Moment => cell.parse::<i64>().ok().filter(|it| *it != 0).into(),
        CellKind::Number | CellKind::Bytes | CellKind::Span => cell.parse::<i64>().ok().into(),
    }
}

/// A cell as people read it.
pub(super) fn for_people(language: Language, kind: CellKind, cell: &str) -> String {
    let number = cell.parse::<i64>().ok();
    match (kind, number) {
        (CellKind::Flag, _) => {
            if cell == "true" { language.say("ya", "yes") } else { "-" }.to_owned()
        }
        (CellKind::Moment, Some(0)) => "-".to_owned(),
        (CellKind::Moment, Some(at_ms)) => clock::display(at_ms),
        (CellKind::Bytes, Some(bytes)) => size(bytes.max(0).unsigned_abs()),
        (CellKind::Span, Some(ms)) => span(language, ms),
        _ => cell.to_owned(),
    }
}

/// `9 B`, `12 kB`, `3.4 MB`.
pub(super) fn size(bytes: u64) -> String {
    match bytes {
        0..10_000 => format!("{bytes} B"),
        10_000..10_000_000 => format!("{} kB", bytes / 1_000),
        _ => format!("{} MB", bytes / 1_000_000),
    }
}

/// `40 dtk`, `12 mnt`, `5 jam`, `3 hari`.
fn span(language: Language, ms: i64) -> String {
    let seconds = ms.max(0) / 1_000;
    let (count, unit) = match seconds {
        0..120 => (seconds, language.say("dtk", "s")),
        120..7_200 => (seconds / 60, language.say("mnt", "min")),
        7_200..172_800 => (seconds / 3_600, language.say("jam", "h")),
        _ => (seconds / 86_400, language.say("hari", "days")),
    };
    format!("{count} {unit}")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn list() -> List {
        let column = |key: &str, kind: CellKind, wide| ListColumn {
            key: key.to_owned(),
            label_id: format!("label {key}"),
            label_en: key.to_owned(),
            kind: kind.into(),
            wide,
        };
        let row = |cells: &[&str]| ListRow { cells: cells.iter().map(|it| (*it).into()).collect() };
        List {
            schema: "lumbung/uji/1".into(),
            columns: vec![
                column("name", CellKind::Text, false),
                column("lag", CellKind::Number, false),
                column("proven", CellKind::Flag, false),
                column("at_ms", CellKind::Moment, true),
            ],
            rows: vec![
                row(&["Jaten, =1+1", "3", "true", "1795500000000"]),
                row(&["=Salam", "", "false", "0"]),
            ],
            notes: vec![],
        }
    }

    fn printed(format: Format) -> String {
        let mut out = Vec::new();
        list().print(View { format, language: Language::Id, width: None }, &mut out).unwrap();
        String::from_utf8(out).unwrap()
    }

    #[test]
    fn json_is_typed_and_names_its_schema() {
        let value: Value = serde_json::from_str(&printed(Format::Json)).unwrap();
        let golden = json!({"schema": "lumbung/uji/1", "rows": [
            {"name": "Jaten, =1+1", "lag": 3, "proven": true, "at_ms": 1_795_500_000_000_i64},
            {"name": "=Salam", "lag": null, "proven": false, "at_ms": null},
        ]});
        assert_eq!(value, golden);
        let lines = printed(Format::Ndjson);
        let first: Value = serde_json::from_str(lines.lines().next().unwrap()).unwrap();
        assert_eq!((lines.lines().count(), &first), (2, &golden["rows"][0]));
    }

    #[test]
    fn csv_holds_no_formula_and_quotes_commas() {
        assert_eq!(
            printed(Format::Csv),
            "name,lag,proven,at\n\"Jaten, =1+1\",3,true,2026-11-24T13:00:00+07:00\n\
             '=Salam,,false,\n"
        );
    }

    #[test]
    fn people_read_one_language_and_programs_get_both() {
        let mut list = list();
        for (column, key) in list.columns.iter_mut().zip(["what", "what_en"]) {
            (column.key, column.label_en) = (key.to_owned(), format!("english {key}"));
        }
        let printed = |format, language| {
            let mut out = Vec::new();
            list.print(View { format, language, width: None }, &mut out).unwrap();
            String::from_utf8(out).unwrap()
        };
        let id = printed(Format::Table, Language::Id);
        assert!(id.contains("label name") && !id.contains("label lag"), "{id}");
        assert!(id.contains("Jaten") && id.contains("ya"), "{id}");
        let en = printed(Format::Table, Language::En);
        assert!(en.contains("english what_en") && !en.contains("Jaten"), "{en}");
        assert!(en.contains("yes"), "{en}");
        let csv = printed(Format::Csv, Language::En);
        assert!(csv.starts_with("what,what_en,"), "{csv}");
    }

    #[test]
    fn only_the_wide_table_shows_wide_columns() {
        let (narrow, wide) = (printed(Format::Table), printed(Format::Wide));
        assert!(narrow.contains("label lag") && !narrow.contains("label at_ms"), "{narrow}");
        assert!(wide.contains("label at_ms") && wide.contains("2026-11-24 13:00:00"), "{wide}");
    }

    #[test]
    fn a_table_has_a_line_for_each_row_and_fits_into_the_terminal() {
        let list = list();
        let drawn = |width| {
            let mut out = Vec::new();
            let view = View { format: Format::Wide, language: Language::Id, width };
            list.print(view, &mut out).unwrap();
            String::from_utf8(out).unwrap()
        };
        let widest = |text: &str| text.lines().map(|line| line.chars().count()).max().unwrap();
        let whole = drawn(None);
        assert_eq!(whole.lines().count(), list.rows.len() + 2, "{whole}");
        assert_eq!(drawn(Some(400)), whole);
        let narrow = drawn(Some(60));
        assert!(widest(&whole) > 60 && widest(&narrow) <= 60, "{narrow}");
        assert!(whole.lines().all(|line| line == line.trim_end()), "{whole}");
    }
}
