//! (c) From "saved" at a node to "queryable at the hub", with a session open
//! to every village.

use std::time::{Duration, Instant};

use bytes::Bytes;
use lumbung_domain::id::{Kind, RecordId};
use lumbung_domain::record::Record;
use lumbung_hub::dataset::Dataset;
use lumbung_hub::dataset::sqlite::SqliteDataset;
use lumbung_proto::v1;
use lumbung_wire::record as wire;

use crate::nodes::District;

/// Edits measured, spread over all villages.
const EDITS: usize = 600;

/// Pause between edits: the district is otherwise idle.
const EDIT_EVERY: Duration = Duration::from_millis(15);

/// An edit that takes longer than this is lost.
const VISIBLE_WITHIN: Duration = Duration::from_secs(10);

pub(crate) async fn measure(district: &District) -> anyhow::Result<()> {
    let dataset = SqliteDataset::open(district.hub_file())?;
    let (mut from_saved, mut from_asked) = (Vec::new(), Vec::new());
    let mut looks = 0_u32;
    let mut looked = Duration::ZERO;
    for number in 0..EDITS {
        let node = &district.nodes[number * 37 % district.nodes.len()];
        let mut local = node.local().await?;
        let list = v1::ListRequest { kind: u32::from(Kind::Warga.code().0), limit: 1 };
        let chosen = local.list(list).await?.into_inner().message().await?;
        let Some(chosen) = chosen else { anyhow::bail!("a village without residents") };
        let Record::Warga(mut warga) = wire::decode(Kind::Warga, &chosen.payload)? else {
            anyhow::bail!("not a resident")
        };
        warga.telepon = format!("0800{number:07}");
        let change = v1::RecordChange {
            id: chosen.id.clone(),
            kind: chosen.kind,
            delete: false,
            payload: wire::encode(&Record::Warga(warga)),
        };
        let save = v1::SaveRequest {
            actor: "kader".to_owned(),
            changes: vec![change],
            ..Default::default()
        };
        let asked = Instant::now();
        let saved = local.save(save).await?.into_inner();
        let since_saved = Instant::now();
        anyhow::ensure!(!saved.refused, "an edit was refused");
        let id = record_id(&chosen.id)?;
        loop {
            let look = Instant::now();
            let stored = dataset.record(&dataset.whole(), node.code, id)?;
            looked += look.elapsed();
            looks += 1;
            if stored.is_some_and(|stored| stored.seq.0 >= saved.last_seq) {
                break;
            }
            anyhow::ensure!(since_saved.elapsed() < VISIBLE_WITHIN, "an edit never arrived");
        }
        from_saved.push(since_saved.elapsed().as_secs_f64() * 1e3);
        from_asked.push(asked.elapsed().as_secs_f64() * 1e3);
        tokio::time::sleep(EDIT_EVERY).await;
    }
    println!("(c) saved at a node → queryable at the hub, {} sessions open", district.nodes.len());
    for (name, waits) in [("from saved", &mut from_saved), ("from asked", &mut from_asked)] {
        waits.sort_by(f64::total_cmp);
        let at = |share: f64| waits[(waits.len() as f64 * share) as usize];
        println!("    {name:<22} p50 {:>6.2} ms, p99 {:>6.2} ms", at(0.5), at(0.99));
    }
    println!(
        "    ({EDITS} edits; the hub is asked again every {:.2} ms)\n",
        looked.as_secs_f64() * 1e3 / f64::from(looks.max(1))
    );
    Ok(())
}

fn record_id(bytes: &Bytes) -> anyhow::Result<RecordId> {
    RecordId::from_slice(bytes).ok_or_else(|| anyhow::anyhow!("not a record id"))
}
