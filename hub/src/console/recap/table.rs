//! A sheet as a table.

use lumbung_domain::recap::{Cell, Isi};
use maud::{Markup, html};

use super::super::language::Language;
use super::gloss;
use crate::recap::{Printed, Recap};

/// The sheet with its group headers and its total, its numbers as `language`
/// writes them; `link` says where a row's name leads.
pub(super) fn table(
    recap: &Recap,
    printed: &Printed,
    language: Language,
    link: impl Fn(usize) -> Option<String>,
) -> Markup {
    // The sheet's own words are official and stay Indonesian.
    let foreign = (language != Language::Indonesian).then_some(language.tag());
    let columns = &recap.sheet.form.columns;
    let line = |row: &[Cell], link: Option<String>| {
        html! {
            @for (cell, column) in row.iter().zip(columns) {
                @match (cell, column.isi) {
                    (Cell::Text(label), Isi::Nama) => th scope="row" {
                        @let label = if label.is_empty() { "-" } else { label };
                        @if let Some(link) = &link { a href=(link) { (label) } }
                        @else { (label) }
                    },
                    (Cell::Text(text), Isi::Jumlah(_)) => td class="n" { (text) },
                    (Cell::Text(text), _) => td { (text) },
                    (Cell::Number(0), _) => td class="n zero" { "0" },
                    (Cell::Number(number), _) => td class="n" lang=[foreign] {
                        (language.count(*number))
                    },
                }
            }
        }
    };
    // What a heading means, for who reads another language.
    let gloss = |words: Option<&str>| {
        html! {
            @if let (Some(tag), Some(words)) = (foreign, words) {
                " " small class="gloss" lang=(tag) { (words) }
            }
        }
    };
    html! {
        table class="sheet" lang="id" {
            thead {
                tr {
                    @for (group, start, width) in groups(recap) {
                        @if group.is_empty() {
                            th scope="col" rowspan="2" {
                                (columns[start].header) (gloss(gloss::column(&columns[start])))
                            }
                        } @else {
                            th scope="colgroup" colspan=(width) {
                                (group) (gloss(gloss::group(group)))
                            }
                        }
                    }
                }
                tr {
                    @for column in columns.iter().filter(|column| !column.group.is_empty()) {
                        th scope="col" { (column.header) (gloss(gloss::column(column))) }
                    }
                }
            }
            tbody {
                @for (row, number) in printed.cells.rows.iter().zip(0..) {
                    tr { (line(row, link(number))) }
                }
            }
            tfoot { tr { (line(&printed.cells.total, None)) } }
        }
    }
}

/// Neighbouring columns under one heading: heading, first column, width.
/// Columns without a heading stand alone.
fn groups(recap: &Recap) -> Vec<(&'static str, usize, usize)> {
    let mut groups: Vec<(&str, usize, usize)> = Vec::new();
    for (at, column) in recap.sheet.form.columns.iter().enumerate() {
        match groups.last_mut() {
            Some((group, _, width)) if !group.is_empty() && *group == column.group => *width += 1,
            _ => groups.push((column.group, at, 1)),
        }
    }
    groups
}
