// One Chromium with a microphone that says a tone, driven line by line: a JSON order comes in on stdin, a JSON answer goes
// out on stdout. What a page does for its user is in page.mjs.
//
//   node browser.mjs http://127.0.0.1:8080 bob tone.wav

import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";
import { chromium } from "playwright-core";
import { signIn } from "./sign_in.mjs";

const [base, user, microphone] = process.argv.slice(2);

const browser = await chromium.launch({
    executablePath: "/usr/bin/chromium",
    // When this program is ended the browser goes with it; what Playwright would do first, it does not finish.
    handleSIGTERM: false,
    args: [
        "--no-sandbox",
        "--use-fake-device-for-media-stream",
        "--use-fake-ui-for-media-stream",
        `--use-file-for-fake-audio-capture=${microphone}`,
        "--autoplay-policy=no-user-gesture-required",
        // A page in the background is throttled, and there is nobody in front of this one.
        "--disable-background-timer-throttling",
        "--disable-renderer-backgrounding",
        "--disable-backgrounding-occluded-windows",
        // Its ICE looks for paths on loopback, too.
        "--allow-loopback-in-peer-connection",
    ],
});
const page = await browser.newPage({ bypassCSP: true });
page.on("pageerror", (error) => console.error(String(error)));
// Any answer of the server's makes a page of its origin.
await page.goto(`${base}/health/live`);
await page.addScriptTag({ type: "module", path: fileURLToPath(new URL("page.mjs", import.meta.url)) });
await page.waitForFunction(() => globalThis.phone !== undefined);
await page.evaluate((token) => globalThis.phone.open(token), await signIn(base, user));

say({ ready: true });
for await (const line of createInterface({ input: process.stdin })) {
    const { order, argument } = JSON.parse(line);
    try {
        const result = await page.evaluate(([order, argument]) => globalThis.phone[order](argument), [order, argument]);
        say({ result: result ?? null });
    } catch (error) {
        say({ error: String(error) });
    }
}
await browser.close();

function say(answer) {
    process.stdout.write(`${JSON.stringify(answer)}\n`);
}
