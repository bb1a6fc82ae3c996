//! What has one cause: the hub's own line, or a whole kecamatan.
//!
//! The hub's own line counts as down when no line is open and most villages
//! that were heard of in the last hours were heard of last at the same time:
//! offices close one after another, a broken line ends all at once. A
//! kecamatan counts as silent when half of its villages or more are late and
//! were heard of last within the same hours.

use lumbung_domain::region::{KecamatanCode, VillageCode, roster};

use super::words;
use super::{Need, Place, Severity, Words, is_overdue};
use crate::outlook::{Outlook, VillageOutlook};
use crate::rhythm::HOUR_MS;

/// Lines that end within this time ended at once, milliseconds: an idle line
/// shows a sign of life every quarter of an hour.
const AT_ONCE_MS: i64 = 17 * 60_000;

/// Villages heard of so long before the last sign of any count as those that
/// could have gone on, milliseconds.
const BEFORE_MS: i64 = 4 * HOUR_MS;

/// The hub's own line is not blamed for fewer villages.
const UPLINK_VILLAGES_MIN: usize = 5;

/// Nor before it was given this long to come back, milliseconds; a hub that
/// has just started is given it too.
const UPLINK_PATIENCE_MS: i64 = 5 * 60_000;

/// Villages of a kecamatan that fell silent within this time did so together,
/// milliseconds.
const KECAMATAN_WITHIN_MS: i64 = 6 * HOUR_MS;

/// A kecamatan is not blamed for fewer villages.
const KECAMATAN_VILLAGES_MIN: usize = 3;

/// Why villages are silent together.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Shared {
    /// The hub's own line is down.
    Uplink,
    /// Something in their kecamatan.
    Kecamatan(KecamatanCode),
}

/// The shared causes of one look.
pub(super) struct Together {
    needs: Vec<Need>,
    /// When the hub's own line broke.
    uplink_since_ms: Option<i64>,
}

impl Together {
    pub(super) fn of(outlook: &Outlook) -> Self {
        let uplink_since_ms = uplink_down(outlook);
        let mut together = Self { needs: Vec::new(), uplink_since_ms };
        if let Some(since_ms) = uplink_since_ms {
            let villages = outlook.villages.iter().filter(|it| together.by_uplink(it));
            let villages = villages.map(|it| it.desa.code).collect();
            together.needs.push(uplink_need(since_ms, villages));
        }
        for kecamatan in roster().kecamatan() {
            if let Some(need) = together.kecamatan(outlook, kecamatan.code) {
                together.needs.push(need);
            }
        }
        together
    }

    pub(super) fn needs(&self) -> &[Need] {
        &self.needs
    }

    /// What a village shares its silence with.
    pub(super) fn cause_of(&self, village: &VillageOutlook) -> Option<Shared> {
        if self.by_uplink(village) {
            return Some(Shared::Uplink);
        }
        let code = village.desa.code;
        let need = self.needs.iter().find(|need| {
            matches!(need.place, Place::Kecamatan(_)) && need.villages.contains(&code)
        })?;
        match need.place {
            Place::Kecamatan(code) => Some(Shared::Kecamatan(code)),
            _ => None,
        }
    }

    fn by_uplink(&self, village: &VillageOutlook) -> bool {
        self.uplink_since_ms.is_some_and(|since_ms| {
            !village.in_touch && village.last_ms() > 0 && since_ms - village.last_ms() <= AT_ONCE_MS
        })
    }

    fn kecamatan(&self, outlook: &Outlook, code: KecamatanCode) -> Option<Need> {
        let known: Vec<_> = outlook
            .villages
            .iter()
            .filter(|it| it.desa.kecamatan == code && it.last_ms() > 0)
            .collect();
        let late = known.iter().filter(|it| is_overdue(it) && !self.by_uplink(it));
        let mut late: Vec<(i64, VillageCode)> =
            late.map(|it| (it.last_ms(), it.desa.code)).collect();
        late.sort_unstable();
        let group = largest_within(&late, KECAMATAN_WITHIN_MS);
        let enough = group.len() >= KECAMATAN_VILLAGES_MIN && group.len() * 2 >= known.len();
        let (since_ms, _) = group.last().copied().filter(|_| enough)?;
        let villages = group.iter().map(|(_, code)| *code).collect();
        Some(kecamatan_need(code, since_ms, villages, known.len()))
    }
}

/// The largest run of what lies within `within_ms`; of equal ones the newest.
fn largest_within(sorted: &[(i64, VillageCode)], within_ms: i64) -> &[(i64, VillageCode)] {
    let mut best: &[(i64, VillageCode)] = &[];
    let mut first = 0;
    for (at, (last_ms, _)) in sorted.iter().enumerate() {
        while sorted.get(first).is_some_and(|(first_ms, _)| last_ms - first_ms > within_ms) {
            first += 1;
        }
        if let Some(run) = sorted.get(first..=at).filter(|run| run.len() >= best.len()) {
            best = run;
        }
    }
    best
}

/// Since when the hub's own line is down.
fn uplink_down(outlook: &Outlook) -> Option<i64> {
    if outlook.in_touch() > 0 {
        return None;
    }
    let by_link = |it: &VillageOutlook| it.upkeep.as_ref().map_or(0, |it| it.heard.contact_ms);
    let broke_ms = outlook.villages.iter().map(by_link).max().filter(|at_ms| *at_ms > 0)?;
    let patient_ms = broke_ms.max(outlook.hub.started_ms) + UPLINK_PATIENCE_MS;
    let heard_since =
        |ago_ms: i64| outlook.villages.iter().filter(|it| broke_ms - by_link(it) <= ago_ms).count();
    let (at_once, before) = (heard_since(AT_ONCE_MS), heard_since(BEFORE_MS));
    let all_at_once = at_once >= UPLINK_VILLAGES_MIN && at_once * 5 >= before * 4;
    (outlook.now_ms >= patient_ms && all_at_once).then_some(broke_ms)
}

fn uplink_need(since_ms: i64, villages: Vec<VillageCode>) -> Need {
    let count = villages.len();
    Need {
        code: "hub_terputus",
        severity: Severity::Act,
        place: Place::Hub,
        since_ms,
        what: Words::new(
            format!(
                "Semua sambungan desa ({count}) putus bersamaan sejak {}. Sebabnya hampir pasti \
                 internet kabupaten. Data di hub dan di desa aman.",
                Words::moment(since_ms)
            ),
            format!(
                "All village lines ({count}) broke at the same time, at {}. The cause is almost \
                 certainly the district's own line. Data at the hub and in the villages is safe.",
                Words::moment(since_ms).en
            ),
        ),
        todo: Words::new(
            "Periksa internet dan porta publik hub. Begitu pulih, desa tersambung sendiri.",
            "Check the hub's internet line and public port. Villages reconnect by themselves.",
        ),
        message: None,
        call: None,
        villages,
    }
}

fn kecamatan_need(
    code: KecamatanCode,
    since_ms: i64,
    villages: Vec<VillageCode>,
    known: usize,
) -> Need {
    let place = Place::Kecamatan(code);
    let (name, count) = (place.name(), villages.len());
    Need {
        code: "kecamatan_diam",
        severity: Severity::Act,
        place,
        since_ms,
        what: Words::new(
            format!(
                "{count} dari {known} desa di {name} diam sejak sekitar {}. Mungkin satu sebab: \
                 listrik atau jaringan di kecamatan itu. Data aman.",
                Words::moment(since_ms)
            ),
            format!(
                "{count} of {known} villages in {name} have been silent since about {}. Probably \
                 one cause: power or network there. Data is safe.",
                Words::moment(since_ms).en
            ),
        ),
        todo: Words::new(
            "Tanyakan ke kantor kecamatan atau penyedia jaringan. Bila lama, minta desa membawa \
             bundel di stik.",
            "Ask the kecamatan office or the provider. If it lasts, ask for bundles on sticks.",
        ),
        message: Some(words::kecamatan_message(&name, since_ms)),
        call: None,
        villages,
    }
}
