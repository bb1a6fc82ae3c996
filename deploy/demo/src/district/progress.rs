//! Progress bars of the demo.

use indicatif::{ProgressBar, ProgressStyle};

/// A bar that counts `what` up to `total`.
pub(super) fn bar(verb: &'static str, total: u64, what: &str) -> ProgressBar {
    let bar = ProgressBar::new(total);
    let template = format!("{{msg:14}} {{bar:36}} {{human_pos}}/{{human_len}} {what} {{elapsed}}");
    if let Ok(style) = ProgressStyle::with_template(&template) {
        bar.set_style(style);
    }
    bar.set_message(verb);
    bar
}
