//! Our nftables table: read back, and replaced as a whole in one transaction
//! (`linux/netfilter/nf_tables.h`, `nfnetlink.h`).
//!
//! Done here instead of with libnftnl: that one cannot read rules back well enough to see what
//! somebody changed inside of the table, and would add two C libraries to the one process that has
//! all rights. The messages that are needed fit on two pages: `encode` and `decode`.

pub(crate) mod attributes;
mod decode;
mod encode;
mod numbers;
mod transport;

use lanai_network::Nftables;
use lanai_network::nft::Table;

use crate::error::Error;
use crate::netlink::Failure;
use transport::Transport;

/// Reads our table.
pub(crate) async fn read() -> Result<Nftables, Error> {
    let mut transport = match Transport::open() {
        Ok(transport) => transport,
        Err(error) if error.raw_os_error() == Some(libc::EPROTONOSUPPORT) => {
            return Ok(Nftables::Missing);
        }
        Err(error) => return Err(Error::Socket(error)),
    };
    for _ in 0..ATTEMPTS {
        match read_once(&mut transport).await {
            Ok(Some(seen)) => return Ok(seen),
            Ok(None) | Err(Failure::Unsteady) => {}
            // The socket is there and nobody answers for nftables.
            Err(Failure::Refused { errno, .. }) if UNSUPPORTED.contains(&errno) => {
                return Ok(Nftables::Missing);
            }
            Err(failure) => {
                return Err(Error::Dump {
                    what: "nftables rules",
                    cause: crate::cause::of_failure(failure),
                });
            }
        }
    }
    Err(Error::Unsteady { attempts: ATTEMPTS })
}

/// `None` if somebody changed the rules meanwhile.
async fn read_once(transport: &mut Transport) -> Result<Option<Nftables>, Failure> {
    let before = generation(transport).await?;
    let table = transport.ask(&encode::get_table()).await;
    let seen = match table {
        Err(Failure::Refused { errno, .. }) if errno == libc::ENOENT => Nftables::NoTable,
        Err(failure) => return Err(failure),
        Ok(_) => {
            let chains = transport.ask(&encode::get_chains()).await?;
            let rules = transport.ask(&encode::get_rules()).await?;
            Nftables::Table(decode::table(&chains, &rules))
        }
    };
    let same = generation(transport).await? == before;
    Ok(same.then_some(seen))
}

/// Counts the changes of all rules of the namespace.
async fn generation(transport: &mut Transport) -> Result<Option<u32>, Failure> {
    let answers = transport.ask(&encode::get_generation()).await?;
    Ok(answers.iter().find_map(decode::generation))
}

/// Puts `to` in the place of our table, in one transaction: nobody's packet ever meets half of it.
pub(crate) async fn replace(to: Option<&Table>) -> Result<(), Failure> {
    let mut transport = Transport::open()?;
    transport.commit(&encode::replace(to)).await
}

const ATTEMPTS: u32 = 100;

/// What nfnetlink answers for a subsystem that is not there.
const UNSUPPORTED: [i32; 3] = [libc::EINVAL, libc::EOPNOTSUPP, libc::EPROTONOSUPPORT];

#[cfg(test)]
mod tests;
