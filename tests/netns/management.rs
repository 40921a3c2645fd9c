//! An administrator who came by ssh and changes what carries the connection.

use std::time::Duration;

use lanai_tests::{Appliance, Finished, Lab, until};

use crate::expect::WWW;

/// The partner behind eth1, connected to the appliance's address there.
const BY_ETH1: &str = "SSH_CONNECTION=172.16.100.10 50000 172.16.1.10 22";

/// Takes the address away that the connection is made to.
fn move_address(appliance: &Appliance<'_>) {
    appliance.edit("services.cfg", "172.16.1.10/24", "172.16.1.99/24");
}

/// Runs a verb of `lanai` as somebody who came over this connection, through a shell that does not
/// hand the variable on, as `sudo` does not.
#[track_caller]
fn came_by(appliance: &Appliance<'_>, connection: &str, verb: &[&str]) -> Finished {
    appliance.lanai_after(
        &[
            "env",
            connection,
            "sh",
            "-c",
            "env -u SSH_CONNECTION \"$@\"; exit $?",
            "sh",
        ],
        verb,
    )
}

#[test]
fn who_may_be_cut_off_is_told_and_gets_a_trial_that_goes_back() {
    let lab = Lab::new();
    let _servers = [lab.web_server("web1"), lab.web_server("web2")];
    let appliance = Appliance::running(&lab);
    let before = appliance.kernel_state();
    move_address(&appliance);

    let plan = came_by(&appliance, BY_ETH1, &["plan"]).ok();
    assert!(plan.contains("This may cut you off"), "{plan}");
    assert!(plan.contains("the address 172.16.1.10 any more"), "{plan}");
    let other = "SSH_CONNECTION=169.254.44.1 50000 169.254.44.2 22";
    let plan = came_by(&appliance, other, &["plan"]).ok();
    assert!(!plan.contains("cut you off"), "{plan}");

    let said = came_by(&appliance, BY_ETH1, &["apply"]).ok();
    assert!(said.contains("is on trial"), "{said}");
    let addresses = lab.sh("appliance", "ip -4 address show dev eth1");
    assert!(addresses.contains("172.16.1.99"), "{addresses}");
    appliance.lanai(&["rollback"]).ok();
    assert_eq!(appliance.kernel_state(), before);

    let said = came_by(&appliance, BY_ETH1, &["apply", "--confirm-within", "10s"]).ok();
    assert!(said.contains("This may cut you off"), "{said}");
    until("the address to come back", Duration::from_secs(30), || {
        (appliance.kernel_state() == before).then_some(())
    });
    assert_eq!(lab.client("internet").get(WWW).status, 200);
}

#[test]
fn who_insists_or_is_elsewhere_gets_it_for_good() {
    let lab = Lab::new();
    let appliance = Appliance::running(&lab);
    move_address(&appliance);
    let said = came_by(&appliance, BY_ETH1, &["apply", "--no-confirm"]).ok();
    assert!(
        said.contains("is live") && said.contains("This may cut you off"),
        "{said}"
    );
    appliance.edit("services.cfg", "172.16.1.99/24", "172.16.1.10/24");
    let said = appliance.lanai(&["apply"]).ok();
    assert!(
        said.contains("is live") && !said.contains("cut you off"),
        "{said}"
    );
}
