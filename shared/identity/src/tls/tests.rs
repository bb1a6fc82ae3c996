use std::io::{Read as _, Write as _};

use lumbung_domain::region::VillageCode;
use rustls::ClientConnection;

use super::*;
use crate::authority::Lifetime;
use crate::key::PublicKey;
use crate::name::peer;

const NOW_MS: i64 = 1_795_000_000_000;
const DAY_MS: i64 = 24 * 60 * 60 * 1000;

fn village() -> VillageCode {
    VillageCode::from_u64(3_505_012_001).unwrap()
}

/// Shakes hands in memory; the client's certificate as the server saw it.
fn shake(
    client: ClientConfig,
    server: ServerConfig,
) -> Result<Option<CertificateDer<'static>>, Error> {
    let server = shaken(client, server)?;
    Ok(server.peer_certificates().map(|chain| chain[0].clone().into_owned()))
}

/// Shakes hands in memory; the server's side.
fn shaken(client: ClientConfig, server: ServerConfig) -> Result<ServerConnection, Error> {
    let mut client = ClientConnection::new(Arc::new(client), hub_name())?;
    let mut server = ServerConnection::new(Arc::new(server))?;
    for _ in 0..10 {
        let mut bytes = Vec::new();
        while client.wants_write() {
            client.write_tls(&mut bytes).unwrap();
        }
        server.read_tls(&mut bytes.as_slice()).unwrap();
        server.process_new_packets()?;
        let mut bytes = Vec::new();
        while server.wants_write() {
            server.write_tls(&mut bytes).unwrap();
        }
        client.read_tls(&mut bytes.as_slice()).unwrap();
        client.process_new_packets()?;
    }
    client.writer().write_all(b"x").unwrap();
    let mut bytes = Vec::new();
    client.write_tls(&mut bytes).unwrap();
    server.read_tls(&mut bytes.as_slice()).unwrap();
    server.process_new_packets()?;
    let mut read = [0];
    server.reader().read_exact(&mut read).unwrap();
    Ok(server)
}

/// The verifiers read the machine's clock: certificates are made around it.
fn now_ms() -> i64 {
    let since = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap();
    i64::try_from(since.as_millis()).unwrap()
}

fn district(now_ms: i64) -> (tempfile::TempDir, Authority) {
    let dir = tempfile::tempdir().unwrap();
    let authority = Authority::open(dir.path(), now_ms).unwrap();
    (dir, authority)
}

fn shown<'a>(authority: &Authority, key: &'a Key, now_ms: i64) -> Shown<'a> {
    let certificate =
        authority.issue_node(village(), &key.public(), now_ms, Lifetime::default().node).unwrap();
    Shown { certificate, key }
}

#[test]
fn both_ends_know_each_other_and_the_hub_learns_village_and_key() {
    let now = now_ms();
    let (_dir, authority) = district(now);
    let key = Key::generate().unwrap();
    let client =
        node(authority.anchors(), TrustedTime::at(now), shown(&authority, &key, now), ALPN_UPLINK)
            .unwrap();
    let server = hub(&authority, now, Lifetime::default().hub).unwrap();
    let seen = shake(client, server).unwrap().unwrap();
    let seen = peer(&seen).unwrap();
    assert_eq!((seen.village, seen.key), (village(), key.public()));
}

#[test]
fn a_stranger_in_the_districts_place_is_refused_before_the_secret_is_sent() {
    let now = now_ms();
    let (_dir, authority) = district(now);
    let (_other, impostor) = district(now);
    let client = |hash| joining(hash, TrustedTime::at(now)).unwrap();
    let server = |authority| hub(authority, now, Lifetime::default().hub).unwrap();
    assert_eq!(shake(client(authority.root_hash()), server(&authority)), Ok(None));
    let refused = shake(client(authority.root_hash()), server(&impostor));
    assert_eq!(refused, Err(Error::InvalidCertificate(CertificateError::UnknownIssuer)));
}

#[test]
fn a_node_of_another_district_is_refused() {
    let now = now_ms();
    let (_dir, authority) = district(now);
    let (_other, foreign) = district(now);
    let key = Key::generate().unwrap();
    let client =
        node(authority.anchors(), TrustedTime::at(now), shown(&foreign, &key, now), ALPN_UPLINK);
    let server = hub(&authority, now, Lifetime::default().hub).unwrap();
    assert!(shake(client.unwrap(), server).is_err());
}

#[test]
fn an_expired_node_still_proves_its_key() {
    let now = now_ms();
    let (_dir, authority) = district(now - 400 * DAY_MS);
    let key = Key::generate().unwrap();
    let old = shown(&authority, &key, now - 400 * DAY_MS);
    let client = node(authority.anchors(), TrustedTime::at(now), old, ALPN_UPLINK).unwrap();
    let server = hub(&authority, now, Lifetime::default().hub).unwrap();
    let seen = shake(client, server).unwrap().unwrap();
    assert_eq!(peer(&seen).unwrap().key, key.public());
}

#[test]
fn a_wrong_clock_is_overruled_by_the_districts_word_and_by_nothing_else() {
    // The machine's clock is right and the district lives ten years ahead or
    // back: to the verifier the same as a clock that is ten years off.
    for years in [-10, 10] {
        let then = now_ms() + years * 365 * DAY_MS;
        let (_dir, authority) = district(then);
        let key = Key::generate().unwrap();
        let server = || hub(&authority, then, Lifetime::default().hub).unwrap();
        let client = |floor_ms| {
            let time = TrustedTime::at(floor_ms);
            node(authority.anchors(), time, shown(&authority, &key, then), ALPN_UPLINK).unwrap()
        };
        assert!(shake(client(then), server()).is_ok(), "{years} years");
        assert!(shake(client(then - 300 * DAY_MS), server()).is_err(), "{years} years");
        assert!(shake(client(then + 300 * DAY_MS), server()).is_err(), "{years} years");
    }
}

#[test]
fn a_replaced_root_is_trusted_beside_the_new_one() {
    let now = now_ms();
    let dir = tempfile::tempdir().unwrap();
    let before = Authority::open(dir.path(), now).unwrap();
    let key = Key::generate().unwrap();
    let old = shown(&before, &key, now);
    let after = Authority::replace_root(dir.path(), now).unwrap();
    assert_ne!(before.root_hash(), after.root_hash());
    assert_eq!(after.anchors().len(), 2);
    // The old certificate still opens the door, and the old root vouches for
    // the new one: whether the node knows the new root already or not.
    for roots in [before.anchors(), after.anchors()] {
        let shown = Shown { certificate: old.certificate.clone(), key: &key };
        let client = node(roots, TrustedTime::at(now), shown, ALPN_UPLINK).unwrap();
        let server = hub(&after, now, Lifetime::default().hub).unwrap();
        assert!(shake(client, server).is_ok());
    }
    let client = joining(after.root_hash(), TrustedTime::at(now)).unwrap();
    let server = hub(&after, now, Lifetime::default().hub).unwrap();
    assert!(shake(client, server).is_ok());
}

#[test]
fn only_a_nodes_certificate_names_a_village() {
    let (_dir, authority) = district(NOW_MS);
    let certificate = authority.issue_hub(NOW_MS, Lifetime::default().hub).unwrap();
    assert_eq!(peer(&certificate), Err(crate::PeerError::NoVillage));
    let key = PublicKey([7; 32]);
    let certificate = authority.issue_node(village(), &key, NOW_MS, DAY_DURATION).unwrap();
    assert_eq!(peer(&certificate).unwrap().key, key);
}

const DAY_DURATION: Duration = Duration::from_secs(86_400);

#[test]
fn with_less_than_tls_1_3_a_tunnel_is_passed_on_and_nobody_is_a_node() {
    let now = now_ms();
    let (_dir, authority) = district(now);
    let key = Key::generate().unwrap();
    let shown = shown(&authority, &key, now);
    let anybody = HubVerifier { trust: Trust::Anybody, time: TrustedTime::at(0) };
    let mut old = client(anybody, &[&TLS12])
        .unwrap()
        .with_client_auth_cert(vec![shown.certificate], shown.key.to_tls())
        .unwrap();
    old.alpn_protocols = vec![ALPN_H2.to_vec()];
    let public = || hub(&authority, now, Lifetime::default().hub).unwrap();
    assert!(!is_ours(&shaken(old.clone(), public()).unwrap()));
    assert!(is_ours(&shaken(coat().unwrap(), public()).unwrap()));
    // Operators come with nothing less, and neither do nodes.
    let far = operators(&authority, now, Lifetime::default().hub).unwrap();
    assert!(shaken(old, far).is_err());
    let certificate = authority.issue_hub(now, Lifetime::default().hub).unwrap();
    let old = ServerConfig::builder_with_details(provider(), Arc::new(WallClock))
        .with_protocol_versions(&[&TLS12])
        .unwrap()
        .with_no_client_auth()
        .with_single_cert(vec![certificate], authority.hub_key().to_tls())
        .unwrap();
    let joins = joining(authority.root_hash(), TrustedTime::at(now)).unwrap();
    assert!(shaken(joins, old).is_err());
}
