//! One family of the sheet: its rows together, its card, its head.

use lumbung_domain::code_list::{Code, Shdk, StatusDasar};
use lumbung_domain::id::RecordId;
use lumbung_domain::identity::NoKk;
use lumbung_domain::record::{Keluarga, Record, Warga};
use lumbung_domain::validation;

use super::roll::Entry;
use super::{Planner, Taken};
use crate::import::column::Column;
use crate::import::finding::CellFinding;
use crate::import::house;
use crate::village::census::name_key;

impl<'a> Planner<'a> {
    /// Takes the rows of one card: all that pass their checks are placed
    /// together, or left out together when the place can't be known.
    pub(super) fn family(&mut self, no_kk: NoKk, entries: &[Entry<'a>]) {
        let mut taken: Vec<Taken<'a>> =
            entries.iter().filter_map(|entry| self.take(entry)).collect();
        if taken.is_empty() {
            return;
        }
        match self.write_family(no_kk, &mut taken) {
            Ok(id) => self.settle_members(id, taken),
            Err(why) => {
                for mut row in taken {
                    row.findings.push(why.clone());
                    self.record(row.row, row.findings);
                }
            }
        }
    }

    /// Writes region, house and card, and hands back the card's id.
    fn write_family(
        &mut self,
        no_kk: NoKk,
        taken: &mut [Taken<'a>],
    ) -> Result<RecordId, CellFinding> {
        let known = self.draft.census().keluarga_by_no_kk(no_kk);
        let before = known.and_then(|id| self.draft.census().keluarga(id).cloned());
        let mut family = before.clone().unwrap_or_else(|| Keluarga {
            no_kk: Some(no_kk),
            aktif: true,
            ..Keluarga::default()
        });
        let place = self.place(before.as_ref().map(|family| family.rumah_tangga_id), taken)?;
        let id = known.unwrap_or_else(|| (self.mint)());
        self.left_houses.extend(
            before
                .as_ref()
                .map(|before| before.rumah_tangga_id)
                .filter(|house| *house != place.house),
        );
        family.rumah_tangga_id = place.house;
        // Somebody joins a card that was closed: it is in use again.
        family.aktif |= taken.iter().any(|row| row.warga.keluarga_id != Some(id));
        self.read_family_cells(id, &mut family, taken);
        if let Some(head) = head_of(taken) {
            family.kepala_id = Some(head);
        }
        self.write_house(&place, before.as_ref(), &family, taken);
        self.draft.put(id, Record::Keluarga(family));
        Ok(id)
    }

    fn read_family_cells(&mut self, id: RecordId, family: &mut Keluarga, taken: &mut [Taken<'a>]) {
        let columns = self.sheet.layout().headings().iter().map(|(column, _)| *column);
        for column in columns.filter(|column| column.is_family() && self.sheet.has(*column)) {
            for row in taken.iter_mut() {
                let text = row.row.text(column);
                match self.says_first(id, column, text) {
                    Said::First => {
                        let before = family.clone();
                        let mut reading = house::read_family(column, text, family);
                        if reading.is_ok()
                            && !validation::check_keluarga(family, self.today).may_save()
                        {
                            reading = Err(CellFinding::unfit(column));
                        }
                        if let Err(finding) = reading {
                            *family = before;
                            row.findings.push(finding);
                        }
                    }
                    Said::Again => {}
                    Said::Otherwise => row.findings.push(CellFinding::differs_in_family(column)),
                }
            }
        }
    }

    /// Whether a filled cell about a family or house is the first to speak,
    /// repeats what the first said, or contradicts it.
    pub(super) fn says_first(&mut self, id: RecordId, column: Column, text: &'a str) -> Said {
        if text.is_empty() {
            return Said::Again;
        }
        match self.said.get(&(id, column)) {
            None => {
                self.said.insert((id, column), text);
                Said::First
            }
            Some(first) if *first == text || name_key(first) == name_key(text) => Said::Again,
            Some(_) => Said::Otherwise,
        }
    }

    fn settle_members(&mut self, family: RecordId, taken: Vec<Taken<'a>>) {
        let mut findings: Vec<CellFinding> = Vec::new();
        let ids: Vec<RecordId> = taken.iter().map(|row| row.id).collect();
        let others = self.draft.census().members(family).iter();
        let others = others.filter(|id| !ids.contains(id));
        let shdk: Vec<Option<Code<Shdk>>> = others
            .filter_map(|id| self.draft.census().warga(*id))
            .chain(taken.iter().map(|row| &row.warga))
            .filter(|warga| is_here(warga))
            .map(|warga| warga.shdk)
            .collect();
        let verdict = validation::check_keluarga_anggota(&shdk);
        findings.extend(verdict.0.into_iter().map(CellFinding::of_validation));
        for mut row in taken {
            // What is said about the whole family stands at its first row.
            row.findings.append(&mut findings);
            let before = row.warga.keluarga_id.replace(family);
            self.left.extend(before.filter(|before| *before != family));
            self.settle(row);
        }
    }

    /// Cards that everybody left are closed; a head that left is head no
    /// more. Returns how many were closed.
    pub(super) fn close_left_families(&mut self) -> u64 {
        let mut emptied = 0;
        for id in std::mem::take(&mut self.left) {
            let census = self.draft.census();
            let Some(mut family) = census.keluarga(id).cloned() else {
                continue;
            };
            let members = census.members(id);
            if members.is_empty() && family.aktif {
                family.aktif = false;
                emptied += 1;
            }
            family.kepala_id = family.kepala_id.filter(|head| members.contains(head));
            self.draft.put(id, Record::Keluarga(family));
        }
        emptied
    }
}

/// How a cell stands to the first one about the same thing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Said {
    First,
    Again,
    Otherwise,
}

/// The member with SHDK 1; one who lives here first.
fn head_of(taken: &[Taken<'_>]) -> Option<RecordId> {
    taken
        .iter()
        .filter(|row| row.warga.shdk == Some(Code::<Shdk>::KEPALA_KELUARGA))
        .min_by_key(|row| !is_here(&row.warga))
        .map(|row| row.id)
}

fn is_here(warga: &Warga) -> bool {
    warga.status_dasar.is_none_or(|status| status == Code::<StatusDasar>::HIDUP)
}
