// A browser, and somebody who looks at every page it shows: a screenshot in each scheme and width,
// axe-core's rules, and whatever the console complains about.

import fs from "node:fs";
import { createRequire } from "node:module";
import path from "node:path";

import { chromium } from "playwright-core";

const AXE = fs.readFileSync(createRequire(import.meta.url).resolve("axe-core/axe.min.js"), "utf8");
const RULES = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa"];
const VIEWS = [
  { scheme: "light", width: 1280, height: 900 },
  { scheme: "dark", width: 1280, height: 900 },
  { scheme: "light", width: 390, height: 844 },
  { scheme: "dark", width: 390, height: 844 },
];
/// What a browser writes to the console when a page itself answers 4xx.
const ANSWERED_4XX = /^Failed to load resource: the server responded with a status of 4\d\d/;

/// Debian's Chromium without anything that talks to the outside.
export function launch(executablePath) {
  return chromium.launch({
    executablePath,
    args: [
      "--headless",
      "--no-sandbox",
      "--disable-gpu",
      "--disable-quic",
      "--no-first-run",
      "--disable-background-networking",
      "--disable-component-update",
      "--disable-sync",
    ],
  });
}

export class Looker {
  static async of(page, out, axe) {
    const looker = new Looker(page, out, axe);
    await page.addInitScript(() => {
      document.addEventListener("securitypolicyviolation", (event) => {
        console.error(`CSP: ${event.violatedDirective} ${event.blockedURI} ${event.sample}`);
      });
    });
    return looker;
  }

  constructor(page, out, axe) {
    Object.assign(this, { page, out, axe, violations: [], errors: [], shots: [], refusals: 0 });
    page.on("pageerror", (error) => this.errors.push(`script: ${error.message}`));
    page.on("console", (message) => {
      const text = message.text();
      if (message.type() !== "error" || (this.refusals > 0 && ANSWERED_4XX.test(text))) return;
      this.errors.push(`${new URL(page.url()).pathname}: ${text}`);
    });
  }

  /// Does what makes a page answer 4xx on purpose.
  async expecting(act) {
    this.refusals += 1;
    try {
      return await act();
    } finally {
      this.refusals -= 1;
    }
  }

  /// Screenshots `name-scheme-width.png` of the page as it is, and the rules on each.
  async look(name) {
    const { page } = this;
    for (const { scheme, width, height } of VIEWS) {
      await page.emulateMedia({ colorScheme: scheme, reducedMotion: "reduce" });
      await page.setViewportSize({ width, height });
      const file = path.join(this.out, `${name}-${scheme}-${width}.png`);
      await page.screenshot({ path: file, fullPage: true });
      this.shots.push(file);
      const where = `${name} ${scheme} ${width}`;
      const over = await page.evaluate(() => document.documentElement.scrollWidth - window.innerWidth);
      if (over > 0) this.violations.push(`${where}: the page is ${over} px too wide`);
      if (this.axe) await this.rules(where);
    }
    await page.emulateMedia({ colorScheme: "light", reducedMotion: "reduce" });
    await page.setViewportSize({ width: VIEWS[0].width, height: VIEWS[0].height });
  }

  async rules(where) {
    await this.page.evaluate(AXE);
    const { violations } = await this.page.evaluate((runOnly) => window.axe.run(document, { runOnly }), RULES);
    for (const { id, nodes } of violations) {
      const first = nodes.slice(0, 3).map((node) => `${node.target.join(" ")} (${node.failureSummary?.split("\n")[1]?.trim() ?? ""})`);
      this.violations.push(`${where}: ${id}: ${first.join("; ")}`);
    }
  }
}
