//! The variables that a configuration may ask about.

use std::ffi::OsStr;
use std::os::unix::ffi::{OsStrExt, OsStringExt};
use std::path::PathBuf;

use lanai_language::Environment;

use crate::facts;

/// Log formats by name, as the manual gives them (sections 2.3 and 8.2).
const LOG_FORMATS: &[(&str, &str)] = &[
    (
        "HAPROXY_HTTP_LOG_FMT",
        "%ci:%cp [%tr] %ft %b/%s %TR/%Tw/%Tc/%Tr/%Ta %ST %B %CC %CS %tsc %ac/%fc/%bc/%sc/%rc \
         %sq/%bq %hr %hs %{+Q}r",
    ),
    (
        "HAPROXY_HTTPS_LOG_FMT",
        "%ci:%cp [%tr] %ft %b/%s %TR/%Tw/%Tc/%Tr/%Ta %ST %B %CC %CS %tsc %ac/%fc/%bc/%sc/%rc \
         %sq/%bq %hr %hs %{+Q}r %[fc_err]/%[ssl_fc_err,hex]/%[ssl_c_err]/%[ssl_c_ca_err]/\
         %[ssl_fc_is_resumed] %[ssl_fc_sni]/%sslv/%sslc",
    ),
    (
        "HAPROXY_TCP_LOG_FMT",
        "%ci:%cp [%t] %ft %b/%s %Tw/%Tc/%Tt %B %ts %ac/%fc/%bc/%sc/%rc %sq/%bq",
    ),
];

/// Our own environment and what HAProxy adds to it, for `lanai proxy` alone. `peer` is `-L`.
pub(crate) fn inherited(peer: Option<&str>, files: &[PathBuf]) -> Environment {
    // A variable whose name is not text cannot be named by a configuration either.
    let ours = std::env::vars_os()
        .filter_map(|(name, value)| Some((name.into_string().ok()?, value.into_vec())));
    let mut environment: Environment = ours.collect();
    add_own(&mut environment, peer.map(str::as_bytes));
    let names: Vec<&[u8]> = files
        .iter()
        .map(|file| file.as_os_str().as_bytes())
        .collect();
    environment.set("HAPROXY_CFGFILES", names.join(&b';'));
    environment
}

/// What a configuration of the appliance may ask about: the same in the check, the control process
/// and the engine, whoever started them.
pub(crate) fn appliance() -> Environment {
    let mut environment = Environment::new();
    add_own(&mut environment, None);
    environment.set("HAPROXY_CFGFILES", "haproxy.cfg");
    environment
}

fn add_own(environment: &mut Environment, peer: Option<&[u8]>) {
    for (name, format) in LOG_FORMATS {
        environment.set(*name, *format);
    }
    environment.set("HAPROXY_STARTUP_VERSION", facts::version());
    environment.set("HAPROXY_BRANCH", facts::BRANCH);
    let host = nix::unistd::gethostname().unwrap_or_default();
    let host: &OsStr = &host;
    environment.set("HAPROXY_LOCALPEER", peer.unwrap_or(host.as_bytes()));
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_haproxy_adds() {
        let files = [PathBuf::from("a.cfg"), PathBuf::from("b.cfg")];
        let environment = inherited(Some("here"), &files);
        assert_eq!(environment.get("HAPROXY_LOCALPEER"), Some(&b"here"[..]));
        assert_eq!(
            environment.get("HAPROXY_CFGFILES"),
            Some(&b"a.cfg;b.cfg"[..])
        );
        assert_eq!(
            environment.get("PATH").is_some(),
            std::env::var_os("PATH").is_some()
        );
        assert_eq!(appliance().get("PATH"), None);
    }
}
