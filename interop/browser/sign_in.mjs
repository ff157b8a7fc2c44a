// Signs a user of the dev profile in, as the softphone page does: authorization code with PKCE (RFC 7636).

import { createHash, randomBytes } from "node:crypto";

const TENANT = "11111111-1111-4111-8111-111111111111";
const PHONE_PAGE = "fe4a7a00-c0de-4000-8000-000000000002";
const PASSWORD = "fermata-dev";

export async function signIn(base, user) {
    const endpoint = `${base}/${TENANT}/oauth2/v2.0`;
    const verifier = randomBytes(32).toString("base64url");
    const asked = {
        response_type: "code",
        client_id: PHONE_PAGE,
        redirect_uri: `${base}/phone`,
        scope: "Phone",
        code_challenge: createHash("sha256").update(verifier).digest("base64url"),
        code_challenge_method: "S256",
        username: user,
        password: PASSWORD,
    };
    const signedIn = await post(`${endpoint}/authorize`, asked, { origin: base });
    const code = new URL(signedIn.headers.get("location")).searchParams.get("code");
    const redeemed = await post(`${endpoint}/token`, {
        grant_type: "authorization_code",
        client_id: PHONE_PAGE,
        redirect_uri: `${base}/phone`,
        code,
        code_verifier: verifier,
    });
    return (await redeemed.json()).access_token;
}

function post(url, form, headers = {}) {
    return fetch(url, { method: "POST", headers, body: new URLSearchParams(form), redirect: "manual" });
}
