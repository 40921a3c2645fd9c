//! The certificate of the web UI: self-signed, made at the first start, kept in the state directory.

use std::fs;
use std::io::{self, Write};
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use rcgen::{CertificateParams, DistinguishedName, DnType, KeyPair, SanType};
use rustls::ServerConfig;
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use sha2::{Digest, Sha256};

/// Certificate and key in one file, so that a crash can never leave one without the other.
const FILE: &str = "ui.pem";
/// Ten years: browsers trust it by its fingerprint, and a box must not become unreachable by itself.
const LIFE: Duration = Duration::from_secs(10 * 365 * 86_400);
/// Clocks of fresh boxes are wrong by hours.
const BACKDATED: Duration = Duration::from_secs(86_400);

/// Why the web UI has no certificate.
#[derive(Debug, thiserror::Error)]
pub enum CertificateError {
    /// The file could not be read or written.
    #[error("{}: cannot {what} the certificate of the web UI; check the directory's owner", path.display())]
    File {
        /// The file.
        path: PathBuf,
        /// `read` or `write`.
        what: &'static str,
        /// The system's reason.
        source: io::Error,
    },
    /// The file holds no certificate with its key.
    #[error("{}: not a certificate with its private key in PEM; remove the file to get a new one", path.display())]
    Content {
        /// The file.
        path: PathBuf,
    },
    /// No certificate could be made of the names and addresses given.
    #[error("cannot make a certificate for the web UI")]
    Make(#[source] rcgen::Error),
    /// The TLS library refuses what the file holds.
    #[error("{}: the TLS library refuses this certificate; remove the file to get a new one", path.display())]
    Refused {
        /// The file.
        path: PathBuf,
        /// Its reason.
        source: rustls::Error,
    },
}

/// SHA-256 of the web UI's certificate as browsers show it: 32 bytes in capital hexadecimal, with a
/// colon between them. Fails before the web UI was started for the first time.
pub fn certificate_fingerprint(state_dir: &Path) -> Result<String, CertificateError> {
    let (chain, _) = read(&state_dir.join(FILE))?;
    let first = chain.first().map(CertificateDer::as_ref).unwrap_or(&[]);
    let bytes = Sha256::digest(first);
    let hex: Vec<String> = bytes.iter().map(|byte| format!("{byte:02X}")).collect();
    Ok(hex.join(":"))
}

/// The TLS settings of the web UI, with the certificate of `state_dir`; one is made for `names` and
/// `addresses` if there is none.
pub(crate) fn tls(
    state_dir: &Path,
    names: &[String],
    addresses: &[IpAddr],
) -> Result<ServerConfig, CertificateError> {
    let path = state_dir.join(FILE);
    if !path.exists() {
        make(&path, names, addresses)?;
    }
    let (chain, key) = read(&path)?;
    let refused = |source| CertificateError::Refused {
        path: path.clone(),
        source,
    };
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let mut config = ServerConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .map_err(refused)?
        .with_no_client_auth()
        .with_single_cert(chain, key)
        .map_err(refused)?;
    config.alpn_protocols = vec![b"h2".to_vec(), b"http/1.1".to_vec()];
    Ok(config)
}

fn make(path: &Path, names: &[String], addresses: &[IpAddr]) -> Result<(), CertificateError> {
    let mut params =
        CertificateParams::new(vec!["localhost".to_owned()]).map_err(CertificateError::Make)?;
    // A name that is no host name (an administrator may call a box anything) is left out.
    let names = names.iter().filter_map(|name| name.clone().try_into().ok());
    params.subject_alt_names.extend(names.map(SanType::DnsName));
    let mut all = vec![Ipv4Addr::LOCALHOST.into(), Ipv6Addr::LOCALHOST.into()];
    for address in addresses {
        if !address.is_unspecified() && !all.contains(address) {
            all.push(*address);
        }
    }
    params
        .subject_alt_names
        .extend(all.into_iter().map(SanType::IpAddress));
    params.distinguished_name = DistinguishedName::new();
    params
        .distinguished_name
        .push(DnType::CommonName, "Lanai web UI");
    let now = SystemTime::now();
    params.not_before = (now - BACKDATED).into();
    params.not_after = (now + LIFE).into();
    let key = KeyPair::generate().map_err(CertificateError::Make)?;
    let certificate = params.self_signed(&key).map_err(CertificateError::Make)?;
    let text = format!("{}{}", certificate.pem(), key.serialize_pem());
    write(path, text.as_bytes()).map_err(|source| CertificateError::File {
        path: path.to_owned(),
        what: "write",
        source,
    })
}

/// Whole or not at all, and never readable by others.
fn write(path: &Path, bytes: &[u8]) -> io::Result<()> {
    let fresh = path.with_extension("pem.new");
    match fs::remove_file(&fresh) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
        _ => {}
    }
    let mut file = fs::OpenOptions::new()
        .write(true)
        .create_new(true)
        .mode(0o600)
        .open(&fresh)?;
    file.write_all(bytes)?;
    file.sync_all()?;
    fs::rename(&fresh, path)
}

type ChainAndKey = (Vec<CertificateDer<'static>>, PrivateKeyDer<'static>);

fn read(path: &Path) -> Result<ChainAndKey, CertificateError> {
    let text = fs::read(path).map_err(|source| CertificateError::File {
        path: path.to_owned(),
        what: "read",
        source,
    })?;
    let content = || CertificateError::Content {
        path: path.to_owned(),
    };
    let chain: Vec<_> = CertificateDer::pem_slice_iter(&text)
        .collect::<Result<_, _>>()
        .map_err(|_| content())?;
    let key = PrivateKeyDer::from_pem_slice(&text).map_err(|_| content())?;
    if chain.is_empty() {
        return Err(content());
    }
    Ok((chain, key))
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt;

    use super::*;

    #[test]
    fn made_once_for_the_owner_alone() {
        let dir = tempfile::tempdir().unwrap();
        assert!(certificate_fingerprint(dir.path()).is_err(), "none yet");
        let names = ["box.example.org".to_owned(), "not a name".to_owned()];
        let addresses = ["192.0.2.7".parse().unwrap(), "0.0.0.0".parse().unwrap()];
        tls(dir.path(), &names, &addresses).unwrap();
        let first = certificate_fingerprint(dir.path()).unwrap();
        assert_eq!(first.len(), 32 * 3 - 1);
        tls(dir.path(), &names, &addresses).unwrap();
        assert_eq!(certificate_fingerprint(dir.path()).unwrap(), first);
        let mode = fs::metadata(dir.path().join(FILE))
            .unwrap()
            .permissions()
            .mode();
        assert_eq!(mode & 0o777, 0o600);

        let (chain, _) = read(&dir.path().join(FILE)).unwrap();
        let (_, parsed) = x509_parser::parse_x509_certificate(&chain[0]).unwrap();
        let names = parsed.subject_alternative_name().unwrap().unwrap();
        let shown = format!("{:?}", names.value.general_names);
        assert!(
            shown.contains("box.example.org") && shown.contains("localhost"),
            "{shown}"
        );
        assert!(
            shown.contains("[192, 0, 2, 7]") && !shown.contains("[0, 0, 0, 0]"),
            "{shown}"
        );
    }

    #[test]
    fn a_broken_file_is_named() {
        let dir = tempfile::tempdir().unwrap();
        fs::write(dir.path().join(FILE), "nonsense").unwrap();
        let error = tls(dir.path(), &[], &[]).unwrap_err().to_string();
        assert!(error.contains("ui.pem"), "{error}");
    }
}
