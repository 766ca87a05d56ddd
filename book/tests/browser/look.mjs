// SPDX-License-Identifier: GPL-2.0
// Opens pages of the built book at two widths in two colour schemes and reports what a reader
// would meet: script errors, missing files, sideways scrolling, and what axe finds.
import { readdirSync, readFileSync, mkdtempSync, rmSync } from "node:fs";
import { createRequire } from "node:module";
import { tmpdir } from "node:os";
import { join } from "node:path";

// The packages live in the user's cache, not beside this file.
const packages = createRequire(join(process.env.FWTS_BROWSER_PACKAGES, "package.json"));
const puppeteer = packages("puppeteer-core");
const axe = readFileSync(packages.resolve("axe-core/axe.min.js"), "utf8");
const [browserPath, root, ...wanted] = process.argv.slice(2);
const WIDTHS = [1280, 390];
const SCHEMES = ["light", "dark"];
const problems = [];

function pagesBelow(folder) {
  return readdirSync(join(root, folder)).filter((n) => n.endsWith(".html"))
    .map((n) => join(folder, n));
}

// Listings differ in their text only: one of them stands for all.
function allPages() {
  const stages = pagesBelow("stages");
  return ["index.html", "preface.html", ...pagesBelow("chapters"), ...pagesBelow("appendix"),
    ...stages, "stages/01-registration/igbook_main.c.html", "search.html"];
}

// One page of each kind: contents, journey, code, reference, answers, listing. axe takes half a
// minute for the longest chapter, so that one is only measured, in checkBehaviour.
const SAMPLE = ["index.html", "chapters/network-boot.html", "chapters/02-dma.html",
  "appendix/reference.html", "appendix/answers.html",
  "stages/01-registration/igbook_hw.c.html"];

function chosen() {
  if (wanted.includes("--all")) return allPages();
  return wanted.length > 0 ? wanted : SAMPLE;
}

async function open(browser, name, width, scheme) {
  const page = await browser.newPage();
  const say = (text) => problems.push(`${name} (${width} px): ${text}`);
  page.on("pageerror", (error) => say(`script error: ${error.message}`));
  page.on("console", (m) => { if (m.type() === "error") say(`console: ${m.text()}`); });
  page.on("requestfailed", (r) => say(`not found: ${r.url().replace(root, "")}`));
  await page.evaluateOnNewDocument(() => {
    Object.defineProperty(navigator, "clipboard", {
      value: { writeText: (text) => { window.copied = text; return Promise.resolve(); } },
    });
  });
  await page.setViewport({ width, height: 900, isMobile: width < 600, hasTouch: width < 600 });
  await page.emulateMediaFeatures([{ name: "prefers-color-scheme", value: scheme }]);
  await page.goto(`file://${root}/${name}`);
  return { page, say };
}

// Only contrast depends on the scheme.
async function checkAxe(page, say, scheme) {
  await page.evaluate(axe);
  const rules = scheme === "light" ? ["wcag2a", "wcag2aa"] : ["color-contrast"];
  const found = await page.evaluate((runOnly) => window.axe.run(document, {
    runOnly, resultTypes: ["violations"], preload: false, elementRef: false,
  }), rules);
  for (const violation of found.violations) {
    const node = violation.nodes[0];
    say(`axe: ${violation.id} (${violation.nodes.length} places), first ${node.target}: ` +
      `${node.failureSummary.replace(/\s+/g, " ").slice(0, 300)}`);
  }
}

async function checkWidth(page, say) {
  const wide = await page.evaluate(() => {
    const room = document.documentElement.clientWidth;
    return document.documentElement.scrollWidth <= room ? "" :
      Array.from(document.querySelectorAll("article *"))
        .filter((e) => e.getBoundingClientRect().right > room + 1)
        .slice(0, 3).map((e) => `${e.tagName}.${e.className}`).join(", ") || "something";
  });
  if (wide) say(`the page scrolls sideways because of ${wide}`);
}

async function checkGround(page, say, scheme) {
  const light = await page.evaluate(() => {
    const [r, g, b] = getComputedStyle(document.body).backgroundColor.match(/\d+/g).map(Number);
    return (r + g + b) / 3 > 127;
  });
  if (light !== (scheme === "light")) say(`the ground is ${light ? "light" : "dark"}`);
}

async function checkBehaviour(browser) {
  let { page, say } = await open(browser, "chapters/01-registration.html", 390, "dark");
  await checkWidth(page, say);
  await checkGround(page, say, "dark");
  await page.close();
  ({ page, say } = await open(browser, "chapters/01-registration.html", 1280, "light"));
  const before = await page.evaluate(() => document.body.dataset.theme);
  await page.evaluate(() => document.querySelector(".theme-toggle").click());
  const after = await page.evaluate(() => document.body.dataset.theme);
  if (before === after) say("the theme button does nothing");
  const copied = await page.evaluate(() => {
    const snippet = Array.from(document.querySelectorAll(".snippet"))
      .find((s) => s.querySelector(".ctx"));
    if (!snippet) return { missing: true };
    snippet.querySelector("button.copy").click();
    return { text: window.copied, context: snippet.querySelector(".ctx").textContent };
  });
  if (copied.missing) say("no snippet has context lines");
  else if (!copied.text) say("the copy button copies nothing");
  else if (copied.text.split("\n").includes(copied.context) && copied.context.trim()) {
    say("the copy button copies context lines");
  }
  await page.close();
  const name = pagesBelow("chapters").find((p) =>
    readFileSync(join(root, p), "utf8").includes('class="journey docutils'));
  if (!name) { problems.push("no chapter shows a journey"); return; }
  ({ page, say } = await open(browser, name, 1280, "light"));
  const seen = await page.evaluate(() => {
    const journey = document.querySelector(".journey");
    const visible = () => journey.querySelectorAll("ol.journey-stops > li:not([hidden])").length;
    const buttons = journey.querySelectorAll(".player button");
    const all = visible();
    buttons[1].click();
    const one = visible();
    buttons[1].click();
    const second = Array.from(journey.querySelectorAll("ol.journey-stops > li"))
      .findIndex((li) => !li.hidden);
    buttons[2].click();
    return { all, one, second, again: visible() };
  });
  if (seen.one !== 1 || seen.second !== 1 || seen.again !== seen.all) {
    say(`the journey player is wrong: ${JSON.stringify(seen)}`);
  }
  await page.close();
  await checkRing(browser);
  await checkNarrowIndex(browser);
}

// The figure shows the chosen step alone; the arrow keys walk; the overview comes back.
async function checkRing(browser) {
  const { page, say } = await open(browser, "chapters/04-rings.html", 1280, "light");
  const seen = await page.evaluate(() => {
    const ring = document.querySelector(".ring");
    const buttons = ring.querySelectorAll(".player button");
    const titles = () => Array.from(ring.querySelectorAll(".drawing .r-title"), (t) => t.textContent);
    const overview = titles().length;
    buttons[1].click();
    ring.querySelector(".player").dispatchEvent(new KeyboardEvent("keydown", { key: "ArrowRight" }));
    const step = titles().join();
    const visible = ring.querySelectorAll("ol.ring-steps > li:not([hidden])").length;
    buttons[2].click();
    return { overview, step, visible, again: titles().length,
      copies: ring.querySelectorAll("button.copy").length };
  });
  if (seen.overview < 2 || !seen.step.startsWith("2. ") || seen.visible !== 1 ||
      seen.again !== seen.overview || seen.copies !== 0) {
    say(`the ring's player is wrong: ${JSON.stringify(seen)}`);
  }
  await page.close();
}

async function checkNarrowIndex(browser) {
  const { page, say } = await open(browser, "genindex.html", 390, "light");
  const clipped = await page.evaluate(() => Array.from(document.querySelectorAll("article li"))
    .filter((e) => e.getBoundingClientRect().right > document.documentElement.clientWidth).length);
  if (clipped > 0) say(`${clipped} entries of the index are cut off`);
  await page.close();
}

const profile = mkdtempSync(join(tmpdir(), "fwts-browser-"));
const browser = await puppeteer.launch({
  executablePath: browserPath, userDataDir: profile, headless: "shell",
  args: ["--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run",
    "--disable-background-networking", "--disable-component-update", "--disable-sync"],
});
let looked = 0;
try {
  for (const name of chosen()) {
    for (const width of WIDTHS) {
      const { page, say } = await open(browser, name, width, "light");
      await checkWidth(page, say);
      for (const scheme of SCHEMES) {
        await page.emulateMediaFeatures([{ name: "prefers-color-scheme", value: scheme }]);
        await checkGround(page, say, scheme);
        if (width === 1280) await checkAxe(page, (text) => say(`${scheme}: ${text}`), scheme);
      }
      await page.close();
      looked += 1;
    }
  }
  await checkBehaviour(browser);
} finally {
  await browser.close();
  rmSync(profile, { recursive: true, force: true });
}
problems.forEach((problem) => console.error(problem));
console.log(`browser: looked at pages ${looked} times, ${problems.length} problems`);
process.exit(problems.length > 0 ? 1 : 0);
