//! Contacts by stick: the answer that a village takes, and what its next bundle
//! tells.

use std::collections::BTreeMap;

use anyhow::ensure;
use lumbung_hub::bundle;
use lumbung_hub::dataset::{ContactNote, Dataset, Outcome, Recovery as _};
use lumbung_hub::puller::hand_back::{parcel, read_receipt};
use lumbung_node::bundle::returned;
use lumbung_node::serving::inbox;
use lumbung_proto::v1;

use super::World;

impl World {
    /// The village takes an answer, and keeps what became of it.
    pub(super) async fn take_answer(&mut self) -> anyhow::Result<()> {
        let parcels = self.answer()?;
        let receipt = inbox::take(self.village()?, parcels.clone()).await?;
        let head = self.village()?.barn().head().position;
        self.receipt = returned::receipt(head, &parcels, &receipt);
        Ok(())
    }

    /// What an answer hands back.
    fn answer(&self) -> anyhow::Result<Vec<v1::Parcel>> {
        let versions = self.hub.undelivered(&self.hub.whole(), self.code, None, u32::MAX)?;
        Ok(versions.iter().map(|version| parcel(version, version.fork)).collect())
    }

    /// The hub has merged a bundle, and takes what it tells besides.
    pub(super) async fn tell_by_stick(&mut self) -> anyhow::Result<()> {
        let barn = self.village()?.barn();
        let told = returned::told(barn, self.receipt.clone(), barn.head().position.seq)?;
        if let Some(at) = self.stored()? {
            bundle::returned::take(self.code, &at, &told, &self.hub)?;
        }
        self.prove_by_stick().await
    }

    /// What the hub says became of versions that wait, where both hold the same,
    /// is what the village would say if it got them (again).
    async fn prove_by_stick(&mut self) -> anyhow::Result<()> {
        let (state, head) = (self.hub.village(self.code)?, self.village()?.barn().head());
        if state.fingerprint != head.fingerprint || state.position != Some(head.position) {
            return Ok(());
        }
        let waiting = self.hub.undelivered(&self.hub.whole(), self.code, None, u32::MAX)?;
        let other = self.opened(self.store.copy(), None)?;
        let receipt = inbox::take(&other, self.answer()?).await?;
        let told = read_receipt(receipt, &waiting);
        ensure!(told.len() == waiting.len(), "a parcel was not looked at");
        self.hub.judge_waiting(self.code, &head.position, self.now_ms)?;
        let judged = self.hub.undelivered(&self.hub.whole(), self.code, None, u32::MAX)?;
        let judged: BTreeMap<_, _> =
            judged.into_iter().map(|version| (version.number, version.outcome)).collect();
        let told = waiting.iter().zip(told);
        for (version, told) in told.filter(|(version, _)| version.outcome == Outcome::Waiting) {
            let judged = judged.get(&version.number).copied();
            let agrees = match judged {
                Some(Outcome::Applied | Outcome::Equal) => told.outcome == Outcome::Equal,
                Some(Outcome::Conflict) => told.outcome == Outcome::Conflict,
                // The village would write it, or another resident has its number.
                Some(Outcome::Waiting) if told.outcome == Outcome::Equal => {
                    // It has another entry of the same content.
                    let row = self.hub.record(&self.hub.whole(), self.code, version.id)?;
                    row.is_some_and(|row| (row.epoch, row.seq) == (version.epoch, version.seq))
                }
                Some(Outcome::Waiting) => true,
                _ => false,
            };
            ensure!(agrees, "{version:?} is judged {judged:?}, the village says {told:?}");
        }
        let proven = ContactNote { proven: Some(head.position.seq), ..ContactNote::default() };
        self.hub.note_contacts(&[(self.code, proven)])?;
        Ok(())
    }
}
