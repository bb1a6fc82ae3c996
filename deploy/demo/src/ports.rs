//! Ports for the processes that a demo, a test or a benchmark starts.
//!
//! A port that was free a moment ago is no port yet: another test may start a
//! process there before ours does. So a port is claimed, among all processes
//! of this machine that ask here, for as long as the claiming process lives:
//! by an abstract socket named after it, which the system frees with the
//! process and keeps apart by network namespace, as it does with ports. Only
//! ports outside the range that the system gives to callers are claimed, so
//! that no connection takes the port of a process that is down for a moment.

use std::io;
use std::net::{Ipv4Addr, SocketAddr, TcpListener};
use std::ops::Range;
use std::os::linux::net::SocketAddrExt as _;
use std::os::unix::net::{SocketAddr as Name, UnixListener};
use std::sync::{Mutex, PoisonError};

use anyhow::Context;

/// Where the system says which ports callers get: first and last.
const CALLERS: &str = "/proc/sys/net/ipv4/ip_local_port_range";

/// Ports to choose from, next to those of callers.
const PORTS_MAX: u16 = 12_000;

/// Ports below belong to services that are known by them.
const LOWEST: u16 = 10_000;

/// The claims of this process, in order.
static CLAIMED: Mutex<Vec<UnixListener>> = Mutex::new(Vec::new());

/// A loopback address that nobody listens at, and that no other process gets
/// here as long as this one lives.
///
/// # Errors
/// When every port is taken.
pub fn free_address() -> anyhow::Result<SocketAddr> {
    let callers = std::fs::read_to_string(CALLERS).context("the range of ports can't be read")?;
    let range = claimable(&callers).context("the range of ports can't be understood")?;
    let mut claimed = CLAIMED.lock().unwrap_or_else(PoisonError::into_inner);
    // Processes side by side begin elsewhere, so that each finds its ports at once.
    let begin = std::process::id() as usize * 61 % range.len();
    for port in range.clone().cycle().skip(begin + claimed.len()).take(range.len()) {
        let address = SocketAddr::from((Ipv4Addr::LOCALHOST, port));
        if let Some(claim) = claim(port)?
            && TcpListener::bind(address).is_ok()
        {
            claimed.push(claim);
            return Ok(address);
        }
    }
    anyhow::bail!("no port of {range:?} is free")
}

/// Claims a port; none if somebody has.
fn claim(port: u16) -> io::Result<Option<UnixListener>> {
    let name = Name::from_abstract_name(format!("lumbung-port-{port}"))?;
    match UnixListener::bind_addr(&name) {
        Ok(claim) => Ok(Some(claim)),
        Err(error) if error.kind() == io::ErrorKind::AddrInUse => Ok(None),
        Err(error) => Err(error),
    }
}

/// The ports to claim from, next to those that callers get.
fn claimable(callers: &str) -> Option<Range<u16>> {
    let mut ends = callers.split_whitespace().map(str::parse);
    let (first, last): (u16, u16) = (ends.next()?.ok()?, ends.next()?.ok()?);
    let below = first.saturating_sub(PORTS_MAX).max(LOWEST)..first;
    let above = last.saturating_add(1)..last.saturating_add(PORTS_MAX);
    // Where callers get every port, the claim alone has to do.
    let all = LOWEST..u16::MAX;
    [below, above, all].into_iter().find(|range| range.len() >= 1_000)
}

#[cfg(test)]
mod tests {
    use std::process::Command;

    use super::*;

    /// Makes a second process of this test print an address it claimed.
    const SECOND: &str = "LUMBUNG_PORTS_SECOND";

    #[test]
    fn a_port_belongs_to_one_process_as_long_as_it_lives() {
        let own = free_address().unwrap();
        if std::env::var_os(SECOND).is_some() {
            println!("claimed {own}");
            return;
        }
        assert_ne!(free_address().unwrap(), own, "one process gets a port once");
        // Nobody listens there, and yet it is taken, in this process and others.
        assert!(claim(own.port()).unwrap().is_none());
        let seconds = || {
            let mut second = Command::new(std::env::current_exe().unwrap());
            second.args(["--nocapture", "--exact"]);
            second.arg("ports::tests::a_port_belongs_to_one_process_as_long_as_it_lives");
            let said = second.env(SECOND, "1").output().unwrap().stdout;
            let said = String::from_utf8(said).unwrap();
            let address = said.lines().find_map(|line| line.split_once("claimed ")?.1.parse().ok());
            address.unwrap_or_else(|| panic!("no address: {said}"))
        };
        let second: SocketAddr = seconds();
        assert_ne!(second, own);
        // Its process is gone, and its claim with it.
        assert!(claim(second.port()).unwrap().is_some());
    }

    #[test]
    fn ports_are_claimed_outside_the_callers_range() {
        assert_eq!(claimable("32768\t60999\n"), Some(20_768..32_768));
        assert_eq!(claimable("15000 61000"), Some(10_000..15_000));
        assert_eq!(claimable("1024 40000"), Some(40_001..52_000));
        assert_eq!(claimable("1024 65535"), Some(10_000..65_535));
        assert_eq!(claimable("10100 65535"), Some(10_000..65_535));
        assert_eq!(claimable("nothing"), None);
    }
}
