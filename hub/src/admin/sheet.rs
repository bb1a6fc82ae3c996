//! A list on its way to a command: columns and rows of text, in pages.

use lumbung_proto::v1::{self, CellKind};

/// Rows that travel together.
const PAGE_ROWS: usize = 200;

/// A column: its stable key and what people call it. Where the words of its
/// cells come in English too, they stand in a column beside it, whose key is
/// the same with `_en`.
#[derive(Clone, Copy)]
pub(super) struct Column {
    key: &'static str,
    label_id: &'static str,
    label_en: &'static str,
    kind: CellKind,
    wide: bool,
}

impl Column {
    const fn of(
        kind: CellKind,
        key: &'static str,
        label_id: &'static str,
        label_en: &'static str,
    ) -> Self {
        Self { key, label_id, label_en, kind, wide: false }
    }

    pub(super) const fn text(key: &'static str, id: &'static str, en: &'static str) -> Self {
        Self::of(CellKind::Text, key, id, en)
    }

    pub(super) const fn number(key: &'static str, id: &'static str, en: &'static str) -> Self {
        Self::of(CellKind::Number, key, id, en)
    }

    /// Unix milliseconds; 0 = never.
    pub(super) const fn moment(key: &'static str, id: &'static str, en: &'static str) -> Self {
        Self::of(CellKind::Moment, key, id, en)
    }

    pub(super) const fn bytes(key: &'static str, id: &'static str, en: &'static str) -> Self {
        Self::of(CellKind::Bytes, key, id, en)
    }

    pub(super) const fn flag(key: &'static str, id: &'static str, en: &'static str) -> Self {
        Self::of(CellKind::Flag, key, id, en)
    }

    /// Milliseconds.
    pub(super) const fn span(key: &'static str, id: &'static str, en: &'static str) -> Self {
        Self::of(CellKind::Span, key, id, en)
    }

    /// Only where there is room.
    pub(super) const fn wide(self) -> Self {
        Self { wide: true, ..self }
    }

    fn message(&self) -> v1::ListColumn {
        v1::ListColumn {
            key: self.key.to_owned(),
            label_id: self.label_id.to_owned(),
            label_en: self.label_en.to_owned(),
            kind: self.kind.into(),
            wide: self.wide,
        }
    }
}

/// A list that is being made.
pub(super) struct Sheet {
    schema: &'static str,
    columns: Vec<v1::ListColumn>,
    rows: Vec<v1::ListRow>,
    notes: Vec<String>,
}

impl Sheet {
    pub(super) fn new(schema: &'static str, columns: &[Column]) -> Self {
        let columns = columns.iter().map(Column::message).collect();
        Self { schema, columns, rows: Vec::new(), notes: Vec::new() }
    }

    /// A list whose columns are known only now.
    pub(super) const fn with_columns(schema: &'static str, columns: Vec<v1::ListColumn>) -> Self {
        Self { schema, columns, rows: Vec::new(), notes: Vec::new() }
    }

    pub(super) fn row(&mut self, cells: impl IntoIterator<Item = String>) {
        self.rows.push(v1::ListRow { cells: cells.into_iter().collect() });
    }

    /// A sentence beside the list.
    pub(super) fn note(&mut self, sentence: impl Into<String>) {
        self.notes.push(sentence.into());
    }

    /// All of it in one message, for lists of villages.
    pub(super) fn whole(self) -> v1::Listing {
        let Self { schema, columns, rows, notes } = self;
        v1::Listing { schema: schema.to_owned(), columns, rows, notes }
    }

    /// In pages: columns and notes come with the first.
    pub(super) fn pages(self) -> Vec<v1::Listing> {
        let Self { schema, columns, rows, notes } = self;
        let first = v1::Listing { schema: schema.to_owned(), columns, rows: vec![], notes };
        let mut pages = vec![first];
        let mut rows = rows.into_iter().peekable();
        while rows.peek().is_some() {
            let rows = rows.by_ref().take(PAGE_ROWS).collect();
            pages.push(v1::Listing { rows, ..Default::default() });
        }
        pages
    }
}
