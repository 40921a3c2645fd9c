//! What the command line is answered.

use std::net::SocketAddr;
use std::path::PathBuf;

use lanai_control::{Author, Control, FileSet, RevisionId, RevisionState, UserError};
use tokio::net::unix::UCred;

use super::render::{self, Paper};
use super::{Arguments, appliance};
use crate::wire::server::Answer;
use crate::wire::shell::{Command, Question, Reply};

/// Bytes of the caller's name that get into the history.
const NAME_LIMIT: usize = 64;

/// Answers on `control.sock`.
pub(super) struct Answers {
    control: Control,
    /// Who may ask, beside root.
    uid: u32,
    ui: SocketAddr,
    /// Where the web UI's certificate is.
    state: PathBuf,
}

impl Answers {
    /// Answers for `control`, which was started with these arguments.
    pub(super) fn new(control: Control, arguments: &Arguments) -> Answers {
        Answers {
            control,
            uid: arguments.user.0.uid.as_raw(),
            ui: arguments.ui,
            state: arguments.state.clone(),
        }
    }

    async fn run(&self, command: Command, paper: Paper, author: Author) -> Reply {
        let control = &self.control;
        match command {
            Command::Plan { files } => match control.preview(&files.0, author.visitor).await {
                Ok(preview) => render::plan(paper, &preview),
                Err(error) => paper.failed(&error),
            },
            Command::Apply {
                files,
                comment,
                within,
                for_good,
            } => {
                let applied = match within {
                    None if for_good => {
                        control
                            .apply_for_good(files.0, author, &comment, None)
                            .await
                    }
                    None => control.apply(files.0, author, &comment, None).await,
                    Some(within) => {
                        control
                            .apply_on_trial(files.0, author, &comment, None, within)
                            .await
                    }
                };
                match applied {
                    Ok(applied) => render::applied(paper, &applied),
                    Err(error) => render::not_applied(paper, &error),
                }
            }
            Command::Confirm => match control.confirm(None, author).await {
                Ok(revision) => render::confirmed(paper, revision),
                Err(error) => paper.failed(&error),
            },
            Command::Rollback { to, for_good } => self.rollback(paper, to, author, for_good).await,
            Command::Revisions { limit } => match control.revisions(limit, None).await {
                Ok(revisions) => render::revisions(paper, &revisions),
                Err(error) => paper.failed(&error),
            },
            Command::Diff { from, to } => self.diff(paper, from, to).await,
            Command::Status => match control.status().await {
                Ok(status) => render::status(paper, &status),
                Err(error) => paper.failed(&error),
            },
            Command::Doctor => match control.doctor().await {
                Ok(findings) => render::doctor(paper, &findings),
                Err(error) => paper.failed(&error),
            },
            Command::Show { what } => match control.status().await {
                Ok(status) => render::part(paper, &status, what),
                Err(error) => paper.failed(&error),
            },
            Command::WatchNetworks { seen } => appliance::networks(control, seen).await,
            Command::Console => appliance::console(control, self.ui, &self.state).await,
            Command::ResetPassword => match control.reset_password(&author).await {
                Ok(_) => paper.done("the console shows a password that works once"),
                Err(error) => paper.failed(&error),
            },
            command => self.users(paper, command, author).await,
        }
    }

    async fn rollback(
        &self,
        paper: Paper,
        to: Option<i64>,
        author: Author,
        for_good: bool,
    ) -> Reply {
        if let (None, Some(trial)) = (to, self.control.trial()) {
            return match self.control.take_back(Some(trial.revision), author).await {
                Ok(back) => render::taken_back(paper, &back),
                Err(error) => paper.failed(&error),
            };
        }
        let to = match to {
            Some(to) => RevisionId(to),
            None => match self.previous().await {
                Ok(Some(to)) => to,
                Ok(None) => return paper.refused("there is no earlier revision to go back to"),
                Err(error) => return paper.failed(&error),
            },
        };
        match self.control.rollback(to, author, for_good).await {
            Ok(applied) => render::applied(paper, &applied),
            Err(error) => render::not_applied(paper, &error),
        }
    }

    /// The revision that was live before the one that is.
    async fn previous(&self) -> Result<Option<RevisionId>, lanai_control::Error> {
        let revisions = self.control.revisions(100, None).await?;
        let earlier = revisions
            .iter()
            .skip_while(|one| one.state != RevisionState::Live)
            .skip(1);
        let mut earlier = earlier.filter(|one| one.state == RevisionState::Superseded);
        Ok(earlier.next().map(|one| one.id))
    }

    async fn diff(&self, paper: Paper, from: Option<i64>, to: Option<i64>) -> Reply {
        let result = match (from, to) {
            (Some(from), Some(to)) => {
                self.control
                    .diff(RevisionId(from), Some(RevisionId(to)))
                    .await
            }
            (from, _) => self.against_disk(from.map(RevisionId)).await,
        };
        match result {
            Ok(diff) => render::diff(paper, &diff),
            Err(error) => paper.failed(&error),
        }
    }

    async fn against_disk(
        &self,
        from: Option<RevisionId>,
    ) -> Result<Vec<lanai_control::FileDiff>, lanai_control::Error> {
        let from = match from {
            Some(from) => Some(from),
            None => self.control.live_revision().await?.map(|live| live.id),
        };
        let before = match from {
            Some(from) => self.control.revision_files(from).await?,
            None => FileSet::new(),
        };
        let after = self.control.live_files().await?;
        Ok(self.control.diff_files(&before, &after))
    }

    async fn users(&self, paper: Paper, command: Command, author: Author) -> Reply {
        let result = match command {
            Command::AddUser { user, role } => {
                match self.control.add_user(&user, role, &author).await {
                    Ok(()) => return self.login_link(paper, &user, &author).await,
                    Err(error) => Err(error),
                }
            }
            Command::SetPassword { user, password } => self
                .control
                .set_password(&user, &password, &author)
                .await
                .map(|()| paper.done(&format!("the password of {user} was changed"))),
            Command::LoginLink { user } => return self.login_link(paper, &user, &author).await,
            _ => self
                .control
                .users()
                .await
                .map_err(UserError::from)
                .map(|users| render::users(paper, &users)),
        };
        result.unwrap_or_else(|error| paper.failed(&error))
    }

    async fn login_link(&self, paper: Paper, user: &str, author: &Author) -> Reply {
        match self.control.login_link(user, author).await {
            Ok(link) => render::login_link(paper, &link, &self.control.ui_links(self.ui).await),
            Err(error) => paper.failed(&error),
        }
    }
}

impl Answer for Answers {
    type Question = Question;
    type Reply = Reply;
    type Session = ();

    fn admits(&self, peer: &UCred) -> bool {
        [0, self.uid].contains(&peer.uid())
    }

    async fn answer(&self, peer: &UCred, (): &mut (), question: Question) -> Reply {
        let mut name: String = question.name.chars().filter(|c| !c.is_control()).collect();
        name.truncate(name.floor_char_boundary(NAME_LIMIT));
        let from = format!("cli uid {}", peer.uid());
        let author = Author::new(name, from).over(question.visitor);
        self.run(question.command, Paper::new(question.form), author)
            .await
    }
}
