//! The village's sum taken apart: every level adds up to the level above, and
//! whole records can be fetched by id.

use std::time::Duration;

use anyhow::Context;
use bytes::Bytes;
use lumbung_domain::id::Kind;
use lumbung_ledger::{Fingerprint, fingerprint::content_hash};
use lumbung_link::{channel, meter::Traffic};
use lumbung_proto::v1::{self, sync_client::SyncClient};
use lumbung_tests::district::District;
use lumbung_tests::fictitious::sheet;
use tonic::transport::Channel;

async fn parts(
    sync: &mut SyncClient<Channel>,
    parent: &Bytes,
) -> anyhow::Result<Vec<v1::fingerprint_reply::Part>> {
    let request =
        v1::FingerprintRequest { parent: parent.clone(), ..v1::FingerprintRequest::default() };
    Ok(sync.fingerprint(request).await?.into_inner().parts)
}

fn sum(parts: &[v1::fingerprint_reply::Part]) -> anyhow::Result<(Fingerprint, u64)> {
    let mut total = (Fingerprint::default(), 0);
    for part in parts {
        total.0 += Fingerprint::from_slice(&part.fingerprint).context("32 bytes")?;
        total.1 += part.records;
    }
    Ok(total)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_level_adds_up_to_the_one_above() -> anyhow::Result<()> {
    let mut district = District::new(env!("CARGO_BIN_EXE_lumbung-process"), 1)?;
    district.start().await?;
    let file = district.folder().join("warga.csv");
    std::fs::write(&file, sheet(0, 12))?;
    let path = file.to_str().context("a plain path")?;
    assert!(district.nodes[0].run(&["import", path]).await?.status.success());
    district.wait_proven(Duration::from_secs(20)).await?;

    let village = district.hub.village(district.nodes[0].village)?;
    let mut sync = SyncClient::new(channel::dial(&village.address, Traffic::default()).await?);
    let rts = parts(&mut sync, &Bytes::new()).await?;
    assert_eq!(sum(&rts)?, (village.fingerprint, village.records), "the hub has the same sum");
    let mut fetched = 0;
    for rt in rts.iter().filter(|rt| !rt.id.is_empty()) {
        let houses = parts(&mut sync, &rt.id).await?;
        assert_eq!(sum(&houses)?, sum(std::slice::from_ref(rt))?);
        for house in houses.iter().filter(|house| !house.id.is_empty()) {
            let records = parts(&mut sync, &house.id).await?;
            assert_eq!(sum(&records)?, sum(std::slice::from_ref(house))?);
            let ids = records.iter().map(|record| record.id.clone()).collect();
            let mut items = sync
                .fetch(v1::FetchRequest { ids, ..v1::FetchRequest::default() })
                .await?
                .into_inner();
            while let Some(item) = items.message().await? {
                let told = records.iter().find(|record| record.id == item.id).context("asked")?;
                let id = lumbung_domain::id::RecordId::from_slice(&item.id).context("an id")?;
                let kind = lumbung_domain::id::KindCode(u16::try_from(item.kind)?);
                let schema = u16::try_from(item.schema)?;
                let hash = content_hash(id, kind, schema, &item.payload);
                assert_eq!(told.fingerprint, hash.0[..], "a record is its own sum");
                fetched += u64::from(kind == Kind::Warga.code());
            }
        }
    }
    assert_eq!(fetched, village.warga, "every resident was reached from the top");
    let ids = vec![Bytes::from(vec![9; 16])];
    let nobody = v1::FetchRequest { ids, ..v1::FetchRequest::default() };
    let item = sync.fetch(nobody).await?.into_inner().message().await?.context("an answer")?;
    assert_eq!(item.seq, 0, "an unknown record is told as such");
    Ok(())
}
