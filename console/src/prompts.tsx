// The recordings in the cache, and a trial of one before somebody hears it.

import { useSignal } from "@preact/signals";
import { preflight, prompts } from "./api";
import { useFetched } from "./fetched";
import { callLink } from "./route";
import { messageOf, now } from "./store";
import { Clock, duration } from "./time";
import type { Preflight, Prompt, Sound, Verdict } from "./wire";

const EVERY_MS = 5000;

export function Prompts() {
  const cache = useFetched(prompts, "prompts", EVERY_MS);
  return (
    <main id="main" class="page" tabIndex={-1}>
      <h1>Prompts</h1>
      <Trial />
      <section aria-labelledby="cache-title">
        <h2 id="cache-title">In the cache</h2>
        {cache.problem && <p class="why">{cache.problem}</p>}
        {cache.value?.length === 0 && <p class="quiet none">Nothing has been played yet.</p>}
        <ul class="rows prompts">
          {cache.value?.map((prompt) => (
            <Entry key={prompt.uri ?? "built-in"} prompt={prompt} />
          ))}
        </ul>
      </section>
    </main>
  );
}

function Entry({ prompt }: { prompt: Prompt }) {
  const isStale = prompt.freshUntilDateTime !== null && Date.parse(prompt.freshUntilDateTime) < now.value;
  return (
    <li class="row prompt">
      <div class="row-main">
        <p class="uri">{prompt.uri ?? <strong>The built-in music</strong>}</p>
        <p class="quiet">
          {length(prompt)}, {format(prompt)}
          {!prompt.isGraphPrompt && prompt.uri && <span class="is-bad"> Graph would not play it.</span>}
        </p>
      </div>
      <dl class="figures">
        <div>
          <dt>Loudness</dt>
          <dd>
            {loudness(prompt.rmsDbfs)} <span class="quiet">peak {loudness(prompt.peakDbfs)}</span>
          </dd>
        </div>
        <div>
          <dt>Size</dt>
          <dd>
            {bytes(prompt.bytes ?? prompt.memoryBytes)} <span class="quiet">ready for {prompt.codecsReady.join(", ") || "no codec"}</span>
          </dd>
        </div>
        {prompt.fetchedDateTime && (
          <div>
            <dt>Fetched</dt>
            <dd>
              <Clock at={prompt.fetchedDateTime} />{" "}
              {prompt.freshUntilDateTime && (
                <span class="quiet">
                  {isStale ? "to be asked for again since " : "fresh until "}
                  <Clock at={prompt.freshUntilDateTime} />
                </span>
              )}
            </dd>
          </div>
        )}
        <div>
          <dt>Played in</dt>
          <dd>
            {prompt.calls.length === 0
              ? "no call"
              : prompt.calls.map((call, index) => (
                  <a key={call} href={callLink(call)}>
                    call {index + 1}
                  </a>
                ))}
          </dd>
        </div>
      </dl>
    </li>
  );
}

function Trial() {
  const uri = useSignal("");
  const isUnderWay = useSignal(false);
  const result = useSignal<Preflight | null>(null);
  const problem = useSignal<string | null>(null);
  const run = async (event: Event) => {
    event.preventDefault();
    if (isUnderWay.value) return;
    isUnderWay.value = true;
    problem.value = null;
    try {
      result.value = await preflight(uri.value.trim());
    } catch (error) {
      result.value = null;
      problem.value = messageOf(error);
    } finally {
      isUnderWay.value = false;
    }
  };
  return (
    <section class="trial" aria-labelledby="trial-title">
      <h2 id="trial-title">Try a prompt before somebody hears it</h2>
      <form onSubmit={(event) => void run(event)}>
        <label for="prompt-uri">Address of a recording</label>
        <div class="field">
          <input
            id="prompt-uri"
            type="url"
            required
            placeholder="https://…/music.wav"
            value={uri.value}
            onInput={(event) => (uri.value = event.currentTarget.value)}
          />
          <button class="primary" type="submit" aria-disabled={isUnderWay.value ? "true" : undefined}>
            {isUnderWay.value ? "Fetching" : "Try it"}
          </button>
        </div>
      </form>
      <div role="status">
        {problem.value && <p class="why">{problem.value}</p>}
        {result.value && <Result result={result.value} />}
      </div>
    </section>
  );
}

function Result({ result }: { result: Preflight }) {
  const facts = [result.status && `answered ${result.status}`, result.bytes !== null && bytes(result.bytes)];
  if (result.durationSeconds !== null) facts.push(length(result), format(result), loudness(result.rmsDbfs));
  return (
    <div class="result">
      <p class="uri">{result.uri}</p>
      <p class="quiet">{facts.filter(Boolean).join(", ") || "Nothing came."}</p>
      <Verdicts name="This server" verdict={result.fermata} />
      <Verdicts name="Microsoft Graph" verdict={result.graph} />
    </div>
  );
}

function Verdicts({ name, verdict }: { name: string; verdict: Verdict }) {
  return (
    <div class={verdict.isAccepted ? "verdict is-good" : "verdict is-bad"}>
      <p>
        <strong>{name}</strong> {verdict.isAccepted ? "would play it." : "would not play it."}
      </p>
      {verdict.problems.length > 0 && (
        <ul>
          {verdict.problems.map((problem) => (
            <li key={problem}>{problem}</li>
          ))}
        </ul>
      )}
    </div>
  );
}

function length(of: Sound): string {
  return of.durationSeconds === null ? "unknown" : duration(of.durationSeconds * 1000);
}

function loudness(dbfs: number | null): string {
  return dbfs === null ? "unknown" : `${dbfs.toFixed(1)} dBFS`;
}

function format(of: Sound): string {
  const rate = of.sampleRateHz === null ? null : `${of.sampleRateHz / 1000} kHz`;
  const channels = of.channels === null ? null : { 1: "mono", 2: "stereo" }[of.channels] ?? `${of.channels} channels`;
  const name = of.container === of.codec ? of.container : [of.container, of.codec].filter(Boolean).join(" ");
  return [name, rate, channels].filter(Boolean).join(", ");
}

function bytes(count: number): string {
  if (count < 1000) return `${count} B`;
  return count < 1_000_000 ? `${Math.round(count / 1000)} kB` : `${(count / 1_000_000).toFixed(1)} MB`;
}
