//! Villages behind NAT: real network namespaces, a real masquerading router.
//!
//! Needs root, `ip` and `iptables`; where they lack, it says so and passes,
//! unless `LUMBUNG_REQUIRE_TOOLS` is set.
#![allow(clippy::unwrap_used, reason = "a test says where it failed")]

use std::net::{Ipv4Addr, SocketAddr};
use std::process::Command;
use std::time::Duration;

use anyhow::ensure;
use lumbung_tests::district::District;
use tokio::sync::{Mutex, MutexGuard};

const BINARY: &str = env!("CARGO_BIN_EXE_lumbung-process");

const WITHIN: Duration = Duration::from_secs(90);

/// Villages in the network behind the router.
const VILLAGES: usize = 3;

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
    /// Their addresses are taken once.
    _alone: MutexGuard<'static, ()>,
}

static ALONE: Mutex<()> = Mutex::const_new(());

impl Networks {
    async fn build() -> anyhow::Result<Self> {
        let id = std::process::id();
        let networks = Self {
            router: format!("lumbung-r{id}"),
            village: format!("lumbung-v{id}"),
            outer: format!("lmb{}", id % 100_000),
            _alone: ALONE.lock().await,
        };
        let Self { router, village, outer, .. } = &networks;
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

    /// From now on packets of more than 600 bytes vanish, and nobody is told.
    fn narrow(&self) -> anyhow::Result<()> {
        let Self { router, village, outer, .. } = self;
        // What the cards leave to the kernel must be as large as on a wire.
        run(&format!("ip link set {outer} gso_max_segs 1"))?;
        run(&format!("ip -n {village} link set desa gso_max_segs 1"))?;
        run(&format!(
            "ip netns exec {router} iptables -I FORWARD 1 -m length --length 601:65535 -j DROP"
        ))
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

/// The networks, where the system offers what they are made of.
async fn networks() -> anyhow::Result<Option<Networks>> {
    match Networks::build().await {
        Ok(networks) => Ok(Some(networks)),
        Err(error) => {
            let required = std::env::var_os("LUMBUNG_REQUIRE_TOOLS").is_some();
            ensure!(!required, "no network namespaces with NAT here: {error:#}");
            println!("skipped: no network namespaces with NAT here ({error:#})");
            Ok(None)
        }
    }
}

/// A district whose hub is on the far side of the router.
async fn district() -> anyhow::Result<District> {
    let mut district = District::joined(BINARY, 0, None).await?;
    district.hub.stop().await?;
    district.hub.uplink = SocketAddr::new(HUB.parse()?, district.hub.uplink.port());
    district.hub.start().await?;
    Ok(district)
}

#[tokio::test(flavor = "multi_thread")]
async fn villages_behind_one_nat_join_sync_and_survive_their_router() -> anyhow::Result<()> {
    let Some(networks) = networks().await? else { return Ok(()) };
    let mut district = district().await?;
    for desa in lumbung_domain::region::roster().villages().iter().take(VILLAGES) {
        let mut node = district.node(BINARY, desa.code)?;
        node.live_in(&networks.village);
        // It listens to every network it has: only the router hides it.
        node.address.set_ip(Ipv4Addr::UNSPECIFIED.into());
        let token = district.hub.token(desa.code, district.hub.uplink, false)?;
        node.join(&token, district.hub.uplink).await?;
        node.start().await?;
        node.save_dusun("DI BALIK NAT").await?;
        district.nodes.push(node);
    }
    district.wait_proven(WITHIN).await?;
    // Nobody outside can reach them, at the only address the hub ever sees: it
    // could never have dialled.
    for node in &district.nodes {
        let outside = SocketAddr::new("198.18.77.2".parse()?, node.address.port());
        let dialled = tokio::net::TcpStream::connect(outside);
        assert!(
            !matches!(tokio::time::timeout(Duration::from_secs(2), dialled).await, Ok(Ok(_))),
            "the village must be hidden"
        );
    }
    networks.restart_router()?;
    for node in &district.nodes {
        node.save_dusun("SESUDAH ROUTER MATI").await?;
    }
    district.wait_proven(WITHIN).await?;
    district.stop().await?;
    district.compare()?;
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn where_large_packets_vanish_a_village_joins_and_syncs_with_small_ones() -> anyhow::Result<()>
{
    let Some(networks) = networks().await? else { return Ok(()) };
    let mut district = district().await?;
    networks.narrow()?;
    let village = lumbung_domain::region::roster().villages()[0].code;
    let mut node = district.node(BINARY, village)?;
    node.live_in(&networks.village);
    let token = district.hub.token(village, district.hub.uplink, false)?;
    node.join(&token, district.hub.uplink).await?;
    node.start().await?;
    for number in 0..40 {
        node.save_dusun(&format!("DUSUN KE-{number} DI BALIK JALUR SEMPIT")).await?;
    }
    district.nodes.push(node);
    district.wait_proven(WITHIN).await?;
    assert!(district.nodes[0].said().contains("says nothing"), "large packets must vanish");
    district.stop().await?;
    district.compare()?;
    Ok(())
}
