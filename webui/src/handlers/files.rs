//! The Files tab: certificates, maps and error pages.

use askama::Template;
use axum::Form;
use axum::extract::multipart::MultipartError;
use axum::extract::{Multipart, Query, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Redirect, Response};
use lanai_control::{ApplyError, FILE_LIMIT, FileSet, RevisionId, check_name};
use serde::Deserialize;

use crate::app::App;
use crate::error::Nope;
use crate::extractors::SignedIn;
use crate::page::{Frame, Notice, show};
use crate::views::change::{ChangePlan, change_plan};
use crate::views::files::{Folder, folders, size};
use crate::views::findings::{Findings, findings, refusals};
use crate::views::numbers::bytes;

use super::editor::outcome::{sentence, told};
use super::trial::{Choice, Chosen};
use super::{Answer, now_ms};

#[derive(Template)]
#[template(path = "files.html")]
struct FilesPage {
    frame: Frame,
    notice: Option<Notice>,
    findings: Findings,
    folders: Vec<Folder>,
    base: String,
    limit: String,
    may_change: bool,
    choice: Choice,
}

#[derive(Template)]
#[template(path = "file_view.html")]
struct ViewPage<'a> {
    frame: Frame,
    name: &'a str,
    size: String,
    text: &'a str,
}

#[derive(Template)]
#[template(path = "file_delete.html")]
struct DeletePage<'a> {
    frame: Frame,
    name: &'a str,
    findings: Findings,
    plan: Option<ChangePlan>,
    base: String,
    choice: Choice,
}

#[derive(Deserialize)]
pub(crate) struct Asked {
    applied: Option<i64>,
}

#[derive(Deserialize)]
pub(crate) struct Named {
    name: String,
}

/// `GET /files`
pub(crate) async fn show_files(
    State(app): State<App>,
    who: SignedIn,
    Query(asked): Query<Asked>,
) -> Answer {
    let live = live_id(&app).await?;
    let notice = asked
        .applied
        .filter(|id| live == Some(RevisionId(*id)))
        .map(|id| {
            Notice::good(
                format!("Revision {id} is live"),
                "The files are as you asked.",
            )
            .link(format!("/history/{id}"), "See what changed")
        });
    page(&app, &who, StatusCode::OK, notice, Findings::default()).await
}

/// `GET /files/view?name=`: a file that holds no secret.
pub(crate) async fn view(
    State(app): State<App>,
    who: SignedIn,
    Query(asked): Query<Named>,
) -> Answer {
    let files = app.control.edited_files().await?;
    let Some(content) = files.get(&asked.name).filter(|_| in_folder(&asked.name)) else {
        return Err(Nope::NoFile);
    };
    if files.is_secret(&asked.name) {
        return Err(Nope::NoFile);
    }
    let live = live_id(&app).await?.map(|id| id.0);
    let page = ViewPage {
        frame: Frame::new(&app, who.session(), live, "/files"),
        name: &asked.name,
        size: size(content),
        text: &files.text(&asked.name),
    };
    Ok(show(StatusCode::OK, &page))
}

/// `POST /files`: upload and apply.
pub(crate) async fn upload(State(app): State<App>, who: SignedIn, form: Multipart) -> Answer {
    let upload = Upload::read(form).await?;
    who.check_change(&app, &upload.csrf, "upload").await?;
    let plain = match upload.name.trim() {
        "" => upload.file_name.trim(),
        name => name,
    };
    let name = format!("{}/{plain}", upload.folder);
    let refuse = async |text: String| {
        let status = StatusCode::UNPROCESSABLE_ENTITY;
        let notice = Notice::bad("Not uploaded", text);
        page(&app, &who, status, Some(notice), Findings::default()).await
    };
    if !in_folder(&name) {
        return refuse(match check_name(&name) {
            Err(why) => format!("{why}."),
            Ok(()) => "It is in none of the folders.".to_owned(),
        })
        .await;
    }
    if upload.content.is_empty() {
        return refuse("The file is empty, or none was chosen.".to_owned()).await;
    }
    let mut files = app.control.edited_files().await?;
    files.insert(name.as_str(), upload.content);
    let comment = match upload.comment.trim() {
        "" => format!("Upload {name}"),
        comment => comment.to_owned(),
    };
    apply(&app, &who, files, &comment, &upload.base, &upload.chosen).await
}

/// `GET /files/delete?name=`: what deleting would do.
pub(crate) async fn show_delete(
    State(app): State<App>,
    who: SignedIn,
    Query(asked): Query<Named>,
) -> Answer {
    let live = live_id(&app).await?;
    let files = without(&app, &asked.name).await?;
    let preview = app.control.preview(&files, who.0.visitor).await?;
    let report = &preview.report;
    let mut plan = change_plan(&preview);
    let problems = plan.as_mut().map(|plan| std::mem::take(&mut plan.problems));
    let problems = problems.unwrap_or_default();
    let page = DeletePage {
        frame: Frame::new(&app, who.session(), live.map(|id| id.0), "/files"),
        name: &asked.name,
        findings: if problems.is_empty() {
            findings(&report.diagnostics, &report.sources, "")
        } else {
            refusals(problems)
        },
        choice: Choice::default().with(plan.as_ref()),
        plan,
        base: shown(live),
    };
    Ok(show(StatusCode::OK, &page))
}

#[derive(Deserialize)]
pub(crate) struct Deleting {
    csrf: String,
    base: String,
    name: String,
    #[serde(flatten)]
    chosen: Chosen,
}

/// `POST /files/delete`
pub(crate) async fn delete(
    State(app): State<App>,
    who: SignedIn,
    Form(deleting): Form<Deleting>,
) -> Answer {
    who.check_change(&app, &deleting.csrf, "delete").await?;
    let files = without(&app, &deleting.name).await?;
    let comment = format!("Delete {}", deleting.name);
    apply(
        &app,
        &who,
        files,
        &comment,
        &deleting.base,
        &deleting.chosen,
    )
    .await
}

/// What the upload form sends. Its size is limited by the route.
#[derive(Default)]
struct Upload {
    csrf: String,
    base: String,
    folder: String,
    name: String,
    comment: String,
    chosen: Chosen,
    file_name: String,
    content: Vec<u8>,
}

impl Upload {
    async fn read(mut form: Multipart) -> Result<Self, Nope> {
        let mut upload = Self::default();
        while let Some(field) = form.next_field().await.map_err(unread)? {
            let into = match field.name() {
                Some("csrf") => &mut upload.csrf,
                Some("base") => &mut upload.base,
                Some("folder") => &mut upload.folder,
                Some("name") => &mut upload.name,
                Some("comment") => &mut upload.comment,
                Some("on_trial") => upload.chosen.on_trial.get_or_insert_default(),
                Some("within") => upload.chosen.within.get_or_insert_default(),
                Some("file") => {
                    upload.file_name = field.file_name().unwrap_or_default().to_owned();
                    upload.content = field.bytes().await.map_err(unread)?.into();
                    continue;
                }
                _ => continue,
            };
            *into = field.text().await.map_err(unread)?;
        }
        if upload.content.len() > FILE_LIMIT {
            return Err(Nope::TooLarge);
        }
        Ok(upload)
    }
}

fn unread(error: MultipartError) -> Nope {
    match error.status() {
        StatusCode::PAYLOAD_TOO_LARGE => Nope::TooLarge,
        _ => Nope::Malformed,
    }
}

async fn apply(
    app: &App,
    who: &SignedIn,
    files: FileSet,
    comment: &str,
    base: &str,
    chosen: &Chosen,
) -> Result<Response, Nope> {
    let base = base.parse().ok().map(RevisionId);
    let author = who.0.author();
    let error = match chosen.apply(app, files, author, comment, base).await? {
        Ok(applied) => {
            let to = format!("/files?applied={}", applied.revision);
            return Ok(Redirect::to(&to).into_response());
        }
        Err(error) => error,
    };
    let (status, notice, found) = match &error {
        ApplyError::Refused(report) => (
            StatusCode::UNPROCESSABLE_ENTITY,
            Notice::bad(
                "Refused",
                "With this change the configuration is not valid. Nothing was changed.",
            ),
            findings(&report.diagnostics, &report.sources, ""),
        ),
        ApplyError::Conflict { .. } => (
            StatusCode::CONFLICT,
            Notice::warn(
                "Somebody applied a change meanwhile",
                "Nothing was done. Look at the files as they are now, and try again.",
            ),
            Findings::default(),
        ),
        error => {
            let (title, findings) = told(error);
            let status = match error {
                ApplyError::OnTrial { .. } => StatusCode::CONFLICT,
                _ => StatusCode::UNPROCESSABLE_ENTITY,
            };
            (status, Notice::bad(title, sentence(error)), findings)
        }
    };
    page(app, who, status, Some(notice), found).await
}

async fn page(
    app: &App,
    who: &SignedIn,
    status: StatusCode,
    notice: Option<Notice>,
    findings: Findings,
) -> Answer {
    let live = live_id(app).await?;
    let files = app.control.edited_files().await?;
    let page = FilesPage {
        frame: Frame::new(app, who.session(), live.map(|id| id.0), "/files"),
        notice,
        findings,
        folders: folders(&files, now_ms()),
        base: shown(live),
        limit: bytes(u64::try_from(FILE_LIMIT).unwrap_or(u64::MAX)),
        may_change: who.may_change(),
        choice: Choice::default(),
    };
    Ok(show(status, &page))
}

/// The files an edit starts from, without this one.
async fn without(app: &App, name: &str) -> Result<FileSet, Nope> {
    let mut files = app.control.edited_files().await?;
    if !in_folder(name) || files.remove(name).is_none() {
        return Err(Nope::NoFile);
    }
    Ok(files)
}

/// Whether a name is a good one in one of the folders; the two texts have tabs of their own.
fn in_folder(name: &str) -> bool {
    name.contains('/') && check_name(name).is_ok()
}

fn shown(id: Option<RevisionId>) -> String {
    id.map(|id| id.to_string()).unwrap_or_default()
}

async fn live_id(app: &App) -> Result<Option<RevisionId>, Nope> {
    let live = app.control.live_revision().await?;
    Ok(live.map(|revision| revision.id))
}
