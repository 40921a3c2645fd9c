//! A change that may cut off whoever asks for it: told before, and on trial unless they insist.

use super::world::{World, ann, new, old};
use crate::{Applied, Author, Control, Cut, RevisionState, Visitor};

/// Ann, over a connection that needs the route to 10.2.0.0/16, which `new` leads another way.
fn afar() -> Author {
    ann().over(Some(visitor("10.2.0.7", "10.1.0.1")))
}

/// Ann, from a host beside the box, whose way nothing changes.
fn near() -> Author {
    ann().over(Some(visitor("192.0.2.7", "192.0.2.1")))
}

fn visitor(peer: &str, local: &str) -> Visitor {
    Visitor {
        peer: peer.parse().unwrap(),
        local: local.parse().unwrap(),
        port: 4444,
    }
}

async fn running_old() -> (World, Control) {
    let world = World::new();
    let control = world.booted().await;
    let done = control.apply(old(), near(), "", None).await.unwrap();
    assert_eq!(done.cuts, [], "the first configuration cuts nobody off");
    (world, control)
}

fn cut_twice(applied: &Applied) -> bool {
    matches!(
        applied.cuts.as_slice(),
        [Cut::Address { .. }, Cut::Detour { .. }]
    )
}

#[tokio::test]
async fn a_preview_tells_it_to_the_one_concerned() {
    let (_world, control) = running_old().await;
    let preview = control.preview(&new(), afar().visitor).await.unwrap();
    let told: Vec<String> = preview.cuts.iter().map(ToString::to_string).collect();
    assert_eq!(
        told,
        [
            "the box will not have the address 10.1.0.1 any more, which you are connected to",
            "answers to you at 10.2.0.7 will leave by eth2 via 10.3.0.254, not by eth1 via \
             10.1.0.254 as now",
        ]
    );
    for nobody in [near().visitor, None] {
        assert_eq!(control.preview(&new(), nobody).await.unwrap().cuts, []);
    }
}

#[tokio::test]
async fn it_goes_on_trial_without_being_asked_to() {
    let (world, control) = running_old().await;
    let applied = control.apply(new(), afar(), "", None).await.unwrap();
    assert!(cut_twice(&applied), "{applied:?}");
    let trial = applied.trial.expect("a trial");
    assert_eq!(trial.within_s, 300);
    let revision = control.revision(applied.revision).await.unwrap();
    assert!(matches!(revision.state, RevisionState::Trial { .. }));
    // Nobody could come to confirm it.
    world.time_over();
    control.reverted(applied.revision).await.unwrap();
    let running = control.live_files().await.unwrap();
    assert_eq!(running.text("services.cfg"), old().text("services.cfg"));
}

#[tokio::test]
async fn who_insists_gets_it_for_good() {
    let (_world, control) = running_old().await;
    let done = control.apply_for_good(new(), afar(), "", None).await;
    let done = done.unwrap();
    assert!(cut_twice(&done) && done.trial.is_none(), "{done:?}");
}

#[tokio::test]
async fn who_is_not_concerned_gets_it_for_good() {
    let (_world, control) = running_old().await;
    let done = control.apply(new(), near(), "", None).await.unwrap();
    assert_eq!((done.cuts.as_slice(), done.trial), (&[][..], None));
    // The way back is a change like any other.
    let first = control.revisions(10, None).await.unwrap();
    let first = first.last().expect("a revision").id;
    let from_there = ann().over(Some(visitor("10.2.0.7", "10.3.0.1")));
    let back = control.rollback(first, from_there, false).await.unwrap();
    assert!(cut_twice(&back) && back.trial.is_some(), "{back:?}");
}
