//! How a browser reaches the console: over HTTPS or not, and from where.
//!
//! The console itself speaks plain HTTP. HTTPS is made by a proxy before it
//! (`deploy/console/`): the hub is told so when it starts, or believes the
//! proxy whose address it was told, and no other. What a request's headers
//! say is worth nothing when it comes from anybody else.

use std::net::{IpAddr, SocketAddr};

use axum::extract::{ConnectInfo, Request, State};
use axum::http::{Extensions, HeaderMap, HeaderValue, header};
use axum::middleware::Next;
use axum::response::Response;

/// Browsers that came over HTTPS come over nothing else for a year.
const ONLY_HTTPS: HeaderValue = HeaderValue::from_static("max-age=31536000");

/// What stands before the console.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Front {
    /// Every browser comes over HTTPS.
    pub https: bool,
    /// The proxy that says who comes and how (`X-Forwarded-For`,
    /// `X-Forwarded-Proto`).
    pub proxy: Option<IpAddr>,
}

/// How one request came.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Line {
    /// Over HTTPS: cookies must not travel without.
    pub(super) secure: bool,
    /// Where its browser is.
    pub(super) address: Option<IpAddr>,
}

impl Line {
    /// The line of a request that came through [`told`].
    pub(super) fn of(extensions: &Extensions) -> Self {
        extensions.get::<Self>().copied().unwrap_or_default()
    }

    /// What a cookie ends with.
    pub(super) const fn cookie_end(self) -> &'static str {
        if self.secure { "; Secure" } else { "" }
    }
}

impl Front {
    /// Whether somebody said how browsers come here.
    #[must_use]
    pub const fn is_known(&self) -> bool {
        self.https || self.proxy.is_some()
    }

    fn line(&self, peer: Option<IpAddr>, headers: &HeaderMap) -> Line {
        let peer = peer.map(|peer| peer.to_canonical());
        let by_proxy = peer.is_some() && peer == self.proxy.map(|proxy| proxy.to_canonical());
        // The last one is the proxy's own; those before it are hearsay.
        let last = |name: &str| {
            let value = headers.get_all(name).iter().next_back()?.to_str().ok()?;
            value.rsplit(',').next().map(str::trim)
        };
        let told = |name: &str| by_proxy.then(|| last(name)).flatten();
        let from = told("x-forwarded-for").and_then(|address| address.parse().ok());
        Line {
            secure: self.https || told("x-forwarded-proto") == Some("https"),
            address: from.or(peer),
        }
    }
}

/// Tells each request how it came, and its browser to keep coming so.
pub(super) async fn told(State(front): State<Front>, mut request: Request, next: Next) -> Response {
    let peer = request.extensions().get::<ConnectInfo<SocketAddr>>().map(|info| info.0.ip());
    let line = front.line(peer, request.headers());
    request.extensions_mut().insert(line);
    let mut response = next.run(request).await;
    if line.secure {
        response.headers_mut().insert(header::STRICT_TRANSPORT_SECURITY, ONLY_HTTPS);
    }
    response
}

#[cfg(test)]
mod tests {
    use std::net::Ipv4Addr;

    use super::*;

    const PROXY: IpAddr = IpAddr::V4(Ipv4Addr::new(10, 0, 0, 2));
    const BROWSER: IpAddr = IpAddr::V4(Ipv4Addr::new(10, 9, 8, 7));

    fn headers(pairs: &[(&'static str, &'static str)]) -> HeaderMap {
        let mut headers = HeaderMap::new();
        for (name, value) in pairs {
            headers.append(*name, HeaderValue::from_static(value));
        }
        headers
    }

    #[test]
    fn only_the_named_proxy_is_believed() {
        let said = headers(&[("x-forwarded-proto", "https"), ("x-forwarded-for", "10.9.8.7")]);
        let behind = Front { https: false, proxy: Some(PROXY) };
        let line = behind.line(Some(PROXY), &said);
        assert_eq!(line, Line { secure: true, address: Some(BROWSER) });
        let mapped = IpAddr::V6(Ipv4Addr::new(10, 0, 0, 2).to_ipv6_mapped());
        assert!(behind.line(Some(mapped), &said).secure, "one address in two notations");
        for (front, peer) in [(behind, Some(BROWSER)), (behind, None), (Front::default(), None)] {
            let line = front.line(peer, &said);
            assert_eq!(line, Line { secure: false, address: peer }, "{front:?} {peer:?}");
        }
        assert!(!behind.line(Some(PROXY), &headers(&[])).secure);
    }

    #[test]
    fn what_stands_before_the_proxys_own_words_is_hearsay() {
        let behind = Front { https: false, proxy: Some(PROXY) };
        let said = headers(&[("x-forwarded-for", "1.1.1.1, 10.9.8.7")]);
        assert_eq!(behind.line(Some(PROXY), &said).address, Some(BROWSER));
        let twice = headers(&[("x-forwarded-for", "1.1.1.1"), ("x-forwarded-for", "10.9.8.7")]);
        assert_eq!(behind.line(Some(PROXY), &twice).address, Some(BROWSER));
        let nonsense = headers(&[("x-forwarded-for", "bukan alamat")]);
        assert_eq!(behind.line(Some(PROXY), &nonsense).address, Some(PROXY));
    }
}
