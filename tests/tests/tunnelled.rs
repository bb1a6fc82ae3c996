//! The public port behind the web servers of `deploy/uplink`: they pass
//! nothing but ordinary gRPC, and the same session runs inside a call.
#![allow(clippy::unwrap_used, reason = "a failing test may panic")]

use std::net::SocketAddr;
use std::path::Path;
use std::time::Duration;

use anyhow::ensure;
use lumbung_demo::ports::free_address;
use lumbung_domain::region::roster;
use lumbung_proto::v1;
use lumbung_tests::district::{District, NodeProcess, wait_until};
use lumbung_tests::front::{self, Front, deployed};
use rand::{RngExt as _, SeedableRng as _};
use rand_chacha::ChaCha8Rng;

const BINARY: &str = env!("CARGO_BIN_EXE_lumbung-process");
const WITHIN: Duration = Duration::from_secs(90);
const NAME: &str = "masuk.blitarkab.go.id";

/// What nginx lets through in one call unless told otherwise, bytes.
const NGINX_BODY_BYTES_MAX: u64 = 1 << 20;

/// A district whose only node comes through a web server.
struct Behind {
    district: District,
    front: Front,
}

/// Nothing that could be compressed.
fn incompressible(dice: &mut ChaCha8Rng, letters: usize) -> String {
    (0..letters).map(|_| char::from(dice.random_range(b'A'..=b'Z'))).collect()
}

/// Saves what takes more than so many bytes on the wire.
async fn save_much(node: &NodeProcess, bytes: u64) -> anyhow::Result<()> {
    let mut dice = ChaCha8Rng::seed_from_u64(1);
    // A letter is worth 4.7 bits.
    let letters = bytes * 80 / 47;
    for _ in 0..letters.div_ceil(90 * 500) {
        let change = |dusun| v1::RecordChange { payload: dusun, ..dusun_change() };
        let names = (0..500).map(|_| incompressible(&mut dice, 90));
        let changes = names.map(|name| change(lumbung_tests::fictitious::dusun(&name))).collect();
        ensure!(!node.save(changes).await?.refused, "sound records were refused");
    }
    Ok(())
}

fn dusun_change() -> v1::RecordChange {
    let kind = u32::from(lumbung_domain::id::Kind::Dusun.code().0);
    v1::RecordChange { kind, ..v1::RecordChange::default() }
}

impl Behind {
    /// A node joins through what `start` puts before the hub's public port.
    async fn begin(
        start: impl AsyncFnOnce(&Path, SocketAddr) -> anyhow::Result<Front>,
    ) -> anyhow::Result<Self> {
        let mut district = District::joined(BINARY, 0, None).await?;
        let folder = district.folder().join("front");
        std::fs::create_dir(&folder)?;
        let front = start(&folder, district.hub.uplink).await?;
        let village = roster().villages()[0].code;
        let mut node = district.node(BINARY, village)?;
        // Joining goes the same way.
        let token = district.hub.token(village, front.address, false)?;
        let named = format!("{}:{}", front::NAME, front.address.port());
        let done = node.run(&["join", &token, "--address", &named]).await?;
        ensure!(done.status.success(), "{}", String::from_utf8_lossy(&done.stderr));
        node.start().await?;
        district.nodes.push(node);
        Ok(Self { district, front })
    }

    async fn save_and_prove(&mut self, name: &str) -> anyhow::Result<()> {
        self.district.nodes[0].save_dusun(name).await?;
        if let Err(error) = self.district.wait_proven(WITHIN).await {
            let node = self.district.nodes[0].said();
            anyhow::bail!("{error:#}\nnode: {node}\nweb server: {}", self.front.said());
        }
        Ok(())
    }

    /// The session does what it does everywhere, and both sides say how.
    async fn works(&mut self) -> anyhow::Result<()> {
        self.save_and_prove("DI BALIK PERANTARA").await?;
        let status = self.district.nodes[0].status().await?;
        let link = &status["link"];
        assert_eq!((&link["connected"], &link["tunnelled"]), (&true.into(), &true.into()));
        let village = self.district.nodes[0].village;
        let shown = self.district.hub.run(&["villages", "show", &village.compact()])?;
        let shown = String::from_utf8_lossy(&shown.stdout).into_owned();
        assert!(shown.contains("lewat terowongan"), "{shown}");
        // Live, not only once, and more than a web server lets through in one
        // request unless told otherwise.
        save_much(&self.district.nodes[0], NGINX_BODY_BYTES_MAX * 5 / 4).await?;
        self.save_and_prove("LAGI").await?;
        // The web server goes and comes back.
        self.front.restart().await?;
        self.save_and_prove("SESUDAH").await?;
        let district = &mut self.district;
        // Revoking reaches into the tunnel.
        let done = district.hub.run(&["villages", "revoke", &village.compact()])?;
        ensure!(done.status.success(), "{}", String::from_utf8_lossy(&done.stderr));
        let node = &district.nodes[0];
        wait_until(WITHIN, "the node is let in no more", async || {
            Ok(node.status().await?["link"]["connected"] == false)
        })
        .await?;
        // It joins anew where the network is free: the node that runs goes
        // there.
        let token = district.hub.token(village, district.hub.uplink, true)?;
        node.join(&token, district.hub.uplink).await?;
        node.save_dusun("BERGABUNG LAGI").await?;
        district.wait_proven(WITHIN).await?;
        let node = &district.nodes[0];
        wait_until(WITHIN, "the line is a straight one", async || {
            let link = &node.status().await?["link"];
            Ok(link["connected"] == true && link["tunnelled"] == false)
        })
        .await?;
        district.stop().await?;
        district.compare()?;
        Ok(())
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_village_comes_through_nginx() -> anyhow::Result<()> {
    let Some(program) = front::program("nginx")? else { return Ok(()) };
    let start = async |folder: &Path, hub: SocketAddr| {
        let address = free_address()?;
        let servers = deployed(
            "uplink/nginx.conf",
            &[
                (&format!("/etc/letsencrypt/live/{NAME}/"), format!("{}/", folder.display())),
                ("listen 443 ", format!("listen {address} ")),
                (NAME, front::NAME.to_owned()),
                ("127.0.0.1:8710;", format!("{hub};")),
            ],
        )?;
        // The district's other pages have the same port.
        let another = format!(
            "server {{ listen {address} ssl http2 default_server; server_name _; \
             ssl_certificate {0}/fullchain.pem; ssl_certificate_key {0}/privkey.pem; return 404; \
             }}\n",
            folder.display()
        );
        Front::nginx(&program, folder, &(another + &servers), address).await
    };
    Behind::begin(start).await?.works().await
}

/// One that was set up by somebody who knows nothing of the hub: old versions
/// of TLS on both sides, and a bound for the length of a call.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_village_comes_through_an_nginx_that_nobody_made_for_it() -> anyhow::Result<()> {
    let Some(program) = front::program("nginx")? else { return Ok(()) };
    let start = async |folder: &Path, hub: SocketAddr| {
        let address = free_address()?;
        let servers = format!(
            "server {{ listen {address} ssl http2; ssl_protocols TLSv1.2; ssl_certificate \
             {0}/fullchain.pem; ssl_certificate_key {0}/privkey.pem; location / {{ grpc_pass \
             grpcs://{hub}; grpc_ssl_protocols TLSv1.2; }} }}",
            folder.display()
        );
        Front::nginx(&program, folder, &servers, address).await
    };
    Behind::begin(start).await?.works().await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_village_comes_through_caddy() -> anyhow::Result<()> {
    let Some(program) = front::program("caddy")? else { return Ok(()) };
    let start = async |folder: &Path, hub: SocketAddr| {
        let address = free_address()?;
        let files = format!("tls {0}/fullchain.pem {0}/privkey.pem", folder.display());
        let site = format!("https://localhost:{} {{\n\tbind 127.0.0.1\n\t{files}", address.port());
        let sites = deployed(
            "uplink/Caddyfile",
            &[(&format!("{NAME} {{"), site), ("127.0.0.1:8710", hub.to_string())],
        )?;
        Front::caddy(&program, folder, &sites, address).await
    };
    Behind::begin(start).await?.works().await
}
