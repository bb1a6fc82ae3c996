//! The link a node dials: through walls, past ghosts and twins, within its
//! budget.
#![allow(clippy::unwrap_used, reason = "a test says where it failed")]

use std::io;
use std::net::SocketAddr;
use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context, ensure};
use lumbung_demo::ports::free_address;
use lumbung_identity::{Authority, Lifetime, tls};
use lumbung_link::guarded::Guarded;
use lumbung_link::meter::Traffic;
use lumbung_link::{channel, secure};
use lumbung_proto::v1;
use lumbung_proto::v1::enrolment_client::EnrolmentClient;
use lumbung_proto::v1::tunnel_client::TunnelClient;
use lumbung_proto::v1::tunnel_server::{Tunnel, TunnelServer};
use lumbung_telemetry::clock;
use lumbung_tests::district::{District, wait_until};
use lumbung_tests::proxy::{Conditions, Proxy};
use tokio::net::TcpListener;
use tokio_rustls::TlsAcceptor;
use tokio_stream::{Stream, StreamExt as _};
use tonic::{Request, Response, Status, Streaming};

const BINARY: &str = env!("CARGO_BIN_EXE_lumbung-process");

const WITHIN: Duration = Duration::from_secs(60);

/// A proxy that ends TLS with a certificate of its own and passes on nothing
/// but the calls it understands.
#[derive(Clone)]
struct CallsOnly {
    hub: SocketAddr,
}

#[tonic::async_trait]
impl Tunnel for CallsOnly {
    type CarryStream = Pin<Box<dyn Stream<Item = Result<v1::TunnelChunk, Status>> + Send>>;

    async fn carry(
        &self,
        request: Request<Streaming<v1::TunnelChunk>>,
    ) -> Result<Response<Self::CarryStream>, Status> {
        let gone = |_| Status::unavailable("the hub is gone");
        let address = self.hub.to_string();
        let socket = secure::dial_tcp(&address, Traffic::default()).await.map_err(gone)?;
        let coat = Arc::new(tls::coat().map_err(|_| Status::internal("no TLS"))?);
        let outer = secure::shake(socket, &address, tls::hub_name(), coat).await.map_err(gone)?;
        let channel = channel::over(outer).await.map_err(gone)?;
        let chunks = request.into_inner().map_while(Result::ok);
        let carried = TunnelClient::new(channel).carry(chunks).await?;
        Ok(Response::new(Box::pin(carried.into_inner())))
    }
}

/// Starts the proxy; where it listens.
async fn calls_only(hub: SocketAddr, folder: &std::path::Path) -> anyhow::Result<SocketAddr> {
    let own = Authority::open(&folder.join("perantara"), clock::now_ms())?;
    let config = tls::hub(&own, clock::now_ms(), Lifetime::default().hub)?;
    let acceptor = TlsAcceptor::from(Arc::new(config));
    let listener = TcpListener::bind("127.0.0.1:0").await?;
    let address = listener.local_addr()?;
    let (streams, incoming) = tokio::sync::mpsc::channel(16);
    tokio::spawn(async move {
        while let Ok((socket, _)) = listener.accept().await {
            let (acceptor, streams) = (acceptor.clone(), streams.clone());
            tokio::spawn(async move {
                if let Ok(stream) = acceptor.accept(socket).await {
                    drop(streams.send(Ok::<_, io::Error>(Guarded::new(stream).0)).await);
                }
            });
        }
    });
    let incoming = tokio_stream::wrappers::ReceiverStream::new(incoming);
    let serving = tonic::transport::Server::builder()
        .add_service(TunnelServer::new(CallsOnly { hub }))
        .serve_with_incoming(incoming);
    tokio::spawn(serving);
    Ok(address)
}

#[tokio::test(flavor = "multi_thread")]
async fn through_a_proxy_that_passes_only_grpc_the_same_session_runs_in_a_tunnel()
-> anyhow::Result<()> {
    let mut district = District::joined(BINARY, 0, None).await?;
    let proxy = calls_only(district.hub.uplink, district.folder()).await?;
    let village = lumbung_domain::region::roster().villages()[0].code;
    let mut node = district.node(BINARY, village)?;
    // Joining goes the same way.
    let token = district.hub.token(village, district.hub.uplink, false)?;
    node.join(&token, proxy).await?;
    node.start().await?;
    node.save_dusun("DI BALIK PERANTARA").await?;
    district.nodes.push(node);
    district.wait_proven(WITHIN).await?;
    let link = &district.nodes[0].status().await?["link"];
    assert_eq!((&link["connected"], &link["tunnelled"]), (&true.into(), &true.into()));
    let shown = district.hub.run(&["villages", "show", &village.compact()])?;
    assert!(String::from_utf8_lossy(&shown.stdout).contains("lewat terowongan"));
    // Live, not only once.
    district.nodes[0].save_dusun("LAGI").await?;
    district.wait_proven(WITHIN).await?;
    // Revoking reaches into the tunnel.
    let before = district.hub.village(village)?.position;
    let done = district.hub.run(&["villages", "revoke", &village.compact()])?;
    ensure!(done.status.success(), "{}", String::from_utf8_lossy(&done.stderr));
    let node = &district.nodes[0];
    wait_until(WITHIN, "the node is let in no more", async || {
        Ok(node.status().await?["link"]["connected"] == false)
    })
    .await?;
    node.save_dusun("SESUDAH DICABUT").await?;
    tokio::time::sleep(Duration::from_secs(3)).await;
    assert_eq!(district.hub.village(village)?.position, before, "nothing more is taken");
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn the_newest_connection_of_a_machine_wins_over_its_ghost() -> anyhow::Result<()> {
    let mut district = District::joined(BINARY, 0, None).await?;
    let proxy = Proxy::start(free_address()?, district.hub.uplink, Conditions::default()).await?;
    let village = lumbung_domain::region::roster().villages()[0].code;
    let mut node = district.node(BINARY, village)?;
    let token = district.hub.token(village, proxy.address, false)?;
    node.join(&token, proxy.address).await?;
    node.start().await?;
    node.save_dusun("SEBELUM").await?;
    district.nodes.push(node);
    district.wait_proven(WITHIN).await?;
    // The router forgets the connection: nobody is told. Then the machine
    // loses power and dials anew, while its old session still looks alive.
    proxy.set(Conditions { silent: true, ..Conditions::default() });
    proxy.cut();
    proxy.set(Conditions::default());
    district.nodes[0].kill()?;
    district.nodes[0].start().await?;
    district.nodes[0].save_dusun("SESUDAH").await?;
    district.wait_proven(WITHIN).await?;
    let state = district.hub.village(village)?;
    assert_eq!(state.trouble, "", "a ghost is no twin");
    district.stop().await?;
    district.compare()?;
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn two_machines_of_one_village_at_once_are_both_turned_away() -> anyhow::Result<()> {
    let mut district = District::joined(BINARY, 2, None).await?;
    for node in &mut district.nodes {
        node.start().await?;
        node.save_dusun("SATU").await?;
    }
    district.wait_proven(WITHIN).await?;
    let village = district.nodes[0].village;
    district.nodes[0].stop().await?;
    let mut twin = district.node(BINARY, village)?;
    twin.move_to("kembaran");
    let copied = std::process::Command::new("cp")
        .arg("-a")
        .args([district.nodes[0].dir(), twin.dir()])
        .status()?;
    ensure!(copied.success(), "the disk can't be copied");
    let before = district.hub.village(village)?.position.context("merged")?;
    district.nodes[0].start().await?;
    twin.start().await?;
    let hub = &mut district.hub;
    wait_until(WITHIN, "the operator is told", async || {
        Ok(hub.village(village)?.trouble == "kembar")
    })
    .await?;
    district.nodes[0].save_dusun("DARI ASLI").await?;
    twin.save_dusun("DARI KEMBARAN").await?;
    tokio::time::sleep(Duration::from_secs(5)).await;
    assert_eq!(district.hub.village(village)?.position, Some(before), "nothing of either");
    // Both clerks are told why, and neither machine keeps calling.
    for node in [&district.nodes[0], &twin] {
        wait_until(WITHIN, "the clerk is told", async || {
            Ok(node.status().await?["link"]["missed"] == "twin")
        })
        .await?;
        let said = node.run(&["status"]).await?;
        assert!(String::from_utf8_lossy(&said.stdout).contains("Komputer lain juga"), "{said:?}");
    }
    let shown = district.hub.run(&["incidents", &village.compact()])?;
    assert!(String::from_utf8_lossy(&shown.stdout).contains("Dua komputer"), "{shown:?}");
    // The neighbour does not notice.
    district.nodes[1].save_dusun("TETANGGA").await?;
    let seq = district.nodes[1].seq().await?;
    let (hub, neighbour) = (&mut district.hub, district.nodes[1].village);
    wait_until(WITHIN, "the neighbour goes on", async || {
        Ok(hub.village(neighbour)?.proven_seq.0 >= seq)
    })
    .await?;
    // One machine is switched off and the operator says so: the other goes on.
    twin.stop().await?;
    let done = district.hub.run(&["villages", "resolve", &village.compact()])?;
    ensure!(done.status.success(), "{}", String::from_utf8_lossy(&done.stderr));
    // It would come by itself within ten minutes.
    district.nodes[0].stop().await?;
    district.nodes[0].start().await?;
    district.wait_proven(WITHIN).await?;
    district.stop().await?;
    district.compare()?;
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_village_that_is_held_is_told_so() -> anyhow::Result<()> {
    let mut district = District::joined(BINARY, 1, None).await?;
    let village = district.nodes[0].village;
    let done = district.hub.ctl(&["hold", &village.compact(), "--reason", "uji"])?;
    ensure!(done.status.success(), "{}", String::from_utf8_lossy(&done.stderr));
    district.nodes[0].start().await?;
    let node = &district.nodes[0];
    wait_until(WITHIN, "the clerk is told", async || {
        Ok(node.status().await?["link"]["missed"] == "held")
    })
    .await?;
    let said = node.run(&["status"]).await?;
    assert!(String::from_utf8_lossy(&said.stdout).contains("menahan desa ini"), "{said:?}");
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_revoked_machine_gets_nothing_more_on_a_connection_that_is_open() -> anyhow::Result<()> {
    let mut district = District::joined(BINARY, 1, None).await?;
    let village = district.nodes[0].village;
    district.nodes[0].start().await?;
    district.nodes[0].save_dusun("SATU").await?;
    district.wait_proven(WITHIN).await?;
    let identity = lumbung_node::identity::Identity::load(district.nodes[0].dir())?;
    let config = identity.context("joined")?.client(tls::ALPN_H2)?;
    let address = district.hub.uplink.to_string();
    let socket = secure::dial_tcp(&address, Traffic::default()).await?;
    let line = secure::shake(socket, &address, tls::hub_name(), config).await?;
    let mut hub = EnrolmentClient::new(channel::over(line).await?);
    let mut items = hub.restore(v1::RestoreRequest::default()).await?.into_inner();
    assert!(items.message().await?.is_some(), "an allowed machine gets its data");
    let done = district.hub.run(&["villages", "revoke", &village.compact()])?;
    ensure!(done.status.success(), "{}", String::from_utf8_lossy(&done.stderr));
    let refused = hub.restore(v1::RestoreRequest::default()).await.unwrap_err();
    assert_eq!(refused.code(), tonic::Code::PermissionDenied, "{refused}");
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn over_its_days_budget_a_village_only_calls_in() -> anyhow::Result<()> {
    let mut district = District::joined(BINARY, 1, None).await?;
    let village = district.nodes[0].village;
    // Less than a single handshake costs.
    let done = district.hub.run(&["villages", "budget", &village.compact(), "1"])?;
    ensure!(done.status.success(), "{}", String::from_utf8_lossy(&done.stderr));
    save_at_rest(&district).await?;
    district.nodes[0].start().await?;
    district.wait_proven(WITHIN).await?;
    let node = &district.nodes[0];
    wait_until(WITHIN, "the node hangs up once everything is told", async || {
        Ok(node.status().await?["link"]["connected"] == false)
    })
    .await?;
    let link = &node.status().await?["link"];
    assert_eq!(link["budget_bytes"], 1_000);
    assert!(link["spent_today_bytes"].as_u64() > Some(1_000));
    // It stays away although something waits: it calls in hours later.
    node.save_dusun("MENUNGGU").await?;
    let seq = node.seq().await?;
    tokio::time::sleep(Duration::from_secs(5)).await;
    assert!(district.hub.village(village)?.proven_seq.0 < seq);
    Ok(())
}

/// Something to tell before the node is started.
async fn save_at_rest(district: &District) -> anyhow::Result<()> {
    let file = district.folder().join("warga.csv");
    std::fs::write(&file, lumbung_tests::fictitious::sheet(0, 5))?;
    let done = district.nodes[0].run(&["import", file.to_str().context("a plain name")?]).await?;
    ensure!(done.status.success(), "{}", String::from_utf8_lossy(&done.stderr));
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_full_hub_asks_to_come_back_and_serves_the_others() -> anyhow::Result<()> {
    let mut district = District::joined(BINARY, 2, None).await?;
    district.hub.stop().await?;
    district.hub.sessions_max = Some(1);
    district.hub.start().await?;
    district.nodes[0].start().await?;
    district.nodes[0].save_dusun("PERTAMA").await?;
    let seq = district.nodes[0].seq().await?;
    let (hub, first) = (&mut district.hub, district.nodes[0].village);
    wait_until(WITHIN, "the first has its place", async || {
        Ok(hub.village(first)?.proven_seq.0 >= seq)
    })
    .await?;
    district.nodes[1].start().await?;
    let node = &district.nodes[1];
    wait_until(WITHIN, "the second is asked to come back", async || {
        Ok(node.status().await?["link"]["missed"] == "full")
    })
    .await?;
    // Nothing is lost by waiting, and the first is not disturbed.
    district.nodes[1].save_dusun("MENUNGGU").await?;
    district.nodes[0].save_dusun("TERUS").await?;
    let seq = district.nodes[0].seq().await?;
    let hub = &mut district.hub;
    wait_until(WITHIN, "the first goes on", async || Ok(hub.village(first)?.proven_seq.0 >= seq))
        .await?;
    Ok(())
}
