use std::os::unix::fs::PermissionsExt as _;

use super::world::{World, ann, new, old};
use crate::{ApplyError, RevisionState};

#[tokio::test]
async fn a_change_reaches_files_network_engine_and_history() {
    let world = World::new();
    let control = world.booted().await;
    let (one, two) = (old(), new());
    let first = control
        .apply(one.clone(), ann(), "first", None)
        .await
        .unwrap();
    world.assert_is(&control, &one).await;
    let second = control
        .apply(two.clone(), ann(), "second", Some(first.revision))
        .await
        .unwrap();
    world.assert_is(&control, &two).await;
    assert!(!world.path("errors/503.http").exists());
    assert!(!second.plan.add.is_empty() && !second.plan.remove.is_empty());
    assert_eq!(second.effects.servers_added, ["farm/web3"]);
    assert_eq!(second.effects.servers_changed, ["farm/web2"]);
    assert_eq!(
        (
            second.effects.servers_unchanged,
            second.effects.listeners_unchanged
        ),
        (1, 2)
    );

    let history = control.revisions(10, None).await.unwrap();
    assert_eq!(history[0].comment, "second");
    assert_eq!(
        (history[0].author.as_str(), history[0].from.as_str()),
        ("ann", "ui 10.0.0.1")
    );
    assert_eq!(
        (history[0].parent, &history[0].state),
        (Some(first.revision), &RevisionState::Live)
    );
    assert_eq!(history[1].state, RevisionState::Superseded);
    let log = control.audit_log(10, None).await.unwrap();
    assert_eq!(
        (log[0].action.as_str(), log[0].detail.as_str()),
        ("apply", "revision 2")
    );
}

#[tokio::test]
async fn keys_are_for_their_owner_and_other_files_keep_their_mode() {
    let world = World::new();
    let control = world.booted().await;
    control.apply(old(), ann(), "", None).await.unwrap();
    let mode = |name: &str| world.path(name).metadata().unwrap().permissions().mode() & 0o777;
    assert_eq!((mode("ssl/www.pem"), mode("haproxy.cfg")), (0o600, 0o640));
    let open = std::fs::Permissions::from_mode(0o664);
    std::fs::set_permissions(world.path("haproxy.cfg"), open.clone()).unwrap();
    std::fs::set_permissions(world.path("ssl/www.pem"), open).unwrap();
    control.apply(new(), ann(), "", None).await.unwrap();
    assert_eq!((mode("ssl/www.pem"), mode("haproxy.cfg")), (0o600, 0o664));
}

#[tokio::test]
async fn a_rollback_is_a_new_revision_with_the_old_files() {
    let world = World::new();
    let control = world.booted().await;
    let one = old();
    let first = control.apply(one.clone(), ann(), "", None).await.unwrap();
    control.apply(new(), ann(), "", None).await.unwrap();
    let back = control
        .rollback(first.revision, ann(), false)
        .await
        .unwrap();
    world.assert_is(&control, &one).await;
    let revision = control.revision(back.revision).await.unwrap();
    assert_eq!(
        (revision.id.0, revision.comment.as_str()),
        (3, "rollback to 1")
    );
    let missing = control.rollback(crate::RevisionId(99), ann(), false).await;
    assert!(
        matches!(
            missing,
            Err(ApplyError::Internal(crate::Error::NoSuchRevision(_)))
        ),
        "{missing:?}"
    );
}

#[tokio::test]
async fn a_refused_change_touches_nothing_and_asks_nobody() {
    let world = World::new();
    let control = world.booted().await;
    control.apply(old(), ann(), "", None).await.unwrap();
    let before = world.snapshot(&control).await;
    world.box_.faults.clear();
    let mut bad = new();
    bad.insert("haproxy.cfg", "frontend www\n    bnd 192.0.2.1:80\n");
    let refused = control.apply(bad, ann(), "", None).await;
    assert!(
        matches!(&refused, Err(ApplyError::Refused(report)) if report.is_refused()),
        "{refused:?}"
    );
    assert_eq!(world.snapshot(&control).await, before);
    assert_eq!(world.box_.faults.seen(), Vec::<String>::new());
    assert_eq!(control.revisions(10, None).await.unwrap().len(), 1);
    let log = control.audit_log(1, None).await.unwrap();
    assert_eq!(log[0].action, "apply refused");
    assert!(log[0].detail.contains("haproxy.cfg:2"), "{}", log[0].detail);
}

#[tokio::test]
async fn a_change_of_a_revision_that_is_no_longer_live_is_a_conflict() {
    let world = World::new();
    let control = world.booted().await;
    let first = control
        .apply(old(), ann(), "", None)
        .await
        .unwrap()
        .revision;
    let second = control
        .apply(new(), ann(), "", Some(first))
        .await
        .unwrap()
        .revision;
    let before = world.snapshot(&control).await;
    let late = control.apply(old(), ann(), "", Some(first)).await;
    assert!(
        matches!(late, Err(ApplyError::Conflict { live }) if live == Some(second)),
        "{late:?}"
    );
    assert_eq!(world.snapshot(&control).await, before);
}

#[tokio::test]
async fn of_two_changes_at_once_one_is_told_who_is_first() {
    let world = World::new();
    let control = world.booted().await;
    let bob = crate::Author::new("bob", "cli uid 0");
    let turn = control.inner.turn(&bob).await.unwrap();
    assert_eq!(
        control.busy().map(|holder| holder.name).as_deref(),
        Some("bob")
    );
    let second = control.apply(old(), ann(), "", None).await;
    let Err(ApplyError::Busy(holder)) = second else {
        panic!("{second:?}")
    };
    assert_eq!(
        (holder.name.as_str(), holder.from.as_str()),
        ("bob", "cli uid 0")
    );
    drop(turn);
    assert_eq!(control.busy(), None);
    control.apply(old(), ann(), "", None).await.unwrap();
}

#[tokio::test]
async fn a_change_goes_on_when_nobody_waits_for_it() {
    let world = World::new();
    let control = world.booted().await;
    let files = old();
    {
        let change = control.apply(files.clone(), ann(), "", None);
        tokio::pin!(change);
        // Once polled it is on its way; then whoever asked goes away.
        tokio::select! { biased; _ = &mut change => {}, () = std::future::ready(()) => {} }
    }
    while control.busy().is_some() || control.live_revision().await.unwrap().is_none() {
        tokio::task::yield_now().await;
    }
    world.assert_is(&control, &files).await;
}

#[tokio::test]
async fn text_edited_on_disk_is_kept_in_the_history_before_it_is_replaced() {
    let world = World::new();
    let control = world.booted().await;
    control.apply(old(), ann(), "", None).await.unwrap();
    let mut edited = old().text("haproxy.cfg").into_owned();
    edited.push_str("# mine\n");
    std::fs::write(world.path("haproxy.cfg"), &edited).unwrap();
    std::fs::write(world.path("maps/unknown.map"), "x y\n").unwrap();
    assert_eq!(control.status().await.unwrap().notices.len(), 1);
    control.apply(new(), ann(), "", None).await.unwrap();
    let kept = control.revision(crate::RevisionId(2)).await.unwrap();
    assert_eq!(kept.comment, "edited by hand");
    assert!(matches!(kept.state, RevisionState::Failed { .. }));
    assert_eq!(
        control
            .revision_files(kept.id)
            .await
            .unwrap()
            .text("haproxy.cfg"),
        edited
    );
    assert!(
        world.path("maps/unknown.map").exists(),
        "nobody asked to remove it"
    );
}

#[tokio::test]
async fn an_interface_that_does_not_exist_is_refused_with_its_line() {
    let world = World::new();
    let control = world.booted().await;
    control.apply(old(), ann(), "", None).await.unwrap();
    let before = world.snapshot(&control).await;
    let mut files = new();
    let text = files.text("services.cfg").replace("eth2", "eth9");
    files.insert("services.cfg", text);
    let refused = control.apply(files, ann(), "", None).await;
    let Err(ApplyError::Plan(plan)) = refused else {
        panic!("{refused:?}")
    };
    assert_eq!(plan.problems[0].origin().line, 4);
    assert_eq!(world.snapshot(&control).await, before);
}
