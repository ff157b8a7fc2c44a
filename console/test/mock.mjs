// Stands in for the server where a state has to be shown that is tedious to bring about. It serves the built files with the
// server's own policy, and answers with a scene.

import { readFile } from "node:fs/promises";
import { createServer } from "node:http";
import { extname, join } from "node:path";
import { PREFLIGHT } from "./scenes.mjs";

const BUILT = new URL("../../crates/server/console/", import.meta.url).pathname;
const TENANT = "11111111-1111-4111-8111-111111111111";
const POLICY =
  "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'";
const TYPES = { ".html": "text/html", ".js": "text/javascript", ".css": "text/css", ".svg": "image/svg+xml" };

/** Starts it with a scene. `tell(event, data)` sends an event to the page. */
export async function startMock(scene) {
  const streams = new Set();
  const server = createServer((request, response) => void answer(scene, streams, request, response));
  await new Promise((resolve) => server.listen(0, "127.0.0.1", resolve));
  return {
    url: `http://127.0.0.1:${server.address().port}`,
    tell: (event, data) => streams.forEach((stream) => write(stream, event, data)),
    close: () => {
      streams.forEach((stream) => stream.end());
      server.closeAllConnections();
      server.close();
    },
  };
}

async function answer(scene, streams, request, response) {
  const url = new URL(request.url, `http://${request.headers.host}`);
  const json = (body, status = 200) => response.writeHead(status, { "content-type": "application/json" }).end(JSON.stringify(body));
  const path = url.pathname;
  if (path === "/" || path.startsWith("/assets/")) return file(path === "/" ? "index.html" : path.slice(1), response);
  if (path === `/${TENANT}/oauth2/v2.0/authorize`) {
    const answer = new URLSearchParams(scene.me ? { code: "code" } : { error: "login_required" });
    answer.set("state", url.searchParams.get("state") ?? "");
    return response.writeHead(303, { location: `/?${answer}` }).end();
  }
  if (path === `/${TENANT}/oauth2/v2.0/token`) return json({ access_token: "token", expires_in: 899 });
  if (!request.headers.authorization) {
    const challenge = `Bearer realm="", authorization_uri="${url.origin}/${TENANT}/oauth2/v2.0/authorize"`;
    return response.writeHead(401, { "www-authenticate": challenge }).end();
  }
  if (path === "/fermata/v1/me") return json(scene.me);
  if (scene.me.roles.length === 0) return json({ error: { message: 'An administrator has not allowed this user to do that; it needs "Console.Read".' } }, 403);
  if (path === "/fermata/v1/events") return stream(scene, streams, request, response);
  if (path === "/fermata/v1/calls") return json({ value: [...scene.calls, ...scene.ended] });
  if (path === "/fermata/v1/prompts") return json({ value: scene.prompts });
  if (path === "/fermata/v1/prompts/preflight") return json(PREFLIGHT);
  if (path.endsWith("/timeline")) return json(scene.timeline);
  if (path.endsWith("/notifications")) return json({ value: scene.ledger });
  return json({ error: { message: "Bob Okafor is on hold. One participant of a conversation can be on hold at a time." } }, 409);
}

async function file(path, response) {
  const bytes = await readFile(join(BUILT, path));
  response.writeHead(200, { "content-type": TYPES[extname(path)], "content-security-policy": POLICY }).end(bytes);
}

function stream(scene, streams, request, response) {
  response.writeHead(200, { "content-type": "text/event-stream" });
  streams.add(response);
  request.on("close", () => streams.delete(response));
  write(response, "snapshot", { dateTime: new Date().toISOString(), calls: scene.calls });
}

function write(stream, event, data) {
  stream.write(`event: ${event}\ndata: ${JSON.stringify(data)}\n\n`);
}
