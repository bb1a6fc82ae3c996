//! Contradictions between villages, both claims side by side.

use lumbung_domain::id::Kind;
use lumbung_domain::region::VillageCode;
use lumbung_telemetry::clock;
use lumbung_wire::record as wire;

use super::{Desk, DeskError};
use crate::access::{Operator, Right};
use crate::dataset::{Claim, CrossFinding, FindingCounts, FindingsAsked};
use crate::exports::{self, Said};

/// One side of a contradiction.
#[derive(Clone, Debug)]
pub struct Side {
    /// Which village claims, who wrote it and when.
    pub claim: Claim,
    /// What its record says; `None` when the village is not
    /// the operator's to see. Empty when the record can't be read or is gone.
    pub says: Option<Vec<Said>>,
}

impl Side {
    /// What it says under a label.
    #[must_use]
    pub fn said(&self, label: &str) -> Option<&Said> {
        self.says.iter().flatten().find(|said| said.label == label)
    }
}

/// Whether sides say different things under a label.
#[must_use]
pub fn differ(label: &str, sides: &[Side]) -> bool {
    let mut said = sides.iter().filter_map(|side| side.said(label));
    said.next().is_some_and(|first| said.any(|other| first.differs(other)))
}

impl Desk {
    /// Contradictions in which one of the operator's villages has a part,
    /// newest first.
    ///
    /// # Errors
    /// [`DeskError::Refused`] without [`Right::SeeRecords`],
    /// [`DeskError::NotThere`], [`DeskError::Failed`].
    pub fn findings(
        &self,
        who: &Operator,
        village: Option<VillageCode>,
        open_only: bool,
        limit: u32,
    ) -> Result<Vec<CrossFinding>, DeskError> {
        who.must(Right::SeeRecords)?;
        Ok(self.dataset.findings(&Self::narrowed(who, village)?, open_only, limit)?)
    }

    /// One page of them, and how many there are of each kind.
    ///
    /// # Errors
    /// As [`Desk::findings`].
    pub fn findings_page(
        &self,
        who: &Operator,
        village: Option<VillageCode>,
        asked: &FindingsAsked,
        limit: u32,
    ) -> Result<(Vec<CrossFinding>, FindingCounts), DeskError> {
        who.must(Right::SeeRecords)?;
        let scope = Self::narrowed(who, village)?;
        let found = self.dataset.findings_before(&scope, asked, limit)?;
        Ok((found, self.dataset.count_findings(&scope)?))
    }

    /// One contradiction with what both records say. What a village outside
    /// the operator's scope wrote is not shown: only that it claims.
    ///
    /// # Errors
    /// [`DeskError::Refused`] without [`Right::SeeRecords`],
    /// [`DeskError::NotThere`], [`DeskError::Failed`].
    pub fn finding(
        &self,
        who: &Operator,
        number: i64,
    ) -> Result<(CrossFinding, Vec<Side>), DeskError> {
        who.must(Right::SeeRecords)?;
        let finding = self.dataset.finding(who.scope(), number)?.ok_or(DeskError::NotThere)?;
        let sides = finding.claims.iter().map(|claim| self.side(who, claim));
        let sides = sides.collect::<Result<_, _>>()?;
        Ok((finding, sides))
    }

    fn side(&self, who: &Operator, claim: &Claim) -> Result<Side, DeskError> {
        let claim = claim.clone();
        if !who.scope().holds(claim.village) {
            return Ok(Side { claim, says: None });
        }
        let stored = self.dataset.record(who.scope(), claim.village, claim.id)?;
        let record = stored.and_then(|stored| {
            let kind = Kind::from_code(stored.kind)?;
            wire::decode(kind, &stored.bytes).ok()
        });
        let today = clock::today();
        let says = record.map(|record| exports::compared(&record, today)).unwrap_or_default();
        Ok(Side { claim, says: Some(says) })
    }
}
