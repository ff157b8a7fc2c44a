// Signs people in at the server's own authority: authorization code with PKCE (RFC 7636).
//
// The token is kept in a variable and nowhere else. It always comes the same way: the authority is asked without a form
// (`prompt=none`) and knows the browser by a cookie that no script can read. So a page that is loaded anew, and a token that
// is about to expire, need no password, and the code that comes back from the form itself is never used.

const CLIENT_ID = "fe4a7a00-c0de-4000-8000-000000000001";

/** How long before its end a token is renewed, in seconds. */
const RENEW_BEFORE_S = 60;

/** Somebody has to sign in, at the form. */
export class SignInNeeded extends Error {}

interface Token {
  text: string;
  /** In milliseconds since 1970. */
  renewAt: number;
}

let authority: string | null = null;
let token: Token | null = null;
let underWay: Promise<Token> | null = null;

/** Returns a token that is good for a while. */
export async function accessToken(): Promise<string> {
  if (token && Date.now() < token.renewAt) return token.text;
  underWay ??= renew().finally(() => (underWay = null));
  return (await underWay).text;
}

/** Makes the next request ask for a new token. */
export function forgetToken(): void {
  token = null;
}

/** Leaves for the form. The page comes back to where it was. */
export async function goToForm(): Promise<void> {
  const { challenge } = await proof();
  const state = location.hash;
  location.assign(await authorize({ code_challenge: challenge, state }));
}

/** Ends the session of this browser. */
export async function signOut(): Promise<void> {
  location.assign(`${await authorityUrl()}/logout`);
}

/** Tidies the address after the form, and goes back to where the page was. */
export function arrive(): void {
  const query = new URLSearchParams(location.search);
  if (!query.has("code") && !query.has("error")) return;
  const state = query.get("state") ?? "";
  history.replaceState(null, "", location.pathname + (state.startsWith("#/") ? state : ""));
}

async function renew(): Promise<Token> {
  const { verifier, challenge } = await proof();
  const state = randomText();
  const url = await authorize({ code_challenge: challenge, state, prompt: "none" });
  // The redirect ends at this page itself, so its address can be read here.
  const answer = new URL((await fetch(url, { credentials: "same-origin", cache: "no-store" })).url);
  const code = answer.searchParams.get("code");
  if (!code || answer.searchParams.get("state") !== state) throw new SignInNeeded();
  token = await redeem(code, verifier);
  return token;
}

async function redeem(code: string, verifier: string): Promise<Token> {
  const form = new URLSearchParams({
    grant_type: "authorization_code",
    client_id: CLIENT_ID,
    redirect_uri: redirectUri(),
    code,
    code_verifier: verifier,
  });
  const response = await fetch(`${await authorityUrl()}/token`, { method: "POST", body: form });
  if (!response.ok) throw new SignInNeeded();
  const answer = (await response.json()) as { access_token: string; expires_in: number };
  return { text: answer.access_token, renewAt: Date.now() + (answer.expires_in - RENEW_BEFORE_S) * 1000 };
}

async function authorize(more: Record<string, string>): Promise<string> {
  const parameters = new URLSearchParams({
    response_type: "code",
    client_id: CLIENT_ID,
    redirect_uri: redirectUri(),
    scope: "Console",
    code_challenge_method: "S256",
    ...more,
  });
  return `${await authorityUrl()}/authorize?${parameters}`;
}

/** Who has no token is told where there are some (RFC 6750, section 3). */
async function authorityUrl(): Promise<string> {
  if (authority) return authority;
  const response = await fetch("/fermata/v1/me", { cache: "no-store" });
  const challenge = response.headers.get("www-authenticate") ?? "";
  const url = /authorization_uri="([^"]+)\/authorize"/.exec(challenge)?.[1];
  if (!url) throw new Error("The server does not say where to sign in.");
  // Behind a proxy it may know itself by another name; the path is the same.
  authority = new URL(url).pathname;
  return authority;
}

/** The tenant is part of the authority's path. */
export async function tenantId(): Promise<string> {
  return (await authorityUrl()).split("/")[1] ?? "";
}

function redirectUri(): string {
  return `${location.origin}/`;
}

async function proof(): Promise<{ verifier: string; challenge: string }> {
  // Browsers leave it out on pages that came in clear, except from this machine itself.
  if (!crypto.subtle) throw new Error("Signing in needs https, or a browser on the server's own machine.");
  const verifier = randomText();
  const hash = await crypto.subtle.digest("SHA-256", new TextEncoder().encode(verifier));
  return { verifier, challenge: base64Url(new Uint8Array(hash)) };
}

function randomText(): string {
  return base64Url(crypto.getRandomValues(new Uint8Array(32)));
}

function base64Url(bytes: Uint8Array): string {
  return btoa(String.fromCharCode(...bytes)).replaceAll("+", "-").replaceAll("/", "_").replaceAll("=", "");
}
