#!/usr/bin/env node
// Drives Lanai's web UI as a person would, in Chromium with real clicks, and tells what it did in
// JSON lines on stdout. See README.md for the arguments and the protocol.

import fs from "node:fs";
import path from "node:path";
import readline from "node:readline";
import { parseArgs } from "node:util";

import { Looker, launch } from "./look.mjs";

const PASSWORD = "a quiet porch at sunset";

const { values: options, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    find: { type: "string" },
    replace: { type: "string" },
    password: { type: "string", default: PASSWORD },
    user: { type: "string", default: "admin" },
    chromium: { type: "string", default: "/usr/bin/chromium" },
    "no-wait": { type: "boolean", default: false },
    "no-axe": { type: "boolean", default: false },
  },
});
const [url, token, out] = positionals;
if (!url || !token || !out || (options.find === undefined) !== (options.replace === undefined)) {
  console.error("usage: drive.mjs URL TOKEN OUTDIR [--find TEXT --replace TEXT] [--user NAME] [--password PW] [--chromium PATH] [--no-wait] [--no-axe]");
  process.exit(2);
}
const base = url.replace(/\/+$/, "");
fs.mkdirSync(out, { recursive: true });

const tell = (fact) => process.stdout.write(`${JSON.stringify(fact)}\n`);
const expect = (condition, sentence) => { if (!condition) throw new Error(sentence); };

/// Tells a fact and waits until whoever started us has looked at the traffic.
const lines = readline.createInterface({ input: process.stdin })[Symbol.asyncIterator]();
async function ask(fact) {
  tell(fact);
  if (options["no-wait"]) return;
  const { value, done } = await lines.next();
  expect(!done && !value.startsWith("fail"), `the harness said ${done ? "nothing and left" : value}`);
}

/// Lines and columns count from 1, as in the diagnostics.
function brokenText(text) {
  const whole = text.endsWith("\n") || text === "" ? text : `${text}\n`;
  const broken = `${whole}backend broken_on_purpose\n    blance roundrobin\n`;
  return { broken, line: broken.split("\n").length - 1, column: 5 };
}

function changedText(text) {
  if (options.find === undefined) return `${text}${text.endsWith("\n") ? "" : "\n"}# changed in the browser\n`;
  expect(text.includes(options.find), `haproxy.cfg has no ${JSON.stringify(options.find)}`);
  return text.replace(options.find, () => options.replace);
}

const liveRevision = async (page) => Number(await page.locator(".live b").textContent());

/// Clicks what leads to another page, and waits for that page.
const follow = (page, target) => Promise.all([page.waitForEvent("domcontentloaded"), target.click()]);
const press = (page, name) => follow(page, page.getByRole("button", { name, exact: true }));
const openTab = (page, name) =>
  follow(page, page.getByRole("navigation", { name: "Main" }).getByRole("link", { name, exact: true }));

async function logInByLink(page, looker) {
  await page.goto(`${base}/login?token=${encodeURIComponent(token)}`);
  await looker.look("welcome");
  await press(page, "Log in with this link");
  await page.getByLabel("New password", { exact: false }).fill(options.password);
  await page.getByLabel("The same again").fill(options.password);
  await looker.look("password");
  await press(page, "Set the password");
  await page.getByRole("heading", { name: "Frontends" }).waitFor();
  expect(new URL(page.url()).pathname === "/", `expected the Status page, got ${page.url()}`);
  const cookie = (await page.context().cookies()).find((one) => one.name === "__Host-sid");
  expect(cookie?.secure && cookie.httpOnly && cookie.sameSite === "Strict", "the cookie is not as strict as it must be");
  tell({ step: "status", heading: (await page.getByRole("heading", { level: 1 }).textContent()).trim() });
  await looker.look("status");
}

async function breakIt(page, looker, original) {
  const { broken, line, column } = brokenText(original);
  for (const button of ["Check", "Apply"]) {
    await page.locator("#text").fill(broken);
    await press(page, button);
    const place = page.getByRole("link", { name: `haproxy.cfg:${line}:${column}` });
    await place.waitFor();
    expect(await page.locator("#text").inputValue() === broken, `the text was changed by a refused ${button}`);
    expect((await page.locator(".caret").allTextContents()).some((caret) => caret.trimStart().startsWith("^")), "no caret below the place");
    await place.click();
    const selected = await page.locator("#text").evaluate((text) => text.value.slice(text.selectionStart, text.selectionEnd));
    expect(selected === "blance", `the link of the finding selects ${JSON.stringify(selected)}`);
  }
  await looker.look("layer7-refused");
  tell({ step: "refused", line, column, message: (await page.locator(".findings .what").first().textContent()).trim() });
}

async function applyChange(page, looker, original) {
  const before = await liveRevision(page);
  const changed = changedText(original);
  await page.locator("#text").fill(changed);
  await page.getByLabel("Comment for the history").fill("Changed in the browser");
  await press(page, "Preview");
  await page.locator(".diff .add, .diff .del").first().waitFor();
  expect(await page.getByRole("heading", { name: "Plan" }).isVisible(), "the preview has no plan");
  await looker.look("layer7-preview");
  tell({ step: "preview", added: await page.locator(".diff .add").count(), removed: await page.locator(".diff .del").count() });
  await press(page, "Apply");
  await onTrial(page);
  expect(await liveRevision(page) === before, "a revision on trial is live");
  expect(await page.locator("#text").inputValue() === changed, "what is on trial is not what was written");
  const left = page.locator("[data-left]");
  const first = await left.textContent();
  await page.waitForFunction((text) => document.querySelector("[data-left]").textContent !== text, first);
  await looker.look("layer7-on-trial");
  await looker.expecting(() => page.goto(`${base}/nowhere`));
  await onTrial(page);
  await looker.look("not-found-on-trial");
  tell({ step: "on trial", left: first });
  // Over a connection from before the change this would be refused.
  await follow(page, page.getByRole("button", { name: /^Confirm revision \d+$/ }));
  await page.getByRole("heading", { name: /^Revision \d+ is live$/ }).waitFor();
  await openTab(page, "LB Layer7");
  expect(await page.locator("#text").inputValue() === changed, "what is live is not what was written");
  const revision = await liveRevision(page);
  expect(revision > before, `revision ${revision} is not newer than ${before}`);
  await looker.look("layer7-applied");
  await ask({ applied: true, revision, before });
  return before;
}

/** A change that would shut this browser out is told before it is applied, and is for good only if they insist. */
async function shutOut(page, looker) {
  await openTab(page, "Services");
  const original = await page.locator("#text").inputValue();
  const insist = page.getByRole("checkbox", { name: /although it may cut me off$/ });
  const preview = async (more) => {
    await page.locator("#text").fill(`${original}${more}`);
    await press(page, "Preview");
    await page.getByRole("heading", { name: "Plan" }).waitFor();
  };
  await preview("\nservice firewall\n");
  expect(await insist.count() === 0, "whoever is not cut off is asked whether they insist");
  await preview("\nservice firewall\n\nservice wui\n    allow 192.0.2.0/24\n");
  await page.getByRole("heading", { name: "This may cut you off" }).waitFor();
  expect(!(await insist.isChecked()), "nobody said that they insist");
  await looker.look("services-cut-off");
  tell({ step: "cut off", why: await page.getByRole("alert").locator("li").allTextContents() });
  await openTab(page, "Services");
  expect(await page.locator("#text").inputValue() === original, "a preview changed the text");
}

const onTrial = (page) => page.getByRole("heading", { name: /^Revision \d+ is on trial$/ }).waitFor();

async function rollBack(page, looker, to, original) {
  await openTab(page, "History");
  await looker.look("history");
  await follow(page, page.getByRole("link", { name: `Roll back to revision ${to}`, exact: true }));
  await page.locator(".diff .add, .diff .del").first().waitFor();
  await looker.look("rollback");
  await press(page, `Roll back to revision ${to}`);
  await page.getByRole("heading", { name: `Rolled back to revision ${to}` }).waitFor();
  await openTab(page, "LB Layer7");
  expect(await page.locator("#text").inputValue() === original, "the text of before the change is not back");
  await ask({ rolled_back: true, revision: await liveRevision(page), to });
}

async function lookAround(page, looker) {
  await openTab(page, "Services");
  await looker.look("services");
  await openTab(page, "Files");
  await looker.look("files");
  await openTab(page, "Doctor");
  await looker.look("doctor");
  await openTab(page, "History");
  await follow(page, page.locator(".history .rev").first());
  await page.locator(".diff, .empty").first().waitFor();
  await looker.look("revision");
  await looker.expecting(() => page.goto(`${base}/nowhere`));
  await looker.look("not-found");
  await page.goto(base);
}

/// The same without a script: nothing may depend on one.
async function withoutScript(browser, original) {
  const context = await browser.newContext({ ignoreHTTPSErrors: true, javaScriptEnabled: false });
  const page = await context.newPage();
  await page.goto(base);
  await page.getByLabel("User").fill(options.user);
  await page.getByLabel("Password").fill(options.password);
  await press(page, "Log in");
  await openTab(page, "LB Layer7");
  const before = await liveRevision(page);
  const { broken, line, column } = brokenText(original);
  await page.locator("#text").fill(broken);
  await press(page, "Apply");
  await page.getByText(`haproxy.cfg:${line}:${column}`).waitFor();
  expect(await page.locator("#text").inputValue() === broken, "without a script a refusal loses the text");
  await page.locator("#text").fill(`${original}# without a script\n`);
  await press(page, "Preview");
  await page.locator(".diff .add").first().waitFor();
  await press(page, "Apply");
  await onTrial(page);
  await press(page, "Roll back now");
  await page.getByRole("heading", { name: /^Revision \d+ was taken back$/ }).waitFor();
  await openTab(page, "LB Layer7");
  expect(await page.locator("#text").inputValue() === original, "the text of before the trial is not back");
  await page.locator("#text").fill(`${original}# without a script\n`);
  await page.getByLabel("Confirm within").first().uncheck();
  await press(page, "Apply");
  await page.getByRole("heading", { name: /^Revision \d+ is live$/ }).waitFor();
  await openTab(page, "History");
  await follow(page, page.getByRole("link", { name: `Roll back to revision ${before}`, exact: true }));
  await press(page, `Roll back to revision ${before}`);
  await page.getByRole("heading", { name: `Rolled back to revision ${before}` }).waitFor();
  await context.close();
  tell({ step: "without a script" });
}

async function logOut(page, looker) {
  // A page without a button where the menu opens, or the rules see a covered target.
  await openTab(page, "LB Layer7");
  await page.locator(".menu summary").click();
  await looker.look("menu");
  await press(page, "Log out");
  await page.getByText("You are logged out").waitFor();
  await looker.look("login");
  await page.goto(base);
  expect(new URL(page.url()).pathname === "/login", "the session outlived the log-out");
  tell({ step: "logged out" });
}

const browser = await launch(options.chromium);
try {
  const context = await browser.newContext({ ignoreHTTPSErrors: true, viewport: { width: 1280, height: 900 } });
  const page = await context.newPage();
  page.setDefaultTimeout(15_000);
  // The editor asks before text is left behind; here it is always meant.
  page.on("dialog", (dialog) => dialog.accept());
  const looker = await Looker.of(page, out, !options["no-axe"]);
  await logInByLink(page, looker);
  await openTab(page, "LB Layer7");
  const original = await page.locator("#text").inputValue();
  await looker.look("layer7");
  await looker.expecting(() => breakIt(page, looker, original));
  const before = await applyChange(page, looker, original);
  await rollBack(page, looker, before, original);
  await shutOut(page, looker);
  await lookAround(page, looker);
  await withoutScript(browser, original);
  await logOut(page, looker);
  const { violations, errors, shots } = looker;
  tell({ done: violations.length === 0 && errors.length === 0, screenshots: shots.length, violations, errors });
  process.exitCode = violations.length + errors.length === 0 ? 0 : 1;
} catch (error) {
  tell({ failed: error.message.split("\n").slice(0, 12).join("\n") });
  for (const page of browser.contexts().flatMap((context) => context.pages())) {
    await page.screenshot({ path: path.join(out, "failed.png"), fullPage: true }).catch(() => {});
  }
  process.exitCode = 1;
} finally {
  await browser.close();
  process.stdin.destroy();
}
