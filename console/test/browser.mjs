// A Chromium without a window, and what is asked of every page in it.

import axe from "axe-core";
import { chromium } from "playwright-core";
import assert from "node:assert/strict";

/** Debian's Chromium; elsewhere its path is told. */
const EXECUTABLE = process.env.CHROMIUM ?? "/usr/bin/chromium";

export async function startBrowser() {
  return chromium.launch({ executablePath: EXECUTABLE, args: ["--no-sandbox"] });
}

/** Opens a page that keeps in mind what went wrong in it. */
export async function open(browser, url, options = {}) {
  const context = await browser.newContext({ viewport: { width: 1280, height: 800 }, ...options });
  const page = await context.newPage();
  const problems = [];
  page.on("pageerror", (error) => problems.push(String(error)));
  page.on("console", (message) => {
    // Browsers report every answer that is no success; those that the page waits for are no problem.
    if (message.type() === "error" && !message.text().startsWith("Failed to load resource")) problems.push(message.text());
  });
  await page.addInitScript(() => {
    globalThis.violations = [];
    addEventListener("securitypolicyviolation", (event) => globalThis.violations.push(`${event.violatedDirective} ${event.blockedURI}`));
  });
  await page.goto(url);
  return { page, problems, close: () => context.close() };
}

/** Checks the page as it is: accessible to everybody (axe-core), within its policy, and without an error. */
export async function check({ page, problems }) {
  // The policy forbids scripts of others, so the check comes by the debugger and not as a script of the page.
  const session = await page.context().newCDPSession(page);
  await session.send("Runtime.evaluate", { expression: axe.source });
  const evaluated = await session.send("Runtime.evaluate", {
    expression: `axe.run(document, { runOnly: ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"] }).then((found) => JSON.stringify(found.violations.map(({ id, help, nodes }) => ({ id, help, nodes: nodes.map(({ html, failureSummary }) => [html, failureSummary]) }))))`,
    awaitPromise: true,
    returnByValue: true,
  });
  assert.deepEqual(JSON.parse(evaluated.result.value), [], "axe-core");
  assert.deepEqual(await page.evaluate(() => globalThis.violations), [], "Content-Security-Policy");
  assert.deepEqual(problems, [], "errors");
}
