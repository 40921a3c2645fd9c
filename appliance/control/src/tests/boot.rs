use lanai_store::NewRevision;

use super::faults::Fault;
use super::world::{World, ann, new, old, pem};
use crate::boot::INTERRUPTED;
use crate::change::{FROM_DISK, stored};
use crate::{BootSource, FileSet, RevisionId};

fn write(world: &World, files: &FileSet) {
    for (name, bytes) in files.iter() {
        std::fs::create_dir_all(world.path(name).parent().unwrap()).unwrap();
        std::fs::write(world.path(name), bytes).unwrap();
    }
}

#[tokio::test]
async fn an_empty_box_boots_empty() {
    let world = World::new();
    let control = world.open().await;
    let report = control.boot().await.unwrap();
    assert_eq!(
        (report.source, report.revision, report.problems.len()),
        (BootSource::Empty, None, 0)
    );
    assert!(control.live_files().await.unwrap().is_empty());
    assert!(control.status().await.unwrap().notices.is_empty());
}

#[tokio::test]
async fn the_first_files_become_the_first_revision() {
    let world = World::new();
    let files = old();
    write(&world, &files);
    let control = world.open().await;
    let report = control.boot().await.unwrap();
    assert_eq!(
        (report.source, report.revision),
        (BootSource::EditedFiles, Some(RevisionId(1)))
    );
    assert_eq!(report.problems, Vec::<String>::new());
    world.assert_is(&control, &files).await;
    let again = world.open().await.boot().await.unwrap();
    assert_eq!(
        (again.source, again.revision),
        (BootSource::Files, Some(RevisionId(1)))
    );
}

#[tokio::test]
async fn files_edited_by_hand_become_a_revision() {
    let world = World::new();
    world
        .booted()
        .await
        .apply(old(), ann(), "", None)
        .await
        .unwrap();
    let mut edited = old();
    for (name, bytes) in world.booted().await.live_files().await.unwrap().iter() {
        edited.insert(name, bytes);
    }
    edited.insert(
        "haproxy.cfg",
        format!("{}# mine\n", edited.text("haproxy.cfg")),
    );
    write(&world, &edited);
    let control = world.open().await;
    let report = control.boot().await.unwrap();
    assert_eq!(
        (report.source, report.revision),
        (BootSource::EditedFiles, Some(RevisionId(2)))
    );
    world.assert_is(&control, &edited).await;
    assert_eq!(
        control.revision(RevisionId(2)).await.unwrap().comment,
        "edited by hand"
    );
}

#[tokio::test]
async fn files_that_are_not_valid_stay_and_the_last_live_revision_runs() {
    let world = World::new();
    let files = old();
    world
        .booted()
        .await
        .apply(files.clone(), ann(), "", None)
        .await
        .unwrap();
    std::fs::write(world.path("haproxy.cfg"), "frontnd x\n").unwrap();
    let control = world.open().await;
    let report = control.boot().await.unwrap();
    assert_eq!(
        (report.source, report.revision),
        (BootSource::LastLive, Some(RevisionId(1)))
    );
    assert!(report.report.is_refused());
    assert!(!report.problems.is_empty());
    assert_eq!(*world.box_.running.lock().unwrap(), files);
    assert_eq!(
        control.live_files().await.unwrap().text("haproxy.cfg"),
        "frontnd x\n"
    );
    assert!(control.status().await.unwrap().notices.len() > 1);
    control.apply(files.clone(), ann(), "", None).await.unwrap();
    world.assert_is(&control, &files).await;
    assert!(control.status().await.unwrap().notices.is_empty());
}

#[tokio::test]
async fn edited_files_that_the_engine_cannot_run_give_way_to_the_last_live_revision() {
    let world = World::new();
    let files = old();
    world
        .booted()
        .await
        .apply(files.clone(), ann(), "", None)
        .await
        .unwrap();
    let mut edited = new();
    edited.insert("ssl/www.pem", files.get("ssl/www.pem").unwrap());
    write(&world, &edited);
    world.restart();
    world.box_.faults.clear();
    world.booted().await;
    let prepare = world
        .box_
        .faults
        .seen()
        .iter()
        .position(|step| step == "prepare")
        .unwrap();

    let world = World::new();
    world
        .booted()
        .await
        .apply(files.clone(), ann(), "", None)
        .await
        .unwrap();
    write(&world, &edited);
    world.restart();
    world.box_.faults.arm(prepare, Fault::Fail);
    let control = world.open().await;
    let report = control.boot().await.unwrap();
    assert_eq!(
        (report.source, report.revision),
        (BootSource::LastLive, Some(RevisionId(1)))
    );
    assert!(
        report
            .problems
            .iter()
            .any(|it| it.contains("injected at prepare")),
        "{:?}",
        report.problems
    );
    assert_eq!(*world.box_.running.lock().unwrap(), files);
}

#[tokio::test]
async fn a_box_that_lost_an_interface_boots_with_the_rest() {
    let world = World::new();
    let files = old();
    world
        .booted()
        .await
        .apply(files.clone(), ann(), "", None)
        .await
        .unwrap();
    {
        let mut kernel = world.box_.kernel.lock().unwrap();
        kernel.links.retain(|link| &*link.name != "eth1");
        for link in &mut kernel.links {
            link.up = &*link.name == "lo";
        }
        kernel.addresses.clear();
        kernel.routes.clear();
    }
    let control = world.open().await;
    let report = control.boot().await.unwrap();
    assert_eq!(report.source, BootSource::Files);
    assert!(
        report.problems.iter().any(|it| it.contains("eth1")),
        "{:?}",
        report.problems
    );
    let kernel = world.box_.kernel.lock().unwrap().clone();
    assert!(
        kernel
            .addresses_of("eth0")
            .any(|it| it.address.net.to_string() == "192.0.2.1/24")
    );
    assert_eq!(*world.box_.running.lock().unwrap(), files);
}

#[tokio::test]
async fn a_boot_without_host_and_engine_still_ends() {
    let world = World::new();
    let files = old();
    world
        .booted()
        .await
        .apply(files.clone(), ann(), "", None)
        .await
        .unwrap();
    world.restart();
    for step in 0..3 {
        world.box_.faults.arm(step, Fault::Fail);
    }
    let control = world.open().await;
    let report = control.boot().await.unwrap();
    assert_eq!(report.problems.len(), 3, "{:?}", report.problems);
    assert!(control.status().await.unwrap().notices.len() >= 3);
    assert!(world.box_.running.lock().unwrap().is_empty());
    // They come back, without another boot.
    assert!(control.engine_is_behind());
    assert_eq!(control.run_again().await, Vec::<String>::new());
    world.assert_is(&control, &files).await;
    assert!(!control.engine_is_behind());
    let notices = control.status().await.unwrap().notices;
    let of_the_trial = |notice: &String| notice.contains("is on trial cannot be told");
    assert!(notices.iter().all(of_the_trial), "{notices:?}");
}

#[tokio::test]
async fn an_emptied_directory_is_filled_from_the_history() {
    let world = World::new();
    let files = old();
    world
        .booted()
        .await
        .apply(files.clone(), ann(), "", None)
        .await
        .unwrap();
    std::fs::remove_dir_all(world.path("")).unwrap();
    let control = world.booted().await;
    world.assert_is(&control, &files).await;
}

#[tokio::test]
async fn leftovers_of_a_crash_are_removed() {
    let world = World::new();
    world.booted().await;
    std::fs::write(world.path("ssl/.lanai-www.pem"), "half a key").unwrap();
    std::fs::write(world.path("ssl/.mine"), "").unwrap();
    world.booted().await;
    assert!(!world.path("ssl/.lanai-www.pem").exists());
    assert!(world.path("ssl/.mine").exists());
}

#[tokio::test]
async fn a_change_that_is_asked_for_before_the_boot_comes_after_it() {
    let world = World::new();
    let (one, two) = (old(), new());
    world
        .booted()
        .await
        .apply(one.clone(), ann(), "", None)
        .await
        .unwrap();
    let control = world.open().await;
    let (early, files) = (control.clone(), two.clone());
    let change = tokio::spawn(async move { early.apply(files, ann(), "", None).await });
    tokio::task::yield_now().await;
    assert!(!change.is_finished());
    control.boot().await.unwrap();
    let applied = change.await.unwrap().unwrap();
    assert_eq!(applied.revision, RevisionId(2));
    world.assert_is(&control, &two).await;
}

/// Live `old`, and what somebody is editing on disk without having applied it.
async fn edited(name: &str, text: &str) -> (World, FileSet, FileSet) {
    let world = World::new();
    let files = old();
    let control = world.booted().await;
    control.apply(files.clone(), ann(), "", None).await.unwrap();
    std::fs::write(world.path(name), text).unwrap();
    let disk = control.live_files().await.unwrap();
    assert_ne!(disk, files);
    (world, files, disk)
}

#[tokio::test]
async fn a_new_process_on_a_box_at_work_applies_nothing_that_was_edited() {
    let ui = old().text("haproxy.cfg").into_owned() + "# mine\n";
    for (name, text) in [
        ("haproxy.cfg", ui.as_str()),
        ("haproxy.cfg", "frontnd x\n"),
        ("maps/hosts.map", "a c\n"),
        ("maps/more.map", "a c\n"),
        ("ssl/www.pem", &pem()),
    ] {
        let (world, files, disk) = edited(name, text).await;
        for _ in 0..2 {
            let control = world.open().await;
            let report = world.begin(&control).await;
            assert_eq!(
                (report.source, report.revision, report.problems.len()),
                (BootSource::Kept, Some(RevisionId(1)), 0),
                "{name}: {:?}",
                report.problems
            );
            assert_eq!(*world.box_.running.lock().unwrap(), files, "{name}");
            assert_eq!(control.inner.running().files, files, "{name}");
            assert_eq!(control.live_files().await.unwrap(), disk, "{name}");
            assert_eq!(control.revisions(9, None).await.unwrap().len(), 1, "{name}");
            let notices = control.status().await.unwrap().notices;
            assert_eq!(notices.len(), 1, "{name}: {notices:?}");
            assert!(notices[0].contains("the files on disk are not what is running"));
        }
    }
    // The box starts: now they count.
    let (world, _, disk) = edited("haproxy.cfg", &ui).await;
    world.restart();
    let control = world.booted().await;
    world.assert_is(&control, &disk).await;
}

#[tokio::test]
async fn a_change_that_was_cut_short_gives_way_to_the_live_revision_and_not_to_an_edit() {
    let (world, files, disk) = edited("maps/hosts.map", "a c\n").await;
    // As after a death between the swap and the history.
    *world.box_.running.lock().unwrap() = new();
    let control = world.open().await;
    let report = world.begin(&control).await;
    assert_eq!(report.source, BootSource::Kept, "{:?}", report.problems);
    assert_eq!(*world.box_.running.lock().unwrap(), files);
    assert_eq!(control.live_files().await.unwrap(), disk);
}

#[tokio::test]
async fn a_box_that_never_had_a_configuration_takes_none_unasked() {
    let world = World::new();
    let control = world.booted().await;
    write(&world, &old());
    drop(control);
    let control = world.open().await;
    let report = control.resume(&FileSet::new().digest()).await.unwrap();
    assert_eq!((report.source, report.revision), (BootSource::Empty, None));
    assert!(world.box_.running.lock().unwrap().is_empty());
    assert_eq!(control.status().await.unwrap().notices.len(), 1);
}

#[tokio::test]
async fn a_boot_that_died_while_it_took_edited_files_is_taken_up_again() {
    for first in [true, false] {
        let world = World::new();
        let control = world.booted().await;
        if !first {
            control.apply(old(), ann(), "", None).await.unwrap();
        }
        drop(control);
        world.restart();
        std::fs::remove_dir_all(world.path("")).unwrap();
        let edited = new();
        write(&world, &edited);
        let control = world.open().await;
        // The last step before the history says that they are live.
        let store = &control.inner.store;
        store.save_pending(&revision(&edited), 0).await.unwrap();
        drop(control);
        *world.box_.running.lock().unwrap() = edited.clone();
        // The next one dies before it has done anything.
        let control = world.open().await;
        control.inner.store.fail_pending(INTERRUPTED).await.unwrap();
        drop(control);
        let control = world.booted().await;
        world.assert_is(&control, &edited).await;
    }
}

#[tokio::test]
async fn a_revision_that_this_version_cannot_read_goes_on() {
    let world = World::new();
    let control = world.booted().await;
    let mut files = old();
    control.apply(files.clone(), ann(), "", None).await.unwrap();
    // As after an upgrade to a version that refuses a word of it.
    files.insert("haproxy.cfg", "frontnd x\n");
    let store = &control.inner.store;
    let id = store.save_pending(&revision(&files), 0).await.unwrap();
    store.mark_live(id).await.unwrap();
    store.mark_installed(id).await.unwrap();
    drop(control);
    write(&world, &files);
    *world.box_.running.lock().unwrap() = files.clone();
    let control = world.open().await;
    let before = world.snapshot(&control).await;
    let report = world.begin(&control).await;
    assert_eq!(
        (report.source, report.revision),
        (BootSource::Files, Some(id))
    );
    assert!(report.problems[0].contains("not valid for this version"));
    assert_eq!(control.running_digest(), files.digest());
    // Nothing is known of what should be, so nothing is amiss in the network.
    assert!(control.status().await.unwrap().drift.is_empty());
    let keeping = control.keep_network();
    let _ = tokio::time::timeout(std::time::Duration::from_millis(50), keeping).await;
    assert_eq!(world.snapshot(&control).await, before);
    // Whoever mends it gets a box like any other.
    let mended = new();
    control
        .apply(mended.clone(), ann(), "", None)
        .await
        .unwrap();
    world.assert_is(&control, &mended).await;
}

/// One that a boot makes of these files.
fn revision(files: &FileSet) -> NewRevision {
    NewRevision {
        parent: None,
        author: "unknown".to_owned(),
        from: FROM_DISK.to_owned(),
        comment: String::new(),
        within_s: None,
        files: stored(files),
    }
}

/// Only this file is on disk already of what is live, beside an edit that the history has.
#[tokio::test]
async fn an_installation_that_was_cut_short_is_finished_over_an_edit_that_was_kept() {
    let (world, _, disk) = edited("haproxy.cfg", "# mine\n").await;
    let control = world.open().await;
    world.begin(&control).await;
    let two = new();
    let seen = {
        world.box_.faults.clear();
        control.apply(two.clone(), ann(), "", None).await.unwrap();
        world.box_.faults.seen()
    };
    let renames = seen.iter().filter(|step| *step == "rename").count();
    assert!(renames > 2, "{seen:?}");
    let kept = control.revision(RevisionId(2)).await.unwrap();
    assert_eq!(kept.comment, "edited by hand");
    drop(control);
    for cold in [false, true] {
        for name in two.names().chain(["errors/503.http"]) {
            // As after a death before this file was in place.
            write(&world, &two);
            match disk.get(name) {
                Some(bytes) => std::fs::write(world.path(name), bytes).unwrap(),
                None => std::fs::remove_file(world.path(name)).unwrap(),
            }
            let control = world.open().await;
            let store = &control.inner.store;
            store.mark_live(RevisionId(3)).await.unwrap();
            drop(control);
            if cold {
                world.restart();
            }
            let control = world.booted().await;
            world.assert_is(&control, &two).await;
            assert_eq!(control.revisions(9, None).await.unwrap().len(), 3, "{name}");
        }
    }
}

#[tokio::test]
async fn what_is_edited_after_a_death_is_an_edit_of_the_whole_new_revision() {
    let world = World::new();
    let (one, two) = (old(), new());
    let control = world.booted().await;
    control.apply(one.clone(), ann(), "", None).await.unwrap();
    control.apply(two.clone(), ann(), "", None).await.unwrap();
    // Not in place yet: the one that was to go, and one that was to come.
    write(&world, &one);
    let mut edited = two.clone();
    edited.insert(
        "haproxy.cfg",
        two.text("haproxy.cfg").into_owned() + "# mine\n",
    );
    std::fs::write(
        world.path("haproxy.cfg"),
        edited.get("haproxy.cfg").unwrap(),
    )
    .unwrap();
    let store = &control.inner.store;
    store.mark_live(RevisionId(2)).await.unwrap();
    drop(control);
    world.restart();
    let control = world.booted().await;
    world.assert_is(&control, &edited).await;
}
