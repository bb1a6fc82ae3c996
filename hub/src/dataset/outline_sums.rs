//! What is counted over a village's outline: ages, and gaps in the records.

use jiff::ToSpan as _;
use jiff::civil::Date;
use lumbung_domain::id::RecordId;
use lumbung_wire::date;

use super::bits::house;
use super::outline::{NikState, Outline, UNKNOWN_DAY};
use super::search::{Ages, VillageQuality};

/// Years in one group of ages.
const GROUP_YEARS: i64 = 5;

impl Outline {
    /// Adds the ages of the living residents of a place, or of the village.
    pub(super) fn count_ages(&self, within: Option<RecordId>, at: Date, ages: &mut Ages) {
        let Some(inside) = self.narrowed(within) else { return };
        // Whoever was born after the n-th of these days is in group n at most.
        let starts: Vec<i32> = (1..Ages::GROUPS as i64)
            .map(|group| {
                let day = at.checked_sub((group * GROUP_YEARS).years());
                day.map_or(i32::MIN, date::to_days)
            })
            .collect();
        let today = date::to_days(at);
        for resident in self.residents.iter().filter(|resident| resident.is_living()) {
            if !inside.holds(self.house_of(resident)) {
                continue;
            }
            let known = resident.born != UNKNOWN_DAY && resident.born <= today;
            let group = starts.iter().take_while(|start| resident.born <= **start).count();
            match (known, resident.jenis_kelamin, ages.groups.get_mut(group)) {
                (true, 1, Some((men, _))) => *men += 1,
                (true, 2, Some((_, women))) => *women += 1,
                _ => ages.unknown += 1,
            }
        }
    }

    /// The gaps of the village.
    pub(super) fn quality(&self) -> VillageQuality {
        let count = |number: usize| u32::try_from(number).unwrap_or(u32::MAX);
        let living = || self.residents.iter().filter(|resident| resident.is_living());
        let residents = |fits: &dyn Fn(&super::outline::Resident) -> bool| {
            count(living().filter(|resident| fits(resident)).count())
        };
        let people = self.people_of_families();
        let families = |fits: &dyn Fn(&super::outline::Family, u32) -> bool| {
            let own = self.families.iter().zip(&people);
            count(own.filter(|(family, people)| fits(family, **people)).count())
        };
        let houses = |fits: &dyn Fn(&super::outline::House) -> bool| {
            count(self.houses.iter().filter(|house| fits(house)).count())
        };
        let basics = house::JAMBAN | house::SPAL | house::TPS;
        VillageQuality {
            village: self.village,
            residents: residents(&|_| true),
            houses: count(self.houses.len()),
            families: count(self.families.len()),
            without_nik: residents(&|it| it.nik == NikState::Missing),
            nik_contradicts: residents(&|it| it.nik == NikState::Contradicts),
            unplaced: residents(&|it| self.house_of(it).is_none()),
            without_birth: residents(&|it| it.born == UNKNOWN_DAY),
            without_dasawisma: houses(&|it| self.region(it.dasawisma).is_none()),
            without_head: families(&|it, people| {
                people > 0 && self.residents.get(it.head as usize).is_none()
            }),
            without_number: families(&|it, _| !it.has_number),
            empty_families: families(&|it, people| it.aktif && people == 0),
            healthy_doubtful: houses(&|it| {
                it.bits & house::SEHAT != 0 && it.bits & basics != basics
            }),
            head_elsewhere: houses(&|it| {
                let head = self.residents.get(it.head as usize).filter(|head| head.is_living());
                head.and_then(|head| self.house_of(head)).is_none_or(|home| home.id != it.id)
            }),
        }
    }
}
