//! How one village stands, as a colour, a shape, a letter and a few words.

use lumbung_domain::region::{Desa, VillageCode, roster};
use maud::{Markup, html};

use super::language::Language;
use crate::live::Phase;
use crate::outlook::VillageOutlook;
use crate::reason::{Reasons, Words};
use crate::rhythm::{Freshness, Way};

/// How a village looks. Ordered from what to look at first to what last.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(super) enum Look {
    /// Something is wrong with it; a person must look.
    Troubled,
    /// Nobody knows what has become of it.
    Missing,
    /// What is here of it is old.
    Old,
    /// Silent for longer than it should be.
    Late,
    /// An operator holds it.
    Held,
    /// In touch, catching up.
    CatchingUp,
    /// As fresh as it usually is.
    Fresh,
    /// Never heard of.
    Never,
}

impl Look {
    pub(super) const ALL: [Self; 8] = [
        Self::Fresh,
        Self::CatchingUp,
        Self::Late,
        Self::Old,
        Self::Missing,
        Self::Troubled,
        Self::Held,
        Self::Never,
    ];

    pub(super) fn of(village: &VillageOutlook) -> Self {
        if village.held {
            return Self::Held;
        }
        let live = village.live.as_ref();
        let phase = live.map(|live| live.phase);
        let told = live.map_or_else(
            || village.upkeep.as_ref().map_or("", |it| it.trouble.as_str()),
            |live| live.trouble.as_str(),
        );
        let silenced = phase == Some(Phase::Stopped) || village.is_turned_away();
        if !told.is_empty() || silenced {
            return Self::Troubled;
        }
        if village.in_touch && live.is_some_and(|live| live.lag() > 0) {
            return Self::CatchingUp;
        }
        Self::of_class(village.freshness)
    }

    /// How a class of freshness looks.
    pub(super) const fn of_class(class: Freshness) -> Self {
        match class {
            Freshness::Segar => Self::Fresh,
            Freshness::Terlambat => Self::Late,
            Freshness::Lama => Self::Old,
            Freshness::Hilang => Self::Missing,
            Freshness::BelumTerdaftar => Self::Never,
        }
    }

    /// The letter on the tile and the end of its class name.
    pub(super) const fn letter(self) -> &'static str {
        match self {
            Self::Fresh => "S",
            Self::CatchingUp => "K",
            Self::Late => "T",
            Self::Old => "L",
            Self::Missing => "H",
            Self::Troubled => "M",
            Self::Held => "D",
            Self::Never => "B",
        }
    }

    /// In both languages.
    pub(super) const fn words(self) -> (&'static str, &'static str) {
        match self {
            Self::Fresh => ("segar", "fresh"),
            Self::CatchingUp => ("mengejar", "catching up"),
            Self::Late => ("terlambat", "late"),
            Self::Old => ("lama", "old"),
            Self::Missing => ("hilang", "missing"),
            Self::Troubled => ("bermasalah", "in trouble"),
            Self::Held => ("ditahan", "on hold"),
            Self::Never => ("belum terdaftar", "not joined yet"),
        }
    }

    /// The mark: a letter in a shape of its own.
    pub(super) fn mark(self) -> Markup {
        let letter = self.letter();
        html! { span class=(format!("mark s{letter}")) aria-hidden="true" { (letter) } }
    }
}

/// One village as the console shows it.
#[derive(Clone, Debug)]
pub(super) struct Tile {
    pub(super) desa: &'static Desa,
    pub(super) look: Look,
    pub(super) freshness: Freshness,
    /// Entries its node has and the hub has not, as far as is known.
    pub(super) lag: u64,
    /// Last sign of it, hub clock, Unix milliseconds; 0 = never.
    pub(super) last_ms: i64,
    /// The small line on the tile.
    pub(super) short: String,
    /// Why it is as it is.
    pub(super) line: String,
}

impl Tile {
    pub(super) fn of(
        village: &VillageOutlook,
        reasons: &Reasons,
        language: Language,
        now_ms: i64,
    ) -> Self {
        let look = Look::of(village);
        let line = reasons.line(village.desa.code).map(|line| said(language, line));
        Self {
            desa: village.desa,
            look,
            freshness: village.freshness,
            lag: village.live.as_ref().map_or(0, crate::live::LiveVillage::lag),
            last_ms: village.last_ms(),
            short: short(village, look, language, now_ms),
            line: line.unwrap_or_default().to_owned(),
        }
    }

    /// Its number on the page.
    pub(super) const fn key(&self) -> u64 {
        self.desa.code.as_u64()
    }

    /// Nobody needs to look at it for now.
    pub(super) const fn is_calm(&self) -> bool {
        matches!(self.look, Look::Fresh | Look::CatchingUp | Look::Never)
    }

    /// The tile for who can't see it.
    pub(super) fn spoken(&self, language: Language) -> String {
        format!("{}: {}. {}", self.desa.short_name(), language.of(self.look.words()), self.line)
    }

    pub(super) fn render(&self, language: Language) -> Markup {
        html! {
            a id=(format!("d{}", self.key())) class=(format!("tile s{}", self.look.letter()))
                href=(format!("/desa/{}", self.desa.code)) aria-label=(self.spoken(language)) {
                span class="mark" { (self.look.letter()) }
                span class="name" { (self.desa.name) }
                small { (self.short) }
            }
        }
    }
}

/// The words of one language.
pub(super) fn said(language: Language, words: &Words) -> &str {
    language.say(&words.id, &words.en)
}

fn short(village: &VillageOutlook, look: Look, language: Language, now_ms: i64) -> String {
    let say = |id, en| language.say(id, en);
    let live = village.live.as_ref();
    let last = || language.lately(village.last_ms(), now_ms);
    match look {
        Look::Troubled => say("perlu dilihat", "needs a look").to_owned(),
        Look::CatchingUp => {
            let lag = language.count(live.map_or(0, crate::live::LiveVillage::lag));
            format!("{} {lag}", say("kurang", "behind"))
        }
        Look::Never => say("belum pernah", "never").to_owned(),
        Look::Held => say("ditahan", "on hold").to_owned(),
        Look::Fresh if village.in_touch => match live {
            Some(live) if live.proven() => {
                format!("{} {}", say("sama", "equal"), language.lately(live.last_proof_ms, now_ms))
            }
            _ => say("terhubung", "connected").to_owned(),
        },
        Look::Fresh if village.upkeep.as_ref().is_some_and(|it| it.heard.way() == Way::Stick) => {
            format!("{} {}", say("stik", "stick"), last())
        }
        Look::Fresh | Look::Late | Look::Old | Look::Missing => {
            format!("{} {}", say("sejak", "since"), last())
        }
    }
}

/// "Desa Jaten, Kecamatan Wonodadi", or the code of a village elsewhere.
pub(super) fn full_name(village: VillageCode) -> String {
    roster().village(village).map_or_else(|| village.to_string(), Desa::full_name)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::live::Live;
    use crate::outlook::tests::{NOW_MS, upkeep};
    use crate::outlook::{Outlook, Stored};
    use crate::rhythm::DAY_MS;

    /// The first village, last heard of so long ago, with what is live of it.
    fn tile(ago_ms: i64, live: Option<fn(&mut crate::live::LiveVillage)>) -> Tile {
        tile_of(ago_ms, live, |_| {})
    }

    fn tile_of(
        ago_ms: i64,
        live: Option<fn(&mut crate::live::LiveVillage)>,
        kept: fn(&mut crate::dataset::Upkeep),
    ) -> Tile {
        let desa = &roster().villages()[0];
        let all = Live::default();
        if let Some(change) = live {
            all.update(desa.code, change);
        }
        let mut upkeep = upkeep(desa, ago_ms);
        kept(&mut upkeep);
        let stored = Stored { upkeep: vec![upkeep], ..Stored::default() };
        let outlook = Outlook::at(stored, &all, NOW_MS);
        let reasons = Reasons::of(&outlook);
        Tile::of(&outlook.villages[0], &reasons, Language::Indonesian, NOW_MS)
    }

    #[test]
    fn a_village_looks_as_fresh_as_it_is_by_its_own_rhythm() {
        for (days, look) in [(0, Look::Fresh), (2, Look::Late), (5, Look::Old), (8, Look::Missing)]
        {
            assert_eq!(tile(days * DAY_MS, None).look, look, "{days} days");
        }
        assert!(tile(2 * DAY_MS, None).short.starts_with("sejak "));
    }

    #[test]
    fn an_open_line_catches_up_or_is_equal() {
        let behind = tile(
            DAY_MS,
            Some(|live| {
                live.phase = Phase::Live;
                live.head_seq = 1200;
            }),
        );
        assert_eq!((behind.look, behind.short.as_str()), (Look::CatchingUp, "kurang 1.200"));
        let equal = tile(
            DAY_MS,
            Some(|live| {
                live.phase = Phase::Live;
                live.last_proof_ms = NOW_MS;
            }),
        );
        assert_eq!(equal.look, Look::Fresh);
        assert!(equal.short.starts_with("sama "), "{}", equal.short);
        assert!(equal.spoken(Language::Indonesian).contains("segar. Terhubung dan terbukti sama"));
    }

    #[test]
    fn what_is_wrong_goes_before_how_fresh_it_is() {
        let wrong = tile(
            0,
            Some(|live| {
                live.phase = Phase::Live;
                live.trouble = "isi_beda".to_owned();
            }),
        );
        assert_eq!(wrong.look, Look::Troubled);
        let turned_away = tile_of(0, None, |kept| kept.revoked_ms = NOW_MS);
        assert_eq!(turned_away.look, Look::Troubled, "whatever came before");
        assert!(Look::Troubled < Look::Missing && Look::Late < Look::Fresh);
        assert!(!wrong.is_calm() && !tile(2 * DAY_MS, None).is_calm() && tile(0, None).is_calm());
    }
}
