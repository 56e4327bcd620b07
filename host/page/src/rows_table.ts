// The table of actions: it sorts, filters and hides columns, and draws only the rows in sight, so that a script with
// ten thousand steps does not stop the browser. A click on a name makes the charts show that action alone.

import { button, el, foreign, panel, svg, type Panel } from "./dom";
import { bytes, grouped, groupedDecimal, latency, percent } from "./format";
import { rowNumbers, totalNumbers, type RowNumbers } from "./rows";
import type { Store } from "./store";
import type { View } from "./view";

const ROW_HEIGHT = 34;
const ROWS_IN_SIGHT = 18;
/** More points than a sparkline has room for would cost time for nothing. */
const SPARK_POINTS = 40;

interface Column {
  key: string;
  title: string;
  sort: (row: RowNumbers) => number | string;
  cell: (row: RowNumbers) => string;
  hidden?: boolean;
}

const time = (key: "p50" | "p90" | "p95" | "p99" | "max", hidden = false): Column => ({
  key,
  title: key,
  hidden,
  sort: (row) => row[key] ?? -1,
  cell: (row) => (row.atLeast.includes(key) ? "≥ " : "") + latency(row[key]),
});

const columns = (): Column[] => [
  { key: "total", title: "Requests", sort: (row) => row.total, cell: (row) => grouped(row.total) },
  { key: "ok", title: "OK", hidden: true, sort: (row) => row.ok, cell: (row) => grouped(row.ok) },
  { key: "err", title: "Errors", sort: (row) => row.err, cell: (row) => grouped(row.err) },
  { key: "share", title: "Errors, %", sort: (row) => row.err / Math.max(1, row.total), cell: (row) => percent(row.err, row.total) },
  { key: "rps", title: "Per second", sort: (row) => row.rps, cell: (row) => groupedDecimal(row.rps) },
  time("p50"),
  time("p90", true),
  time("p95"),
  time("p99"),
  time("max"),
  { key: "apdex", title: "Apdex", sort: (row) => row.apdex ?? -1, cell: (row) => (row.apdex === null ? "–" : row.apdex.toFixed(2)) },
  { key: "in", title: "Received", hidden: true, sort: (row) => row.bytesIn, cell: (row) => bytes(row.bytesIn) },
  { key: "out", title: "Sent", hidden: true, sort: (row) => row.bytesOut, cell: (row) => bytes(row.bytesOut) },
];

export class RowsTable {
  readonly panel: Panel = panel("actions", "Actions", "");
  private readonly columns = columns();
  private readonly filter = el("input", { type: "search", placeholder: "Filter by name", "aria-label": "Filter actions by name" });
  private readonly head = el("thead");
  private readonly rowsBody = el("tbody");
  private readonly foot = el("tfoot");
  private readonly scroller = el("div", { class: "scroller", tabindex: "0", role: "region", "aria-label": "Table of actions" });
  private readonly table = el("table", { class: "rows" }, this.head, this.rowsBody, this.foot);
  private sortKey: string | null = null;
  private descending = true;
  private rows: RowNumbers[] = [];

  constructor(
    private readonly store: Store,
    private readonly view: View,
  ) {
    const choice = el("details", { class: "columns" }, el("summary", {}, "Columns"));
    for (const column of this.columns) choice.append(this.toggle(column));
    this.panel.tools.append(this.filter, choice);
    this.scroller.append(this.table);
    this.panel.body.append(this.scroller);
    this.filter.addEventListener("input", () => this.draw());
    this.scroller.addEventListener("scroll", () => this.fill(), { passive: true });
  }

  private toggle(column: Column): HTMLElement {
    const box = el("input", { type: "checkbox" });
    box.checked = column.hidden !== true;
    box.addEventListener("change", () => {
      column.hidden = !box.checked;
      this.draw();
    });
    return el("label", {}, box, column.title);
  }

  private get shown(): Column[] {
    const hasScores = this.rows.some((row) => row.apdex !== null);
    return this.columns.filter((column) => column.hidden !== true && (column.key !== "apdex" || hasScores));
  }

  draw(): void {
    const wanted = this.filter.value.toLowerCase();
    this.rows = rowNumbers(this.store, this.view.okOnly).filter((row) => row.label.toLowerCase().includes(wanted));
    const column = this.columns.find(({ key }) => key === this.sortKey);
    if (column) this.rows.sort((a, b) => compare(column.sort(a), column.sort(b)) * (this.descending ? -1 : 1));
    else if (this.sortKey === "name") this.rows.sort((a, b) => compare(a.label, b.label) * (this.descending ? -1 : 1));
    const help = this.panel.element.querySelector(".help");
    const exact = this.store.report ? "Exact numbers of the report." : "So far; percentiles are within 3.2 %.";
    const times = this.view.okOnly ? " Times are those of requests without a failure." : "";
    if (help) help.textContent = `${exact}${times} Choose a name to see it alone in the charts.`;
    this.drawHead();
    this.fill();
    this.foot.replaceChildren(this.row(totalNumbers(this.store, this.view.okOnly), false));
  }

  private drawHead(): void {
    const active = document.activeElement?.getAttribute("data-sort");
    const titles: [string, string][] = [["name", "Action"], ...this.shown.map(({ key, title }): [string, string] => [key, title])];
    const cells = titles.map(([key, title]) => {
      const order = this.sortKey !== key ? "none" : this.descending ? "descending" : "ascending";
      const sort = button(title, null, () => this.sort(key));
      sort.setAttribute("data-sort", key);
      return el("th", { scope: "col", "aria-sort": order }, sort);
    });
    this.head.replaceChildren(el("tr", { "aria-rowindex": "1" }, ...cells, el("th", { scope: "col" }, "Requests over time")));
    if (active) this.head.querySelector<HTMLElement>(`[data-sort="${active}"]`)?.focus();
  }

  private sort(key: string): void {
    this.descending = this.sortKey === key ? !this.descending : key !== "name";
    this.sortKey = key;
    this.draw();
  }

  /** Draws the rows in sight, and as much room as the others would take. */
  private fill(): void {
    const active = document.activeElement?.getAttribute("data-row");
    const first = Math.max(0, Math.floor(this.scroller.scrollTop / ROW_HEIGHT) - 4);
    const end = Math.min(this.rows.length, first + ROWS_IN_SIGHT + 8);
    const drawn = this.rows.slice(first, end).map((row, at) => {
      const line = this.row(row, true);
      line.setAttribute("aria-rowindex", String(first + at + 2));
      return line;
    });
    this.rowsBody.replaceChildren(this.space(first), ...drawn, this.space(this.rows.length - end));
    this.table.setAttribute("aria-rowcount", String(this.rows.length + 2));
    if (active) this.rowsBody.querySelector<HTMLElement>(`[data-row="${CSS.escape(active)}"]`)?.focus();
  }

  private space(rows: number): HTMLElement {
    const line = el("tr", { class: "space", "aria-hidden": "true" });
    line.style.height = `${rows * ROW_HEIGHT}px`;
    line.hidden = rows === 0;
    return line;
  }

  private row(row: RowNumbers, isAction: boolean): HTMLElement {
    const cells = this.shown.map((column) => el("td", { "data-column": column.key }, column.cell(row)));
    let name: Node = foreign(row.label);
    if (isAction && row.index !== null) {
      const { index } = row;
      const chosen = this.view.row === index;
      const choose = button("", chosen, () => this.view.choose(chosen ? null : index));
      choose.append(foreign(row.label));
      choose.setAttribute("data-row", row.label);
      name = choose;
    }
    const spark = el("td", { class: "spark" }, ...(isAction && row.index === null ? [] : [this.spark(isAction ? row.index : null)]));
    return el("tr", { "data-action": row.label }, el("th", { scope: "row" }, name), ...cells, spark);
  }

  private spark(row: number | null): SVGElement {
    const { buckets } = this.store;
    const step = Math.max(1, Math.ceil(buckets.length / SPARK_POINTS));
    const rates: number[] = [];
    for (let at = 0; at < buckets.length; at += step) {
      let [sum, span] = [0, 0];
      for (const bucket of buckets.slice(at, at + step)) {
        const part = bucket.part(row);
        sum += part.ok + part.err;
        span += bucket.span;
      }
      rates.push(sum / span);
    }
    const most = Math.max(...rates, 1e-9);
    const points = rates.map((rate, at) => `${((at / Math.max(1, rates.length - 1)) * 98 + 1).toFixed(1)},${(21 - (rate / most) * 19).toFixed(1)}`);
    return svg("svg", { viewBox: "0 0 100 22", width: "100", height: "22", "aria-hidden": "true" }, svg("polyline", { points: points.join(" ") }));
  }
}

function compare(a: number | string, b: number | string): number {
  return typeof a === "string" && typeof b === "string" ? a.localeCompare(b) : Number(a) - Number(b);
}
