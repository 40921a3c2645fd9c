//! What every handler shares.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, PoisonError};

use lanai_control::{Control, Session};

use crate::assets::Assets;
use crate::page::Porch;

/// Sessions remembered to have come by a login link.
const LINKED: usize = 100;

/// Cheap to clone.
#[derive(Clone)]
pub(crate) struct App {
    pub(crate) control: Control,
    /// The box's name, in the head of every page.
    pub(crate) box_name: Arc<str>,
    pub(crate) assets: Arc<Assets>,
    /// Ids of sessions that came by a login link: they may set a password without the old one. A
    /// restart forgets them, and then a new link is needed.
    linked: Arc<Mutex<VecDeque<String>>>,
}

impl App {
    pub(crate) fn new(control: Control, box_name: &str) -> Self {
        Self {
            control,
            box_name: box_name.into(),
            assets: Arc::new(Assets::new()),
            linked: Arc::default(),
        }
    }

    /// Remembers that a session came by a login link.
    pub(crate) fn came_by_link(&self, session: &Session) {
        let mut linked = self.linked.lock().unwrap_or_else(PoisonError::into_inner);
        linked.push_front(session.id.clone());
        linked.truncate(LINKED);
    }

    /// Whether it did.
    pub(crate) fn is_by_link(&self, session: &Session) -> bool {
        let linked = self.linked.lock().unwrap_or_else(PoisonError::into_inner);
        linked.contains(&session.id)
    }

    /// What pages need that are shown to strangers too.
    pub(crate) fn porch(&self) -> Porch {
        Porch {
            box_name: Arc::clone(&self.box_name),
            assets: Arc::clone(&self.assets),
        }
    }
}
