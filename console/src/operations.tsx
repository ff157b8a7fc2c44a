// What was asked for in a call, and how far it has come.

import { Clock, between, shortDuration } from "./time";
import type { Call, Operation } from "./wire";
import { nameIn, operationName, ownerName } from "./words";

const STATUS: Record<Operation["status"], string> = { running: "Running", completed: "Completed", failed: "Failed" };

export function Operations({ call }: { call: Call }) {
  const newestFirst = [...call.operations].reverse();
  if (newestFirst.length === 0) return <p class="quiet none">Nothing {call.endedDateTime ? "was" : "has been"} asked for.</p>;
  return (
    <ul class="rows">
      {newestFirst.map((operation) => (
        <li key={operation.id} class={`row operation is-${operation.status}`}>
          <p class="row-time">
            <Clock at={operation.createdDateTime} />
          </p>
          <div class="row-main">
            <p>
              <strong>{operationName(operation)}</strong>
              {operation.participantId && <> {nameIn(call, operation.participantId)}</>}{" "}
              <span class="quiet">by {ownerName(operation.by)}</span>
            </p>
            {operation.status === "failed" && <p class="why">{operation.resultInfo?.message || "No reason was given."}</p>}
            <Phases operation={operation} />
          </div>
          <p class="row-state">
            {STATUS[operation.status]}
            {operation.endedDateTime && (
              <span class="quiet"> in {shortDuration(between(operation.createdDateTime, operation.endedDateTime))}</span>
            )}
          </p>
        </li>
      ))}
    </ul>
  );
}

/** Each phase with the time it took; the last one of an operation that runs has no end yet. */
function Phases({ operation }: { operation: Operation }) {
  if (operation.phases.length === 0) return null;
  const ends = [...operation.phases.slice(1).map((phase) => phase.since), operation.endedDateTime];
  return (
    <ol class="phases" aria-label="Phases">
      {operation.phases.map((phase, index) => {
        const end = ends[index];
        return (
          <li key={phase.phase + phase.since}>
            {phase.phase} <span class="quiet">{end ? shortDuration(between(phase.since, end)) : "now"}</span>
          </li>
        );
      })}
    </ol>
  );
}
