//! Takes what conversations report and has it stored, before anybody is told.
//!
//! The engine reports changes in order; each becomes one batch of the writer's queue, in the same order. The request that
//! caused a change is answered when its batch is on the disk. The first change of a call carries its row: who called and
//! where its notices go. Of a call that an application makes, only the request knew it; of one that comes in, the directory
//! does.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard};

use call::{Accepted, CallId, CallState, Notice};
use engine::Change;
use tokio::sync::mpsc;
use uuid::Uuid;

use crate::directory::{AppId, Directory};
use crate::store::{Batch, NewCallRow, Store, Write};
use crate::throttle::Throttle;
use crate::wire::call::{Call, IncomingContext, state};
use crate::wire::identity::{IdentitySet, InvitationParticipantInfo, ParticipantInfo};

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
    directory: Directory,
    store: Store,
) {
    while let Some(mut change) = changes.recv().await {
        ended_calls(&change).for_each(|call| throttle.calls.ended(call));
        let writes = writes(&mut change, &announced, &directory);
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
        Notice::Incoming { .. }
        | Notice::Call { .. }
        | Notice::Roster { .. }
        | Notice::Tone { .. }
        | Notice::OperationEnded(_) => None,
    })
}

fn writes(change: &mut Change, announced: &Announced, directory: &Directory) -> Vec<Write> {
    let mut writes = Vec::with_capacity(change.notices.len() + 1);
    let mut note = change.note.take();
    for notice in std::mem::take(&mut change.notices) {
        if let Some(row) = announced.take(notice.call()) {
            writes.push(Write::Call(Box::new(row)));
        }
        // What the application said of its call comes before the news of it, which may go to another callback now.
        if let Some(note) = note.take() {
            writes.push(Write::Facts(notice.call(), note));
        }
        writes.extend(incoming_row(&notice, directory).map(|row| Write::Call(Box::new(row))));
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

/// Makes the row of a call that comes in; `None` for every other notice, and for an application that the directory does not
/// have or that has no callback: then nobody can be told, and the call ends by itself when nobody answers it.
fn incoming_row(notice: &Notice, directory: &Directory) -> Option<NewCallRow> {
    let Notice::Incoming { call, participant, application, caller_participant, caller } = notice else { return None };
    let app = directory.app(AppId(Uuid::try_parse(application.id()).ok()?))?;
    let callback_uri = app.callback.as_ref()?.as_str().to_owned();
    let chain_id = Uuid::new_v4();
    let facts = Call {
        id: call.to_string(),
        state: state(CallState::Incoming).to_owned(),
        direction: "incoming".to_owned(),
        subject: None,
        callback_uri: callback_uri.clone(),
        call_chain_id: chain_id.to_string(),
        call_routes: Vec::new(),
        source: ParticipantInfo { identity: IdentitySet::from(caller), participant_id: None },
        targets: vec![InvitationParticipantInfo::from(application)],
        requested_modalities: vec!["audio".to_owned()],
        media_config: None,
        tenant_id: directory.tenant.to_string(),
        my_participant_id: participant.to_string(),
        media_state: None,
        result_info: None,
        chat_info: None,
        meeting_info: None,
        transcription: None,
        tone_info: None,
        incoming_context: Some(IncomingContext { source_participant_id: caller_participant.to_string() }),
    };
    Some(NewCallRow { id: *call, app: app.id, tenant: directory.tenant, callback_uri, chain_id, facts })
}
