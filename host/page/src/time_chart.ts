// A chart over time, on uPlot. All of them share the cursor and the stretch that is shown, draw the same marks and the
// same band where the generator was too slow, and have a table of their numbers behind them.

import uPlot from "uplot";
import type { Bucket } from "./bucket";
import { button, colour, el, panel, table, type Panel } from "./dom";
import { clock } from "./format";
import type { Store } from "./store";
import type { View } from "./view";

type Values = (number | null)[];

/** A line of a chart. */
export interface Line {
  label: string;
  /** The colour of the theme. */
  colour: string;
  dash?: number[];
  value: (bucket: Bucket, row: number | null) => number | null;
}

/** A horizontal line. */
export interface Limit {
  value: number;
  text: string;
}

export interface ChartSpec {
  id: string;
  title: string;
  help: string;
  format: (value: number | null) => string;
  lines: (store: Store, view: View) => Line[];
  /** Words about what is shown, beside the title. */
  scope?: (view: View) => string;
  stacked?: boolean;
  /** True if the scale can be logarithmic, as it is at first for times. */
  log?: boolean;
  limits?: (store: Store, row: number | null) => Limit[];
  /** True if the numbers exist for the sum of all rows alone. */
  totalsOnly?: boolean;
  /** Shades what is between the first two lines. */
  shadeBetween?: boolean;
  height?: number;
}

const SYNC = "run";

/** Seconds between two marks of the time axis. */
const STEPS = [1, 2, 5, 10, 20, 30, 60, 120, 300, 600, 1_200, 1_800, 3_600, 7_200, 14_400, 21_600, 43_200, 86_400];

export class TimeChart {
  readonly panel: Panel;
  private readonly plot = el("div", { class: "plot", role: "img" });
  private readonly behind = el("div", { class: "behind", tabindex: "0", hidden: "" });
  private readonly scope = el("span", { class: "scope" });
  private chart: uPlot | null = null;
  private signature = "";
  private isLog: boolean;
  private raw: Values[] = [];

  constructor(
    private readonly spec: ChartSpec,
    private readonly store: Store,
    private readonly view: View,
  ) {
    this.panel = panel(spec.id, spec.title, spec.help);
    this.isLog = spec.log === true;
    this.behind.setAttribute("aria-label", `Numbers of the chart ${spec.title}`);
    this.behind.setAttribute("role", "region");
    this.panel.tools.append(this.scope);
    if (spec.log) {
      const toggle = button("Log scale", true, () => {
        this.isLog = !this.isLog;
        toggle.setAttribute("aria-pressed", String(this.isLog));
        this.draw();
      });
      this.panel.tools.append(toggle);
    }
    this.panel.tools.append(tableButton(this.behind, () => this.draw()));
    this.panel.body.append(this.plot, this.behind);
  }

  /** Draws the present state. */
  draw(): void {
    const { store, spec } = this;
    const row = spec.totalsOnly ? null : this.view.row;
    this.scope.textContent = spec.totalsOnly && this.view.row !== null ? "all actions" : (spec.scope?.(this.view) ?? "");
    const lines = spec.lines(store, this.view);
    const { buckets } = store;
    const times = buckets.map((bucket) => bucket.tick.end_ms / 1000);
    this.raw = lines.map((line) => buckets.map((bucket) => line.value(bucket, row)));
    const shown = spec.stacked ? stack(this.raw) : this.raw;
    const data = [times, ...(this.isLog ? shown.map(positive) : shown)] as uPlot.AlignedData;
    const signature = JSON.stringify([lines.map((line) => line.label), this.isLog, colour("--page")]);
    if (this.chart === null || signature !== this.signature) {
      this.chart?.destroy();
      this.plot.replaceChildren();
      this.chart = new uPlot(this.options(lines), data, this.plot);
      this.signature = signature;
    } else {
      const width = this.width();
      if (width !== this.chart.width) this.chart.setSize({ width, height: this.chart.height });
      this.chart.setData(data, false);
    }
    const { min, max } = this.view.shown(store.elapsed);
    this.chart.setScale("x", { min, max });
    // Without a cursor the legend shows the newest values in sight. A new chart empties its legend when it is first drawn,
    // which is after this.
    const newest = times.findLastIndex((time) => time <= max);
    const { chart } = this;
    queueMicrotask(() => {
      if (newest >= 0 && (chart.cursor.left ?? -1) < 0) chart.setLegend({ idx: newest });
    });
    this.plot.setAttribute("aria-label", this.summary(lines));
    if (!this.behind.hidden) this.behind.replaceChildren(this.numbers(lines, buckets));
  }

  /** Forgets the drawing, so that the next one takes the colours of the theme. */
  restyle(): void {
    this.signature = "";
  }

  private width(): number {
    return Math.max(260, Math.floor(this.plot.clientWidth));
  }

  private options(lines: Line[]): uPlot.Options {
    const axis = { stroke: colour("--text"), grid: { stroke: colour("--grid"), width: 1 }, ticks: { show: false } };
    const { format } = this.spec;
    const series = lines.map((line, at): uPlot.Series => ({
      label: line.label,
      stroke: colour(line.colour),
      width: 1.75,
      dash: line.dash ?? [],
      // A line needs two points.
      points: { show: () => this.store.buckets.length < 4 },
      ...(this.spec.stacked ? { fill: colour(line.colour) } : {}),
      value: (_, __, ___, index) => (index === null ? "" : format(this.raw[at]?.[index] ?? null)),
    }));
    return {
      width: this.width(),
      height: this.spec.height ?? 230,
      legend: { live: true },
      cursor: {
        drag: { x: true, y: false, setScale: false },
        sync: { key: SYNC, filters: { pub: (type: string) => type === "mousemove" || type === "mouseleave" } },
        bind: { dblclick: () => () => (this.view.zoom(null), null) },
      },
      scales: { x: { time: false, auto: false }, y: this.isLog ? { distr: 3 } : { range: fromZero } },
      axes: [
        { ...axis, size: 30, incrs: STEPS, values: (_, marks) => marks.map((at) => clock(at)) },
        { ...axis, size: 68, values: (_, marks) => marks.map((mark) => (mark === null ? "" : format(mark))) },
      ],
      series: [{ label: "Time", value: (_, at) => (at === null ? "" : clock(at)) }, ...series],
      ...(this.spec.shadeBetween ? { bands: [{ series: [1, 2], fill: colour("--shade") }] } : {}),
      hooks: {
        setSelect: [(chart) => this.select(chart)],
        drawClear: [(chart) => this.background(chart)],
        draw: [(chart) => this.limits(chart)],
      },
    };
  }

  private select(chart: uPlot): void {
    const { left, width } = chart.select;
    if (width < 4) return;
    this.view.zoom({ min: chart.posToVal(left, "x"), max: chart.posToVal(left + width, "x") });
    chart.setSelect({ left: 0, top: 0, width: 0, height: 0 }, false);
  }

  /** Draws the band where the generator was too slow, and the marks. */
  private background(chart: uPlot): void {
    const { ctx, bbox } = chart;
    ctx.save();
    ctx.beginPath();
    ctx.rect(bbox.left, bbox.top, bbox.width, bbox.height);
    ctx.clip();
    ctx.fillStyle = colour("--saturated");
    for (const { tick } of this.store.buckets) {
      if (!tick.saturated) continue;
      const [from, to] = [tick.at_ms, tick.end_ms].map((ms) => chart.valToPos(ms / 1000, "x", true));
      ctx.fillRect(from!, bbox.top, Math.max(1, to! - from!), bbox.height);
    }
    ctx.strokeStyle = colour("--text");
    ctx.fillStyle = colour("--text");
    ctx.font = `${11 * devicePixelRatio}px sans-serif`;
    ctx.textAlign = "left";
    ctx.textBaseline = "alphabetic";
    ctx.setLineDash([2 * devicePixelRatio, 3 * devicePixelRatio]);
    for (const mark of this.store.marks) {
      const x = Math.round(chart.valToPos(mark.at_ms / 1000, "x", true)) + 0.5;
      ctx.beginPath();
      ctx.moveTo(x, bbox.top);
      ctx.lineTo(x, bbox.top + bbox.height);
      ctx.stroke();
      ctx.fillText(mark.text, x + 3 * devicePixelRatio, bbox.top + 11 * devicePixelRatio);
    }
    ctx.restore();
  }

  private limits(chart: uPlot): void {
    const { ctx, bbox } = chart;
    for (const limit of this.spec.limits?.(this.store, this.view.row) ?? []) {
      const y = chart.valToPos(limit.value, "y", true);
      if (!(y >= bbox.top && y <= bbox.top + bbox.height)) continue;
      ctx.save();
      ctx.strokeStyle = ctx.fillStyle = colour("--limit");
      ctx.setLineDash([6 * devicePixelRatio, 4 * devicePixelRatio]);
      ctx.beginPath();
      ctx.moveTo(bbox.left, y);
      ctx.lineTo(bbox.left + bbox.width, y);
      ctx.stroke();
      ctx.font = `${11 * devicePixelRatio}px sans-serif`;
      ctx.textAlign = "right";
      ctx.textBaseline = "alphabetic";
      ctx.fillText(limit.text, bbox.left + bbox.width - 4, y - 4 * devicePixelRatio);
      ctx.restore();
    }
  }

  private summary(lines: Line[]): string {
    const { format, title } = this.spec;
    const parts = lines.map((line, at) => {
      const known = (this.raw[at] ?? []).filter((value): value is number => value !== null);
      if (known.length === 0) return `${line.label}: no values`;
      const [low, high] = known.reduce(([a, b], value) => [Math.min(a, value), Math.max(b, value)], [Infinity, 0]);
      return `${line.label}: ${format(low)} to ${format(high)}, last ${format(known[known.length - 1]!)}`;
    });
    return `${title} over time. ${parts.join("; ")}`;
  }

  private numbers(lines: Line[], buckets: readonly Bucket[]): HTMLTableElement {
    const { min, max } = this.view.shown(this.store.elapsed);
    const rows = buckets.flatMap(({ tick }, at) => {
      if (tick.end_ms / 1000 < min || tick.at_ms / 1000 > max) return [];
      return [[clock(tick.end_ms / 1000), ...lines.map((_, line) => this.spec.format(this.raw[line]![at] ?? null))]];
    });
    return table(this.spec.title, ["Time", ...lines.map((line) => line.label)], rows);
  }
}

/** A button that shows the table behind a drawing, or hides it. */
export function tableButton(behind: HTMLElement, shown: () => void): HTMLButtonElement {
  const toggle = button("Show as table", false, () => {
    behind.hidden = !behind.hidden;
    toggle.setAttribute("aria-pressed", String(!behind.hidden));
    if (!behind.hidden) shown();
  });
  return toggle;
}

function fromZero(_: uPlot, __: number | null, max: number | null): uPlot.Range.MinMax {
  return [0, max === null || max <= 0 ? 1 : max * 1.08];
}

function positive(values: Values): Values {
  return values.map((value) => (value === null || value <= 0 ? null : value));
}

/** Adds each line to those after it, so that the first is on top and the last is drawn over the others. */
function stack(lines: Values[]): Values[] {
  const sums: Values[] = [];
  for (let at = lines.length - 1; at >= 0; at -= 1) {
    const above = sums[0];
    sums.unshift(lines[at]!.map((value, index) => (value === null ? null : value + (above?.[index] ?? 0))));
  }
  return sums;
}
