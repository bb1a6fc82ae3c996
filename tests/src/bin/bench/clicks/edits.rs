//! Villages at work: each saves one changed resident every few seconds.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use lumbung_domain::id::Kind;
use lumbung_domain::record::Record;
use lumbung_proto::v1;
use lumbung_wire::record as wire;
use tokio::task::JoinSet;

use crate::nodes::District;

/// Between two saves of one village: a clerk and a few volunteers at work.
const EVERY: Duration = Duration::from_secs(5);

/// Residents of a village that are changed in turn.
const RESIDENTS: u32 = 20;

/// The villages at work.
pub(super) struct Edits {
    saved: Arc<AtomicUsize>,
    tasks: JoinSet<anyhow::Result<()>>,
}

impl Edits {
    /// Ends them; how many edits were saved.
    pub(super) fn end(mut self) -> usize {
        self.tasks.abort_all();
        self.saved.load(Ordering::Relaxed)
    }
}

pub(super) async fn begin(district: &District) -> anyhow::Result<Edits> {
    let saved: Arc<AtomicUsize> = Arc::default();
    let mut tasks = JoinSet::new();
    let villages = u32::try_from(district.nodes.len())?;
    for (number, node) in (0..).zip(&district.nodes) {
        let (mut local, saved) = (node.local().await?, Arc::clone(&saved));
        let list = v1::ListRequest { kind: u32::from(Kind::Warga.code().0), limit: RESIDENTS };
        let mut listed = local.list(list).await?.into_inner();
        let mut residents = Vec::new();
        while let Some(one) = listed.message().await? {
            residents.push(one);
        }
        let begin = EVERY * number / villages;
        tasks.spawn(async move {
            tokio::time::sleep(begin).await;
            let mut beat = tokio::time::interval(EVERY);
            for (nth, one) in (0_u32..).zip(residents.iter().cycle()) {
                beat.tick().await;
                let Record::Warga(mut warga) = wire::decode(Kind::Warga, &one.payload)? else {
                    anyhow::bail!("not a resident")
                };
                warga.telepon = format!("0800{nth:08}");
                let change = v1::RecordChange {
                    id: one.id.clone(),
                    kind: one.kind,
                    delete: false,
                    payload: wire::encode(&Record::Warga(warga)),
                };
                let save = v1::SaveRequest {
                    actor: "kader".to_owned(),
                    changes: vec![change],
                    ..Default::default()
                };
                anyhow::ensure!(!local.save(save).await?.into_inner().refused, "refused");
                saved.fetch_add(1, Ordering::Relaxed);
            }
            Ok(())
        });
    }
    Ok(Edits { saved, tasks })
}
