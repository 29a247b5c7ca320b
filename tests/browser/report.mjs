// The HTML report in a real browser: loads nothing, runs nothing but its own filter and sorting, says
// nothing wrong to a screen reader, fits a phone and a sheet of paper. Takes report paths; exits
// non-zero on any fault.

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
const SIZES = {
  desktop: { width: 1280, height: 900 },
  tablet: { width: 768, height: 1024 },
  phone: { width: 360, height: 780 },
};
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
function anatomy(isPlain) {
  const texts = (selector) => [...document.querySelectorAll(selector)].map((it) => it.textContent.trim());
  const faults = [];
  const levels = [...document.querySelectorAll("h1,h2,h3,h4,h5,h6")].map((it) => Number(it.tagName[1]));
  levels.forEach((level, i) => {
    if (i > 0 && level > levels[i - 1] + 1) faults.push(`heading ${i + 1} jumps from h${levels[i - 1]} to h${level}`);
  });
  if (texts("h1").length !== 1) faults.push(`${texts("h1").length} first headings`);
  if (document.scripts.length !== (isPlain ? 0 : 1)) faults.push(`${document.scripts.length} scripts`);
  if (document.scripts[0]?.attributes.length) faults.push("the script has attributes");
  for (const tag of ["img", "iframe", "object", "embed", "link", "form", "base"]) {
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
  const hash = "'sha256-[A-Za-z0-9+/]{43}='";
  const script = isPlain ? "" : ` script-src ${hash};`;
  const whole = `^default-src 'none'; style-src ${hash};${script} base-uri 'none'; form-action 'none'$`;
  if (!new RegExp(whole).test(policy)) faults.push(`the policy is: ${policy}`);
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

/** Printed with everything opened but what is too much for paper, and that says so. */
async function print(page, name) {
  const pdf = await page.pdf({ preferCSSPageSize: true, printBackground: true });
  writeFileSync(join(OUT, `${name}.pdf`), pdf);
  const pages = (pdf.toString("latin1").match(/\/Type\s*\/Page\b/g) ?? []).length;
  await page.emulateMedia({ media: "print" });
  const { shut, silent, headless } = await page.evaluate(async () => {
    await new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done)));
    const gone = (it) => !it?.checkVisibility() || it.getBoundingClientRect().height === 0;
    const inside = [...document.querySelectorAll("details:not(.bulk) > :not(summary)")].filter((it) => !it.closest("details.bulk"));
    return {
      shut: inside.filter(gone).length,
      silent: [...document.querySelectorAll("details.bulk")].filter((it) => gone(it.nextElementSibling)).length,
      // Chromium repeats no button: a heading that is one would be missing on every further sheet.
      headless: [...document.querySelectorAll("button.sort")].filter((it) => getComputedStyle(it).display !== "contents").length,
    };
  });
  await page.emulateMedia({ media: "screen" });
  return [pages > 0 ? "" : "the PDF has no page", shut > 0 ? `${shut} folded parts are not printed` : "", silent > 0 ? `${silent} parts are not printed and do not say so` : "", headless > 0 ? `${headless} headings are buttons on paper` : ""];
}

/** What the filter and the sorting do, by keyboard as well; asked of the page as a reader sees it. */
async function script(page) {
  const faults = [];
  const want = (fact, words) => fact || faults.push(words);
  const cards = (rest = "") => page.locator(`#findings article.card${rest}:visible`).count();
  const said = async () => (await page.locator("#filter-count").innerText()).trim();
  const settled = () => page.waitForTimeout(300);
  // What is said to be shown is what can be seen: cards, and rows that stand for so many findings each.
  const reconcile = async (what) => {
    const { seen, heads } = await page.evaluate(() => {
      const number = (text) => Number(text.replaceAll(",", ""));
      const shown = (it) => it.checkVisibility();
      const tally = (within) =>
        [...within.querySelectorAll("article.card")].filter(shown).length +
        [...within.querySelectorAll("details.rest[open] tbody tr")].filter(shown).reduce((sum, row) => sum + number(row.lastElementChild.textContent.trim()), 0);
      const sections = [...document.querySelectorAll("#findings > section")].filter(shown);
      const heads = sections.map((it) => [it.querySelector("h3").textContent, tally(it)]);
      return { seen: tally(document.getElementById("findings")), heads };
    });
    const told = Number((/^(?:No finding matches: )?([\d,]+) of [\d,]+ findings? shown$/.exec(await said())?.[1] ?? "").replaceAll(",", ""));
    want(told === seen, `${what}: ${seen} can be seen, and the count says: ${await said()}`);
    for (const [head, n] of heads) {
      want(head.endsWith(`, ${n.toLocaleString("en")} shown`), `${what}: ${n} can be seen below the heading: ${head}`);
    }
    const empty = await page.locator("#findings table:visible").evaluateAll((tables) => tables.filter((it) => ![...it.tBodies[0].rows].some((row) => row.checkVisibility())).length);
    want(empty === 0, `${what}: ${empty} tables without a row are shown`);
  };
  if ((await page.locator("#findings article.card").count()) === 0) {
    want(!(await page.locator("#filter").count()), "there is a filter, and nothing to filter");
    return faults;
  }
  want(await page.locator("#filter").isVisible(), "the filter is not shown");
  const all = await cards();
  const before = await said();
  want(/^([\d,]+ findings|1 finding)$/.test(before), `the count says: ${before}`);
  const severity = await page.locator("#findings article.card").first().getAttribute("data-severity");
  await page.locator("#filter-severity").selectOption(severity);
  await settled();
  want((await cards()) > 0, "no card of the first one's severity is shown");
  want((await cards(`:not([data-severity="${severity}"])`)) === 0, "cards of another severity are shown");
  want((await said()).includes(" of "), `filtered, the count says: ${await said()}`);
  await reconcile(`severity ${severity}`);
  await page.locator("#filter-text").fill("xyzzy-is-nowhere");
  await settled();
  want((await cards()) === 0, "a text that is nowhere finds cards");
  want((await said()).startsWith("No finding matches: 0 of "), `nothing found, the count says: ${await said()}`);
  await reconcile("a text that is nowhere");
  await page.locator("#filter-clear").focus();
  await page.keyboard.press("Enter");
  await settled();
  want((await cards()) === all, `cleared, ${await cards()} of ${all} cards are shown`);
  want((await said()) === before, `cleared, the count says: ${await said()}`);
  const target = await page.locator("#findings article.card").first().getAttribute("data-target");
  await page.locator("#filter-target").fill(target);
  await settled();
  want((await cards()) > 0, "no card of its own target is shown");
  const others = await page.evaluate(
    (name) =>
      [...document.querySelectorAll("#findings article.card")].filter(
        (it) => it.checkVisibility() && !it.dataset.target.toLowerCase().includes(name.toLowerCase()),
      ).length,
    target,
  );
  want(others === 0, `${others} cards of other targets are shown`);
  await reconcile(`target ${target}`);
  await page.locator("#filter-clear").click();
  await settled();
  // One whose findings are all in folded tables is found there.
  const folded = await page.evaluate(() => {
    const carded = new Set([...document.querySelectorAll("#findings article.card")].map((it) => it.dataset.target));
    const rows = [...document.querySelectorAll("#findings details.rest tbody tr")];
    return rows.map((row) => row.cells[3].textContent.trim()).find((name) => !carded.has(name)) ?? null;
  });
  if (folded) {
    await page.locator("#filter-target").fill(folded);
    await settled();
    want((await page.locator("#findings details.rest tbody tr:visible").count()) > 0, `${folded} is found and not shown`);
    await reconcile(`folded target ${folded}`);
    await page.locator("#filter-clear").click();
    await settled();
    want((await page.locator("#findings details.rest[open]").count()) === 0, "what the filter opened stays open");
  }

  // A table in a fold that is closed takes no key.
  await page.evaluate(() => document.querySelectorAll("details").forEach((it) => (it.open = true)));
  const unsorted = page.locator("table[data-sort]:has(tbody tr:nth-child(3))").first();
  if ((await unsorted.count()) === 0) return faults;
  const button = unsorted.locator("thead th").last().locator("button.sort");
  const column = () =>
    unsorted.evaluate((table) => [...table.tBodies[0].rows].map((row) => row.cells[row.cells.length - 1].textContent.trim()));
  const state = () => unsorted.locator("thead th").last().getAttribute("aria-sort");
  const original = await column();
  want((await state()) === null, "a table says that it is sorted before anybody sorted it");
  await button.focus();
  await page.keyboard.press("Enter");
  want((await state()) === "ascending", `sorted, the heading says ${await state()}`);
  const up = await column();
  await page.keyboard.press("Enter");
  want((await state()) === "descending", `sorted again, the heading says ${await state()}`);
  const down = await column();
  const same = (one, other) => JSON.stringify(one) === JSON.stringify(other);
  want(same([...up].sort(), [...original].sort()), "sorting lost or made a row");
  if (new Set(original).size > 1) want(up[0] === down[down.length - 1] && up[0] !== down[0], "the rows were not sorted");
  want((await unsorted.locator("thead [aria-sort]").count()) === 1, "several headings say that they sort");
  return faults;
}

/** Numbers are sorted as numbers, addresses as addresses, severities by their weight. */
async function order(page) {
  return page.evaluate(() => {
    const faults = [];
    const number = (text) => Number(/-?[\d,]+(\.\d+)?/.exec(text)?.[0].replaceAll(",", "") ?? NaN);
    const address = (text) => text.split(/\D+/).reduce((sum, part) => sum * 256 + Number(part), 0);
    const weight = (text) => ["critical", "high", "medium", "low"].indexOf(text);
    for (const table of document.querySelectorAll("table[data-sort]")) {
      [...table.tHead.rows[0].cells].forEach((head, i) => {
        const button = head.querySelector("button.sort");
        if (!button || table.tBodies[0].rows.length > 3000) return;
        const feet = table.tFoot?.textContent;
        button.click();
        const texts = [...table.tBodies[0].rows].map((row) => row.cells[i].textContent.trim());
        let read = null;
        if (head.classList.contains("kn")) read = number;
        else if (texts.every((text) => /^\d+\.\d+\.\d+\.\d+$/.test(text))) read = address;
        else if (texts.every((text) => weight(text) >= 0)) read = weight;
        if (!read) return;
        const values = texts.map(read).filter((value) => !Number.isNaN(value));
        if (values.some((value, j) => j > 0 && value < values[j - 1])) {
          faults.push(`"${table.caption.textContent}" by ${head.textContent}: ${texts.slice(0, 8).join(" ")}`);
        }
        if (table.tFoot?.textContent !== feet) faults.push("a foot was sorted");
      });
    }
    return faults;
  });
}

async function report(browser, path) {
  const name = basename(path).replace(/\.html?$/, "");
  const url = pathToFileURL(resolve(path)).href;
  const heavy = readFileSync(path).length > 400_000;
  // Of two reports side by side there is nothing to filter.
  const isPlain = name === "diff";
  for (const scheme of SCHEMES) {
    for (const [size, viewport] of Object.entries(SIZES)) {
      // What a large page shows besides is what the small ones do, and it takes minutes.
      if (heavy && (scheme !== "light" || size === "tablet")) continue;
      const context = await browser.newContext({ viewport, colorScheme: scheme });
      const label = `${name} ${size} ${scheme}`;
      const { page, seen } = await open(context, url);
      check(`${label}: fits the window`, await page.evaluate(overflow));
      await page.screenshot({ path: join(OUT, `${name}-${size}-${scheme}.png`), fullPage: !heavy, caret: "initial" });
      if (size === "desktop" && scheme === "light") {
        check(`${label}: is built as it should be`, await page.evaluate(anatomy, isPlain));
        check(`${label}: keyboard`, await keyboard(page));
        check(`${label}: prints`, await print(page, name));
        if (!isPlain) {
          check(`${label}: filters and sorts`, await script(page));
          check(`${label}: sorts each kind of column by what it means`, await order(page));
        }
      }
      if (!heavy || size === "desktop") check(`${label}: accessible`, await axe(page));
      check(`${label}: fits the window with everything opened`, await page.evaluate(overflow));
      check(`${label}: asks for nothing but itself`, seen.requests.filter((it) => it.split("#")[0] !== url));
      check(`${label}: the browser complains of nothing`, seen.complaints);
      await context.close();
    }
  }
  const still = await browser.newContext({ viewport: SIZES.desktop, javaScriptEnabled: false });
  const { page } = await open(still, url);
  check(`${name}: reads without scripts`, [
    (await page.locator("h1").innerText()).length > 20 ? "" : "no verdict",
    (await page.locator("#filter:visible, button:visible").count()) === 0 ? "" : "there are controls that do nothing",
    (await page.locator("#findings article.card[hidden], tr[hidden]").count()) === 0 ? "" : "findings are hidden",
  ]);
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
