// Every state of the console, light and dark, wide and on a phone: accessible, within its policy, without errors.
//
// With SCREENSHOTS=FOLDER each is also kept as a picture, to be looked at.

import { mkdir } from "node:fs/promises";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { check, open, startBrowser } from "./browser.mjs";
import { startMock } from "./mock.mjs";
import { scenes } from "./scenes.mjs";

const FOLDER = process.env.SCREENSHOTS;

let browser;
before(async () => {
  if (FOLDER) await mkdir(FOLDER, { recursive: true });
  browser = await startBrowser();
});
after(() => browser.close());

/** Each state with the words by which it is there, and what is done to see it. */
const STATES = {
  signedOut: ["signedOut", "See every live call"],
  refused: ["refused", "The console is not yours to see"],
  empty: ["empty", "No call yet"],
  held: ["held", "Hold music"],
  ten: ["ten", "Oskar"],
  failed: ["failed", "could not be fetched"],
  dead: ["dead", "were given up", "#/calls/ID/notifications"],
  deadDetails: ["dead", "were given up", "#/calls/ID/notifications", (page) => page.getByRole("button", { name: "More about notification 3" }).click()],
  timeline: ["failed", "was refused", "#/calls/ID/timeline"],
  over: ["over", "The callee is busy", "#/calls/ID"],
  reader: ["reader", "Hold music"],
  prompts: ["held", "The built-in music", "#/prompts"],
  preflight: ["held", "The built-in music", "#/prompts", tryPrompt],
  question: ["held", "Hold music", "", (page) => page.getByRole("button", { name: "Hang up" }).click()],
  refusal: ["held", "Hold music", "", (page) => page.getByRole("button", { name: "Hold", exact: true }).first().click()],
};

async function tryPrompt(page) {
  await page.getByLabel("Address of a recording").fill("https://media.example/hold/loud.mp3");
  await page.getByRole("button", { name: "Try it" }).click();
  await page.getByText("Graph wants mono").waitFor();
}

const LOOKS = {
  light: { colorScheme: "light" },
  dark: { colorScheme: "dark" },
  phone: { colorScheme: "light", viewport: { width: 390, height: 844 }, hasTouch: true },
};

for (const [look, options] of Object.entries(LOOKS)) {
  for (const [name, [scene, words, hash = "", act]] of Object.entries(STATES)) {
    test(`${name}, ${look}`, async () => {
      const shown = scenes[scene]();
      const mock = await startMock(shown);
      const id = (shown.calls[0] ?? shown.ended[0])?.id ?? "";
      // On a phone a call is seen only when it is chosen.
      const place = hash || (look === "phone" && id && name !== "ten" ? "#/calls/ID" : "");
      const opened = await open(browser, `${mock.url}/${place.replace("ID", id)}`, options);
      await opened.page.getByText(words).first().waitFor();
      await act?.(opened.page);
      if (FOLDER) await opened.page.screenshot({ path: join(FOLDER, `${name}-${look}.png`) });
      await check(opened);
      await opened.close();
      mock.close();
    });
  }
}
