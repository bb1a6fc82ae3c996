//! Everything the hub knows of a village's machine and line, and what the
//! machine says of itself just now, as text to be copied for whoever helps. Nothing about residents, no telephone numbers.

use std::fmt::Write as _;

use axum::extract::{Path, State};
use maud::html;

use super::super::frame::{Frame, Tab};
use super::super::guard::Viewer;
use super::super::language::Language;
use super::super::tile::said;
use super::super::{ConsoleState, Page, Trouble, at_desk, whole};
use super::{VillagePage, named};
use crate::desk::diagnosis::Diagnosis;
use crate::words::Words;

pub(super) async fn page(
    State(state): State<ConsoleState>,
    Path(code): Path<String>,
    viewer: Viewer,
) -> Result<Page, Trouble> {
    let desa = named(&code)?;
    at_desk(&state, viewer, move |desk, viewer| {
        let diagnosis = desk.diagnose(&viewer.who, desa.code)?;
        let sight = desk.sight(&viewer.who)?;
        let page = VillagePage::gather(desk, viewer, desa.code, &sight)?;
        let text = page.text(viewer.language, &diagnosis);
        let say = |id, en| viewer.language.say(id, en);
        let title = say("Diagnostik", "Diagnostics");
        let body = html! {
            p class="crumbs" { a href=(format!("/desa/{}", desa.code)) { (desa.full_name()) } }
            h1 { (title) }
            div class="field" {
                label for="teks" { (say("Salin dan kirim ke yang membantu",
                                        "Copy and send to whoever helps")) }
                textarea id="teks" class="copied" rows="24" readonly { (text) }
            }
        };
        Ok(whole(Frame::of(viewer, title, Tab::Villages).page(&body)))
    })
    .await
}

/// A moment to the second: helpers compare it with logs.
fn instant(language: Language, at_ms: i64) -> String {
    said(language, &Words::instant(at_ms)).to_owned()
}

impl VillagePage<'_> {
    fn text(&self, language: Language, diagnosis: &Diagnosis) -> String {
        let desa = self.outlook.desa;
        let mut text = format!("{} ({})\n", desa.full_name(), desa.code);
        let mut line = |word: &str, value: &str| {
            // Writing to a String can't fail.
            let _ = match word {
                "" => writeln!(text, "{value}"),
                word => writeln!(text, "{word}: {value}"),
            };
        };
        line("Hub", env!("CARGO_PKG_VERSION"));
        line(language.say("Waktu", "Time"), &instant(language, self.sight.outlook.now_ms));
        if let Some(live) = &self.outlook.live {
            line(language.say("Sambungan", "Line"), language.of(live.phase.words()));
            let seqs = format!("{} / {} / {}", live.head_seq, live.merged_seq, live.proven_seq);
            line(language.say("Nomor desa/hub/terbukti", "Entry there/here/proven"), &seqs);
        }
        if let Some(position) = self.stored.position {
            line(language.say("Posisi", "Position"), &position.to_string());
        }
        for (word, value) in self.rows(language) {
            line(word, &value);
        }
        line("", language.say("-- komputer desa --", "-- the village's machine --"));
        match diagnosis {
            Diagnosis::Told(machine) => {
                let lines = machine.lines();
                lines
                    .iter()
                    .for_each(|(word, value)| line(language.of(*word), said(language, value)));
            }
            _ => line("", language.of(diagnosis.why_not().unwrap_or_default())),
        }
        line("", "--");
        for need in self.sight.reasons.of_village(desa.code) {
            line(need.code, said(language, &need.what));
        }
        for incident in &self.incidents {
            let words = language.say(incident.sentence.as_str(), incident.english());
            line(&instant(language, incident.at_ms), words);
        }
        text
    }
}
