//! What a village's machine says of itself, asked over its open line.
//!
//! The node is asked while the operator waits, and not for long: a machine
//! that does not answer is told as such. Nothing about residents is asked.

use std::time::Duration;

use lumbung_domain::region::VillageCode;
use lumbung_proto::v1;
use lumbung_telemetry::{clock, masked};
use tokio::runtime::Handle;
use tonic::Code;

use super::{Desk, DeskError};
use crate::access::audit::Act;
use crate::access::{Operator, Right};
use crate::spans;
use crate::words::Words;

/// How long a node may take to answer.
const ANSWER_WITHIN: Duration = Duration::from_secs(8);

/// Longest text of a node that is shown, characters.
const WORDS_MAX: usize = 300;

/// What came back.
#[derive(Clone, Debug, PartialEq)]
pub enum Diagnosis {
    /// The machine told.
    Told(Box<Machine>),
    /// Its line is not open, or it did not dial.
    NotConnected,
    /// Its software does not know the question.
    TooOld,
    /// It did not answer in time.
    Silent,
}

/// How a village's machine is, by its own words.
#[derive(Clone, Debug, PartialEq)]
pub struct Machine {
    /// When it was asked, hub clock, Unix milliseconds.
    pub asked_ms: i64,
    told: v1::DiagnoseReply,
}

/// One line about a machine: what it is in both languages, and how it is.
pub type Line = ((&'static str, &'static str), Words);

impl Machine {
    /// What there is to tell, in order.
    #[must_use]
    pub fn lines(&self) -> Vec<Line> {
        let told = &self.told;
        let mut lines = vec![
            (("Versi node", "Node version"), same(short(&told.software))),
            (("Mesin", "Machine"), same(short(&told.machine))),
            (("Jam node", "Node clock"), self.clock()),
            (("Node berjalan sejak", "Node started"), Words::instant(told.started_ms)),
            (("Mesin menyala", "Machine up"), hours(told.machine_up_seconds)),
            (("Penyimpanan dibuka", "Store opened"), same(format!("{} ×", told.starts))),
            (("Disk kosong", "Free disk"), same(disk(told.disk_free_bytes, told.disk_total_bytes))),
            (("Besar penyimpanan", "Store size"), same(megabytes(told.store_bytes))),
            (("Catatan hidup", "Living records"), same(told.records.to_string())),
            (("Nomor terakhir / dikonfirmasi", "Last entry / confirmed"), same(self.queue())),
            (
                ("Peringatan / kesalahan", "Warnings / errors"),
                same(format!("{} / {}", told.warnings, told.errors)),
            ),
        ];
        lines.extend(told.logged.iter().map(|it| (("Log", "Log"), logged(it))));
        lines
    }

    fn clock(&self) -> Words {
        let ahead = self.told.clock_ms.saturating_sub(self.asked_ms) / 1_000;
        let at = Words::instant(self.told.clock_ms);
        Words::new(format!("{} ({ahead:+} s)", at.id), format!("{} ({ahead:+} s)", at.en))
    }

    fn queue(&self) -> String {
        let (head, confirmed) = (self.told.head_seq, self.told.confirmed_seq);
        format!("{head} / {confirmed} ({})", head.saturating_sub(confirmed))
    }
}

/// What reads the same in both languages.
fn same(text: String) -> Words {
    Words::new(text.clone(), text)
}

fn hours(seconds: u64) -> Words {
    let (hours, minutes) = (seconds / 3_600, seconds % 3_600 / 60);
    match seconds {
        0 => Words::new("?", "?"),
        _ => Words::new(format!("{hours} j {minutes} m"), format!("{hours} h {minutes} min")),
    }
}

fn megabytes(bytes: u64) -> String {
    format!("{} MB", bytes.div_ceil(1_000_000))
}

fn disk(free: u64, total: u64) -> String {
    match total {
        0 => "?".to_owned(),
        total => format!("{} / {}", megabytes(free), megabytes(total)),
    }
}

fn logged(line: &v1::LoggedLine) -> Words {
    let times = if line.times > 1 { format!(" ({} ×)", line.times) } else { String::new() };
    let at = Words::instant(line.at_ms);
    let (level, code, words) = (short(&line.level), short(&line.code), short(&line.words));
    let said = format!("{level} {code}: {words}{times}");
    Words::new(format!("{} {said}", at.id), format!("{} {said}", at.en))
}

/// A node's text on one line, and without what looks like a person's number.
fn short(text: &str) -> String {
    let plain = |letter: char| if letter.is_control() { ' ' } else { letter };
    masked(text).chars().take(WORDS_MAX).map(plain).collect()
}

impl Desk {
    /// Notes that somebody reads everything that is known of a village's
    /// machine and line, and asks the machine itself.
    ///
    /// # Errors
    /// [`DeskError::Refused`] without [`Right::Act`], [`DeskError::NotThere`],
    /// [`DeskError::Failed`].
    pub fn diagnose(&self, who: &Operator, village: VillageCode) -> Result<Diagnosis, DeskError> {
        Self::one(who, village)?;
        who.must(Right::Act)?;
        self.note(who, Act::Diagnosed, village.to_string(), "")?;
        let (Some(mut fleet), Ok(runtime)) = (self.arrivals.fleet(village), Handle::try_current())
        else {
            return Ok(Diagnosis::NotConnected);
        };
        let asked_ms = clock::now_ms();
        let asking = async {
            let asked = fleet.diagnose(v1::DiagnoseRequest {});
            let asked = spans::node_call(village, "lumbung.v1.Fleet/Diagnose", asked);
            tokio::time::timeout(ANSWER_WITHIN, asked).await
        };
        Ok(match runtime.block_on(asking) {
            Ok(Ok(told)) => {
                Diagnosis::Told(Box::new(Machine { asked_ms, told: told.into_inner() }))
            }
            Ok(Err(status)) if status.code() == Code::Unimplemented => Diagnosis::TooOld,
            Ok(Err(_)) | Err(_) => Diagnosis::Silent,
        })
    }
}

impl Diagnosis {
    /// Why the machine has told nothing; `None` when it has.
    #[must_use]
    pub const fn why_not(&self) -> Option<(&'static str, &'static str)> {
        match self {
            Self::Told(_) => None,
            Self::NotConnected => Some((
                "Komputer desa tidak sedang tersambung, jadi tidak bisa ditanya.",
                "The village's machine is not connected now and can't be asked.",
            )),
            Self::TooOld => Some((
                "Versi node desa belum mengenal pertanyaan ini.",
                "The village's node is too old to know this question.",
            )),
            Self::Silent => Some((
                "Komputer desa tidak menjawab tepat waktu.",
                "The village's machine did not answer in time.",
            )),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_nodes_words_stay_on_one_line_and_hold_no_number() {
        assert_eq!(short("a\nb 3505900101900001 c"), "a b [angka] c");
        assert_eq!(short(&"x".repeat(1_000)).len(), WORDS_MAX);
        let told = v1::DiagnoseReply {
            clock_ms: 61_000,
            head_seq: 9,
            confirmed_seq: 7,
            logged: vec![v1::LoggedLine { words: "disk".into(), times: 3, ..Default::default() }],
            ..Default::default()
        };
        let lines = Machine { asked_ms: 1_000, told }.lines();
        let of = |word: &str| lines.iter().find(|it| it.0.0 == word).unwrap().1.id.clone();
        assert!(of("Jam node").ends_with("(+60 s)"));
        assert_eq!(of("Nomor terakhir / dikonfirmasi"), "9 / 7 (2)");
        assert!(of("Log").ends_with("disk (3 ×)"));
        assert_eq!(of("Disk kosong"), "?");
    }
}
