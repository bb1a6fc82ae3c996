//! Tables as every command prints them.

use comfy_table::{LineStyle, Table, TableStyle};

/// A rule below the header and none between rows.
pub const PLAIN: TableStyle =
    TableStyle::new().header_separator(LineStyle::none().fill('─').junction('─'));

/// An empty table with this header.
#[must_use]
pub fn with_header<const N: usize>(header: [&str; N]) -> Table {
    let mut table = Table::new();
    table.load_style(PLAIN);
    table.set_header(header);
    table
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_table_has_a_line_below_its_header_and_none_between_rows() {
        let mut table = with_header(["id", "nama"]);
        table.add_row(["1", "Jaten"]).add_row(["2", "Salam"]);
        let printed = table.to_string();
        let ruled: Vec<_> = printed.lines().map(|line| line.contains('─')).collect();
        assert_eq!(ruled, [false, true, false, false], "{printed}");
    }
}
