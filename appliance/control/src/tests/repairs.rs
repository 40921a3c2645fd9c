//! What others change of what is configured is put back, and only that.

use std::time::Duration;

use lanai_network::{Observed, plan};

use super::faults::Fault;
use super::world::{World, ann, minutes, new, old};
use crate::Control;

impl World {
    /// Somebody else changes the network behind our back.
    fn meddle(&self, control: &Control, change: impl FnOnce(&mut Observed)) {
        change(&mut self.box_.kernel.lock().unwrap());
        control.network_changed();
    }

    /// Whether the network is what `control` wants of it.
    fn is_whole(&self, control: &Control) -> bool {
        let desired = control.inner.running().model.desired();
        plan(&desired, &self.box_.kernel.lock().unwrap()).is_empty()
    }

    /// Waits until it is.
    async fn becomes_whole(&self, control: &Control) {
        let whole = async {
            while !self.is_whole(control) {
                tokio::time::sleep(Duration::from_millis(5)).await;
            }
        };
        let done = tokio::time::timeout(Duration::from_secs(20), whole).await;
        done.expect("the network comes back");
    }
}

/// A box in service whose network is watched.
async fn watched(world: &World) -> (Control, tokio::task::JoinHandle<()>) {
    let control = world.booted().await;
    control.apply(old(), ann(), "", None).await.unwrap();
    let keeper = {
        let control = control.clone();
        tokio::spawn(async move { control.keep_network().await })
    };
    (control, keeper)
}

fn lose_routes(kernel: &mut Observed) {
    let ours = |route: &lanai_network::ObservedRoute| route.is_ours();
    assert!(kernel.routes.iter().any(ours));
    kernel.routes.retain(|route| !ours(route));
}

#[tokio::test]
async fn what_others_take_away_comes_back_and_is_counted() {
    let world = World::new();
    let (control, keeper) = watched(&world).await;
    world.meddle(&control, lose_routes);
    assert!(!world.is_whole(&control));
    world.becomes_whole(&control).await;
    world.meddle(&control, |kernel| kernel.links[1].up = false);
    world.becomes_whole(&control).await;
    // The last step of a repair is its record.
    control.settled().await;
    let repairs = control.status().await.unwrap().repairs;
    assert_eq!(repairs.count, 2);
    let step = "bring eth0 up".to_owned();
    assert!(repairs.latest[0].steps.contains(&step), "{repairs:?}");
    let log = control.audit_log(10, None).await.unwrap();
    assert_eq!(log[0].action, "repair", "{log:?}");
    keeper.abort();
}

#[tokio::test]
async fn a_box_that_has_not_booted_takes_nothing_for_stale() {
    let world = World::new();
    let (control, keeper) = watched(&world).await;
    keeper.abort();
    drop(control);
    let before = world.box_.kernel.lock().unwrap().clone();
    // Another process of ours, which does not know yet what is running.
    let control = world.open().await;
    let looking = control.clone();
    let keeper = tokio::spawn(async move { looking.keep_network().await });
    control.network_changed();
    tokio::time::sleep(Duration::from_millis(300)).await;
    assert_eq!(*world.box_.kernel.lock().unwrap(), before);
    control.boot().await.unwrap();
    tokio::time::sleep(Duration::from_millis(300)).await;
    assert_eq!(*world.box_.kernel.lock().unwrap(), before);
    keeper.abort();
}

#[tokio::test]
async fn a_fight_is_not_fought_at_full_speed() {
    let world = World::new();
    let (control, keeper) = watched(&world).await;
    let mut lost = 0;
    for _ in 0..200 {
        if world.is_whole(&control) {
            lost += 1;
            world.meddle(&control, lose_routes);
        }
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    // Five at once, and the next one not before a minute.
    assert_eq!(lost, 6);
    assert!(!world.is_whole(&control));
    let repairs = control.status().await.unwrap().repairs;
    assert_eq!(repairs.count, 5);
    assert!(
        repairs
            .held
            .iter()
            .any(|held| held.step.starts_with("add route")),
        "{repairs:?}"
    );
    // What nobody fights about is repaired meanwhile.
    world.meddle(&control, |kernel| kernel.links[1].up = false);
    let eth0 = || world.box_.kernel.lock().unwrap().links[1].up;
    while !eth0() {
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    keeper.abort();
}

#[tokio::test]
async fn a_step_that_cannot_be_done_keeps_no_other_back() {
    let world = World::new();
    let (control, keeper) = watched(&world).await;
    // Looking twice, asking, and then the first step.
    world.box_.faults.arm(3, Fault::Fail);
    world.meddle(&control, lose_routes);
    world.becomes_whole(&control).await;
    let seen = world.box_.faults.seen();
    let wanted = [
        "observe", "observe", "execute", "step 0", "execute", "step 0",
    ];
    assert_eq!(seen[..6], wanted);
    keeper.abort();
}

#[tokio::test]
async fn a_trial_whose_time_is_over_is_not_repaired_back_into_effect() {
    let world = World::new();
    let (control, keeper) = watched(&world).await;
    control
        .apply_on_trial(new(), ann(), "", None, minutes())
        .await
        .unwrap();
    // While it is on trial it is what is configured.
    world.meddle(&control, lose_routes);
    world.becomes_whole(&control).await;
    // The host goes back, and its word about it comes later than the change of the network.
    world.time_over();
    let gone_back = world.box_.kernel.lock().unwrap().clone();
    control.network_changed();
    tokio::time::sleep(Duration::from_millis(300)).await;
    assert_eq!(*world.box_.kernel.lock().unwrap(), gone_back);
    let id = control.trial().expect("a trial").revision;
    control.reverted(id).await.unwrap();
    assert!(world.is_whole(&control));
    keeper.abort();
}

#[tokio::test]
async fn a_change_waits_for_a_repair_instead_of_being_refused() {
    let world = World::new();
    let (control, keeper) = watched(&world).await;
    for round in 0..20 {
        world.meddle(&control, lose_routes);
        let files = if round % 2 == 0 { new() } else { old() };
        let applied = control.apply(files, ann(), "", None).await;
        applied.unwrap_or_else(|error| panic!("round {round}: {error}"));
    }
    keeper.abort();
}
