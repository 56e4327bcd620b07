// Compares this run with another one: a saved page or a JSON report that is dropped on this page. Nothing leaves the
// browser.

import { el, foreign, panel, table, type Panel } from "./dom";
import { change, grouped, latency, percent } from "./format";
import { interval, type Interval, type Sparse } from "./histogram";
import type { Base, Report } from "./log";
import { rowNumbers, totalNumbers, type RowNumbers } from "./rows";
import { readEmbedded } from "./source";
import { Store } from "./store";

const PERCENTILES = [["p50", 0.5], ["p95", 0.95], ["p99", 0.99]] as const;

/** Reads the text of a file: a saved page, or a report. */
export async function readRun(text: string): Promise<Store> {
  const store = new Store();
  if (text.trimStart().startsWith("{")) {
    const report = JSON.parse(text) as Report;
    if (!report.schema?.startsWith("stampede-report/")) throw new Error("this is no report of stampede-shooter");
    store.report = report;
    return store;
  }
  const data = new DOMParser().parseFromString(text, "text/html").getElementById("run")?.textContent;
  const events = data ? await readEmbedded(data) : null;
  if (!events) throw new Error("this page has no saved run in it");
  // If that page compares as well, its own run is the one to compare with.
  for (const event of events) if (event.type !== "base") store.take(event);
  return store;
}

export class Compare {
  readonly panel: Panel = panel("compare", "Compare", "Drop a saved page or a JSON report anywhere on this page, or choose one. Differences are this run against that one; one is called clear if the two 99 % intervals do not overlap.");
  private readonly result = el("div", { class: "wide", tabindex: "0", role: "region", "aria-label": "Comparison" });
  private base: Store | null = null;
  private name = "";
  /** The changes that the program has computed, if this page was made by `compare`. */
  private computed: Base | null = null;

  constructor(
    private readonly store: Store,
    private readonly chosen: (base: Sparse | null) => void,
  ) {
    const file = el("input", { type: "file", accept: ".html,.json", "aria-label": "Saved page or report to compare with" });
    file.addEventListener("change", () => void this.take(file.files?.[0]));
    this.panel.body.append(file, this.result);
    document.addEventListener("dragover", (event) => event.preventDefault());
    document.addEventListener("drop", (event) => {
      event.preventDefault();
      void this.take(event.dataTransfer?.files[0]);
    });
  }

  private async take(file: File | undefined): Promise<void> {
    if (!file) return;
    try {
      this.choose(file.name, await readRun(await file.text()), null);
      this.panel.element.scrollIntoView();
    } catch (error) {
      this.base = null;
      const reason = error instanceof Error ? error.message : String(error);
      this.result.replaceChildren(el("p", { class: "warning" }, "Cannot read ", foreign(file.name), `: ${reason}.`));
    }
  }

  /** Shows the run that the program has compared this one with. */
  takeBase(base: Base): void {
    const store = new Store();
    for (const event of base.events) store.take(event);
    this.choose(base.name, store, base);
  }

  private choose(name: string, base: Store, computed: Base | null): void {
    [this.name, this.base, this.computed] = [name, base, computed];
    this.chosen(base.all.response.length > 0 ? base.all.response : null);
    this.draw();
  }

  draw(): void {
    if (!this.base) return;
    if (this.computed) {
      const { summary, rows } = this.computed;
      const cells = rows.map(([action, ...rest]) => [foreign(action!), ...rest]);
      const head = ["Action", "Number", "Base", "This run", "Change (99 %)", "Verdict"];
      this.result.replaceChildren(el("p", { class: "summary" }, foreign(summary)), table("Comparison", head, cells));
      return;
    }
    const others = new Map(rowNumbers(this.base).map((row) => [row.label, row]));
    const rows: (string | Node)[][] = [line(totalNumbers(this.store), totalNumbers(this.base))];
    for (const row of rowNumbers(this.store)) {
      const other = others.get(row.label);
      others.delete(row.label);
      rows.push(other ? line(row, other) : [foreign(row.label), "only in this run"]);
    }
    for (const label of others.keys()) rows.push([foreign(label), "only in the other run"]);
    const head = ["Action", "Requests", "Errors", ...PERCENTILES.map(([name]) => name), "Verdict"];
    this.result.replaceChildren(el("p", {}, "Against ", foreign(this.name)), table("Comparison", head, rows.slice(0, 201)));
  }
}

function line(row: RowNumbers, base: RowNumbers): (string | Node)[] {
  const times = PERCENTILES.map(([name]) => {
    const [now, before] = [row[name], base[name]];
    return now === null || before === null ? "–" : `${latency(before)} → ${latency(now)} (${change(before, now)})`;
  });
  const errors = `${percent(base.err, base.total)} → ${percent(row.err, row.total)}`;
  return [foreign(row.label), `${grouped(base.total)} → ${grouped(row.total)}`, errors, ...times, verdict(row.response, base.response)];
}

/** Says in which percentiles the intervals do not overlap. */
export function verdict(now: Sparse | null, before: Sparse | null): string {
  if (!now || !before) return "–";
  const clear = PERCENTILES.flatMap(([name, share]) => {
    const [a, b]: (Interval | null)[] = [interval(now, share), interval(before, share)];
    if (!a || !b) return [];
    // The bins are as wide as 3.2 %, so smaller differences show nothing.
    if (a.low > b.high * 1.032) return [`${name} slower`];
    return a.high * 1.032 < b.low ? [`${name} faster`] : [];
  });
  return clear.length === 0 ? "no clear difference" : clear.join(", ");
}
