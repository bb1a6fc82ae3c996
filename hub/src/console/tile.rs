//! How one village stands, in a word an operator can act on.

use std::fmt::Write as _;

use lumbung_domain::region::{Desa, VillageCode, roster};
use lumbung_telemetry::clock;

use crate::dataset::{VillageState, is_fresh_by_stick};
use crate::live::{LiveVillage, Phase};

/// A village that was in touch this recently counts as fresh even while its
/// connection is being made anew.
const FRESH_MS: i64 = 120_000;

/// How a village stands. Ordered from best to worst.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(super) enum State {
    /// In touch, nothing missing.
    Fresh,
    /// In touch, catching up.
    CatchingUp,
    /// Not in touch.
    Late,
    /// A person must look.
    Troubled,
    /// Never heard of.
    Never,
}

impl State {
    pub(super) const ALL: [Self; 5] =
        [Self::Fresh, Self::CatchingUp, Self::Late, Self::Troubled, Self::Never];

    /// The letter on the tile and the end of its class name.
    pub(super) const fn letter(self) -> &'static str {
        match self {
            Self::Fresh => "S",
            Self::CatchingUp => "K",
            Self::Late => "T",
            Self::Troubled => "M",
            Self::Never => "B",
        }
    }

    pub(super) const fn word(self) -> &'static str {
        match self {
            Self::Fresh => "segar",
            Self::CatchingUp => "mengejar",
            Self::Late => "terlambat",
            Self::Troubled => "bermasalah",
            Self::Never => "belum pernah terhubung",
        }
    }
}

/// One village as the console shows it.
#[derive(Clone, Debug)]
pub(super) struct Tile {
    pub(super) desa: &'static Desa,
    pub(super) state: State,
    /// Entries the node has and the hub has not.
    pub(super) lag: u64,
    /// Last entry merged.
    pub(super) merged_seq: u64,
    pub(super) quarantined: u64,
    pub(super) last_contact_ms: i64,
    pub(super) last_proof_ms: i64,
    /// The entry that proof was made at.
    pub(super) proven_seq: u64,
    /// The proof covers everything merged.
    pub(super) proven: bool,
    /// A stick has told more lately than the link.
    pub(super) by_stick: bool,
    /// Trouble code; empty = nothing.
    pub(super) trouble: String,
}

impl Tile {
    /// Every village of the kabupaten, registered or not; the moment goes
    /// before what is stored.
    pub(super) fn all(stored: &[VillageState], live: &[LiveVillage], now_ms: i64) -> Vec<Self> {
        let of = |desa: &'static Desa| {
            let stored = stored.iter().find(|state| state.village == desa.code);
            let live = live.iter().find(|live| live.village == desa.code);
            Self::of(desa, stored, live, now_ms)
        };
        roster().villages().iter().map(of).collect()
    }

    pub(super) fn of(
        desa: &'static Desa,
        stored: Option<&VillageState>,
        live: Option<&LiveVillage>,
        now_ms: i64,
    ) -> Self {
        let mut tile = Self {
            desa,
            state: State::Never,
            lag: 0,
            merged_seq: 0,
            quarantined: 0,
            last_contact_ms: 0,
            last_proof_ms: 0,
            proven_seq: 0,
            proven: false,
            by_stick: false,
            trouble: String::new(),
        };
        let mut phase = Phase::Waiting;
        let by_stick = |stick_ms, contact_ms| is_fresh_by_stick(stick_ms, contact_ms, now_ms);
        if let Some(live) = live {
            phase = live.phase;
            tile.lag = live.lag();
            tile.merged_seq = live.merged_seq;
            tile.quarantined = live.quarantined;
            tile.last_contact_ms = live.last_contact_ms;
            tile.last_proof_ms = live.last_proof_ms;
            tile.proven_seq = live.proven_seq;
            tile.proven = live.proven();
            tile.by_stick = by_stick(live.last_stick_ms, live.last_contact_ms);
            tile.trouble.clone_from(&live.trouble);
        } else if let Some(state) = stored {
            tile.merged_seq = state.position.map_or(0, |position| position.seq.0);
            tile.quarantined = state.quarantined;
            tile.last_contact_ms = state.last_contact_ms;
            tile.last_proof_ms = state.last_proof_ms;
            tile.proven_seq = state.proven_seq.0;
            tile.proven = state.last_proof_ms > 0 && state.proven_seq.0 == tile.merged_seq;
            tile.by_stick = by_stick(state.last_stick_ms, state.last_contact_ms);
            tile.trouble.clone_from(&state.trouble);
        }
        tile.state = tile.judge(phase, now_ms);
        tile
    }

    fn judge(&self, phase: Phase, now_ms: i64) -> State {
        let recent = self.last_contact_ms > 0 && now_ms - self.last_contact_ms < FRESH_MS;
        if !self.trouble.is_empty() || phase == Phase::Stopped {
            return State::Troubled;
        }
        match phase {
            Phase::Live if self.lag == 0 => State::Fresh,
            Phase::Live | Phase::CatchingUp => State::CatchingUp,
            _ if self.last_contact_ms == 0 && self.merged_seq == 0 => State::Never,
            _ if (recent || self.by_stick) && self.lag == 0 => State::Fresh,
            _ => State::Late,
        }
    }

    pub(super) fn key(&self) -> u64 {
        self.desa.code.as_u64()
    }

    /// The small line on the tile.
    pub(super) fn short(&self, now_ms: i64) -> String {
        match self.state {
            State::Fresh if self.by_stick && self.proven => {
                format!("stik {}", when(self.last_proof_ms, now_ms))
            }
            State::Fresh if self.proven => format!("sama {}", when(self.last_proof_ms, now_ms)),
            State::Fresh => "belum dibuktikan".to_owned(),
            State::CatchingUp => format!("kurang {}", thousands(self.lag)),
            State::Late if self.last_contact_ms == 0 => "tidak terhubung".to_owned(),
            State::Late => format!("sejak {}", when(self.last_contact_ms, now_ms)),
            State::Troubled => "perlu dilihat".to_owned(),
            State::Never => "belum pernah".to_owned(),
        }
    }

    /// The tile for who can't see it.
    pub(super) fn spoken(&self, now_ms: i64) -> String {
        let mut text = format!("{}: {}", self.desa.short_name(), self.state.word());
        if self.lag > 0 {
            // Writing to a String can't fail.
            let _ = write!(text, ", tertinggal {} catatan", thousands(self.lag));
        }
        if self.by_stick {
            text.push_str(", lewat stik");
        }
        if self.last_proof_ms > 0 {
            let _ = write!(text, ", terakhir terbukti sama {}", when(self.last_proof_ms, now_ms));
        }
        text
    }
}

/// "236 dari 248 desa segar, 3 terlambat, 1 bermasalah."
pub(super) fn sentence(tiles: &[Tile]) -> String {
    let count = |state| tiles.iter().filter(|tile| tile.state == state).count();
    let mut text = format!("{} dari {} desa segar", count(State::Fresh), tiles.len());
    for state in State::ALL.into_iter().skip(1) {
        let count = count(state);
        if count > 0 {
            let _ = write!(text, ", {count} {}", state.word());
        }
    }
    text.push('.');
    text
}

/// "14.02" today, "23 Nov 14.02" otherwise.
pub(super) fn when(at_ms: i64, now_ms: i64) -> String {
    const BULAN: [&str; 12] =
        ["Jan", "Feb", "Mar", "Apr", "Mei", "Jun", "Jul", "Agu", "Sep", "Okt", "Nov", "Des"];
    let (at, now) = (clock::local(at_ms), clock::local(now_ms));
    let time = format!("{:02}.{:02}", at.hour(), at.minute());
    if at.date() == now.date() {
        return time;
    }
    let bulan = usize::try_from(at.month() - 1).ok().and_then(|month| BULAN.get(month));
    let bulan = bulan.copied().unwrap_or_default();
    if at.year() == now.year() {
        format!("{} {bulan} {time}", at.day())
    } else {
        format!("{} {bulan} {}", at.day(), at.year())
    }
}

/// 1263480 as "1.263.480".
pub(super) fn thousands(number: u64) -> String {
    let digits = number.to_string();
    let mut text = String::with_capacity(digits.len() * 4 / 3);
    for (at, digit) in digits.chars().enumerate() {
        if at > 0 && (digits.len() - at).is_multiple_of(3) {
            text.push('.');
        }
        text.push(digit);
    }
    text
}

/// "Desa Jaten, Kecamatan Wonodadi", or the code of a village elsewhere.
pub(super) fn full_name(village: VillageCode) -> String {
    roster().village(village).map_or_else(|| village.to_string(), Desa::full_name)
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: i64 = 1_790_000_000_000;

    fn jaten() -> &'static Desa {
        roster().villages().first().unwrap()
    }

    fn live(change: impl FnOnce(&mut LiveVillage)) -> Tile {
        let all = crate::live::Live::default();
        all.update(jaten().code, change);
        Tile::of(jaten(), None, all.get(jaten().code).as_ref(), NOW)
    }

    #[test]
    fn a_village_is_judged_by_phase_trouble_and_contact() {
        assert_eq!(Tile::of(jaten(), None, None, NOW).state, State::Never);
        let tile = live(|live| live.phase = Phase::Live);
        assert_eq!(tile.state, State::Fresh);
        let tile = live(|live| {
            live.phase = Phase::Live;
            live.head_seq = 1200;
        });
        assert_eq!((tile.state, tile.short(NOW)), (State::CatchingUp, "kurang 1.200".to_owned()));
        let retrying = |ago| {
            live(|live| {
                live.phase = Phase::Retrying;
                live.last_contact_ms = NOW - ago;
            })
        };
        assert_eq!(retrying(FRESH_MS - 1).state, State::Fresh);
        assert_eq!(retrying(FRESH_MS).state, State::Late);
        let tile = live(|live| {
            live.phase = Phase::Live;
            live.trouble = "isi_beda".to_owned();
        });
        assert_eq!(tile.state, State::Troubled);
    }

    #[test]
    fn a_village_that_comes_by_stick_is_not_late() {
        let by_stick = |contact_ms, lag: u64| {
            live(|live| {
                live.phase = Phase::Retrying;
                live.last_stick_ms = NOW - 86_400_000;
                live.last_proof_ms = live.last_stick_ms;
                live.last_contact_ms = contact_ms;
                (live.head_seq, live.merged_seq, live.proven_seq) = (9 + lag, 9, 9);
            })
        };
        let tile = by_stick(0, 0);
        assert_eq!(tile.state, State::Fresh);
        assert!(tile.short(NOW).starts_with("stik "), "{}", tile.short(NOW));
        assert!(tile.spoken(NOW).contains("lewat stik"));
        assert_eq!(by_stick(0, 1).state, State::Late, "something is known to be missing");
        assert_eq!(by_stick(NOW - FRESH_MS, 0).state, State::Late, "the link was there since");
    }

    #[test]
    fn the_sentence_names_only_what_is_there() {
        assert_eq!(
            sentence(&Tile::all(&[], &[], NOW)),
            "0 dari 248 desa segar, 248 belum pernah terhubung."
        );
    }

    #[test]
    fn numbers_are_grouped_as_people_write_them() {
        for (number, text) in [(0, "0"), (999, "999"), (1000, "1.000"), (1_263_480, "1.263.480")] {
            assert_eq!(thousands(number), text);
        }
    }
}
