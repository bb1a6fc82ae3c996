//! Pages as a browser gets them.

use std::sync::Arc;

use lumbung_domain::region::VillageCode;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};

use super::*;
use crate::live::Phase;
use crate::recap::tests::district;

/// A console over three villages, and the folder that goes with them.
async fn console() -> (tempfile::TempDir, std::net::SocketAddr, Arc<Live>) {
    let (folder, dataset) = district();
    let live = Arc::new(Live::default());
    let state = ConsoleState { dataset: Arc::new(dataset), live: Arc::clone(&live) };
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    tokio::spawn(async move { axum::serve(listener, router(state)).await });
    (folder, address, live)
}

async fn ask(address: std::net::SocketAddr, path: &str) -> TcpStream {
    let mut stream = TcpStream::connect(address).await.unwrap();
    let request = format!("GET {path} HTTP/1.1\r\nhost: hub\r\nconnection: close\r\n\r\n");
    stream.write_all(request.as_bytes()).await.unwrap();
    stream
}

async fn get(address: std::net::SocketAddr, path: &str) -> String {
    let mut answer = Vec::new();
    ask(address, path).await.read_to_end(&mut answer).await.unwrap();
    String::from_utf8_lossy(&answer).into_owned()
}

#[tokio::test]
async fn every_page_answers_with_its_guards() {
    let (_folder, address, _live) = console().await;
    for path in [
        "/",
        "/desa/35.05.01.2001",
        "/rekap",
        "/rekap?wilayah=35.05.01&tanggal=2026-12-31",
        "/rekap?wilayah=35.05.01.2001&tanggal=",
        "/rekap/rekap.csv?wilayah=3505",
        "/rekap/rekap.xlsx?wilayah=35.05.02",
        "/temuan",
        "/style.css",
        "/live.js",
    ] {
        let page = get(address, path).await;
        assert!(page.starts_with("HTTP/1.1 200"), "{path}: {page}");
        assert!(page.contains("content-security-policy: default-src 'self';"), "{path}");
        assert!(!page.contains("style=\"") && !page.contains("onclick"), "{path}");
    }
}

#[tokio::test]
async fn what_is_not_there_is_said_in_words() {
    let (_folder, address, _live) = console().await;
    for (path, status, words) in [
        ("/desa/35.05.01.2999", 404, "tidak ada di Kabupaten Blitar"),
        // In the kabupaten, but not registered here.
        ("/desa/35.05.03.2001", 404, "belum terdaftar"),
        ("/rekap?wilayah=35.06.01", 404, "Wilayah ini tidak dikenal"),
        ("/rekap?tanggal=kemarin", 400, "Tanggal ditulis seperti"),
        ("/lain", 404, "Halaman ini tidak ada"),
    ] {
        let page = get(address, path).await;
        assert!(page.starts_with(&format!("HTTP/1.1 {status}")), "{path}: {page}");
        assert!(page.contains(words), "{path}: {page}");
    }
}

/// Reads until `words` arrive.
async fn wait_for(stream: &mut TcpStream, words: &str) -> String {
    let mut seen = Vec::new();
    let reading = async {
        loop {
            assert!(stream.read_buf(&mut seen).await.unwrap() > 0, "the stream ended");
            let text = String::from_utf8_lossy(&seen);
            if text.contains(words) {
                return text.into_owned();
            }
        }
    };
    tokio::time::timeout(Duration::from_secs(20), reading).await.unwrap()
}

#[tokio::test]
async fn a_watcher_gets_everything_once_and_then_what_changes() {
    let (_folder, address, live) = console().await;
    let mut stream = ask(address, "/events").await;
    // The last part of the first event.
    let first = wait_for(&mut stream, "\"perlu\"").await;
    assert_eq!(first.matches("\"d\":").count(), 248);
    assert!(first.contains("0 dari 248 desa segar"), "{first}");
    live.update(VillageCode::from_u64(3_505_012_001).unwrap(), |live| live.phase = Phase::Live);
    let next = wait_for(&mut stream, "1 dari 248 desa segar").await;
    assert_eq!(next.matches("\"d\":").count(), 1, "only one village changed: {next}");
}
