//! Takes what conversations report and has it stored, before anybody is told.
//!
//! The engine reports changes in order; each becomes one batch of the writer's queue, in the same order. The request that
//! caused a change is answered when its batch is on the disk. The first change of a call carries its row, which only the
//! request knew: who called and where its notices go.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard};

use call::{Accepted, CallId, CallState, Notice};
use engine::Change;
use tokio::sync::mpsc;

use crate::store::{Batch, NewCallRow, Store, Write};
use crate::throttle::Throttle;

/// Holds the rows of calls that the engine is about to create. Cheap to clone.
#[derive(Debug, Clone, Default)]
pub(crate) struct Announced(Arc<Mutex<HashMap<CallId, NewCallRow>>>);

impl Announced {
    /// Announces a call before the engine is asked for it.
    pub(crate) fn announce(&self, row: NewCallRow) {
        self.rows().insert(row.id, row);
    }

    /// Takes an announcement back, or takes it for storing.
    pub(crate) fn take(&self, call: CallId) -> Option<NewCallRow> {
        self.rows().remove(&call)
    }

    fn rows(&self) -> MutexGuard<'_, HashMap<CallId, NewCallRow>> {
        self.0.lock().expect("nothing panics while it holds the announced calls")
    }
}

/// Records changes until the engine has stopped.
pub(crate) async fn record(
    mut changes: mpsc::Receiver<Change>,
    announced: Announced,
    throttle: Arc<Throttle>,
    store: Store,
) {
    while let Some(mut change) = changes.recv().await {
        ended_calls(&change).for_each(|call| throttle.calls.ended(call));
        let writes = writes(&mut change, &announced);
        if writes.is_empty() {
            // A keepAlive changes nothing that could be lost.
            change.recorded();
            continue;
        }
        let batch = Batch::new(writes, move |stored| match stored {
            Ok(()) => change.recorded(),
            Err(_) => change.not_recorded(),
        });
        store.submit(batch).await;
    }
}

fn ended_calls(change: &Change) -> impl Iterator<Item = CallId> {
    change.notices.iter().filter_map(|notice| match notice {
        Notice::Call { call, state: CallState::Terminated, .. } => Some(*call),
        Notice::Call { .. } | Notice::Roster { .. } | Notice::OperationEnded(_) => None,
    })
}

fn writes(change: &mut Change, announced: &Announced) -> Vec<Write> {
    let mut writes = Vec::with_capacity(change.notices.len() + 1);
    for notice in std::mem::take(&mut change.notices) {
        if let Some(row) = announced.take(notice.call()) {
            writes.push(Write::Call(Box::new(row)));
        }
        writes.push(Write::Notice(notice));
    }
    // The operation comes before the news of it: an end that is in the same change must not be overwritten.
    match &change.accepted {
        // One that is repeated is stored already, or waits in front of this: it is written again to be answered after it.
        Some(Accepted::Operation(operation) | Accepted::Repeated(operation)) => {
            writes.insert(0, Write::Operation(operation.clone()));
        }
        Some(Accepted::Done) | None => {}
    }
    writes
}
