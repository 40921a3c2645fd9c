//! The rows of `global` (HAProxy manual, section 3).

mod devices;
mod process;
mod recent;
mod tls;
mod tune;

pub(in crate::layer7) use devices::DEVICES;
pub(in crate::layer7) use process::PROCESS;
pub(in crate::layer7) use recent::{RECENT, RECENT_QUIC};
pub(in crate::layer7) use tls::TLS;
pub(in crate::layer7) use tune::{TUNE, TUNE_PROTOCOLS};

use super::table;
