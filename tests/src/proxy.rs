//! A bad link: a TCP proxy that is slow, far away and breaks.
//!
//! It listens at its own address and carries every connection to a target.
//! Each direction has its own [`Course`]: a rate, a delay, a number of bytes
//! after which the connection breaks. What crossed is counted per direction
//! and per connection, exactly: a test that cuts after N bytes knows that N
//! bytes arrived and no more. Conditions hold for connections opened after
//! they were set; cutting and refusing act at once.
//!
//! Not a network simulator: no loss, no reordering, since TCP hides both.

use std::net::SocketAddr;
use std::pin::pin;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::tcp::{OwnedReadHalf, OwnedWriteHalf};
use tokio::net::{TcpListener, TcpSocket, TcpStream};
use tokio::sync::{mpsc, watch};
use tokio::task::JoinHandle;
use tokio::time::Instant;

/// Bytes carried at a time: what fits a packet.
const PACKET_BYTES: usize = 1_400;

/// Kernel buffers of the proxy's sockets. Small, so that what a side has sent
/// is on the slow link or with the sender, not parked in between.
const SOCKET_BYTES: u32 = 16 * 1024;

/// Packets that may be under way in one direction without a rate.
const UNDER_WAY: usize = 4_096;

/// What one direction of a connection is like.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Course {
    /// Bits a second; none = as fast as it goes.
    pub rate_bits: Option<u64>,
    /// How long a byte travels; half of a round trip.
    pub delay: Duration,
    /// The connection breaks after exactly this many bytes.
    pub cut_after_bytes: Option<u64>,
}

/// What the link is like for connections that open from now on.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Conditions {
    /// From who dialled (today the hub) to the target.
    pub there: Course,
    /// From the target back.
    pub back: Course,
    /// Every connection breaks after this long.
    pub cut_every: Option<Duration>,
    /// A break is silent: both ends keep a socket on which nothing moves any
    /// more, as behind a NAT that forgot the connection.
    pub silent: bool,
}

impl Conditions {
    /// The same rate and half the round trip in each direction.
    #[must_use]
    pub fn slow(rate_bits: u64, round_trip: Duration) -> Self {
        let course =
            Course { rate_bits: Some(rate_bits), delay: round_trip / 2, cut_after_bytes: None };
        Self { there: course, back: course, ..Self::default() }
    }
}

/// What crossed the proxy.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Crossed {
    /// Connections carried so far.
    pub connections: u64,
    /// Connections that the proxy broke.
    pub cuts: u64,
    /// Bytes delivered to the target.
    pub there_bytes: u64,
    /// Bytes delivered from the target.
    pub back_bytes: u64,
}

#[derive(Clone, Copy)]
enum Way {
    There,
    Back,
}

struct Shared {
    conditions: Mutex<Conditions>,
    crossed: Mutex<Crossed>,
    refusing: watch::Sender<bool>,
    /// Counts the calls of [`Proxy::cut`].
    cut: watch::Sender<u64>,
}

impl Shared {
    fn count(&self, change: impl FnOnce(&mut Crossed)) {
        change(&mut self.crossed.lock().unwrap_or_else(PoisonError::into_inner));
    }

    fn delivered(&self, way: Way, bytes: u64) {
        self.count(|crossed| match way {
            Way::There => crossed.there_bytes += bytes,
            Way::Back => crossed.back_bytes += bytes,
        });
    }
}

/// The proxy. Ends, and breaks what it carries, when dropped.
pub struct Proxy {
    /// Where it listens.
    pub address: SocketAddr,
    shared: Arc<Shared>,
    task: JoinHandle<()>,
}

impl Proxy {
    /// Listens at `address` (port 0 = any) for connections to `target`.
    ///
    /// # Errors
    /// When the address is taken.
    pub async fn start(
        address: SocketAddr,
        target: SocketAddr,
        conditions: Conditions,
    ) -> anyhow::Result<Self> {
        let socket = TcpSocket::new_v4()?;
        socket.set_reuseaddr(true)?;
        // Accepted connections inherit the buffers.
        small_buffers(&socket)?;
        socket.bind(address)?;
        let listener = socket.listen(64)?;
        let address = listener.local_addr()?;
        let shared = Arc::new(Shared {
            conditions: Mutex::new(conditions),
            crossed: Mutex::default(),
            refusing: watch::Sender::new(false),
            cut: watch::Sender::new(0),
        });
        let task = tokio::spawn(accept(listener, target, Arc::clone(&shared)));
        Ok(Self { address, shared, task })
    }

    /// Changes the link for connections that open from now on.
    pub fn set(&self, conditions: Conditions) {
        *self.shared.conditions.lock().unwrap_or_else(PoisonError::into_inner) = conditions;
    }

    /// Breaks every open connection now.
    pub fn cut(&self) {
        self.shared.cut.send_modify(|cuts| *cuts += 1);
    }

    /// Whether new connections are closed at once. Open ones stay.
    pub fn refuse(&self, refusing: bool) {
        self.shared.refusing.send_replace(refusing);
    }

    /// What crossed so far.
    #[must_use]
    pub fn crossed(&self) -> Crossed {
        *self.shared.crossed.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Proxy {
    fn drop(&mut self) {
        self.task.abort();
    }
}

fn small_buffers(socket: &TcpSocket) -> std::io::Result<()> {
    socket.set_recv_buffer_size(SOCKET_BYTES)?;
    socket.set_send_buffer_size(SOCKET_BYTES)
}

async fn accept(listener: TcpListener, target: SocketAddr, shared: Arc<Shared>) {
    // Ends with the proxy, and so do all connections.
    let mut carried = tokio::task::JoinSet::new();
    loop {
        let Ok((from, _)) = listener.accept().await else { continue };
        while carried.try_join_next().is_some() {}
        if *shared.refusing.borrow() {
            continue;
        }
        carried.spawn(carry(from, target, Arc::clone(&shared)));
    }
}

/// Carries one connection until an end closes it or the link breaks.
async fn carry(from: TcpStream, target: SocketAddr, shared: Arc<Shared>) {
    let conditions = *shared.conditions.lock().unwrap_or_else(PoisonError::into_inner);
    let mut cut = shared.cut.subscribe();
    let Ok(socket) = TcpSocket::new_v4() else { return };
    if small_buffers(&socket).is_err() {
        return;
    }
    let Ok(to) = socket.connect(target).await else { return };
    if from.set_nodelay(true).and(to.set_nodelay(true)).is_err() {
        return;
    }
    shared.count(|crossed| crossed.connections += 1);
    let (mut from_read, mut from_write) = from.into_split();
    let (mut to_read, mut to_write) = to.into_split();
    let broken = {
        let there = pump(&mut from_read, &mut to_write, conditions.there, Way::There, &shared);
        let back = pump(&mut to_read, &mut from_write, conditions.back, Way::Back, &shared);
        let (mut there, mut back) = (pin!(there), pin!(back));
        let old = async {
            match conditions.cut_every {
                Some(after) => tokio::time::sleep(after).await,
                None => std::future::pending().await,
            }
        };
        tokio::select! {
            broken = &mut there => broken || back.await,
            broken = &mut back => broken || there.await,
            () = old => true,
            _ = cut.changed() => true,
        }
    };
    if broken {
        shared.count(|crossed| crossed.cuts += 1);
        if conditions.silent {
            // The halves stay open and unread until the proxy ends.
            std::future::pending::<()>().await;
        }
    }
}

/// Carries one direction; true when the link broke, false when an end closed.
async fn pump(
    from: &mut OwnedReadHalf,
    to: &mut OwnedWriteHalf,
    course: Course,
    way: Way,
    shared: &Shared,
) -> bool {
    let (packets, mut under_way) = mpsc::channel::<(Instant, Vec<u8>)>(UNDER_WAY);
    let mut left = course.cut_after_bytes.unwrap_or(u64::MAX);
    if left == 0 {
        return true;
    }
    let send = async move {
        let mut free_at = Instant::now();
        let mut packet = [0; PACKET_BYTES];
        while let Ok(read @ 1..) = from.read(&mut packet).await {
            // The next packet is read only once this one is on the link.
            if let Some(rate) = course.rate_bits {
                let on_link = Duration::from_secs_f64(read as f64 * 8.0 / rate.max(1) as f64);
                free_at = free_at.max(Instant::now()) + on_link;
                tokio::time::sleep_until(free_at).await;
            }
            let arrives = Instant::now() + course.delay;
            if packets.send((arrives, packet[..read].to_vec())).await.is_err() {
                return;
            }
        }
    };
    let deliver = async {
        while let Some((arrives, packet)) = under_way.recv().await {
            if !course.delay.is_zero() {
                tokio::time::sleep_until(arrives).await;
            }
            let whole = packet.len() as u64;
            let upto = whole.min(left) as usize;
            if to.write_all(&packet[..upto]).await.is_err() {
                return false;
            }
            left -= upto as u64;
            shared.delivered(way, upto as u64);
            if left == 0 {
                return true;
            }
        }
        // The sender is done; the receiver may still answer.
        drop(to.shutdown().await);
        false
    };
    let (mut send, mut deliver) = (pin!(send), pin!(deliver));
    tokio::select! {
        broken = &mut deliver => broken,
        () = &mut send => deliver.await,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    async fn echo() -> anyhow::Result<SocketAddr> {
        let listener = TcpListener::bind("127.0.0.1:0").await?;
        let address = listener.local_addr()?;
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                tokio::spawn(async move {
                    let (mut read, mut write) = stream.into_split();
                    drop(tokio::io::copy(&mut read, &mut write).await);
                });
            }
        });
        Ok(address)
    }

    async fn proxy(conditions: Conditions) -> anyhow::Result<Proxy> {
        Proxy::start("127.0.0.1:0".parse()?, echo().await?, conditions).await
    }

    #[tokio::test]
    async fn a_connection_breaks_after_exactly_so_many_bytes() -> anyhow::Result<()> {
        for cut in [1, 999, 1_400, 4_321] {
            let back = Course { cut_after_bytes: Some(cut), ..Course::default() };
            let proxy = proxy(Conditions { back, ..Conditions::default() }).await?;
            let mut stream = TcpStream::connect(proxy.address).await?;
            stream.write_all(&[7; 5_000]).await?;
            let mut got = Vec::new();
            // The end is a close or a reset, as the kernel likes it.
            let mut part = [0; 512];
            while let Ok(read @ 1..) = stream.read(&mut part).await {
                got.extend_from_slice(&part[..read]);
            }
            assert_eq!(got.len() as u64, cut);
            let crossed = proxy.crossed();
            assert_eq!((crossed.back_bytes, crossed.cuts), (cut, 1));
        }
        Ok(())
    }

    #[tokio::test]
    async fn everything_arrives_in_order_over_a_slow_link() -> anyhow::Result<()> {
        let proxy = proxy(Conditions::slow(8_000_000, Duration::from_millis(20))).await?;
        let mut stream = TcpStream::connect(proxy.address).await?;
        let sent: Vec<u8> = (0..50_000_u32).map(|n| (n % 251) as u8).collect();
        let (mut read, mut write) = stream.split();
        let mut got = vec![0; sent.len()];
        tokio::try_join!(write.write_all(&sent), read.read_exact(&mut got))?;
        assert!(got == sent);
        Ok(())
    }

    #[tokio::test]
    async fn a_refused_caller_is_closed_and_a_silent_cut_says_nothing() -> anyhow::Result<()> {
        let proxy = proxy(Conditions { silent: true, ..Conditions::default() }).await?;
        let mut stream = TcpStream::connect(proxy.address).await?;
        stream.write_all(b"a").await?;
        assert_eq!(stream.read_u8().await?, b'a');
        proxy.cut();
        while proxy.crossed().cuts == 0 {
            tokio::time::sleep(Duration::from_millis(1)).await;
        }
        stream.write_all(b"b").await?;
        let heard = tokio::time::timeout(Duration::from_millis(100), stream.read_u8()).await;
        assert!(heard.is_err(), "something came through: {heard:?}");

        proxy.refuse(true);
        let mut refused = TcpStream::connect(proxy.address).await?;
        assert!(!matches!(refused.read(&mut [0]).await, Ok(1..)));
        Ok(())
    }
}
