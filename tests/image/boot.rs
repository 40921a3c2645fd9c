//! Boots: by BIOS with a disk that keeps the configuration, by UEFI without.

use std::time::Duration;

use lanai_tests::{run, until};

use crate::browser::Browser;
use crate::inside;
use crate::machine::{ANSWER, BOOT, Firmware, Machine};
use crate::origin;

const SERVICES: &str = include_str!("services.cfg");
const SYSTEM: &str = include_str!("system.cfg");
const LINKS: &str = include_str!("links.cfg");
const LAYER7: &str = include_str!("haproxy.cfg");
const TRANSPARENT: &str = include_str!("transparent.cfg");
const PASSWORD: &str = "a porch with a view";

#[test]
fn slow_by_bios_what_is_set_up_in_the_browser_outlives_a_restart_and_a_factory_reset_ends_it() {
    let layer7 = LAYER7
        .replace("PORT_ONE", &origin::start("one").to_string())
        .replace("PORT_TWO", &origin::start("two").to_string());
    let mut machine = Machine::start("bios", Firmware::Bios, true);
    println!("BIOS: HTTPS after {:?}", machine.answers());
    let screen = machine.serial.screen("one-time password", BOOT);
    assert!(screen.contains("Kept on"), "{screen}");
    assert!(!screen.contains("kept in memory"), "{screen}");
    let browser = Browser::new(machine.ui);
    browser.first_login(&one_time_password(&screen), PASSWORD);
    browser.apply("/services", SERVICES);
    browser.apply("/layer7", &layer7);
    traffic_flows(&machine);

    machine.serial.shell();
    inside::memory_is_enough(&mut machine);
    inside::processes_have_just_their_rights(&mut machine);
    inside::servers_of_time_and_log_are_there(&mut machine);
    browser.apply("/services", SYSTEM);
    inside::time_and_log_use_their_servers(&mut machine);
    browser.apply("/services", LINKS);
    browser.apply("/layer7", &format!("{layer7}{TRANSPARENT}"));
    inside::links_are_made(&mut machine);
    inside::a_transparent_bind_answers(&mut machine);
    browser.apply("/services", SERVICES);
    browser.apply("/layer7", &layer7);
    inside::links_are_gone(&mut machine);
    inside::the_kernel_has_what_is_asked_of_it(&mut machine);
    machine.serial.leaves_the_shell();

    machine.serial.types("5");
    machine.serial.asks("Type yes");
    machine.serial.types("yes");
    machine.restarts();
    println!("BIOS, started again: HTTPS after {:?}", machine.answers());
    let limit = Duration::from_secs(30);
    until("traffic after the restart", limit, || {
        ["one", "two"].contains(&&*get(&machine, "/")).then_some(())
    });
    traffic_flows(&machine);
    let again = Browser::new(machine.ui);
    again.login(PASSWORD);
    let page = again.get("/services");
    assert!(page.body.contains("ip address 10.9.0.15/24"), "{page:?}");
    let screen = machine.serial.screen("10.9.0.15/24", BOOT);
    assert!(!screen.contains("one-time password"), "{screen}");

    machine.serial.types("3");
    machine.serial.asks("Type reset");
    machine.serial.types("reset");
    machine.restarts();
    machine.answers();
    let screen = machine.serial.screen("one-time password", BOOT);
    assert!(!screen.contains("10.9.0.15/24"), "{screen}");
    assert_eq!(get(&machine, "/"), "", "nothing is served");
    let fresh = Browser::new(machine.ui);
    let old = fresh.submit("/login", &[("name", "admin"), ("password", PASSWORD)]);
    assert_eq!(old.status, 403, "the old password is forgotten: {old:?}");
    fresh.first_login(&one_time_password(&screen), "another porch altogether");
    let page = fresh.get("/services");
    assert!(!page.body.contains("10.9.0.15"), "{page:?}");

    machine.serial.types("6");
    machine.serial.asks("Type yes");
    machine.serial.types("yes");
    machine.goes_off();
    let disk = machine.disk();
    let checked = run(&["e2fsck", "-fn", disk.to_str().unwrap()], ANSWER);
    assert_eq!(checked.code, 0, "the disk was left clean: {checked:?}");
}

#[test]
fn slow_by_uefi_without_a_disk_it_says_that_nothing_is_kept() {
    let mut machine = Machine::start("uefi", Firmware::Uefi, false);
    println!("UEFI: HTTPS after {:?}", machine.answers());
    let screen = machine.serial.screen("https://10.0.2.15:4444/", BOOT);
    assert!(screen.contains("kept in memory"), "{screen}");
    let fingerprint = fingerprint(machine.ui);
    let squeezed: String = screen.split_whitespace().collect();
    assert!(squeezed.contains(&fingerprint), "{fingerprint} in {screen}");
    let once = one_time_password(&screen);
    let browser = Browser::new(machine.ui);
    browser.login_once(&once);
    // Nobody has a password yet, so that the console shows the next; whoever takes their time over
    // choosing theirs is not shut out by that.
    let next = "another one-time password";
    machine.serial.screen_where(next, ANSWER, |screen| {
        screen.contains("one-time password ") && !screen.contains(&once)
    });
    browser.choose(PASSWORD);
    let page = browser.get("/");
    assert!(page.body.contains("kept in memory"), "{page:?}");
    let used = browser.submit("/login", &[("name", "admin"), ("password", &once)]);
    assert_eq!(used.status, 403, "it works once");

    // The network is wrong, or not there: the console sets it.
    machine.serial.types("1");
    machine.serial.asks("Interface");
    machine.serial.types("eth1");
    machine.serial.asks("or dhcp: ");
    machine.serial.types("10.9.0.15/24");
    machine.serial.asks("Default gateway");
    machine.serial.types("10.9.0.2");
    machine.serial.asks("Enter goes on");
    machine.serial.types("");
    machine.serial.screen("10.9.0.15/24", ANSWER);

    // The password is forgotten.
    machine.serial.types("2");
    machine.serial.asks("Enter goes on");
    machine.serial.types("");
    let screen = machine.serial.screen("one-time password", ANSWER);
    Browser::new(machine.ui).first_login(&one_time_password(&screen), "another one, forgotten");

    // What nobody offers is not obeyed.
    machine.serial.types("7");
    machine.serial.asks("Type the number");
    machine.serial.types("");
    machine.serial.screen("Web UI", ANSWER);

    machine.serial.shell();
    let inside = machine
        .serial
        .inside("/bin/ip -br address show; /bin/ip route show default; cat /etc/resolv.conf");
    for part in [
        "10.9.0.15/24",
        "10.0.2.15/24",
        "default via 10.9.0.2 dev eth1 proto 76",
        "default via 10.0.2.2 dev eth0 proto dhcp",
        "nameserver 10.0.2.3",
    ] {
        assert!(inside.contains(part), "{part}: {inside}");
    }
    // Nothing but the web UI listens: no ssh before somebody asks for it.
    let listening = machine.serial.inside("ss -Hltn | awk '{ print $4 }'");
    assert_eq!(listening.trim(), "*:4444", "{listening}");
    machine
        .serial
        .inside("[ $(date +%s) -ge $(cat /etc/built) ]");
    machine.serial.inside("[ -d /sys/firmware/efi ]");
    inside::memory_is_enough(&mut machine);
}

fn one_time_password(screen: &str) -> String {
    let (_, rest) = screen.rsplit_once("one-time password ").unwrap();
    rest.lines().next().unwrap().trim().to_owned()
}

/// What openssl, not Lanai, says of the certificate.
fn fingerprint(port: u16) -> String {
    let command = format!(
        "openssl s_client -connect 127.0.0.1:{port} </dev/null 2>/dev/null | \
         openssl x509 -noout -fingerprint -sha256"
    );
    let said = run(&["sh", "-c", &command], ANSWER).ok();
    said.trim().rsplit_once('=').unwrap().1.to_owned()
}

fn get(machine: &Machine, path: &str) -> String {
    let url = format!("http://127.0.0.1:{}{path}", machine.web);
    let argv = ["curl", "-s", "--max-time", "10", &url];
    run(&argv, Duration::from_secs(15)).stdout
}

/// Both servers answer, in turn.
fn traffic_flows(machine: &Machine) {
    let mut answers: Vec<String> = (0..4).map(|_| get(machine, "/")).collect();
    answers.sort();
    assert_eq!(answers, ["one", "one", "two", "two"]);
}
