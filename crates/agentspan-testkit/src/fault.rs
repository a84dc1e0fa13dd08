//! Faults that no well-behaved HTTP library can be made to play, written to the stream by hand.

use std::io;
use std::io::Write;
use std::time::Duration;

use tokio::io::{AsyncReadExt, AsyncWriteExt};

use crate::answer::{Answer, Play};
use crate::transport::Transport;

/// The pause between two bytes of a head or a body that trickles.
pub(crate) const TRICKLE: Duration = Duration::from_millis(5);

/// Plays `answer` to its end, which for some is when the peer goes away or the service stops.
pub(crate) async fn play(mut transport: Transport, answer: Answer) -> io::Result<()> {
    match answer.play {
        Play::Reset | Play::Refuse | Play::ResetWithin { .. } => {
            transport.reset();
            return Ok(());
        }
        Play::Truncated { declared } => {
            let mut bytes = head(&answer, declared)?;
            bytes.extend_from_slice(&answer.body);
            transport.write_all(&bytes).await?;
        }
        Play::Raw => transport.write_all(&answer.body).await?,
        Play::InformationalFlood => loop {
            let flood = b"HTTP/1.1 100 Continue\r\n\r\n".repeat(100);
            transport.write_all(&flood).await?;
        },
        Play::TricklingHead => {
            let head = head(&answer, 0)?;
            let begun = head.strip_suffix(b"\r\n").unwrap_or(&head);
            let more = b"x-filler: x\r\n".iter().cycle();
            for byte in begun.iter().chain(more) {
                tokio::time::sleep(TRICKLE).await;
                transport.write_all(&[*byte]).await?;
            }
        }
        Play::Greeting => {
            let mut greeting = [0; 1024];
            // Nothing of this is HTTP, and nothing is to count as such.
            let stream = transport.tap_mut();
            if stream.read(&mut greeting).await? == 0 {
                return Ok(());
            }
            stream.write_all(&answer.body).await?;
            tokio::io::copy(stream, &mut tokio::io::sink()).await?;
        }
        // Nothing wakes this: the connection ends with the service.
        Play::BlackHole => std::future::pending().await,
        Play::EndlessHead => {
            transport.write_all(b"HTTP/1.1 200 OK\r\n").await?;
            let mut number = 0_u64;
            loop {
                let header = format!("x-filler-{number}: {}\r\n", "x".repeat(100));
                transport.write_all(header.as_bytes()).await?;
                number += 1;
            }
        }
        Play::Hang => {
            tokio::io::copy(&mut transport, &mut tokio::io::sink()).await?;
        }
        // The HTTP library plays all of these but the first.
        Play::Close | Play::Whole | Play::StalledBody | Play::EndlessBody | Play::TricklingBody => {
        }
    }
    transport.shutdown().await
}

fn head(answer: &Answer, length: u64) -> io::Result<Vec<u8>> {
    let mut head = Vec::new();
    write!(head, "HTTP/1.1 {}\r\n", answer.status)?;
    for (name, value) in &answer.headers {
        write!(head, "{name}: ")?;
        head.extend_from_slice(value.as_bytes());
        head.extend_from_slice(b"\r\n");
    }
    write!(head, "content-length: {length}\r\n\r\n")?;
    Ok(head)
}
