use super::faults::Fault;
use super::world::{World, ann, new, old};
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
    world
        .booted()
        .await
        .apply(old(), ann(), "", None)
        .await
        .unwrap();
    for step in 0..3 {
        world.box_.faults.arm(step, Fault::Fail);
    }
    let report = world.open().await.boot().await.unwrap();
    assert_eq!(report.problems.len(), 3, "{:?}", report.problems);
    world.booted().await;
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
