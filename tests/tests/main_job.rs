//! The job itself: four villages import their residents, the hub has one
//! dataset of all of them, and keeps it current.

use std::time::{Duration, Instant};

use anyhow::Context;
use lumbung_domain::id::{Kind, RecordId};
use lumbung_hub::dataset::FindingKind;
use lumbung_proto::v1;
use lumbung_tests::district::{District, wait_until};
use lumbung_tests::fictitious::{FAMILY_SIZE, dusun, lone_row, nik, sheet};

const VILLAGES: usize = 4;
const FAMILIES: usize = 12;

/// The resident of village 0 whom village 1 claims too.
fn twin() -> String {
    nik(0, 0, 0)
}

async fn import(district: &District) -> anyhow::Result<()> {
    for (at, node) in district.nodes.iter().enumerate() {
        let mut csv = sheet(at, FAMILIES);
        if at == 1 {
            csv.push_str(&lone_row(at, &twin()));
        }
        let file = district.folder().join(format!("warga-{at}.csv"));
        std::fs::write(&file, csv)?;
        let path = file.to_str().context("a temporary folder with a plain name")?;
        let done = node.run(&["import", path, "--json"]).await?;
        let said = String::from_utf8_lossy(&done.stdout);
        assert!(done.status.success(), "{said}{}", String::from_utf8_lossy(&done.stderr));
    }
    Ok(())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn four_villages_become_one_dataset_and_stay_current() -> anyhow::Result<()> {
    let mut district = District::new(env!("CARGO_BIN_EXE_lumbung-process"), VILLAGES)?;
    district.start().await?;
    import(&district).await?;
    district.wait_proven(Duration::from_secs(30)).await?;

    let residents = (VILLAGES * FAMILIES * FAMILY_SIZE + 1) as u64;
    let hub = district.hub.dataset()?;
    assert_eq!(hub.totals(&hub.whole())?.warga, residents);
    the_twin_is_found(&mut district)?;
    an_edit_arrives_live(&mut district).await?;

    district.wait_proven(Duration::from_secs(10)).await?;
    district.stop().await?;
    let folded = district.compare()?;
    let counted: usize = folded
        .iter()
        .flat_map(|village| village.records.values())
        .filter(|living| living.kind == Kind::Warga.code())
        .count();
    assert_eq!(counted as u64, residents);
    nobody_is_named_in_a_log(&district);
    Ok(())
}

fn the_twin_is_found(district: &mut District) -> anyhow::Result<()> {
    let hub = district.hub.dataset()?;
    let findings = hub.findings(&hub.whole(), true, 100)?;
    let twins: Vec<_> =
        findings.iter().filter(|finding| finding.kind == FindingKind::NikGanda).collect();
    assert_eq!(twins.len(), 1, "one number, two villages");
    assert_eq!(twins[0].key.to_string(), twin());
    let mut claiming: Vec<_> = twins[0].claims.iter().map(|claim| claim.village).collect();
    claiming.sort_unstable();
    assert_eq!(claiming, [district.nodes[0].village, district.nodes[1].village]);
    Ok(())
}

async fn an_edit_arrives_live(district: &mut District) -> anyhow::Result<()> {
    let node = &district.nodes[2];
    let request = v1::ListRequest { kind: u32::from(Kind::Dusun.code().0), limit: 1 };
    let mut list = node.client().await?.list(request).await?.into_inner();
    let record = list.message().await?.context("the import made a dusun")?;
    let id = RecordId::from_slice(&record.id).context("an id")?;
    let payload = dusun("SUMBER BARU");
    let change = v1::RecordChange {
        id: record.id,
        kind: record.kind,
        delete: false,
        payload: payload.clone(),
    };
    let saved_at = Instant::now();
    let saved = node.save(vec![change]).await?;
    assert!(!saved.refused);
    let (village, hub) = (node.village, &mut district.hub);
    wait_until(Duration::from_secs(5), "the edit is at the hub", async || {
        let hub = hub.dataset()?;
        let row = hub.record(&hub.whole(), village, id)?.context("the dusun")?;
        Ok(row.bytes == payload && row.seq.0 == saved.last_seq)
    })
    .await?;
    println!("an edit was durable at the hub within {:?}", saved_at.elapsed());
    Ok(())
}

fn nobody_is_named_in_a_log(district: &District) {
    let mut logs = vec![district.hub.said()];
    logs.extend(district.nodes.iter().map(|node| node.said()));
    for log in logs {
        assert!(!log.contains("CONTOH"), "a resident's name in a log");
        let digits = |part: &str| part.len() == 16 && part.starts_with("3505");
        let number = log.split(|c: char| !c.is_ascii_digit()).any(digits);
        assert!(!number, "an identity number in a log");
    }
}
