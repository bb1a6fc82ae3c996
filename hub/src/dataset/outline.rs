//! A village's records as columns in memory: what searches look through.
//!
//! About 80 bytes a resident, 100 MB for the whole district. An outline is
//! made from the rows of one moment and never changed; when the village's
//! [`Mark`] has moved, it is made anew (about 10 ms). So a merge pays nothing
//! for searches, and an erased name leaves with the next outline. Lines that
//! are shown are read again from the rows.

use std::cmp::Ordering;
use std::collections::BinaryHeap;
use std::sync::Arc;

use lumbung_domain::code_list::{Code, Shdk, StatusDasar};
use lumbung_domain::id::RecordId;
use lumbung_domain::record::JenisKelamin;
use lumbung_domain::region::VillageCode;

use super::facts::FactsRegion;
use super::search::{
    Bookmark, FamilyTerms, HouseTerms, Mark, PlaceTerms, ResidentTerms, Words, fold,
};

/// No place in a list.
pub(super) const NOWHERE: u32 = u32::MAX;

/// Born nobody knows when.
pub(super) const UNKNOWN_DAY: i32 = i32::MIN;

/// A house.
#[derive(Clone, Copy)]
pub(super) struct House {
    pub(super) id: RecordId,
    /// Its RT among the regions.
    pub(super) rt: u32,
    /// Its dasawisma among the regions, where that lies in its RT.
    pub(super) dasawisma: u32,
    /// Its head among the residents.
    pub(super) head: u32,
    /// See [`super::bits::house`].
    pub(super) bits: u32,
}

/// A family.
#[derive(Clone, Copy)]
pub(super) struct Family {
    pub(super) id: RecordId,
    /// Its house among the houses.
    pub(super) house: u32,
    /// Its head among the residents: the first living one who says so.
    pub(super) head: u32,
    pub(super) aktif: bool,
    pub(super) has_number: bool,
}

/// A resident.
#[derive(Clone, Copy)]
pub(super) struct Resident {
    pub(super) id: RecordId,
    /// The family among the families.
    pub(super) family: u32,
    /// Where the name begins in the village's text.
    pub(super) name: u32,
    pub(super) born: i32,
    pub(super) jenis_kelamin: u8,
    pub(super) shdk: u8,
    pub(super) status_kawin: u8,
    pub(super) status_dasar: u8,
    pub(super) pendidikan: u8,
    pub(super) pekerjaan: u8,
    pub(super) agama: u8,
    pub(super) nik: NikState,
}

/// What there is to say about somebody's NIK without telling it.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum NikState {
    /// There is none.
    Missing,
    /// It fits birth date and sex, as far as they are known.
    Fits,
    /// It says another birth date or sex.
    Contradicts,
}

impl Resident {
    /// Status codes up to this count as living: blank, hidup.
    const HIDUP: u8 = Code::<StatusDasar>::HIDUP.number() as u8;

    pub(super) const fn is_living(&self) -> bool {
        self.status_dasar <= Self::HIDUP
    }

    pub(super) const fn is_head(&self) -> bool {
        self.shdk == Code::<Shdk>::KEPALA_KELUARGA.number() as u8
    }
}

/// One village's records.
pub(super) struct Outline {
    pub(super) village: VillageCode,
    pub(super) mark: Mark,
    /// In id order.
    pub(super) regions: Vec<FactsRegion>,
    /// In id order.
    pub(super) houses: Vec<House>,
    /// In id order; their house is known.
    pub(super) families: Vec<Family>,
    /// In id order.
    pub(super) residents: Vec<Resident>,
    /// Every name as it is compared, each after a space and before a line
    /// feed.
    text: String,
}

/// A match, ordered as answers are.
#[derive(PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Hit<'a> {
    pub(super) name: &'a str,
    pub(super) village: VillageCode,
    pub(super) id: RecordId,
    /// Which of the outlines looked through.
    pub(super) outline: usize,
    /// Its place in the outline's list.
    pub(super) at: u32,
}

impl Hit<'_> {
    fn is_after(&self, mark: &Bookmark) -> bool {
        (self.name, self.village, self.id).cmp(&(mark.name.as_str(), mark.village, mark.id))
            == Ordering::Greater
    }

    pub(super) fn bookmark(&self) -> Bookmark {
        Bookmark { name: self.name.to_owned(), village: self.village, id: self.id }
    }
}

/// The first matches after a bookmark, and how many there are in all.
pub(super) struct Top<'a> {
    after: Option<&'a Bookmark>,
    limit: usize,
    heap: BinaryHeap<Hit<'a>>,
    pub(super) matched: u64,
}

impl<'a> Top<'a> {
    pub(super) const fn new(after: Option<&'a Bookmark>, limit: usize) -> Self {
        Self { after, limit, heap: BinaryHeap::new(), matched: 0 }
    }

    fn take(&mut self, hit: Hit<'a>) {
        self.matched += 1;
        if self.after.is_some_and(|after| !hit.is_after(after)) {
            return;
        }
        if self.heap.len() < self.limit {
            self.heap.push(hit);
        } else if self.heap.peek().is_some_and(|last| hit < *last) {
            self.heap.pop();
            self.heap.push(hit);
        }
    }

    /// Takes in what another one has found.
    pub(super) fn join(&mut self, other: Self) {
        let matched = self.matched + other.matched;
        other.heap.into_iter().for_each(|hit| self.take(hit));
        self.matched = matched;
    }

    pub(super) fn into_sorted(self) -> Vec<Hit<'a>> {
        self.heap.into_sorted_vec()
    }
}

impl Outline {
    /// Over these rows; `names` are the residents' names in their order.
    pub(super) fn new(
        village: VillageCode,
        mark: Mark,
        regions: Vec<FactsRegion>,
        houses: Vec<House>,
        families: Vec<Family>,
    ) -> Self {
        let (residents, text) = (Vec::new(), String::new());
        Self { village, mark, regions, houses, families, residents, text }
    }

    /// Adds the next resident in id order.
    pub(super) fn push(&mut self, mut resident: Resident, name: &str) {
        resident.name = u32::try_from(self.text.len()).unwrap_or(NOWHERE);
        self.text.push(' ');
        self.text.push_str(&fold(name));
        self.text.push('\n');
        let at = u32::try_from(self.residents.len()).unwrap_or(NOWHERE);
        if resident.is_living()
            && resident.is_head()
            && let Some(family) = self.families.get_mut(resident.family as usize)
            && family.head == NOWHERE
        {
            family.head = at;
        }
        self.residents.push(resident);
    }

    /// Gives memory back that the making needed.
    pub(super) fn finished(mut self) -> Arc<Self> {
        self.residents.shrink_to_fit();
        self.text.shrink_to_fit();
        Arc::new(self)
    }

    pub(super) fn region(&self, at: u32) -> Option<&FactsRegion> {
        self.regions.get(at as usize)
    }

    pub(super) fn region_place(&self, id: RecordId) -> u32 {
        place(&self.regions, id, |region| region.id)
    }

    pub(super) fn house_place(&self, id: RecordId) -> u32 {
        place(&self.houses, id, |house| house.id)
    }

    pub(super) fn family_place(&self, id: RecordId) -> u32 {
        place(&self.families, id, |family| family.id)
    }

    pub(super) fn resident_place(&self, id: RecordId) -> u32 {
        place(&self.residents, id, |resident| resident.id)
    }

    /// The house a resident lives in.
    pub(super) fn house_of(&self, resident: &Resident) -> Option<&House> {
        let family = self.families.get(resident.family as usize)?;
        self.houses.get(family.house as usize)
    }

    /// A resident's name with a space before it, or nothing.
    fn name(&self, at: u32) -> &str {
        let Some(resident) = self.residents.get(at as usize) else { return "" };
        let rest = self.text.get(resident.name as usize..).unwrap_or_default();
        rest.split_once('\n').map_or(rest, |(name, _)| name)
    }

    /// A region with all it lies in, from near to far.
    pub(super) fn around(&self, id: RecordId) -> Vec<&FactsRegion> {
        /// Dasawisma, RT, RW, dusun.
        const LEVELS: usize = 4;
        let find = |id: &RecordId| self.region(self.region_place(*id));
        std::iter::successors(find(&id), |region| region.parent.as_ref().and_then(find))
            .take(LEVELS)
            .collect()
    }

    /// Which regions lie in this one, itself too; `None` = it isn't here.
    fn inside(&self, id: RecordId) -> Option<Vec<bool>> {
        self.region(self.region_place(id))?;
        let inside = |region: &FactsRegion| self.around(region.id).iter().any(|it| it.id == id);
        Some(self.regions.iter().map(inside).collect())
    }

    /// Hands over the residents whose name may fit: a word of theirs begins
    /// with the longest of the words.
    fn candidates<'a>(&'a self, words: &Words, mut take: impl FnMut(u32, &'a Resident)) {
        let Some(longest) = words.iter().max_by_key(|word| word.len()) else {
            for (at, resident) in (0..).zip(&self.residents) {
                take(at, resident);
            }
            return;
        };
        let mut next = 0;
        for (offset, _) in self.text.match_indices(&format!(" {longest}")) {
            // Of several words of one name the first is enough.
            if offset < next {
                continue;
            }
            let at = self.residents.partition_point(|one| one.name as usize <= offset) - 1;
            let resident = &self.residents[at];
            next = self.residents.get(at + 1).map_or(usize::MAX, |one| one.name as usize);
            take(u32::try_from(at).unwrap_or(NOWHERE), resident);
        }
    }

    pub(super) fn residents<'a>(
        &'a self,
        outline: usize,
        terms: &ResidentTerms,
        top: &mut Top<'a>,
    ) {
        let Some(inside) = self.narrowed(terms.within) else { return };
        self.candidates(&terms.words, |at, resident| {
            if !fits(resident, terms) {
                return;
            }
            let house = self.house_of(resident);
            if terms.gap.is_some_and(|gap| !self.resident_has(resident, gap)) {
                return;
            }
            if terms.unplaced && house.is_some() || !inside.holds(house) {
                return;
            }
            let name = self.name(at);
            if begins(name, &terms.words) {
                top.take(Hit { name, village: self.village, id: resident.id, outline, at });
            }
        });
    }

    pub(super) fn houses<'a>(&'a self, outline: usize, terms: &HouseTerms, top: &mut Top<'a>) {
        let Some(inside) = self.narrowed(terms.within) else { return };
        for (at, house) in (0..).zip(&self.houses) {
            let fits = house.bits & terms.with == terms.with
                && house.bits & terms.without == 0
                && !(terms.without_dasawisma && house.dasawisma != NOWHERE)
                && terms.gap.is_none_or(|gap| self.house_has(house, gap));
            let name = self.name(house.head);
            if fits && inside.holds(Some(house)) && begins(name, &terms.words) {
                top.take(Hit { name, village: self.village, id: house.id, outline, at });
            }
        }
    }

    pub(super) fn families<'a>(&'a self, outline: usize, terms: &FamilyTerms, top: &mut Top<'a>) {
        let Some(inside) = self.narrowed(terms.within) else { return };
        let people = terms.gap.map(|_| self.people_of_families()).unwrap_or_default();
        for (at, family) in (0..).zip(&self.families) {
            let here = people.get(at as usize).copied().unwrap_or(0);
            let fits = terms.gap.is_none_or(|gap| self.family_has(family, here, gap))
                && (!terms.without_head || family.head == NOWHERE)
                && (!terms.without_number || !family.has_number);
            let name = self.name(family.head);
            let house = self.houses.get(family.house as usize);
            if fits && inside.holds(house) && begins(name, &terms.words) {
                top.take(Hit { name, village: self.village, id: family.id, outline, at });
            }
        }
    }

    pub(super) fn places<'a>(&'a self, outline: usize, terms: &PlaceTerms, top: &mut Top<'a>) {
        let Some(inside) = self.narrowed(terms.within) else { return };
        for (at, region) in (0..).zip(&self.regions) {
            let spoken = format!(" {}", fold(&region.label));
            if region.kind == terms.kind && inside.has(at) && begins(&spoken, &terms.words) {
                let name = region.label.as_str();
                top.take(Hit { name, village: self.village, id: region.id, outline, at });
            }
        }
    }

    /// What lies within a region; `None` = the region isn't here.
    pub(super) fn narrowed(&self, within: Option<RecordId>) -> Option<Inside> {
        match within {
            None => Some(Inside(None)),
            Some(id) => self.inside(id).map(|regions| Inside(Some(regions))),
        }
    }

    /// Living residents of each family.
    pub(super) fn people_of_families(&self) -> Vec<u32> {
        let mut people = vec![0; self.families.len()];
        for resident in self.residents.iter().filter(|resident| resident.is_living()) {
            if let Some(count) = people.get_mut(resident.family as usize) {
                *count += 1;
            }
        }
        people
    }

    /// How many houses stand in a region.
    pub(super) fn houses_in(&self, id: RecordId) -> u32 {
        let Some(inside) = self.narrowed(Some(id)) else { return 0 };
        let count = self.houses.iter().filter(|house| inside.holds(Some(house))).count();
        u32::try_from(count).unwrap_or(u32::MAX)
    }
}

/// The regions a question is narrowed to; `None` = all of the village.
pub(super) struct Inside(Option<Vec<bool>>);

impl Inside {
    fn has(&self, region: u32) -> bool {
        let Some(regions) = &self.0 else { return true };
        regions.get(region as usize).copied().unwrap_or(false)
    }

    pub(super) fn holds(&self, house: Option<&House>) -> bool {
        match (&self.0, house) {
            (None, _) => true,
            (Some(_), None) => false,
            (Some(_), Some(house)) => self.has(house.rt) || self.has(house.dasawisma),
        }
    }
}

fn place<T>(list: &[T], id: RecordId, id_of: impl Fn(&T) -> RecordId) -> u32 {
    list.binary_search_by_key(&id, id_of)
        .ok()
        .and_then(|at| u32::try_from(at).ok())
        .unwrap_or(NOWHERE)
}

/// Whether each of the words begins a word of a name that stands after a
/// space.
fn begins(name: &str, words: &Words) -> bool {
    words.iter().all(|word| name.split(' ').any(|part| part.starts_with(word)))
}

/// Whether a resident's own columns fit.
fn fits(resident: &Resident, terms: &ResidentTerms) -> bool {
    let sex = |jk: JenisKelamin| resident.jenis_kelamin == jk as u8;
    let born = resident.born != UNKNOWN_DAY;
    let same = |asked: Option<u8>, has: u8| asked.is_none_or(|asked| asked == has);
    (terms.gone_too || resident.is_living())
        && terms.jenis_kelamin.is_none_or(sex)
        && terms.born_from.is_none_or(|day| born && resident.born >= day)
        && terms.born_until.is_none_or(|day| born && resident.born <= day)
        && same(terms.pendidikan, resident.pendidikan)
        && same(terms.pekerjaan, resident.pekerjaan)
        && same(terms.agama, resident.agama)
        && same(terms.status_kawin, resident.status_kawin)
        && (!terms.heads || resident.is_head())
        && (!terms.without_nik || resident.nik == NikState::Missing)
}
