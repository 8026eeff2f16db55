//! What the binary bears: thousands of connections that begin a request and never end it; a long time of requests and sign-ins.

use std::{
    io::{ErrorKind, Read, Write},
    net::TcpStream,
    thread,
    time::{Duration, Instant},
};

use anyhow::{Context, Result, bail};

use crate::{
    calls::median,
    servers::{Core, PASSWORD, Server, application, watchboard},
};

const SECONDS: u64 = 3;
/// Loads before and beside the slow connections: fewer than fit into the time that these have.
const ROUNDS: usize = 5;
const SLOW: usize = 5_000;
const MIB: f64 = 1_048_576.0;

/// What others feel of connections that begin a request and never end it.
pub(crate) fn slow_heads() -> Result<()> {
    let folder = tempfile::tempdir()?;
    let application = application(folder.path())?;
    let proxy = watchboard(Core::Own, &application)?;
    let p99_us = || -> Result<f64> {
        let loads: Result<Vec<_>> = (0..ROUNDS).map(|_| Ok(proxy.load(SECONDS)?.p99_us)).collect();
        Ok(median(loads?))
    };
    let calm = p99_us()?;
    let mut slow = vec![];
    for _ in 0..SLOW {
        let mut stream = TcpStream::connect(("127.0.0.1", proxy.port))?;
        stream.write_all(b"GET / HTTP/1.1\r\nHost: a\r\nX-Slow: ")?;
        slow.push(stream);
    }
    println!("    {SLOW} connections have begun a request");
    let pressed = p99_us()?;
    println!(
        "p99 calm {:.2} ms, beside {SLOW} slow heads {:.2} ms: {:.2} times",
        calm / 1e3,
        pressed / 1e3,
        pressed / calm
    );
    let began = Instant::now();
    let left = loop {
        // Each is closed when its time is over.
        slow.retain_mut(|stream| {
            let _ = stream.set_nonblocking(true);
            matches!(stream.read(&mut [0; 512]), Err(error) if error.kind() == ErrorKind::WouldBlock)
        });
        if slow.is_empty() || began.elapsed() > Duration::from_mins(2) {
            break slow.len();
        }
        thread::sleep(Duration::from_millis(200));
    };
    println!("    {left} of them are still open {:.0} s later", began.elapsed().as_secs_f64());
    Ok(())
}

/// Resident memory over so many requests and sign-ins, from the tenth part of them on: before, all that is bounded fills.
pub(crate) fn soak(requests: u64, sign_ins: u64) -> Result<()> {
    let folder = tempfile::tempdir()?;
    let application = application(folder.path())?;
    let proxy = watchboard(Core::Own, &application)?;
    let mut done = 0;
    let mut first = None;
    for part in 0..=10 {
        let until = requests * (part + 1) / 10;
        while done < until {
            done += proxy.load(SECONDS)?.requests;
        }
        for _ in 0..sign_ins / 10 {
            sign_in(&proxy)?;
        }
        let rss = proxy.resident_bytes()? as f64 / MIB;
        let growth = rss - *first.get_or_insert(rss);
        println!("    {done} requests, {} sign-ins: {rss:.1} MiB, {growth:+.2} MiB", sign_ins / 10 * (part + 1));
    }
    Ok(())
}

fn sign_in(proxy: &Server) -> Result<()> {
    let board = proxy.board.context("it has a board")?;
    let mut stream = TcpStream::connect(("127.0.0.1", board)).context("the board does not listen")?;
    let form = format!("password={}", PASSWORD.replace(' ', "+"));
    write!(
        stream,
        "POST /sign-in HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: close\r\nContent-Type: application/x-www-form-urlencoded\r\n\
         Content-Length: {}\r\n\r\n{form}",
        form.len()
    )?;
    let mut answer = String::new();
    stream.read_to_string(&mut answer)?;
    if !answer.starts_with("HTTP/1.1 303") {
        bail!("the sign-in failed: {answer}");
    }
    Ok(())
}
