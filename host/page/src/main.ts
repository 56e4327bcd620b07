// Puts the page together: reads the embedded run or follows a live one, and draws the panels in sight.

import { CHARTS } from "./charts";
import { Compare } from "./compare";
import { Control } from "./control";
import { button, el, foreign } from "./dom";
import { HeatMap } from "./heat_map";
import { lists } from "./lists";
import type { LogEvent } from "./log";
import { PercentilePlot } from "./percentile_plot";
import { RowsTable } from "./rows_table";
import { Saturation } from "./saturation";
import { follow, readEmbedded } from "./source";
import { Store } from "./store";
import { themeButton } from "./theme";
import { TimeChart } from "./time_chart";
import { Verdict } from "./verdict";
import { View } from "./view";

/** A panel on the page. */
interface Drawn {
  panel: { element: HTMLElement };
  draw(): void;
  restyle?(): void;
}

const STRETCHES: [string, number | null][] = [["Whole run", null], ["1 min", 60], ["5 min", 300], ["15 min", 900]];

const OUTCOMES: [string, boolean][] = [["Times of all requests", false], ["OK only", true]];

class Page {
  private readonly store = new Store();
  private readonly view = new View();
  private readonly verdict = new Verdict(this.store);
  private readonly panels: Drawn[] = [];
  private readonly inSight = new Set<Element>();
  private readonly stale = new Set<Drawn>();
  private readonly scope = el("p", { class: "chosen" });
  private readonly stretches = el("div", { class: "stretches", role: "group", "aria-label": "Stretch of the run" });
  private readonly outcomes = el("div", { class: "outcomes", role: "group", "aria-label": "Requests whose times are shown" });
  private readonly title = el("h1", {}, "stampede-shooter");
  /** The link to this page as a file, while there is a program that gives it. */
  private readonly save = el("a", { href: "report.html", download: "report.html", hidden: "" }, "Save");
  private readonly control = new Control();
  private readonly compare: Compare;
  /** True while a program sends the events. */
  private isLive = false;
  private isScheduled = false;

  constructor(private readonly main: HTMLElement) {
    const { store, view } = this;
    const plot = new PercentilePlot(store, view);
    this.compare = new Compare(store, (base) => {
      plot.base = base;
      plot.draw();
    });
    const chart = (id: string): TimeChart => new TimeChart(CHARTS.find((spec) => spec.id === id)!, store, view);
    const list = new Map(lists(store).map((item) => [item.panel.element.id, item]));
    const groups: [string, Drawn[]][] = [
      ["Overview", [chart("load"), chart("users"), chart("percentiles"), new HeatMap(store, view)]],
      ["Actions", [new RowsTable(store, view), list.get("statuses")!, list.get("checks")!, list.get("phases")!]],
      ["Errors", [chart("errors"), list.get("messages")!]],
      ["Times", [plot, chart("omission"), chart("phases-time"), new Saturation(store, view)]],
      ["Traffic", [chart("bytes"), chart("connections"), chart("open"), chart("reuse")]],
      ["Generator", [list.get("generator")!, chart("health"), chart("delays"), chart("memory"), chart("files"), list.get("metrics")!]],
      ["Compare", [this.compare]],
    ];
    const links = el("ul");
    this.main.append(this.header(links), this.verdict.element, this.controls());
    for (const [name, panels] of groups) {
      const id = `group-${name.toLowerCase()}`;
      links.append(el("li", {}, el("a", { href: `#${id}` }, name)));
      const grid = el("div", { class: "grid" }, ...panels.map((item) => item.panel.element));
      this.main.append(el("div", { class: "group", id }, grid));
      this.panels.push(...panels);
    }
    this.watch();
    view.onChange(() => this.changed());
    document.addEventListener("keydown", (event) => this.key(event));
    addEventListener("resize", () => this.changed());
    addEventListener("beforeprint", () => this.drawAll());
  }

  private header(links: HTMLElement): HTMLElement {
    const theme = themeButton(() => {
      for (const item of this.panels) item.restyle?.();
      this.changed();
    });
    const nav = el("nav", { "aria-label": "Parts of the page" }, links);
    return el("header", { class: "top" }, this.title, nav, el("div", { class: "tools" }, this.save, theme));
  }

  private controls(): HTMLElement {
    for (const [name, seconds] of STRETCHES) {
      this.stretches.append(button(name, seconds === null, () => this.view.followLast(seconds)));
    }
    for (const [name, okOnly] of OUTCOMES) this.outcomes.append(button(name, !okOnly, () => this.view.showOutcomes(okOnly)));
    const keys = el("p", { class: "keys" }, "Drag over a chart to zoom, double-click for the whole run. Keys: + − to zoom, ← → to move, 0 for the whole run, Esc for all actions.");
    return el("div", { class: "controls" }, this.control.element, this.stretches, this.outcomes, this.scope, keys);
  }

  /** Draws a panel when it comes into sight; those out of sight cost nothing. */
  private watch(): void {
    const byElement = new Map(this.panels.map((item) => [item.panel.element as Element, item]));
    const observer = new IntersectionObserver((entries) => {
      for (const { target, isIntersecting } of entries) {
        if (isIntersecting) this.inSight.add(target);
        else this.inSight.delete(target);
        const item = byElement.get(target);
        if (item && isIntersecting && this.stale.delete(item)) item.draw();
      }
    }, { rootMargin: "200px" });
    for (const item of this.panels) {
      this.stale.add(item);
      observer.observe(item.panel.element);
    }
  }

  /** Draws what is in sight, once for all events that come in one go. */
  changed(): void {
    if (this.isScheduled) return;
    this.isScheduled = true;
    requestAnimationFrame(() => {
      this.isScheduled = false;
      this.draw(false);
    });
  }

  private drawAll(): void {
    this.draw(true);
  }

  private draw(everything: boolean): void {
    const { hello, last } = this.store;
    document.documentElement.dataset["last"] = String(last);
    this.title.replaceChildren("stampede-shooter", ...(hello ? [" – ", foreign(hello.script)] : []));
    if (hello) document.title = `${hello.script} – stampede-shooter`;
    this.verdict.draw();
    const { report, newest } = this.store;
    this.control.draw(this.isLive && hello?.control === true && report === null, newest?.tick.paused ?? false);
    this.drawScope();
    for (const item of this.panels) {
      if (everything || this.inSight.has(item.panel.element)) {
        this.stale.delete(item);
        item.draw();
      } else this.stale.add(item);
    }
  }

  private drawScope(): void {
    const { row, follow, range } = this.view;
    const name = row === null ? null : this.store.hello?.rows[row]?.label;
    this.scope.replaceChildren(...(name ? ["Charts show ", foreign(name), " alone. ", button("Show all actions", null, () => this.view.choose(null))] : []));
    [...this.stretches.children].forEach((child, at) => {
      child.setAttribute("aria-pressed", String(range === null && follow === STRETCHES[at]![1]));
    });
    [...this.outcomes.children].forEach((child, at) => {
      child.setAttribute("aria-pressed", String(this.view.okOnly === OUTCOMES[at]![1]));
    });
  }

  private key(event: KeyboardEvent): void {
    const target = event.target instanceof Element ? event.target : null;
    if (event.ctrlKey || event.metaKey || event.altKey || target?.closest("input, .scroller, .behind, .wide")) return;
    const { view, store } = this;
    const actions: Record<string, () => void> = {
      "+": () => view.shift(store.elapsed, 0, 0.5),
      "-": () => view.shift(store.elapsed, 0, 2),
      "0": () => view.zoom(null),
      ArrowLeft: () => view.shift(store.elapsed, -0.25, 1),
      ArrowRight: () => view.shift(store.elapsed, 0.25, 1),
      Escape: () => view.choose(null),
    };
    actions[event.key]?.();
  }

  private take(event: LogEvent): void {
    if (event.type === "base") this.compare.takeBase(event);
    else this.store.take(event);
  }

  async start(data: string): Promise<void> {
    const events = await readEmbedded(data);
    if (events) {
      for (const event of events) this.take(event);
      this.draw(false);
      document.documentElement.dataset["ready"] = "saved";
      return;
    }
    this.isLive = true;
    this.verdict.connection = "connecting";
    this.changed();
    follow("events", {
      event: (event) => {
        this.take(event);
        document.documentElement.dataset["ready"] = event.type === "end" ? "ended" : "live";
        this.changed();
      },
      state: (state) => {
        this.save.hidden = state !== "connected";
        this.verdict.connection = state === "reconnecting" ? "no connection to the run; trying again" : "";
        document.documentElement.dataset["connection"] = state;
        this.changed();
      },
    });
  }
}

const page = new Page(document.querySelector("main")!);
page.start(document.getElementById("run")?.textContent ?? "").catch((error: unknown) => {
  const reason = error instanceof Error ? error.message : String(error);
  document.querySelector("main")!.prepend(el("p", { class: "warning", role: "alert" }, `The run cannot be shown: ${reason}.`));
  document.documentElement.dataset["ready"] = "failed";
});
