//! Recaps for the public: made once for each quarter, and read ever after.

use jiff::civil::Date;
use lumbung_domain::recap::{RULE_VERSION, tanggal_indonesia};
use lumbung_telemetry::clock;

use super::{Desk, DeskError, sees};
use crate::access::audit::Act;
use crate::access::{Operator, Right};
use crate::dataset::Publication;
use crate::recap::{Chance, Recap, RegionRef, closed_period, running_period};

/// Every publication, and which one can be made now.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PublicationList {
    /// Those that were made, newest first.
    pub made: Vec<Publication>,
    /// The day of the one that can be made; `None` = it has been.
    pub next: Option<Date>,
    /// The last day of the quarter that runs: the day of the one after that,
    /// which can be made from the day after on.
    pub running: Date,
}

/// "30 September 2026", "30 September 2026".
fn both(day: Date) -> (String, String) {
    (tanggal_indonesia(day), day.strftime("%-d %B %Y").to_string())
}

impl Desk {
    /// Every publication. They are for anybody.
    ///
    /// # Errors
    /// [`DeskError::Failed`].
    pub fn publications(&self, who: &Operator) -> Result<PublicationList, DeskError> {
        who.must(Right::SeeVillages)?;
        let made = self.dataset.publications()?;
        let today = clock::today();
        let closed = closed_period(today);
        let next = made.first().is_none_or(|newest| newest.day < closed).then_some(closed);
        Ok(PublicationList { made, next, running: running_period(today) })
    }

    /// Makes the publication for the newest quarter that is over. It never
    /// changes afterwards and can't be made again. Noted before it is made.
    ///
    /// # Errors
    /// [`DeskError::Refused`] without [`Right::Export`]; [`DeskError::NotThere`]
    /// for who does not see the whole district; [`DeskError::Unfit`] for any
    /// other day, and when it was made; [`DeskError::Failed`].
    pub fn publish(&self, who: &Operator, day: Date) -> Result<Publication, DeskError> {
        who.must(Right::Export)?;
        if !who.scope().is_whole() {
            return Err(DeskError::NotThere);
        }
        let closed = closed_period(clock::today());
        if day != closed {
            let (id, en) = both(closed);
            return Err(DeskError::unfit(
                format!(
                    "Yang bisa diterbitkan hanya triwulan terakhir yang sudah selesai: {id}. \
                     Tidak ada yang diterbitkan."
                ),
                format!(
                    "Only the newest quarter that is over can be published: {en}. Nothing was \
                     published."
                ),
            ));
        }
        let (id, en) = both(day);
        let twice = || {
            DeskError::unfit(
                format!("Terbitan {id} sudah ada dan tidak bisa dibuat ulang."),
                format!("The publication for {en} is there and can't be made again."),
            )
        };
        if self.publications(who)?.next.is_none() {
            return Err(twice());
        }
        let mut chance = Chance::unknown().map_err(|_| {
            DeskError::unfit(
                "Komputer hub belum bisa memberi angka acak. Tidak ada yang diterbitkan. Coba \
                 lagi sebentar.",
                "The hub's computer has no randomness yet. Nothing was published. Try again in a \
                 moment.",
            )
        })?;
        let words = format!("keadaan {id}");
        self.note(who, Act::Published, RegionRef::Kabupaten.to_string(), &words)?;
        let regions = self.publisher.regions(day, &mut chance)?;
        let publication = Publication {
            day,
            made_ms: clock::now_ms(),
            made_by: who.name().to_owned(),
            rules: RULE_VERSION,
        };
        match self.dataset.publish(&publication, &regions)? {
            true => Ok(publication),
            false => Err(twice()),
        }
    }

    /// The sheet of a region in the newest publication for that day or an
    /// earlier one.
    pub(super) fn published(
        &self,
        who: &Operator,
        region: RegionRef,
        date: Date,
    ) -> Result<Recap, DeskError> {
        who.must(Right::SeeVillages)?;
        if !sees(who.scope(), region) {
            return Err(DeskError::NotThere);
        }
        let made = self.dataset.publications()?;
        let Some(newest) = made.iter().find(|publication| publication.day <= date) else {
            return Err(DeskError::unfit(
                "Belum ada terbitan untuk umum sampai tanggal ini. Rekap untuk umum dibuat sekali \
                 tiap triwulan, di halaman Terbitan atau dengan lumbung-hubctl publish.",
                "There is no publication for this day or an earlier one yet. Recaps for the public \
                 are made once a quarter, on the page Publications or by lumbung-hubctl publish.",
            ));
        };
        let sheet = self.dataset.published(newest.day, &region.to_string())?;
        sheet.map(Recap::of_publication).ok_or(DeskError::NotThere)
    }
}
