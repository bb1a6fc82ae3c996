//! What is counted over a village's outline: ages, and gaps in the records.

use jiff::ToSpan as _;
use jiff::civil::Date;
use lumbung_domain::id::RecordId;
use lumbung_wire::date;

use super::bits::house;
use super::outline::{Family, House, NikState, Outline, Resident, UNKNOWN_DAY};
use super::search::{Ages, Gap, VillageQuality};

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

    /// Whether a resident has a gap.
    pub(super) fn resident_has(&self, it: &Resident, gap: Gap) -> bool {
        it.is_living()
            && match gap {
                Gap::Nik => it.nik == NikState::Missing,
                Gap::NikContradicts => it.nik == NikState::Contradicts,
                Gap::Birth => it.born == UNKNOWN_DAY,
                Gap::Unplaced => self.house_of(it).is_none(),
                _ => false,
            }
    }

    /// Whether a family has a gap; `people` of it are living residents.
    pub(super) fn family_has(&self, it: &Family, people: u32, gap: Gap) -> bool {
        match gap {
            Gap::Head => people > 0 && self.residents.get(it.head as usize).is_none(),
            Gap::CardNumber => !it.has_number,
            Gap::EmptyCard => it.aktif && people == 0,
            _ => false,
        }
    }

    /// Whether a house has a gap.
    pub(super) fn house_has(&self, it: &House, gap: Gap) -> bool {
        const BASICS: u32 = house::JAMBAN | house::SPAL | house::TPS;
        match gap {
            Gap::Dasawisma => self.region(it.dasawisma).is_none(),
            Gap::HeadElsewhere => {
                let head = self.residents.get(it.head as usize).filter(|head| head.is_living());
                head.and_then(|head| self.house_of(head)).is_none_or(|home| home.id != it.id)
            }
            Gap::Water => it.bits & house::AIR_TERJAWAB == 0,
            Gap::Latrines => it.bits & house::MCK_TERJAWAB == 0,
            Gap::HealthyDoubtful => it.bits & house::SEHAT != 0 && it.bits & BASICS != BASICS,
            _ => false,
        }
    }

    /// The gaps of the village.
    pub(super) fn quality(&self) -> VillageQuality {
        let count = |number: usize| u32::try_from(number).unwrap_or(u32::MAX);
        let residents = |gap| {
            count(self.residents.iter().filter(|resident| self.resident_has(resident, gap)).count())
        };
        let people = self.people_of_families();
        let families = |gap| {
            let own = self.families.iter().zip(&people);
            count(own.filter(|(family, people)| self.family_has(family, **people, gap)).count())
        };
        let houses =
            |gap| count(self.houses.iter().filter(|house| self.house_has(house, gap)).count());
        VillageQuality {
            village: self.village,
            residents: count(self.residents.iter().filter(|it| it.is_living()).count()),
            houses: count(self.houses.len()),
            families: count(self.families.len()),
            without_nik: residents(Gap::Nik),
            nik_contradicts: residents(Gap::NikContradicts),
            unplaced: residents(Gap::Unplaced),
            without_birth: residents(Gap::Birth),
            without_dasawisma: houses(Gap::Dasawisma),
            without_head: families(Gap::Head),
            without_number: families(Gap::CardNumber),
            empty_families: families(Gap::EmptyCard),
            healthy_doubtful: houses(Gap::HealthyDoubtful),
            head_elsewhere: houses(Gap::HeadElsewhere),
            without_water: houses(Gap::Water),
            without_latrines: houses(Gap::Latrines),
        }
    }
}
