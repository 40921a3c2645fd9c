//! Another try at what the engine should run and does not: at the start it was in the way of something
//! (a name, a port, an address that was away), or a change could not be taken back.

use std::sync::Arc;

use crate::inner::Inner;
use crate::repair;
use crate::road::travel_anyway;

/// See [`crate::Control::run_again`].
pub(crate) async fn run_again(inner: &Arc<Inner>) -> Vec<String> {
    let _turn = inner.turn_in_time(&repair::author()).await;
    let mut problems = Vec::new();
    if inner.window().is_some() {
        // Its end brings the previous configuration, whatever becomes of this one.
        return problems;
    }
    let before = inner.undone();
    travel_anyway(inner, &inner.running(), &mut problems).await;
    let mut notices = inner.notices();
    notices.retain(|notice| !before.problems.contains(notice));
    notices.extend(problems.iter().cloned());
    inner.set_notices(notices);
    problems
}
