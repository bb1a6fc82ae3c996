//! (d) What an idle session costs.

use std::time::Duration;

use crate::nodes::District;

/// Long enough to hold at least two keepalives.
const MINUTES: u32 = 5;

/// TCP and IP headers with timestamps, bytes a packet.
const PACKET_HEADER: f64 = 52.0;

pub(crate) async fn measure(district: &District) -> anyhow::Result<()> {
    let before = district.traffic().await?;
    tokio::time::sleep(Duration::from_secs(60) * MINUTES).await;
    let bytes = (district.traffic().await? - before) as f64;
    let sessions = district.nodes.len() as f64;
    let a_minute = bytes / sessions / f64::from(MINUTES);
    let pings = 60.0 / lumbung_link::limits::KEEPALIVE_EVERY.as_secs_f64();
    println!("(d) an idle session, {MINUTES} minutes");
    println!("    inside TCP             {a_minute:>10.1} bytes a minute");
    println!(
        "    with TCP/IP headers    {:>10.1} bytes a minute (computed: 3 packets a keepalive)\n",
        a_minute + pings * 3.0 * PACKET_HEADER
    );
    Ok(())
}
