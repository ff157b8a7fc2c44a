// The console against the real server with real phones, by keyboard alone: somebody signs in, finds a participant, and does
// what FERMATA_ACTION says.

import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { check, open, startBrowser } from "./browser.mjs";

const { FERMATA_URL, FERMATA_PARTICIPANT, FERMATA_ACTION, FERMATA_HEARS } = process.env;

/** More stops than the page has: who has gone so far goes in circles. */
const STOPS_MAX = 80;

let browser;
before(async () => (browser = await startBrowser()));
after(() => browser.close());

test(`${FERMATA_ACTION} by keyboard`, async () => {
  const opened = await open(browser, FERMATA_URL);
  const { page } = opened;
  await page.getByRole("button", { name: "Sign in" }).waitFor();
  await tabTo(page, "Sign in");
  await page.keyboard.press("Enter");
  await page.getByLabel("User name").waitFor();
  await check(opened);
  await page.keyboard.type("alice");
  await page.keyboard.press("Tab");
  await page.keyboard.type("fermata-dev");
  await page.keyboard.press("Enter");

  const staff = page.getByRole("listitem").filter({ has: page.getByRole("heading", { name: FERMATA_PARTICIPANT }) });
  const actions = staff.getByRole("group", { name: `Actions for ${FERMATA_PARTICIPANT}` });
  await actions.getByRole("button", { name: FERMATA_ACTION, exact: true }).waitFor();
  assert.equal(new URL(page.url()).search, "", "the code does not stay in the address");
  assert.deepEqual(await storage(page), { local: 0, session: 0, cookies: "" }, "no script can find a token");
  await check(opened);

  await tabTo(page, FERMATA_ACTION, `Actions for ${FERMATA_PARTICIPANT}`);
  await page.keyboard.press("Enter");
  await staff.getByText(FERMATA_HEARS).first().waitFor();
  const focused = await page.evaluate(() => document.activeElement?.closest("[role=group]")?.getAttribute("aria-label"));
  assert.equal(focused, `Actions for ${FERMATA_PARTICIPANT}`, "who has pressed a button is still there");
  // Somebody speaks, and the meter shows it.
  await page.locator('[role="meter"][aria-valuetext$="dBFS"]').first().waitFor();

  await tabTo(page, "Operations");
  await page.getByText("Completed").first().waitFor();
  await page.keyboard.press("ArrowRight");
  await page.getByText("Delivered").first().waitFor();
  await check(opened);
  await page.keyboard.press("ArrowRight");
  await page.getByText("HoldMusic").first().waitFor();
  await check(opened);
  await page.goto(new URL("#/prompts", FERMATA_URL).href);
  await page.getByText("The built-in music").waitFor();
  await check(opened);
  await opened.close();
});

/** Goes on by the tabulator until the thing of this name has the focus. */
async function tabTo(page, name, group) {
  for (let stop = 0; stop < STOPS_MAX; stop += 1) {
    await page.keyboard.press("Tab");
    const found = await page.evaluate(() => {
      const at = document.activeElement;
      return { name: at?.getAttribute("aria-label") ?? at?.textContent?.trim(), group: at?.closest("[role=group]")?.getAttribute("aria-label") };
    });
    if (found.name === name && (!group || found.group === group)) return;
  }
  assert.fail(`the tabulator does not lead to ${name}`);
}

function storage(page) {
  return page.evaluate(() => ({ local: localStorage.length, session: sessionStorage.length, cookies: document.cookie }));
}
