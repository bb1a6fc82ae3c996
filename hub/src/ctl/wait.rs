//! `wait`: until villages are as they are wanted, or time is up.

use std::time::Duration;

use lumbung_proto::v1;
use lumbung_proto::v1::admin_client::AdminClient;
use tonic::transport::Channel;

use super::commands::Awaited;
use super::outcome::{Exit, Failure};
use super::print::List;

pub(super) async fn run(
    admin: &mut AdminClient<Channel>,
    codes: Vec<String>,
    awaited: Awaited,
    timeout_seconds: u64,
) -> Result<Exit, Failure> {
    let named = !codes.is_empty();
    let mut told = admin.watch(v1::WatchRequest { codes }).await?.into_inner();
    let mut missing = Vec::new();
    let until = async {
        while let Some(now) = told.message().await? {
            let list = List { columns: now.columns, rows: now.rows, ..List::default() };
            let was = missing.len();
            missing = list
                .rows
                .iter()
                .filter(|row| is_waited_for(&list, row, named) && !is_so(&list, row, awaited))
                .map(|row| list.cell(row, "code").to_owned())
                .collect();
            if missing.is_empty() {
                return Ok(Exit::Done);
            }
            if missing.len() != was {
                eprintln!("Menunggu {} desa.", missing.len());
            }
        }
        Err(Failure::new(Exit::Unreachable, "Hub berhenti."))
    };
    match tokio::time::timeout(Duration::from_secs(timeout_seconds), until).await {
        Ok(ended) => ended,
        Err(_) => {
            let words = format!("Habis waktu; belum: {}", missing.join(" "));
            Err(Failure::new(Exit::TimedOut, words))
        }
    }
}

/// One that was never heard of is waited for by name only.
fn is_waited_for(list: &List, row: &v1::ListRow, named: bool) -> bool {
    named || list.cell(row, "state") != "belum_terdaftar"
}

fn is_so(list: &List, row: &v1::ListRow, awaited: Awaited) -> bool {
    match awaited {
        Awaited::Proven => list.cell(row, "proven") == "true",
        Awaited::Connected => list.cell(row, "phase") == "tersambung",
        Awaited::Fresh => list.cell(row, "state") == "segar",
    }
}
