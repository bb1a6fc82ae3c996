//! A scope as a condition of SQL.

use crate::dataset::Scope;

/// The condition that `column` names a village of the scope. Only numbers go
/// into the text.
pub(super) fn condition(scope: &Scope, column: &str) -> String {
    if scope.is_whole() {
        return "1".to_owned();
    }
    if scope.is_nothing() {
        return "0".to_owned();
    }
    let ranges = scope.ranges().iter();
    let ranges: Vec<_> =
        ranges.map(|(first, last)| format!("{column} BETWEEN {first} AND {last}")).collect();
    format!("({})", ranges.join(" OR "))
}
