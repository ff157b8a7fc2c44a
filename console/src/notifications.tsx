// What the application was told, every attempt with its answer, and redelivery.

import { useSignal } from "@preact/signals";
import { announce } from "./announce";
import { notifications, redeliver, redeliverDead } from "./api";
import { useFetched } from "./fetched";
import { mayOperate, messageOf } from "./store";
import { Clock } from "./time";
import type { Attempt, Call, LedgerEntry } from "./wire";

/** Attempts are not events of the call, so the ledger is asked for while it is looked at. */
const EVERY_MS = 3000;

export function Notifications({ call }: { call: Call }) {
  const ledger = useFetched(() => notifications(call), `${call.id} ${call.revision}`, EVERY_MS);
  if (ledger.problem) return <p class="why">{ledger.problem}</p>;
  if (!ledger.value) return <p class="quiet none">Loading</p>;
  const entries = ledger.value;
  const dead = entries.filter((entry) => entry.state === "dead").length;
  const again = async (what: string, action: () => Promise<unknown>) => {
    try {
      await action();
      announce(`${what} again.`);
      ledger.again();
    } catch (error) {
      announce(`${what}: refused. ${messageOf(error)}`, true);
    }
  };
  if (entries.length === 0) return <p class="quiet none">Nothing has been told yet.</p>;
  return (
    <>
      {dead > 0 && (
        <div class="dead" role="alert">
          <p>
            <strong>{dead === 1 ? "One notification was" : `${dead} notifications were`} given up.</strong> The callback did not take{" "}
            {dead === 1 ? "it" : "them"}; the reasons are below.
          </p>
          {mayOperate.value && (
            <button type="button" onClick={() => void again("Everything given up is delivered", () => redeliverDead(call))}>
              Deliver {dead === 1 ? "it" : "them"} again
            </button>
          )}
        </div>
      )}
      <ul class="rows">
        {[...entries].reverse().map((entry) => (
          <Entry
            key={entry.sequence}
            entry={entry}
            again={() => void again(`Notification ${entry.sequence} is delivered`, () => redeliver(call, entry))}
          />
        ))}
      </ul>
    </>
  );
}

function Entry({ entry, again }: { entry: LedgerEntry; again: () => void }) {
  const isOpen = useSignal(false);
  const details = `notification-${entry.sequence}`;
  const redelivery = entry.state === "pending" ? "Try now" : "Deliver again";
  return (
    <li class={`row notification is-${entry.state}`}>
      <p class="row-time">
        <Clock at={entry.createdDateTime} />
      </p>
      <div class="row-main">
        <p>
          <span class="number">{entry.sequence}</span> <strong>{subject(entry)}</strong> <span class="quiet">{entry.changeType}</span>
        </p>
        <p class={entry.state === "dead" ? "why" : "quiet"}>{outcome(entry)}</p>
      </div>
      <div class="row-actions">
        <button
          class="plain"
          type="button"
          aria-expanded={isOpen.value}
          aria-controls={details}
          aria-label={`${isOpen.value ? "Less" : "More"} about notification ${entry.sequence}`}
          onClick={() => (isOpen.value = !isOpen.value)}
        >
          {isOpen.value ? "Less" : "More"}
        </button>
        {mayOperate.value && (
          <button type="button" aria-label={`${redelivery}: notification ${entry.sequence}`} onClick={again}>
            {redelivery}
          </button>
        )}
      </div>
      <div id={details} class="row-details" hidden={!isOpen.value}>
        {isOpen.value && <Details entry={entry} />}
      </div>
    </li>
  );
}

function Details({ entry }: { entry: LedgerEntry }) {
  return (
    <>
      {entry.attempts.length > 0 && (
        <table>
          <caption class="unseen">Attempts</caption>
          <thead>
            <tr>
              <th scope="col">Attempt</th>
              <th scope="col">Begun</th>
              <th scope="col">Took</th>
              <th scope="col">Answer</th>
            </tr>
          </thead>
          <tbody>
            {entry.attempts.map((attempt) => (
              <tr key={attempt.number}>
                <td>{attempt.number}</td>
                <td>
                  <Clock at={attempt.startedDateTime} exact />
                </td>
                <td>{attempt.durationMs} ms</td>
                <td>{answer(attempt)}</td>
              </tr>
            ))}
          </tbody>
        </table>
      )}
      <p class="quiet">
        Message <code>{entry.messageId}</code>
      </p>
      <pre tabIndex={0} aria-label="What is posted">
        {JSON.stringify(entry.payload, null, 2)}
      </pre>
    </>
  );
}

/** The last words of the resource say what it is about. */
function subject(entry: LedgerEntry): string {
  if (/\/participants(\/|$)/.test(entry.resourceUrl)) return "Roster";
  return entry.resourceUrl.includes("/operations/") ? "Operation" : "Call";
}

function outcome(entry: LedgerEntry): string {
  const last = entry.attempts.at(-1);
  const count = entry.attemptCount === 1 ? "1 attempt" : `${entry.attemptCount} attempts`;
  switch (entry.state) {
    case "delivered":
      return `Delivered, ${count}${last?.status ? `, answered ${last.status}` : ""}`;
    case "dead":
      return `Given up after ${count}. ${last ? answer(last) : ""}`;
    case "pending":
      return last ? `Waiting after ${count}. ${answer(last)}` : "Waiting to be delivered";
  }
}

function answer(attempt: Attempt): string {
  return attempt.status ? `Answered ${attempt.status}` : `No answer: ${attempt.failure ?? "unknown"}`;
}
