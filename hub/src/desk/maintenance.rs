//! When nobody is to be told of what needs somebody, and whether letters
//! arrive at all.

use lumbung_domain::region::{KecamatanCode, VillageCode};
use lumbung_telemetry::clock;

use super::{Desk, DeskError, fit_words, sees};
use crate::access::audit::Act;
use crate::access::{Operator, Right};
use crate::alerting::{self, Config, Tried};
use crate::dataset::{Maintenance, Scope};
use crate::reason::Place;
use crate::recap::RegionRef;

/// A time of maintenance ends by itself after this, hours.
pub const HOURS_MAX: u32 = 31 * 24;

const HOUR_MS: i64 = 60 * 60 * 1000;

/// A time in which nobody is told about a place.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Window {
    /// Its number.
    pub number: i64,
    /// About which; the hub = everything.
    pub place: Place,
    /// From, hub clock, Unix milliseconds.
    pub from_ms: i64,
    /// Until.
    pub until_ms: i64,
    /// Why.
    pub reason: String,
}

impl Window {
    /// `None` = it is about a place that this version does not know.
    fn of(kept: Maintenance) -> Option<Self> {
        let Maintenance { number, scope, from_ms, until_ms, reason } = kept;
        let place = match (scope, KecamatanCode::from_u64(scope), VillageCode::from_u64(scope)) {
            (0, ..) => Place::Hub,
            (_, Some(code), _) => Place::Kecamatan(code),
            (_, _, Some(code)) => Place::Village(code),
            _ => return None,
        };
        Some(Self { number, place, from_ms, until_ms, reason })
    }

    /// Whether it touches any of these villages.
    fn touches(&self, scope: &Scope) -> bool {
        let touched = match self.place {
            Place::Hub => scope.clone(),
            Place::Kecamatan(code) => scope.kecamatan(code),
            Place::Village(code) => scope.village(code),
        };
        !touched.is_nothing()
    }

    /// Whether nobody is told about these villages only.
    fn is_within(&self, scope: &Scope) -> bool {
        match self.place {
            Place::Hub => scope.is_whole(),
            Place::Kecamatan(code) => scope.covers_kecamatan(code),
            Place::Village(code) => scope.holds(code),
        }
    }
}

impl Desk {
    /// Times of maintenance that touch the operator's villages, by their end.
    ///
    /// # Errors
    /// [`DeskError::Failed`].
    pub fn maintenance(&self, who: &Operator) -> Result<Vec<Window>, DeskError> {
        who.must(Right::SeeVillages)?;
        let mut windows: Vec<_> =
            self.dataset.maintenance(clock::now_ms())?.into_iter().filter_map(Window::of).collect();
        windows.retain(|window| window.touches(who.scope()));
        Ok(windows)
    }

    /// From now on nobody is told about a region of the operator, for so many
    /// hours. Data is merged all the same.
    ///
    /// # Errors
    /// [`DeskError::Refused`] without [`Right::Act`]; [`DeskError::NotThere`]
    /// out of scope; [`DeskError::Unfit`]; [`DeskError::Failed`].
    pub fn start_maintenance(
        &self,
        who: &Operator,
        region: RegionRef,
        hours: u32,
        reason: &str,
    ) -> Result<Window, DeskError> {
        who.must(Right::Act)?;
        if !sees(who.scope(), region) {
            return Err(DeskError::NotThere);
        }
        let place = match region {
            RegionRef::Kabupaten => Place::Hub,
            RegionRef::Kecamatan(code) => Place::Kecamatan(code),
            RegionRef::Desa(code) => Place::Village(code),
            RegionRef::Below(..) => {
                return Err(DeskError::unfit(
                    "Pilih seluruh kabupaten, satu kecamatan, atau satu desa. Tidak ada yang \
                     diubah.",
                    "Choose the whole kabupaten, a kecamatan, or a village. Nothing has changed.",
                ));
            }
        };
        if hours == 0 || hours > HOURS_MAX {
            return Err(DeskError::unfit(
                format!("Pemeliharaan berlaku 1 sampai {HOURS_MAX} jam. Tidak ada yang diubah."),
                format!("Maintenance lasts 1 to {HOURS_MAX} hours. Nothing has changed."),
            ));
        }
        let reason = fit_words(reason)?;
        self.note(who, Act::Maintenance, region.to_string(), &format!("{hours} jam: {reason}"))?;
        let from_ms = clock::now_ms();
        let until_ms = from_ms.saturating_add(i64::from(hours) * HOUR_MS);
        let kept = Maintenance {
            number: 0,
            scope: place.code(),
            from_ms,
            until_ms,
            reason: reason.clone(),
        };
        let number = self.dataset.add_maintenance(&kept)?;
        Ok(Window { number, place, from_ms, until_ms, reason })
    }

    /// Ends a time of maintenance that is all the operator's.
    ///
    /// # Errors
    /// [`DeskError::Refused`] without [`Right::Act`]; [`DeskError::NotThere`];
    /// [`DeskError::Failed`].
    pub fn end_maintenance(&self, who: &Operator, number: i64) -> Result<(), DeskError> {
        who.must(Right::Act)?;
        let mut windows = self.maintenance(who)?.into_iter();
        if !windows.any(|window| window.number == number && window.is_within(who.scope())) {
            return Err(DeskError::NotThere);
        }
        self.note(who, Act::Maintenance, number.to_string(), "diakhiri")?;
        match self.dataset.end_maintenance(number, clock::now_ms())? {
            true => Ok(()),
            false => Err(DeskError::NotThere),
        }
    }

    /// Sends a letter through every channel; what became of each.
    ///
    /// # Errors
    /// [`DeskError::Refused`] without [`Right::Act`]; [`DeskError::NotThere`]
    /// for who does not see the whole district; [`DeskError::Unfit`] when no
    /// channel is set up; [`DeskError::Failed`].
    pub fn test_letters(&self, who: &Operator) -> Result<Vec<Tried>, DeskError> {
        who.must(Right::Act)?;
        if !who.scope().is_whole() {
            return Err(DeskError::NotThere);
        }
        let config = Config::load(&self.letters).map_err(|error| {
            tracing::warn!(%error, "pemberitahuan.toml can't be used");
            DeskError::unfit(
                "pemberitahuan.toml tidak bisa dipakai. Tidak ada yang dikirim.",
                "pemberitahuan.toml can't be used. Nothing was sent.",
            )
        })?;
        let config = config.ok_or_else(|| {
            DeskError::unfit(
                "pemberitahuan.toml belum ada. Tidak ada yang dikirim.",
                "There is no pemberitahuan.toml. Nothing was sent.",
            )
        })?;
        self.note(who, Act::Maintenance, "pemberitahuan", "surat percobaan")?;
        Ok(alerting::test(&config))
    }
}
