//! The rows of `defaults`, `frontend`, `listen` and `backend` (HAProxy manual, section 4.2).

mod general;
mod options;
mod samples;
mod statistics;
mod timeouts;

pub(in crate::layer7) use general::{GENERAL, PERSISTENCE};
pub(in crate::layer7) use options::{CHECKS, OPTIONS};
pub(in crate::layer7) use samples::SAMPLES;
pub(in crate::layer7) use statistics::STATISTICS;
pub(in crate::layer7) use timeouts::TIMEOUTS;

use super::table;
