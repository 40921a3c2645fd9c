//! From the values of the appliance to the words of a page. Pure: time is an argument.

pub(crate) mod certificate;
pub(crate) mod change;
pub(crate) mod diff;
pub(crate) mod files;
pub(crate) mod findings;
pub(crate) mod numbers;
pub(crate) mod revision;
pub(crate) mod status;
