//! Connections that each had one request answered and then stay open: what a proxy keeps for them is
//! what an idle client costs it.

use std::io::{self, Read, Write};
use std::net::{Ipv4Addr, TcpStream};
use std::time::Duration;

use crate::answer::{Answer, Progress, REQUEST};

/// Opens them one after the other, says `OK` on standard output, and holds them until standard input ends.
pub(crate) fn hold(port: u16, connections: usize) -> io::Result<()> {
    let mut open = Vec::with_capacity(connections);
    for _ in 0..connections {
        open.push(used(port)?);
    }
    println!("OK");
    io::stdout().flush()?;
    io::stdin().read_to_end(&mut Vec::new())?;
    Ok(())
}

fn used(port: u16) -> io::Result<TcpStream> {
    let mut stream = TcpStream::connect((Ipv4Addr::LOCALHOST, port))?;
    stream.set_read_timeout(Some(Duration::from_secs(5)))?;
    stream.write_all(REQUEST)?;
    let mut answer = Answer::default();
    let mut buffer = [0; 4_096];
    loop {
        let count = stream.read(&mut buffer)?;
        match answer.take(&buffer[..count]) {
            Progress::Whole => return Ok(stream),
            Progress::Partial if count > 0 => {}
            Progress::Partial | Progress::Wrong => {
                let seen = String::from_utf8_lossy(&buffer[..count]).into_owned();
                return Err(io::Error::other(format!(
                    "not the origin's answer: {seen:?}"
                )));
            }
        }
    }
}
