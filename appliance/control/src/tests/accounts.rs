use super::world::{World, ann};
use crate::{LOGIN_LINK_MS, LoginError, Role, SESSION_IDLE_MS, SESSION_MAX_MS, UserError};

const PEER: &str = "10.0.0.1";
const GOOD: &str = "correct horse battery";

#[tokio::test]
async fn the_first_way_in_is_a_link_that_works_once() {
    let world = World::new();
    let control = world.open().await;
    assert!(!control.has_users().await.unwrap());
    let link = control.login_link("admin", &ann()).await.unwrap();
    assert!(control.has_users().await.unwrap());
    assert!(link.token.len() >= 43, "256 bits");
    let no_password = control.login("admin", "", PEER).await;
    assert!(matches!(no_password, Err(LoginError::Wrong)));
    let begun = control.login_with_token(&link.token, PEER).await.unwrap();
    assert_eq!(
        (begun.session.user.as_str(), begun.session.role),
        ("admin", Role::Admin)
    );
    assert!(!begun.session.has_password);
    assert!(
        control
            .login_with_token(&link.token, "10.0.0.2")
            .await
            .is_err(),
        "used"
    );
    assert!(control.session(&begun.token).await.unwrap().is_some());
    control.set_password("admin", GOOD, &ann()).await.unwrap();
    assert!(
        control.session(&begun.token).await.unwrap().is_none(),
        "a new password ends sessions"
    );
    let again = control.login("admin", GOOD, PEER).await.unwrap();
    assert!(again.session.has_password);
    assert_ne!(again.token, begun.token);

    let late = control.login_link("admin", &ann()).await.unwrap();
    world.later(LOGIN_LINK_MS);
    assert!(
        control.login_with_token(&late.token, PEER).await.is_err(),
        "expired"
    );
}

#[tokio::test]
async fn nothing_secret_is_in_the_database() {
    let world = World::new();
    let control = world.open().await;
    let link = control.login_link("admin", &ann()).await.unwrap();
    let used = control.login_link("admin", &ann()).await.unwrap();
    let session = control.login_with_token(&used.token, PEER).await.unwrap();
    control.add_user("bob", Role::Viewer, &ann()).await.unwrap();
    control.set_password("bob", GOOD, &ann()).await.unwrap();
    for entry in std::fs::read_dir(world.directory.path().join("var")).unwrap() {
        let bytes = std::fs::read(entry.unwrap().path()).unwrap();
        for secret in [&link.token, &used.token, &session.token, GOOD] {
            assert!(
                !bytes
                    .windows(secret.len())
                    .any(|window| window == secret.as_bytes())
            );
        }
    }
}

#[tokio::test]
async fn sessions_end() {
    let world = World::new();
    let control = world.open().await;
    control
        .add_user("admin", Role::Admin, &ann())
        .await
        .unwrap();
    control.set_password("admin", GOOD, &ann()).await.unwrap();
    let idle = control.login("admin", GOOD, PEER).await.unwrap();
    world.later(SESSION_IDLE_MS);
    assert!(control.session(&idle.token).await.unwrap().is_none());
    let old = control.login("admin", GOOD, PEER).await.unwrap();
    for _ in 0..SESSION_MAX_MS / (SESSION_IDLE_MS / 2) - 1 {
        world.later(SESSION_IDLE_MS / 2);
        assert!(control.session(&old.token).await.unwrap().is_some());
    }
    world.later(SESSION_IDLE_MS / 2);
    assert!(
        control.session(&old.token).await.unwrap().is_none(),
        "however much it is used"
    );
    let out = control.login("admin", GOOD, PEER).await.unwrap();
    control.logout(&out.token).await.unwrap();
    assert!(control.session(&out.token).await.unwrap().is_none());
    let one = control.login("admin", GOOD, PEER).await.unwrap();
    control.login("admin", GOOD, PEER).await.unwrap();
    assert_eq!(control.sessions("admin").await.unwrap().len(), 2);
    assert_eq!(control.revoke_sessions("admin", &ann()).await.unwrap(), 2);
    assert!(control.session(&one.token).await.unwrap().is_none());
    assert!(control.session("nonsense").await.unwrap().is_none());
}

#[tokio::test]
async fn guessing_is_slowed_down_and_written_down() {
    let world = World::new();
    let control = world.open().await;
    control
        .add_user("admin", Role::Admin, &ann())
        .await
        .unwrap();
    control.set_password("admin", GOOD, &ann()).await.unwrap();
    for _ in 0..3 {
        let wrong = control.login("admin", "wrong password", PEER).await;
        assert!(matches!(wrong, Err(LoginError::Wrong)));
    }
    let soon = control.login("admin", GOOD, "10.0.0.2").await;
    assert!(
        matches!(soon, Err(LoginError::TooSoon { retry_after_s: 1 })),
        "even the right one must wait"
    );
    world.later(1_000);
    control.login("admin", GOOD, "10.0.0.2").await.unwrap();
    let actions: Vec<_> = control
        .audit_log(4, None)
        .await
        .unwrap()
        .into_iter()
        .map(|it| (it.action, it.from))
        .collect();
    let line = |action: &str, from: &str| (action.to_owned(), from.to_owned());
    assert_eq!(actions[0], line("login", "ui 10.0.0.2"));
    assert_eq!(actions[1], line("login failed", "ui 10.0.0.1"));
}

#[tokio::test]
async fn a_name_that_does_not_exist_takes_as_long_as_one_that_does() {
    let world = World::new();
    let control = world.open().await;
    control
        .add_user("admin", Role::Admin, &ann())
        .await
        .unwrap();
    control.set_password("admin", GOOD, &ann()).await.unwrap();
    control
        .add_user("fresh", Role::Admin, &ann())
        .await
        .unwrap();
    let mut times = Vec::new();
    // The first time makes the hash of nobody.
    for (name, peer) in [
        ("nobody", "a"),
        ("admin", "b"),
        ("nobody", "c"),
        ("fresh", "d"),
    ] {
        let start = std::time::Instant::now();
        assert!(matches!(
            control.login(name, "wrong password", peer).await,
            Err(LoginError::Wrong)
        ));
        times.push(start.elapsed());
    }
    let hashing = times[1];
    assert!(
        times[2] > hashing / 3 && times[3] > hashing / 3,
        "{times:?}"
    );
}

#[tokio::test]
async fn the_last_administrator_stays() {
    let world = World::new();
    let control = world.open().await;
    control
        .add_user("admin", Role::Admin, &ann())
        .await
        .unwrap();
    control.add_user("bob", Role::Viewer, &ann()).await.unwrap();
    assert!(matches!(
        control.remove_user("admin", &ann()).await,
        Err(UserError::LastAdmin)
    ));
    assert!(matches!(
        control.set_role("admin", Role::Viewer, &ann()).await,
        Err(UserError::LastAdmin)
    ));
    assert!(matches!(
        control.add_user("bob", Role::Viewer, &ann()).await,
        Err(UserError::Exists)
    ));
    control.set_role("bob", Role::Admin, &ann()).await.unwrap();
    control.remove_user("admin", &ann()).await.unwrap();
    assert!(control.remove_user("admin", &ann()).await.is_err());
    for bad in ["", "a b", "-x", "ä", "a/b", &"x".repeat(33), "a\n"] {
        assert!(
            matches!(
                control.add_user(bad, Role::Admin, &ann()).await,
                Err(UserError::BadName)
            ),
            "{bad:?}"
        );
    }
    let users: Vec<_> = control
        .users()
        .await
        .unwrap()
        .into_iter()
        .map(|user| user.name)
        .collect();
    assert_eq!(users, ["bob"]);
}

#[tokio::test]
async fn a_one_time_password_is_for_the_console_until_there_is_a_chosen_one() {
    let world = World::new();
    let control = world.open().await;
    let shown = control.one_time_password().await.unwrap().unwrap();
    let again = control.one_time_password().await.unwrap().unwrap();
    assert_eq!(
        shown.password, again.password,
        "both consoles show the same"
    );
    assert!(control.login("admin", "0000", "10.0.1.1").await.is_err());
    assert!(
        control
            .login("ann", &shown.password, "10.0.1.2")
            .await
            .is_err()
    );

    let typed = shown.password.to_uppercase().replace('-', "");
    let begun = control.login("admin", &typed, PEER).await.unwrap();
    assert!(begun.once && begun.session.role == Role::Admin);
    let used = control.login("admin", &shown.password, "10.0.1.3").await;
    assert!(matches!(used, Err(LoginError::Wrong)), "it works once");
    // Nobody has chosen a password yet: the next one is another.
    let next = control.one_time_password().await.unwrap().unwrap();
    assert_ne!(next.password, shown.password);
    let choosing = control.session(&begun.token).await.unwrap();
    assert!(choosing.is_some(), "who is choosing one is not shut out");
    control.set_password("admin", GOOD, &ann()).await.unwrap();
    assert!(control.one_time_password().await.unwrap().is_none());
    assert!(
        control
            .login("admin", &next.password, "10.0.1.4")
            .await
            .is_err()
    );
    assert!(!control.login("admin", GOOD, PEER).await.unwrap().once);

    // Forgotten: the console makes another, and the chosen one goes on working until it is replaced.
    let reset = control.reset_password(&ann()).await.unwrap();
    let shown = control.one_time_password().await.unwrap().unwrap();
    assert_eq!(shown.password, reset.password);
    assert!(control.login("admin", GOOD, "10.0.0.3").await.is_ok());
    let begun = control.login("admin", &reset.password, "10.0.0.3").await;
    assert!(begun.unwrap().once);
}

#[tokio::test]
async fn guessing_the_one_time_password_has_to_wait_like_any_other() {
    let world = World::new();
    let control = world.open().await;
    let shown = control.one_time_password().await.unwrap().unwrap();
    for _ in 0..8 {
        assert!(control.login("admin", "guess", PEER).await.is_err());
    }
    let right = control.login("admin", &shown.password, PEER).await;
    assert!(matches!(right, Err(LoginError::TooSoon { .. })));
    world.later(3_600_000);
    assert!(control.login("admin", &shown.password, PEER).await.is_ok());
}
