//! Villages behind NAT: real network namespaces, a real masquerading router.
//!
//! Needs root, `ip` and `iptables`; where they lack, it says so and passes.
#![allow(clippy::unwrap_used, reason = "a test says where it failed")]

use std::net::SocketAddr;
use std::process::Command;
use std::time::Duration;

use anyhow::ensure;
use lumbung_tests::district::{District, wait_until};

const BINARY: &str = env!("CARGO_BIN_EXE_lumbung-process");

const WITHIN: Duration = Duration::from_secs(90);

/// The district's side of the router's outer line.
const HUB: &str = "198.18.77.1";

fn run(line: &str) -> anyhow::Result<()> {
    let mut words = line.split_whitespace();
    let Some(program) = words.next() else { return Ok(()) };
    let done = Command::new(program).args(words).output()?;
    ensure!(done.status.success(), "{line}: {}", String::from_utf8_lossy(&done.stderr));
    Ok(())
}

/// Two networks with a router between them that lets connections out and
/// none in.
struct Networks {
    router: String,
    village: String,
    outer: String,
}

impl Networks {
    fn build() -> anyhow::Result<Self> {
        let id = std::process::id();
        let networks = Self {
            router: format!("lumbung-r{id}"),
            village: format!("lumbung-v{id}"),
            outer: format!("lmb{}", id % 100_000),
        };
        let Self { router, village, outer } = &networks;
        for line in [
            format!("ip netns add {router}"),
            format!("ip netns add {village}"),
            format!("ip link add {outer} type veth peer name luar netns {router}"),
            format!("ip -n {router} link add dalam type veth peer name desa netns {village}"),
            format!("ip addr add {HUB}/24 dev {outer}"),
            format!("ip link set {outer} up"),
            format!("ip -n {router} addr add 198.18.77.2/24 dev luar"),
            format!("ip -n {router} link set luar up"),
            format!("ip -n {router} addr add 192.168.77.1/24 dev dalam"),
            format!("ip -n {router} link set dalam up"),
            format!("ip -n {village} addr add 192.168.77.2/24 dev desa"),
            format!("ip -n {village} link set desa up"),
            format!("ip -n {village} link set lo up"),
            format!("ip -n {village} route add default via 192.168.77.1"),
            format!("ip netns exec {router} sysctl -qw net.ipv4.ip_forward=1"),
            format!("ip netns exec {router} iptables -t nat -A POSTROUTING -o luar -j MASQUERADE"),
            format!("ip netns exec {router} iptables -P FORWARD DROP"),
            format!("ip netns exec {router} iptables -A FORWARD -i dalam -o luar -j ACCEPT"),
            format!(
                "ip netns exec {router} iptables -A FORWARD -i luar -o dalam -m conntrack \
                 --ctstate ESTABLISHED,RELATED -j ACCEPT"
            ),
        ] {
            run(&line)?;
        }
        Ok(networks)
    }

    /// The router loses power: it forgets every connection, and comes back.
    fn restart_router(&self) -> anyhow::Result<()> {
        let router = &self.router;
        // What it held is gone for good when its tables have never seen it.
        run(&format!("ip netns exec {router} iptables -I FORWARD 1 -j DROP"))?;
        run(&format!("ip -n {router} link set luar down"))?;
        run(&format!("ip -n {router} link set luar up"))?;
        run(&format!("ip netns exec {router} iptables -D FORWARD 1"))
    }
}

impl Drop for Networks {
    fn drop(&mut self) {
        // What was never made can't be removed.
        let _ = run(&format!("ip netns del {}", self.village));
        let _ = run(&format!("ip netns del {}", self.router));
        let _ = run(&format!("ip link del {}", self.outer));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_village_behind_nat_joins_syncs_and_survives_its_router() -> anyhow::Result<()> {
    let networks = match Networks::build() {
        Ok(networks) => networks,
        Err(error) => {
            println!("skipped: no network namespaces with NAT here ({error:#})");
            return Ok(());
        }
    };
    let mut district = District::joined(BINARY, 0, None).await?;
    district.hub.stop().await?;
    district.hub.uplink = SocketAddr::new(HUB.parse()?, district.hub.uplink.port());
    district.hub.start().await?;
    let village = lumbung_domain::region::roster().villages()[0].code;
    let mut node = district.node(BINARY, village)?;
    node.live_in(&networks.village);
    let token = district.hub.token(village, district.hub.uplink, false)?;
    node.join(&token, district.hub.uplink).await?;
    node.start().await?;
    node.save_dusun("DI BALIK NAT").await?;
    district.nodes.push(node);
    district.wait_proven(WITHIN).await?;
    // Nobody outside can reach it, at the only address the hub ever sees: it
    // could never have dialled.
    let outside = SocketAddr::new("198.18.77.2".parse()?, district.nodes[0].address.port());
    let dialled = tokio::net::TcpStream::connect(outside);
    assert!(
        !matches!(tokio::time::timeout(Duration::from_secs(2), dialled).await, Ok(Ok(_))),
        "the village must be hidden"
    );
    networks.restart_router()?;
    let node = &district.nodes[0];
    node.save_dusun("SESUDAH ROUTER MATI").await?;
    let (seq, hub) = (node.seq().await?, &mut district.hub);
    wait_until(WITHIN, "the village is back", async || {
        Ok(hub.village(village)?.proven_seq.0 >= seq)
    })
    .await?;
    district.stop().await?;
    district.compare()?;
    Ok(())
}
