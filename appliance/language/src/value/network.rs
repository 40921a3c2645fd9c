//! Networks: an address with a prefix length or a mask.

use std::net::IpAddr;

use ipnet::IpNet;

/// `ADDRESS[/LENGTH or /MASK]`, host bits cleared.
pub(crate) fn network(text: &str) -> Option<IpNet> {
    host_network(text).map(|net| net.trunc())
}

/// `ADDRESS/LENGTH` or `ADDRESS/MASK` with the host bits kept; a lone address is its own network.
pub(crate) fn host_network(text: &str) -> Option<IpNet> {
    let Some((address, length)) = text.split_once('/') else {
        return text.parse::<IpAddr>().ok().map(IpNet::from);
    };
    let address: IpAddr = address.parse().ok()?;
    if let Ok(mask) = length.parse::<IpAddr>() {
        let same = mask.is_ipv4() == address.is_ipv4();
        return IpNet::with_netmask(address, mask).ok().filter(|_| same);
    }
    let digits = length.bytes().all(|byte| byte.is_ascii_digit());
    let length = length.parse().ok().filter(|_| digits)?;
    IpNet::new(address, length).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lengths_and_masks_mean_the_same() {
        let net = |text| network(text).map(|net| net.to_string());
        assert_eq!(net("10.1.2.3/8").as_deref(), Some("10.0.0.0/8"));
        assert_eq!(net("10.1.2.3/255.0.0.0").as_deref(), Some("10.0.0.0/8"));
        assert_eq!(net("10.1.2.3").as_deref(), Some("10.1.2.3/32"));
        assert_eq!(net("2001:db8::1/64").as_deref(), Some("2001:db8::/64"));
        for bad in [
            "10.0.0.0/33",
            "10.0.0.0/255.0.255.0",
            "10.0.0.0/+8",
            "10.0.0.0/",
            "/8",
            "x/8",
            "10.0.0.0/::",
        ] {
            assert_eq!(net(bad), None, "{bad}");
        }
    }
}
