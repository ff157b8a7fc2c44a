import { announcement, announce } from "./announce";
import { Calls } from "./calls";
import { Confirmation } from "./confirmation";
import { Mark } from "./mark";
import { Prompts } from "./prompts";
import { route } from "./route";
import { goToForm, signOut } from "./sign_in";
import { calls, connection, entrance, isSessionOver, mayOperate, me } from "./store";

export function App() {
  const at = entrance.value;
  if (at.is === "waiting") return <main class="entrance" aria-busy="true" />;
  if (at.is !== "open") return <Entrance />;
  const { page } = route.value;
  return (
    <>
      <a class="skip" href="#main" onClick={skip}>
        Skip to the content
      </a>
      <Header page={page} />
      {isSessionOver.value && <SessionOver />}
      {page === "prompts" ? <Prompts /> : <Calls />}
      <Announcement />
      <Confirmation />
    </>
  );
}

/** A link to `#main` would be taken for a place in the page. */
function skip(event: Event) {
  event.preventDefault();
  document.getElementById("main")?.focus();
}

function Header({ page }: { page: string }) {
  const count = calls.value.size;
  return (
    <header class="header">
      <a class="brand" href="#/" aria-label="Fermata">
        <Mark />
        <span>Fermata</span>
      </a>
      <nav aria-label="Pages">
        <a href="#/" aria-current={page === "calls" ? "page" : undefined}>
          Calls{count > 0 && <span class="count">{count}</span>}
        </a>
        <a href="#/prompts" aria-current={page === "prompts" ? "page" : undefined}>
          Prompts
        </a>
      </nav>
      <Live />
      <div class="person">
        <span class="person-name">{me.value?.displayName}</span>
        <span class="quiet role">{mayOperate.value ? "operator" : "read only"}</span>
        <button class="plain" type="button" onClick={() => void signOut()}>
          Sign out
        </button>
      </div>
    </header>
  );
}

const CONNECTIONS = { connecting: "Connecting", live: "Live", lost: "Reconnecting" };

function Live() {
  return (
    <p class={`live is-${connection.value}`} role="status">
      {CONNECTIONS[connection.value]}
    </p>
  );
}

function SessionOver() {
  return (
    <div class="banner" role="alert">
      <p>Your session has ended. What you see is no longer kept up to date.</p>
      <button type="button" onClick={() => void goToForm()}>
        Sign in
      </button>
    </div>
  );
}

function Entrance() {
  const at = entrance.value;
  return (
    <main class="entrance">
      <div class="entrance-brand">
        <Mark />
        <span>Fermata</span>
      </div>
      <h1>{at.is === "refused" ? "The console is not yours to see" : "Console"}</h1>
      {at.is === "form" && <p>See every live call, who hears whom, and put people on hold.</p>}
      {(at.is === "refused" || at.is === "broken") && <p role="alert">{at.message}</p>}
      {at.is === "refused" && <p class="quiet">You are signed in as {me.value?.displayName}.</p>}
      {at.is === "refused" ? (
        <button type="button" onClick={() => void signOut()}>
          Sign out
        </button>
      ) : (
        <button class="primary" type="button" onClick={() => (at.is === "form" ? void goToForm() : location.reload())}>
          {at.is === "form" ? "Sign in" : "Try again"}
        </button>
      )}
    </main>
  );
}

/** Sentences for screen readers; those that say of a failure are shown as well, until somebody has read them. */
function Announcement() {
  const { text, isAlarm } = announcement.value;
  return (
    <div class={isAlarm ? "notice" : "unseen"}>
      <p role="status" aria-live="polite">
        {text}
      </p>
      {isAlarm && (
        <button class="plain" type="button" onClick={() => announce("")}>
          Dismiss
        </button>
      )}
    </div>
  );
}
