// The HTML report in a real browser: loads nothing, runs nothing, says nothing wrong to a screen
// reader, fits a phone and a sheet of paper. Takes report paths; exits non-zero on any fault.

import { readFileSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { createRequire } from "node:module";
import { tmpdir } from "node:os";
import { basename, join, resolve } from "node:path";
import { pathToFileURL } from "node:url";

import { chromium } from "playwright-core";

const AXE = readFileSync(createRequire(import.meta.url).resolve("axe-core/axe.min.js"), "utf8");
const OUT = join(import.meta.dirname, "out");
const FLAGS = [
  "--no-sandbox",
  "--disable-gpu",
  "--disable-quic",
  "--no-first-run",
  "--disable-background-networking",
  "--disable-component-update",
  "--disable-sync",
];
const SIZES = { desktop: { width: 1280, height: 900 }, phone: { width: 390, height: 844 } };
const SCHEMES = ["light", "dark"];

let passed = 0;
let failed = 0;

function check(name, faults) {
  const list = [].concat(faults ?? []).filter(Boolean);
  if (list.length === 0) {
    passed += 1;
    return;
  }
  failed += 1;
  console.error(`FAILED ${name}`);
  for (const fault of list.slice(0, 12)) console.error(`  ${fault}`);
  if (list.length > 12) console.error(`  and ${list.length - 12} more`);
}

/** Opens the page and keeps what it asks for and complains about. */
async function open(context, url) {
  const page = await context.newPage();
  const seen = { requests: [], complaints: [] };
  page.on("request", (request) => seen.requests.push(request.url()));
  page.on("console", (message) => {
    if (["error", "warning"].includes(message.type())) seen.complaints.push(message.text());
  });
  page.on("pageerror", (error) => seen.complaints.push(String(error)));
  page.on("dialog", (dialog) => {
    seen.complaints.push(`a script ran: dialog ${dialog.message()}`);
    dialog.dismiss();
  });
  await page.goto(url, { waitUntil: "load" });
  return { page, seen };
}

/** What the page is made of, read with its own scripts switched off by its policy. */
function anatomy() {
  const texts = (selector) => [...document.querySelectorAll(selector)].map((it) => it.textContent.trim());
  const faults = [];
  const levels = [...document.querySelectorAll("h1,h2,h3,h4,h5,h6")].map((it) => Number(it.tagName[1]));
  levels.forEach((level, i) => {
    if (i > 0 && level > levels[i - 1] + 1) faults.push(`heading ${i + 1} jumps from h${levels[i - 1]} to h${level}`);
  });
  if (texts("h1").length !== 1) faults.push(`${texts("h1").length} first headings`);
  for (const tag of ["script", "img", "iframe", "object", "embed", "link", "form", "base"]) {
    if (document.querySelector(tag)) faults.push(`the page holds <${tag}>`);
  }
  for (const element of document.querySelectorAll("*")) {
    for (const { name } of element.attributes) {
      if (name.startsWith("on") || name === "style") faults.push(`<${element.tagName.toLowerCase()}> has ${name}`);
    }
  }
  const ids = new Set();
  for (const { id } of document.querySelectorAll("[id]")) {
    if (ids.has(id)) faults.push(`two elements have the id ${id}`);
    ids.add(id);
  }
  for (const link of document.querySelectorAll("a[href^='#'],use")) {
    const target = link.getAttribute("href").slice(1);
    if (!document.getElementById(target)) faults.push(`nothing has the id ${target}`);
  }
  for (const table of document.querySelectorAll("table")) {
    if (!table.caption) faults.push("a table has no caption");
    if (table.querySelector("th:not([scope])")) faults.push(`a heading of table "${table.caption?.textContent}" has no scope`);
  }
  const policy = document.querySelector("meta[http-equiv='Content-Security-Policy']")?.content ?? "";
  if (!policy.startsWith("default-src 'none'; style-src 'sha256-")) faults.push(`the policy is: ${policy}`);
  if (getComputedStyle(document.body).borderTopStyle !== "solid") faults.push("the style sheet was not applied");
  return faults;
}

function overflow() {
  const root = document.documentElement;
  if (root.scrollWidth <= root.clientWidth) return [];
  const wide = [...document.querySelectorAll("body *")].filter(
    (it) => it.getBoundingClientRect().right > root.clientWidth + 1 && !it.parentElement.closest(".scroll,pre,.hidden,.symbols"),
  );
  return [`the page is ${root.scrollWidth} wide, the window ${root.clientWidth}`].concat(
    wide.slice(0, 5).map((it) => `<${it.tagName.toLowerCase()} class="${it.getAttribute("class") ?? ""}"> ${it.textContent.trim().slice(0, 50)}`),
  );
}

/** axe speaks through the debugger's own world, so the page's policy stays as strict as it is. */
async function axe(page) {
  await page.evaluate(() => document.querySelectorAll("details").forEach((it) => (it.open = true)));
  await page.evaluate(AXE);
  const result = await page.evaluate(() => window.axe.run(document, { resultTypes: ["violations"] }));
  return result.violations
    .filter((it) => ["serious", "critical"].includes(it.impact))
    .map((it) => `${it.impact} ${it.id}: ${it.help} (${it.nodes.length}), first ${it.nodes[0].html.slice(0, 160)} ${it.nodes[0].any[0]?.message ?? ""}`);
}

/** The keyboard reaches the skip link first, and it leads to the findings. */
async function keyboard(page) {
  await page.keyboard.press("Tab");
  const first = await page.evaluate(() => document.activeElement?.getAttribute("href"));
  if (first !== "#findings") return [`the first stop is ${first}, not the skip link`];
  await page.keyboard.press("Enter");
  const hash = await page.evaluate(() => location.hash);
  return hash === "#findings" ? [] : [`the skip link leads to ${hash}`];
}

/** Printed with everything opened: the commands of the first finding are on paper. */
async function print(page, name) {
  const pdf = await page.pdf({ preferCSSPageSize: true, printBackground: true });
  writeFileSync(join(OUT, `${name}.pdf`), pdf);
  const pages = (pdf.toString("latin1").match(/\/Type\s*\/Page\b/g) ?? []).length;
  await page.emulateMedia({ media: "print" });
  const shut = await page.evaluate(async () => {
    await new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done)));
    const inside = [...document.querySelectorAll("details > :not(summary)")];
    return inside.filter((it) => !it.checkVisibility() || it.getBoundingClientRect().height === 0).length;
  });
  await page.emulateMedia({ media: "screen" });
  return [pages > 0 ? "" : "the PDF has no page", shut > 0 ? `${shut} folded parts are not printed` : ""];
}

async function report(browser, path) {
  const name = basename(path).replace(/\.html?$/, "");
  const url = pathToFileURL(resolve(path)).href;
  const heavy = readFileSync(path).length > 1_000_000;
  for (const scheme of SCHEMES) {
    for (const [size, viewport] of Object.entries(SIZES)) {
      const context = await browser.newContext({ viewport, colorScheme: scheme });
      const label = `${name} ${size} ${scheme}`;
      const { page, seen } = await open(context, url);
      check(`${label}: fits the window`, await page.evaluate(overflow));
      await page.screenshot({ path: join(OUT, `${name}-${size}-${scheme}.png`), fullPage: !heavy });
      if (size === "desktop" && scheme === "light") {
        check(`${label}: is built as it should be`, await page.evaluate(anatomy));
        check(`${label}: keyboard`, await keyboard(page));
        check(`${label}: prints`, await print(page, name));
      }
      check(`${label}: accessible`, await axe(page));
      check(`${label}: fits the window with everything opened`, await page.evaluate(overflow));
      check(`${label}: asks for nothing but itself`, seen.requests.filter((it) => it.split("#")[0] !== url));
      check(`${label}: the browser complains of nothing`, seen.complaints);
      await context.close();
    }
  }
  const still = await browser.newContext({ viewport: SIZES.desktop, javaScriptEnabled: false });
  const { page } = await open(still, url);
  check(`${name}: reads without scripts`, (await page.locator("h1").innerText()).length > 20 ? "" : "no verdict");
  await still.close();
}

const paths = process.argv.slice(2);
if (paths.length === 0) {
  console.error("usage: tests/browser/run REPORT.html...");
  process.exit(2);
}
mkdirSync(OUT, { recursive: true });
const profile = mkdtempSync(join(tmpdir(), "portproof-browser-"));
let browser;
try {
  browser = await chromium.launch({ executablePath: process.env.CHROMIUM ?? "/usr/bin/chromium", headless: true, args: FLAGS, env: { ...process.env, HOME: profile, XDG_CONFIG_HOME: profile, XDG_CACHE_HOME: profile } });
  for (const path of paths) await report(browser, path);
} catch (error) {
  check("the browser", String(error?.stack ?? error).split("\n"));
} finally {
  await browser?.close();
  rmSync(profile, { recursive: true, force: true });
}
console.log(`${passed} passed, ${failed} failed`);
process.exit(failed === 0 ? 0 : 1);
