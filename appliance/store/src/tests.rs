use std::os::unix::fs::PermissionsExt as _;

use super::*;

const DAY: i64 = 24 * 3600 * 1000;

async fn store() -> (tempfile::TempDir, Store) {
    let dir = tempfile::tempdir().expect("a directory");
    let store = Store::open(&dir.path().join("lanai.db"))
        .await
        .expect("a database");
    (dir, store)
}

fn new(parent: Option<RevisionId>, text: &str) -> NewRevision {
    let file = |name: &str, secret, text: &str| StoredFile {
        name: name.to_owned(),
        secret,
        bytes: text.as_bytes().to_vec(),
    };
    NewRevision {
        parent,
        author: "ann".to_owned(),
        from: "cli uid 0".to_owned(),
        comment: format!("change to {text}"),
        within_s: None,
        files: vec![
            file("haproxy.cfg", false, text),
            file("ssl/www.pem", true, "the key"),
        ],
    }
}

async fn scalar(store: &Store, sql: &'static str) -> String {
    let row = sqlx::query(sql).fetch_one(&store.pool).await.expect(sql);
    sqlx::Row::try_get::<String, _>(&row, 0)
        .or_else(|_| sqlx::Row::try_get::<i64, _>(&row, 0).map(|number| number.to_string()))
        .expect(sql)
}

#[tokio::test]
async fn the_file_is_private_logged_ahead_and_fully_synchronous() {
    let (dir, store) = store().await;
    store.save_pending(&new(None, "a"), 1).await.unwrap();
    assert_eq!(scalar(&store, "PRAGMA journal_mode").await, "wal");
    assert_eq!(scalar(&store, "PRAGMA synchronous").await, "2", "2 is FULL");
    assert_eq!(scalar(&store, "PRAGMA foreign_keys").await, "1");
    assert_eq!(scalar(&store, "PRAGMA busy_timeout").await, "10000");
    for entry in std::fs::read_dir(dir.path()).unwrap() {
        let entry = entry.unwrap();
        let mode = entry.metadata().unwrap().permissions().mode() & 0o777;
        assert_eq!(mode, 0o600, "{:?}", entry.file_name());
    }
    store.verify().await.unwrap();
}

#[tokio::test]
async fn another_program_sees_the_settings_that_stay_in_the_file() {
    let (dir, store) = store().await;
    let id = store.save_pending(&new(None, "a"), 1).await.unwrap();
    store.mark_live(id).await.unwrap();
    let asked = std::process::Command::new("sqlite3")
        .arg(dir.path().join("lanai.db"))
        .arg("PRAGMA journal_mode; PRAGMA integrity_check; PRAGMA user_version; SELECT state FROM revisions;")
        .output();
    // Debian's `sqlite3` is no part of what scripts/test demands.
    let Ok(output) = asked else { return };
    assert_eq!(
        String::from_utf8_lossy(&output.stdout),
        "wal\nok\n2\nlive\n"
    );
}

#[tokio::test]
async fn a_later_schema_is_refused() {
    let (dir, store) = store().await;
    sqlx::raw_sql("PRAGMA user_version = 99")
        .execute(&store.pool)
        .await
        .unwrap();
    store.close().await;
    let again = Store::open(&dir.path().join("lanai.db")).await;
    assert!(
        matches!(
            again,
            Err(Error::TooNew {
                found: 99,
                known: 2
            })
        ),
        "{again:?}"
    );
}

#[tokio::test]
async fn a_revision_comes_back_as_it_was_saved_after_reopening() {
    let (dir, store) = store().await;
    let id = store.save_pending(&new(None, "a"), 17).await.unwrap();
    store.close().await;
    let store = Store::open(&dir.path().join("lanai.db")).await.unwrap();
    let revision = store.revision(id).await.unwrap().unwrap();
    assert_eq!(revision.state, RevisionState::Pending);
    assert_eq!(
        (revision.author.as_str(), revision.from.as_str()),
        ("ann", "cli uid 0")
    );
    assert_eq!(
        (revision.comment.as_str(), revision.created_ms),
        ("change to a", 17)
    );
    let summary: Vec<_> = revision
        .files
        .iter()
        .map(|f| (f.name.as_str(), f.size, f.secret))
        .collect();
    assert_eq!(
        summary,
        [("haproxy.cfg", 1, false), ("ssl/www.pem", 7, true)]
    );
    assert_eq!(
        store.files(id).await.unwrap().unwrap(),
        new(None, "a").files
    );
    assert_eq!(store.files(RevisionId(99)).await.unwrap(), None);
    assert_eq!(store.revision(RevisionId(99)).await.unwrap(), None);
}

#[tokio::test]
async fn one_revision_is_live_and_equal_contents_are_kept_once() {
    let (_dir, store) = store().await;
    assert!(store.live().await.unwrap().is_none());
    let one = store.save_pending(&new(None, "a"), 1).await.unwrap();
    store.mark_live(one).await.unwrap();
    let (live, installed) = store.live().await.unwrap().unwrap();
    assert_eq!((live.id, installed), (one, false));
    store.mark_installed(one).await.unwrap();
    assert!(store.live().await.unwrap().unwrap().1);

    let two = store.save_pending(&new(Some(one), "b"), 2).await.unwrap();
    store.mark_live(two).await.unwrap();
    let states: Vec<_> = store
        .revisions(10, None)
        .await
        .unwrap()
        .into_iter()
        .map(|r| (r.id, r.state))
        .collect();
    assert_eq!(
        states,
        [(two, RevisionState::Live), (one, RevisionState::Superseded)]
    );
    assert_eq!(
        scalar(&store, "SELECT count(*) FROM blobs").await,
        "3",
        "a, b and one key"
    );

    store.mark_failed(two, "no space", Some(one)).await.unwrap();
    let (live, installed) = store.live().await.unwrap().unwrap();
    assert_eq!((live.id, installed), (one, false));
    let failed = store.revision(two).await.unwrap().unwrap().state;
    assert_eq!(
        failed,
        RevisionState::Failed {
            why: "no space".to_owned()
        }
    );
}

#[tokio::test]
async fn a_failed_change_does_not_dethrone_the_live_one() {
    let (_dir, store) = store().await;
    let one = store.save_pending(&new(None, "a"), 1).await.unwrap();
    store.mark_live(one).await.unwrap();
    store.mark_installed(one).await.unwrap();
    let two = store.save_pending(&new(Some(one), "b"), 2).await.unwrap();
    store.mark_failed(two, "why", Some(one)).await.unwrap();
    let (live, installed) = store.live().await.unwrap().unwrap();
    assert_eq!(
        (live.id, installed),
        (one, true),
        "its files were never touched"
    );
    let three = store.save_pending(&new(Some(one), "c"), 3).await.unwrap();
    assert_eq!(store.fail_pending("crash").await.unwrap(), [three]);
    assert_eq!(store.fail_pending("crash").await.unwrap(), []);
}

#[tokio::test]
async fn a_trial_leaves_the_live_revision_until_it_is_confirmed_or_not() {
    let (_dir, store) = store().await;
    let one = store.save_pending(&new(None, "a"), 1).await.unwrap();
    store.mark_live(one).await.unwrap();
    let timed = |text| NewRevision {
        within_s: Some(300),
        ..new(Some(one), text)
    };
    let two = store.save_pending(&timed("b"), 2).await.unwrap();
    assert!(store.on_trial().await.unwrap().is_none(), "merely pending");
    store.mark_trial(two).await.unwrap();
    let trial = store.on_trial().await.unwrap().unwrap();
    assert_eq!(trial.id, two);
    assert_eq!(trial.state, RevisionState::Trial { within_s: 300 });
    assert_eq!(store.live().await.unwrap().unwrap().0.id, one);
    assert_eq!(store.fail_pending("crash").await.unwrap(), []);

    let three = store.save_pending(&timed("c"), 3).await.unwrap();
    assert!(store.mark_trial(three).await.is_err(), "one at a time");
    let four = store.save_pending(&new(Some(one), "d"), 4).await.unwrap();
    assert!(store.mark_trial(four).await.is_err(), "it has no time");
    store.fail_pending("why").await.unwrap();
    store.prune(1).await.unwrap();
    assert_eq!(store.on_trial().await.unwrap().unwrap().id, two, "kept");

    assert!(store.unconfirmed().await.unwrap().is_empty());
    store.mark_failed(two, "too late", Some(one)).await.unwrap();
    assert!(store.on_trial().await.unwrap().is_none());
    let unconfirmed = store.unconfirmed().await.unwrap();
    assert_eq!(
        unconfirmed.iter().map(|it| it.id).collect::<Vec<_>>(),
        [two]
    );
    assert_eq!(unconfirmed[0].files.len(), 2);

    let five = store.save_pending(&timed("e"), 5).await.unwrap();
    store.mark_trial(five).await.unwrap();
    store.mark_live(five).await.unwrap();
    assert_eq!(store.live().await.unwrap().unwrap().0.id, five);
    assert!(store.on_trial().await.unwrap().is_none());
    assert!(
        store.unconfirmed().await.unwrap().is_empty(),
        "older than the live one"
    );
}

#[tokio::test]
async fn a_file_of_the_first_schema_is_brought_up_to_date() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("lanai.db");
    let old = sqlx::sqlite::SqliteConnectOptions::new()
        .filename(&path)
        .create_if_missing(true);
    let old = SqlitePool::connect_with(old).await.unwrap();
    sqlx::raw_sql(schema::FIRST).execute(&old).await.unwrap();
    sqlx::raw_sql(
        "INSERT INTO blobs VALUES ('ca978112ca1bbdcafac231b39a23dc4da786eff8147c4e72b9807785afee48bb', x'61'); \
         INSERT INTO revisions (id, author, origin, comment, created_ms, state, installed) \
             VALUES (7, 'ann', 'cli', 'first', 1, 'live', 1), (8, 'bob', 'ui', '', 2, 'pending', 0); \
         INSERT INTO revision_files VALUES (7, 'haproxy.cfg', \
             'ca978112ca1bbdcafac231b39a23dc4da786eff8147c4e72b9807785afee48bb', 0); \
         DELETE FROM revisions WHERE id = 8; \
         PRAGMA user_version = 1",
    )
    .execute(&old)
    .await
    .unwrap();
    old.close().await;

    let store = Store::open(&path).await.unwrap();
    store.verify().await.unwrap();
    let (live, installed) = store.live().await.unwrap().unwrap();
    assert_eq!(
        (live.id.0, live.author.as_str(), installed),
        (7, "ann", true)
    );
    let files = store.files(live.id).await.unwrap().unwrap();
    assert_eq!((files.len(), files[0].bytes.as_slice()), (1, &b"a"[..]));
    let next = store
        .save_pending(&new(Some(live.id), "b"), 3)
        .await
        .unwrap();
    assert_eq!(next.0, 9, "a number that was given is not given again");
    assert_eq!(
        scalar(
            &store,
            "SELECT count(*) FROM sqlite_master WHERE name LIKE '%_now'"
        )
        .await,
        "0"
    );
}

#[tokio::test]
async fn pages_of_the_history_join_up() {
    let (_dir, store) = store().await;
    for text in ["a", "b", "c", "d", "e"] {
        store.save_pending(&new(None, text), 1).await.unwrap();
    }
    let ids = |page: &[Revision]| page.iter().map(|r| r.id.0).collect::<Vec<_>>();
    let first = store.revisions(2, None).await.unwrap();
    assert_eq!(ids(&first), [5, 4]);
    assert!(first.iter().all(|revision| revision.files.len() == 2));
    assert_eq!(
        ids(&store.revisions(2, Some(RevisionId(4))).await.unwrap()),
        [3, 2]
    );
    assert_eq!(
        ids(&store.revisions(2, Some(RevisionId(2))).await.unwrap()),
        [1]
    );
}

#[tokio::test]
async fn pruning_spares_the_live_revision_and_numbers_are_not_used_again() {
    let (_dir, store) = store().await;
    for text in ["a", "b", "c", "d"] {
        let id = store.save_pending(&new(None, text), 1).await.unwrap();
        if id.0 == 1 {
            store.mark_live(id).await.unwrap();
        }
    }
    store.fail_pending("why").await.unwrap();
    store.prune(2).await.unwrap();
    let kept: Vec<_> = store
        .revisions(10, None)
        .await
        .unwrap()
        .iter()
        .map(|r| r.id.0)
        .collect();
    assert_eq!(kept, [4, 3, 1]);
    assert_eq!(
        scalar(&store, "SELECT count(*) FROM blobs").await,
        "4",
        "a, c, d and the key"
    );
    assert_eq!(store.files(RevisionId(1)).await.unwrap().unwrap().len(), 2);
    store.prune(0).await.unwrap();
    let next = store.save_pending(&new(None, "e"), 1).await.unwrap();
    assert_eq!(next, RevisionId(5));
    store.verify().await.unwrap();
}

#[tokio::test]
async fn damaged_content_is_noticed() {
    let (_dir, store) = store().await;
    let id = store.save_pending(&new(None, "a"), 1).await.unwrap();
    sqlx::raw_sql("UPDATE blobs SET bytes = x'00'")
        .execute(&store.pool)
        .await
        .unwrap();
    let read = store.files(id).await;
    assert!(matches!(read, Err(Error::Damaged(_))), "{read:?}");
}

#[tokio::test]
async fn a_login_token_works_once_and_not_for_ever() {
    let (_dir, store) = store().await;
    store.add_user("ann", Role::Admin, 1).await.unwrap();
    assert!(!store.add_login_token("bob", "h0", 1, DAY).await.unwrap());
    assert!(store.add_login_token("ann", "h1", 1, DAY).await.unwrap());
    assert!(store.add_login_token("ann", "h2", 1, DAY).await.unwrap());
    assert_eq!(store.use_login_token("h0", 2).await.unwrap(), None);
    let user = store.use_login_token("h1", 2).await.unwrap().unwrap();
    assert_eq!(
        (user.name.as_str(), user.role, user.has_password),
        ("ann", Role::Admin, false)
    );
    assert_eq!(store.use_login_token("h1", 3).await.unwrap(), None, "used");
    assert_eq!(
        store.use_login_token("h2", DAY).await.unwrap(),
        None,
        "expired"
    );
}

#[tokio::test]
async fn a_new_password_ends_sessions_and_login_tokens() {
    let (_dir, store) = store().await;
    store.add_user("ann", Role::Admin, 1).await.unwrap();
    let twice = store.add_user("ann", Role::Viewer, 1).await;
    assert!(matches!(twice, Err(Error::Exists(_))), "{twice:?}");
    store.add_login_token("ann", "h1", 1, DAY).await.unwrap();
    store.add_session(&session("s1", DAY), 1).await.unwrap();
    assert!(store.set_password_hash("ann", "$argon2id$x").await.unwrap());
    assert!(!store.set_password_hash("bob", "$argon2id$x").await.unwrap());
    assert_eq!(
        store.password_hash("ann").await.unwrap().as_deref(),
        Some("$argon2id$x")
    );
    assert_eq!(store.password_hash("bob").await.unwrap(), None);
    assert_eq!(store.use_login_token("h1", 2).await.unwrap(), None);
    assert_eq!(store.use_session("s1", 2, 1000).await.unwrap(), None);
    assert!(store.users().await.unwrap()[0].has_password);
}

fn session(hash: &str, expires_ms: i64) -> NewSessionRow {
    NewSessionRow {
        hash: hash.to_owned(),
        user: "ann".to_owned(),
        csrf: "c".to_owned(),
        peer: "10.0.0.1".to_owned(),
        expires_ms,
    }
}

#[tokio::test]
async fn sessions_end_when_idle_when_old_and_when_told() {
    let (_dir, store) = store().await;
    store.add_user("ann", Role::Operator, 1).await.unwrap();
    for hash in ["s1", "s2", "s3"] {
        assert!(store.add_session(&session(hash, 10_000), 0).await.unwrap());
    }
    let found = store
        .use_session("s1", 2_900, 3_000)
        .await
        .unwrap()
        .unwrap();
    assert_eq!(
        (found.user.as_str(), found.role, found.csrf.as_str()),
        ("ann", Role::Operator, "c")
    );
    assert!(
        store
            .use_session("s1", 5_800, 3_000)
            .await
            .unwrap()
            .is_some(),
        "used meanwhile"
    );
    assert!(
        store
            .use_session("s2", 3_000, 3_000)
            .await
            .unwrap()
            .is_none(),
        "idle"
    );
    assert!(
        store
            .use_session("s1", 10_000, DAY)
            .await
            .unwrap()
            .is_none(),
        "old"
    );
    assert_eq!(store.sessions("ann", 5_900, 3_000).await.unwrap().len(), 1);
    assert_eq!(
        store.end_session("s1").await.unwrap().as_deref(),
        Some("ann")
    );
    assert_eq!(store.end_session("s1").await.unwrap(), None);
    assert_eq!(store.end_sessions("ann").await.unwrap(), 2);
    assert!(
        !store
            .add_session(
                &NewSessionRow {
                    user: "bob".to_owned(),
                    ..session("s4", 1)
                },
                0
            )
            .await
            .unwrap()
    );
}

#[tokio::test]
async fn a_user_has_a_bounded_number_of_sessions() {
    let (_dir, store) = store().await;
    store.add_user("ann", Role::Admin, 1).await.unwrap();
    for number in 0..30 {
        store
            .add_session(&session(&format!("s{number}"), DAY), number)
            .await
            .unwrap();
    }
    assert_eq!(store.sessions("ann", 40, DAY).await.unwrap().len(), 20);
    assert!(store.use_session("s9", 40, DAY).await.unwrap().is_none());
    assert!(store.use_session("s10", 40, DAY).await.unwrap().is_some());
    assert!(store.remove_user("ann").await.unwrap());
    assert!(!store.remove_user("ann").await.unwrap());
    assert!(store.use_session("s10", 40, DAY).await.unwrap().is_none());
    store.verify().await.unwrap();
}

#[tokio::test]
async fn an_audit_line_stays_one_line() {
    let (_dir, store) = store().await;
    store
        .audit(5, "ann\nroot", "ui 10.0.0.1", "login", "a\u{1b}[31mb")
        .await
        .unwrap();
    store
        .audit(6, "ann", "ui 10.0.0.1", "apply", &"x".repeat(10_000))
        .await
        .unwrap();
    let log = store.audit_log(10, None).await.unwrap();
    assert_eq!(
        (log[1].id, log[1].time_ms, log[1].actor.as_str()),
        (1, 5, "ann\\nroot")
    );
    assert_eq!(log[1].detail, "a\\u{1b}[31mb");
    assert!(log[0].detail.len() < 5000);
    assert_eq!(store.audit_log(1, Some(2)).await.unwrap(), log[1..]);
}

#[tokio::test]
async fn every_connection_is_as_durable_as_the_first() {
    let directory = tempfile::tempdir().unwrap();
    let store = Store::open(&directory.path().join("lanai.db"))
        .await
        .unwrap();
    let mut held = Vec::new();
    // All of the pool at once, so that none is asked twice.
    for _ in 0..store.pool.options().get_max_connections() {
        held.push(store.pool.acquire().await.unwrap());
    }
    for connection in &mut held {
        for (pragma, wanted) in [
            ("PRAGMA journal_mode", "wal"),
            ("PRAGMA synchronous", "2"),
            ("PRAGMA foreign_keys", "1"),
            ("PRAGMA secure_delete", "1"),
        ] {
            let row = sqlx::query(pragma)
                .fetch_one(&mut **connection)
                .await
                .unwrap();
            let value: String = sqlx::Row::try_get::<i64, _>(&row, 0)
                .map(|number| number.to_string())
                .or_else(|_| sqlx::Row::try_get(&row, 0))
                .unwrap();
            assert_eq!(value, wanted, "{pragma}");
        }
    }
}
