//! Nodes that the hub dials: who is answered there, and who is believed.
#![allow(clippy::unwrap_used, reason = "a test says where it failed")]

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use anyhow::ensure;
use lumbung_demo::ports::free_address;
use lumbung_domain::region::VillageCode;
use lumbung_identity::{Authority, Lifetime, tls};
use lumbung_link::channel;
use lumbung_link::limits;
use lumbung_link::meter::Traffic;
use lumbung_proto::v1;
use lumbung_proto::v1::fleet_client::FleetClient;
use lumbung_proto::v1::inbox_client::InboxClient;
use lumbung_proto::v1::sync_client::SyncClient;
use lumbung_telemetry::clock;
use lumbung_tests::district::{District, wait_until};
use lumbung_tests::proxy::{Conditions, Proxy};
use tokio::io::AsyncReadExt as _;
use tokio::net::TcpStream;
use tokio_rustls::TlsAcceptor;

const BINARY: &str = env!("CARGO_BIN_EXE_lumbung-process");

const WITHIN: Duration = Duration::from_secs(60);

/// How long a stranger waits for an answer.
const PATIENCE: Duration = Duration::from_secs(5);

/// Says hello to whoever listens, without any proof of who calls.
async fn plain_hello(address: SocketAddr, village: VillageCode) -> anyhow::Result<()> {
    let (version_min, version_max) = limits::PROTOCOL_VERSIONS;
    let channel = channel::dial(&address.to_string(), Traffic::default()).await?;
    let request = v1::HelloRequest {
        version_min,
        version_max,
        village: village.as_u64(),
        ..v1::HelloRequest::default()
    };
    let mut sync = SyncClient::new(channel);
    tokio::time::timeout(PATIENCE, sync.hello(request)).await??;
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_stranger_at_a_joined_nodes_port_is_served_nothing() -> anyhow::Result<()> {
    let mut district = District::joined(BINARY, 1, None).await?;
    district.nodes[0].start().await?;
    district.nodes[0].save_dusun("RAHASIA").await?;
    district.wait_proven(WITHIN).await?;
    let (address, village) = (district.nodes[0].address, district.nodes[0].village);
    // No service answers who does not prove to be the district.
    assert!(plain_hello(address, village).await.is_err());
    let plain = channel::dial(&address.to_string(), Traffic::default()).await?;
    let mut inbox = InboxClient::new(plain.clone());
    let asked = inbox.deliver(tokio_stream::empty());
    assert!(!matches!(tokio::time::timeout(PATIENCE, asked).await, Ok(Ok(_))));
    let mut fleet = FleetClient::new(plain);
    let asked = fleet.diagnose(v1::DiagnoseRequest::default());
    assert!(!matches!(tokio::time::timeout(PATIENCE, asked).await, Ok(Ok(_))));
    // Another district's hub is refused, and is not shown who this is.
    let other = Authority::open(&district.folder().join("lain"), clock::now_ms())?;
    let config = tls::hub(&other, clock::now_ms(), Lifetime::default().hub)?;
    let socket = TcpStream::connect(address).await?;
    let shaken = TlsAcceptor::from(Arc::new(config)).accept(socket);
    assert!(tokio::time::timeout(PATIENCE, shaken).await?.is_err());
    let mut socket = TcpStream::connect(address).await?;
    let mut greeting = vec![0; 4096];
    let read = tokio::time::timeout(PATIENCE, socket.read(&mut greeting)).await??;
    let shown = String::from_utf8_lossy(&greeting[..read]);
    ensure!(greeting[0] == 0x16, "the node greets as TLS does");
    ensure!(!shown.contains(&village.compact()), "a stranger reads which village this is");
    // The district does not notice.
    district.nodes[0].save_dusun("TERUS").await?;
    district.wait_proven(WITHIN).await?;
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_joined_node_that_cant_dial_is_dialled_and_no_other_is_taken_for_it() -> anyhow::Result<()>
{
    let mut district = District::joined(BINARY, 0, None).await?;
    let proxy = Proxy::start(free_address()?, district.hub.uplink, Conditions::default()).await?;
    for desa in lumbung_domain::region::roster().villages().iter().take(2) {
        let node = district.node(BINARY, desa.code)?;
        let token = district.hub.token(desa.code, proxy.address, false)?;
        node.join(&token, proxy.address).await?;
        district.nodes.push(node);
    }
    // From now on no village reaches the hub.
    proxy.refuse(true);
    let (village, absent) = (district.nodes[0].village, district.nodes[1].village);
    district.nodes[0].start().await?;
    district.nodes[0].save_dusun("DIJEMPUT").await?;
    let address = district.nodes[0].address;
    district.hub.add(village, address)?;
    district.wait_proven(WITHIN).await?;
    assert_eq!(district.nodes[0].status().await?["link"]["connected"], true);
    // Live, not only once.
    district.nodes[0].save_dusun("LAGI").await?;
    district.wait_proven(WITHIN).await?;
    // The same node at another village's address proves to be somebody else.
    district.hub.add(absent, address)?;
    let hub = &mut district.hub;
    wait_until(WITHIN, "the operator is told", async || {
        Ok(hub.village(absent)?.trouble == "desa_lain")
    })
    .await?;
    assert_eq!(district.hub.village(absent)?.position, None, "nothing was taken");
    district.nodes[0].save_dusun("TETAP MILIK SENDIRI").await?;
    district.wait_proven(WITHIN).await?;
    district.nodes.truncate(1);
    district.stop().await?;
    district.compare()?;
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_village_that_was_dialled_before_it_joined_dials_from_then_on() -> anyhow::Result<()> {
    let mut district = District::new(BINARY, 1)?;
    district.start().await?;
    district.nodes[0].save_dusun("SEBELUM").await?;
    district.wait_proven(WITHIN).await?;
    let (address, village) = (district.nodes[0].address, district.nodes[0].village);
    plain_hello(address, village).await?;
    let token = district.hub.token(village, district.hub.uplink, false)?;
    district.nodes[0].join(&token, district.hub.uplink).await?;
    let node = &district.nodes[0];
    wait_until(WITHIN, "the node has dialled", async || {
        Ok(node.status().await?["link"]["connected"] == true)
    })
    .await?;
    assert_eq!(district.hub.village(village)?.address, "");
    assert!(plain_hello(address, village).await.is_err(), "nobody is believed any more");
    district.nodes[0].save_dusun("SESUDAH").await?;
    district.wait_proven(WITHIN).await?;
    district.stop().await?;
    district.compare()?;
    Ok(())
}
