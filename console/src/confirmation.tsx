// Asks before something that cannot be taken back.

import { signal } from "@preact/signals";
import { useEffect, useRef } from "preact/hooks";

interface Question {
  question: string;
  detail: string;
  action: string;
}

const asked = signal<(Question & { answer: (yes: boolean) => void }) | null>(null);

export function confirm(question: Question): Promise<boolean> {
  return new Promise((answer) => (asked.value = { ...question, answer }));
}

/** The browser's own dialog keeps the focus inside, closes on Escape, and gives the focus back. */
export function Confirmation() {
  const dialog = useRef<HTMLDialogElement>(null);
  const at = asked.value;
  useEffect(() => {
    if (at) dialog.current?.showModal();
  }, [at]);
  if (!at) return null;
  const close = (yes: boolean) => {
    dialog.current?.close();
    asked.value = null;
    at.answer(yes);
  };
  const cancel = (event: Event) => {
    event.preventDefault();
    close(false);
  };
  return (
    <dialog ref={dialog} aria-labelledby="question" aria-describedby="question-detail" onCancel={cancel}>
      <h2 id="question">{at.question}</h2>
      <p id="question-detail">{at.detail}</p>
      <div class="dialog-actions">
        <button type="button" onClick={() => close(false)}>
          Cancel
        </button>
        <button class="danger is-solid" type="button" onClick={() => close(true)}>
          {at.action}
        </button>
      </div>
    </dialog>
  );
}
