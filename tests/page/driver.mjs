// Drives a real browser for `tests/suites/page`: `node driver.mjs TOOLS COMMAND ARGUMENTS`, where TOOLS is the folder
// with `node_modules`. It prints a line of JSON at each point that the test waits for.

import { createRequire } from "node:module";
import { readFileSync } from "node:fs";
import { createServer, connect } from "node:net";
import { join } from "node:path";
import { pathToFileURL } from "node:url";

const [tools, command, ...rest] = process.argv.slice(2);
const require = createRequire(join(tools, "package.json"));
const { chromium } = require("playwright-core");

const say = (value) => console.log(JSON.stringify(value));

async function browser(extra = []) {
  // The sandbox of Chromium does not work for root, as whom containers run.
  const args = process.getuid?.() === 0 ? ["--no-sandbox", ...extra] : extra;
  return chromium.launch({ executablePath: process.env.CHROMIUM, args });
}

// A page of a browser, with everything that it complains of or asks for.
async function open(running, options = {}) {
  const context = await running.newContext({ viewport: { width: 1400, height: 1000 }, ...options });
  const page = await context.newPage();
  const seen = { requests: [], complaints: [], dialogs: 0 };
  page.on("request", (request) => seen.requests.push(request.url()));
  page.on("pageerror", (error) => seen.complaints.push(String(error)));
  page.on("console", (message) => {
    // The driver itself reads canvases back, and cuts the connection of a live page.
    const isOfDriver = /^(Canvas2D: Multiple readback|Failed to load resource: net::ERR_)/.test(message.text());
    if (["error", "warning"].includes(message.type()) && !isOfDriver) seen.complaints.push(message.text());
  });
  page.on("dialog", (dialog) => {
    seen.dialogs += 1;
    void dialog.dismiss();
  });
  return { context, page, seen };
}

// Waits until the page has drawn what was asked of it: it draws at the next frame.
function drawn(page) {
  return page.evaluate(() => new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done))));
}

// Brings every panel into sight once, since only what is in sight is drawn.
async function look(page) {
  await page.evaluate(async () => {
    for (const panel of document.querySelectorAll(".panel")) {
      panel.scrollIntoView({ behavior: "instant" });
      const frame = () => new Promise((drawn) => requestAnimationFrame(() => requestAnimationFrame(drawn)));
      await frame();
      // A canvas has this size until something is drawn on it.
      const isFresh = (canvas) => canvas.width === 300 && canvas.height === 150;
      for (let frames = 0; frames < 300 && [...panel.querySelectorAll("canvas")].some(isFresh); frames += 1) await frame();
    }
    scrollTo({ top: 0, behavior: "instant" });
  });
}

// The numbers on the page, as a reader sees them.
function numbers(page) {
  return page.evaluate(() => {
    const text = (element) => element?.textContent ?? "";
    const tiles = {};
    for (const tile of document.querySelectorAll("[data-tile]")) tiles[tile.dataset.tile] = text(tile.querySelector("dd"));
    const rows = {};
    for (const row of document.querySelectorAll("#actions [data-action]")) {
      const cells = {};
      for (const cell of row.querySelectorAll("[data-column]")) cells[cell.dataset.column] = text(cell);
      rows[row.dataset.action] = cells;
    }
    const blank = [...document.querySelectorAll("canvas")].filter((canvas) => {
      if (canvas.width === 0 || canvas.height === 0) return true;
      const { data } = canvas.getContext("2d").getImageData(0, 0, canvas.width, canvas.height);
      return !data.some((value) => value !== 0);
    });
        const cells = (row) => [...row.children].map(text);
    const thresholds = [...document.querySelectorAll(".thresholds tbody tr")].map(cells);
    const compared = [...document.querySelectorAll("#compare tbody tr")].map(cells);
    const summary = text(document.querySelector("#compare .summary"));
    const charts = {};
    for (const plot of document.querySelectorAll(".panel .plot[aria-label]")) charts[plot.closest(".panel").id] = plot.getAttribute("aria-label");
    const last = Number(document.documentElement.dataset.last);
    return { state: text(document.querySelector(".state")), tiles, rows, thresholds, compared, summary, charts, last, blank: blank.length, images: document.images.length };
  });
}

const ready = (page, state) => page.waitForSelector(`html[data-ready="${state}"]`, { state: "attached", timeout: 120_000 });
const seconds = (page, least) => page.waitForFunction((n) => Number(document.documentElement.dataset.last) >= n, least, { timeout: 120_000 });

// A relay between the browser and the run, whose connections can be cut.
async function relay(target) {
  const heads = [];
  const sockets = new Set();
  const server = createServer((client) => {
    const run = connect(Number(target.port), target.hostname);
    client.once("data", (head) => heads.push(head.toString("latin1")));
    for (const [from, to] of [[client, run], [run, client]]) {
      sockets.add(from);
      from.on("error", () => to.destroy());
      from.on("close", () => to.destroy());
      from.pipe(to);
    }
  });
  await new Promise((listening) => server.listen(0, "127.0.0.1", listening));
  const cut = () => {
    for (const socket of sockets) socket.destroy();
    sockets.clear();
  };
  return { port: server.address().port, heads, cut, close: () => (cut(), server.close()) };
}

const commands = {
  // Follows a run; its connection is cut once. Says when some seconds have come after that, and the numbers at the end.
  async live(url) {
    const target = new URL(url);
    const between = await relay(target);
    const running = await browser();
    const { page, seen } = await open(running);
    await page.goto(`http://127.0.0.1:${between.port}${target.pathname}`);
    await ready(page, "live");
    await seconds(page, 1);
    const before = (await numbers(page)).last;
    between.cut();
    await seconds(page, before + 2);
    await look(page);
    const resumed = between.heads.map((head) => /last-event-id: *(\d+)/i.exec(head)?.[1]).filter(Boolean).map(Number);
    say({ before, resumed, during: await numbers(page) });
    await ready(page, "ended");
    await look(page);
    say({ ...(await numbers(page)), complaints: seen.complaints });
    between.close();
    await running.close();
  },

  // Opens a saved page from its file, without any network.
  async saved(file) {
    const running = await browser();
    const { context, page, seen } = await open(running);
    await context.setOffline(true);
    await page.goto(pathToFileURL(file).href);
    await ready(page, "saved");
    await look(page);
    say({ ...(await numbers(page)), ...seen });
    await running.close();
  },

  // Loads a large page. The time is for people; what it holds is for the test.
  async large(file) {
    const running = await browser(["--enable-precise-memory-info"]);
    const { page, seen } = await open(running);
    const begun = performance.now();
    await page.goto(pathToFileURL(file).href);
    await ready(page, "saved");
    await drawn(page);
    const ms = Math.round(performance.now() - begun);
    const heap = await page.evaluate(() => performance.memory.usedJSHeapSize);
    await look(page);
    const counted = await page.evaluate(() => {
      const table = document.querySelector("#actions table");
      return { rows: Number(table.getAttribute("aria-rowcount")), drawn: table.querySelectorAll("[data-action]").length };
    });
    say({ ms, heap, ...counted, complaints: seen.complaints });
    await running.close();
  },

  // Has axe look at a page in every theme and width, with the tables behind the charts shown.
  async axe(file) {
    const axe = readFileSync(require.resolve("axe-core/axe.min.js"), "utf8");
    const found = [];
    for (const colorScheme of ["light", "dark"]) {
      for (const width of [1400, 390]) {
        const running = await browser();
        const { page } = await open(running, { colorScheme, viewport: { width, height: 900 }, bypassCSP: true });
        await page.goto(pathToFileURL(file).href);
        await ready(page, "saved");
        await look(page);
        for (const button of await page.getByRole("button", { name: "Show as table" }).all()) await button.click();
        await page.addScriptTag({ content: axe });
        const { violations } = await page.evaluate(() => window.axe.run(document));
        found.push(...violations.map(({ id, nodes }) => `${colorScheme} ${width}: ${id}: ${nodes.map((node) => node.html.slice(0, 120)).join(" ")}`));
        await running.close();
      }
    }
    say({ found });
  },

  // Uses the page as a reader does: zooms, chooses an action, sorts, filters, clicks a cell, compares.
  async use(file, other) {
    const running = await browser();
    const { page, seen } = await open(running);
    await page.goto(pathToFileURL(file).href);
    await ready(page, "saved");
    await look(page);
    const first = () => page.locator("#actions tbody [data-action]").first().getAttribute("data-action");
    await page.locator('#actions [data-sort="p99"]').click();
    await page.locator('#actions [data-sort="name"]').click();
    const upwards = await first();
    await page.locator('#actions [data-sort="name"]').click();
    const downwards = await first();
    await page.getByRole("searchbox").fill(downwards);
    const filtered = await page.locator("#actions tbody [data-action]").count();
    await drawn(page);
    await page.locator("#actions tbody [data-action] button").first().click();
    await drawn(page);
    const chosen = await page.locator(".chosen").textContent();
    await page.keyboard.press("Escape");
    await page.locator("#heat canvas").focus();
    await page.keyboard.press("ArrowLeft");
    await page.keyboard.press("Enter");
    await drawn(page);
    const cell = await page.locator("#heat .detail caption").textContent();
    await page.locator("h1").click();
    await page.keyboard.press("+");
    await drawn(page);
    const zoomed = await page.locator('.stretches [aria-pressed="true"]').count();
    await page.keyboard.press("0");
    await page.locator('#compare input[type="file"]').setInputFiles(other);
    await page.waitForSelector("#compare table");
    const compared = await page.locator("#compare tbody tr").first().textContent();
    await page.getByRole("button", { name: "Dark" }).click();
    const theme = await page.evaluate(() => document.documentElement.dataset.theme);
    say({ upwards, downwards, filtered, chosen, cell, zoomed, compared, theme, complaints: seen.complaints });
    await running.close();
  },

  // Switches from the times of all requests to those without a failure, and back.
  async outcomes(file) {
    const running = await browser();
    const { page, seen } = await open(running);
    await page.goto(pathToFileURL(file).href);
    await ready(page, "saved");
    for (const panel of ["#percentiles", "#heat"]) {
      await page.locator(panel).getByRole("button", { name: "Show as table" }).click();
    }
    // What the table, the chart over time, the heat map and the plot by percentile show.
    const state = async () => {
      await look(page);
      return page.evaluate(() => {
        const table = (panel) => [...document.querySelectorAll(`${panel} .behind tr`)].map((row) => [...row.children].map((cell) => cell.textContent));
        const plot = document.querySelector("#percentile-plot .plot").getAttribute("aria-label");
        return { time: table("#percentiles"), heat: table("#heat"), plot };
      });
    };
    const press = async (name) => {
      await page.getByRole("button", { name, exact: true }).click();
      await drawn(page);
    };
    const all = { ...(await state()), ...(await numbers(page)) };
    await press("OK only");
    const ok = { ...(await state()), ...(await numbers(page)) };
    await press("Times of all requests");
    const again = { ...(await state()), ...(await numbers(page)) };
    say({ all, ok, again, complaints: seen.complaints });
    await running.close();
  },

  // Changes a run by the buttons of its page, and stops it.
  async control(url) {
    const running = await browser();
    const { page, seen } = await open(running);
    await page.goto(url);
    await ready(page, "live");
    const answer = (text) => page.waitForFunction((t) => document.querySelector(".answer").textContent === t, text, { timeout: 120_000 });
    const press = (name) => page.getByRole("button", { name, exact: true }).click();
    await press("+ 10 %");
    await answer("load × 1.1");
    await press("Pause");
    await answer("paused, then load × 1.1");
    await press("Pause");
    await answer("load × 1.1");
    await press("Stop");
    await press("Really stop?");
    await ready(page, "ended");
    const state = await page.locator(".state").textContent();
    const hidden = await page.locator(".control").isHidden();
    say({ state, hidden, complaints: seen.complaints });
    await running.close();
  },

  // Takes a picture of a whole page, for people: FILE PICTURE SCHEME WIDTH.
  async picture(file, picture, colorScheme, width) {
    const running = await browser();
    const { page } = await open(running, { colorScheme, viewport: { width: Number(width), height: 1000 } });
    await page.goto(pathToFileURL(file).href);
    await ready(page, "saved");
    await look(page);
    await page.screenshot({ path: picture, fullPage: true });
    say({ picture });
    await running.close();
  },
};

await commands[command](...rest);
