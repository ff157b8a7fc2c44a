// What somebody sees who has no call yet: how to make one.

import { useComputed, useSignal, useSignalEffect } from "@preact/signals";
import { announce } from "./announce";
import { Mark } from "./mark";
import { tenantId } from "./sign_in";

export function Start() {
  const tenant = useSignal("TENANT");
  useSignalEffect(() => void tenantId().then((id) => (tenant.value = id)));
  const token = useComputed(() => tokenCommand(tenant.value));
  const call = useComputed(() => callCommand(tenant.value));
  return (
    <main id="main" class="page start" tabIndex={-1}>
      <Mark />
      <h1>No call yet</h1>
      <p class="lead">Calls appear here by themselves, with everybody in them and what each of them hears. Make the first one:</p>
      <ol class="steps">
        <li>
          <h2>Watch one without doing anything</h2>
          <p>Three phones, a bot and a hold, on a server of their own. It stays up and says where its console is.</p>
          <Command text="cargo run --release -- demo --stay" name="the demo" />
        </li>
        <li>
          <h2>Or call two people from here</h2>
          <p>
            Register softphones as <code>alice</code> and <code>bob</code> (SIP, password <code>fermata-dev</code>). Then get a token, as from
            Entra ID:
          </p>
          <Command text={token.value} name="the token" />
          <p>And place a call. Both phones ring; the callback is told of everything, and may be missing for a trial.</p>
          <Command text={call.value} name="the call" />
        </li>
      </ol>
      <p class="quiet">
        The ids are those of the <code>dev</code> profile; on a server of your own they are in its configuration.
      </p>
    </main>
  );
}

function Command({ text, name }: { text: string; name: string }) {
  const copy = async () => {
    await navigator.clipboard.writeText(text);
    announce(`The command for ${name} is copied.`);
  };
  return (
    <div class="command">
      <pre tabIndex={0} aria-label={`Command for ${name}`}>
        {text}
      </pre>
      <button class="plain" type="button" aria-label={`Copy the command for ${name}`} onClick={() => void copy()}>
        Copy
      </button>
    </div>
  );
}

function tokenCommand(tenant: string): string {
  return `TOKEN=$(curl -s ${location.origin}/${tenant}/oauth2/v2.0/token \\
  -d grant_type=client_credentials -d scope=https://graph.microsoft.com/.default \\
  -d client_id=22222222-2222-4222-8222-222222222222 -d client_secret=fermata-dev-secret |
  sed 's/.*"access_token":"\\([^"]*\\)".*/\\1/')`;
}

function callCommand(tenant: string): string {
  return `curl -s ${location.origin}/v1.0/communications/calls -H "Authorization: Bearer $TOKEN" \\
  -H 'Content-Type: application/json' -d '{
  "callbackUri": "http://127.0.0.1:9000/callback", "requestedModalities": ["audio"],
  "tenantId": "${tenant}",
  "mediaConfig": { "@odata.type": "#microsoft.graph.serviceHostedMediaConfig" },
  "targets": [
    { "identity": { "user": { "id": "aaaaaaaa-aaaa-4aaa-8aaa-aaaaaaaaaaaa" } } },
    { "identity": { "user": { "id": "bbbbbbbb-bbbb-4bbb-8bbb-bbbbbbbbbbbb" } } } ] }'`;
}
