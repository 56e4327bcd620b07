// The percentile plot: to the right one in so many requests, upwards the time that it takes at least. The tail has as
// much room in it as the middle. It overlays the chosen action, and the run that this one is compared with.

import uPlot from "uplot";
import { button, colour, el, panel, table, type Panel } from "./dom";
import { grouped, latency } from "./format";
import { quantiles, total, type Sparse } from "./histogram";
import { sumTimes, type Store } from "./store";
import { tableButton } from "./time_chart";
import type { View } from "./view";

/** A distribution to overlay. */
export interface Overlay {
  label: string;
  response: Sparse;
}

export class PercentilePlot {
  readonly panel: Panel = panel(
    "percentile-plot",
    "Response times by percentile",
    "How long the slowest one in 10, 100, 1,000 … requests took at least, over the whole run.",
  );
  /** The run that this one is compared with. */
  base: Sparse | null = null;
  private readonly plot = el("div", { class: "plot", role: "img" });
  private readonly behind = el("div", { class: "behind", tabindex: "0", role: "region", hidden: "" });
  private chart: uPlot | null = null;

  constructor(
    private readonly store: Store,
    private readonly view: View,
  ) {
    this.behind.setAttribute("aria-label", "Numbers of the percentile plot");
    this.panel.tools.append(button("Download as text", null, () => this.download()));
    this.panel.tools.append(tableButton(this.behind, () => this.draw()));
    this.panel.body.append(this.plot, this.behind);
  }

  draw(): void {
    const overlays = this.overlays();
    const most = overlays.reduce((top, overlay) => Math.max(top, total(overlay.response)), 1);
    const xs = steps(most);
    const lines = overlays.map(({ response }) => {
      const counts = total(response);
      return quantiles(response, xs.map((x) => 1 - 1 / x)).map((value, at) => (xs[at]! > counts ? null : value));
    });
    this.chart?.destroy();
    this.plot.replaceChildren();
    const axis = { stroke: colour("--text"), grid: { stroke: colour("--grid"), width: 1 }, ticks: { show: false } };
    const options: uPlot.Options = {
      width: Math.max(260, this.plot.clientWidth),
      height: 260,
      cursor: { drag: { x: false, y: false } },
      scales: { x: { time: false, distr: 3, range: [1, Math.max(10, xs[xs.length - 1]!)] }, y: { distr: 3 } },
      axes: [
        { ...axis, size: 30, values: (_, marks) => marks.map((x) => (x === null || Math.log10(x) % 1 !== 0 ? "" : percentile(x))) },
        { ...axis, size: 68, values: (_, marks) => marks.map((mark) => (mark === null ? "" : latency(mark))) },
      ],
      series: [
        { label: "Percentile", value: (_, x) => (x === null ? "" : percentile(x)) },
        ...overlays.map(({ label }, at) => ({
          label,
          stroke: colour(`--c${at + 1}`),
          width: 1.75,
          dash: at === 0 ? [] : [6, 4],
          points: { show: false },
          value: (_: uPlot, value: number | null) => latency(value),
        })),
      ],
    };
    this.chart = new uPlot(options, [xs, ...lines] as uPlot.AlignedData, this.plot);
    this.plot.setAttribute("aria-label", this.summary(overlays));
    if (this.behind.hidden) return;
    const rows = xs.map((x, at) => [percentile(x), ...lines.map((line) => latency(line[at] ?? null))]);
    this.behind.replaceChildren(table("Response times by percentile", ["Percentile", ...overlays.map((o) => o.label)], rows));
  }

  private overlays(): Overlay[] {
    const { row, okOnly } = this.view;
    const of = okOnly ? ", OK only" : "";
    const overlays: Overlay[] = [{ label: `all actions${of}`, response: sumTimes(this.store.all, okOnly) }];
    const sum = row === null ? null : this.store.rows[row];
    if (sum && row !== null) overlays.push({ label: `${this.store.hello?.rows[row]?.label ?? ""}${of}`, response: sumTimes(sum, okOnly) });
    if (this.base) overlays.push({ label: "compared run", response: this.base });
    return overlays;
  }

  private summary(overlays: Overlay[]): string {
    const shares = [0.5, 0.99, 0.999];
    const parts = overlays.map(({ label, response }) => {
      const [p50, p99, p999] = quantiles(response, shares).map(latency);
      return `${label}: p50 ${p50}, p99 ${p99}, p99.9 ${p999}`;
    });
    return `Response times by percentile. ${parts.join("; ")}`;
  }

  /** Offers the distribution as the text that plotters of HDR histograms read. */
  private download(): void {
    const overlay = this.overlays()[this.view.row === null ? 0 : 1] ?? this.overlays()[0]!;
    const counts = total(overlay.response);
    const lines = steps(counts).map((x) => {
      const share = 1 - 1 / x;
      const [value] = quantiles(overlay.response, [share]);
      const columns = [((value ?? 0) / 1000).toFixed(3).padStart(12), share.toFixed(12), String(Math.ceil(share * counts)).padStart(10)];
      return `${columns.join(" ")} ${x.toFixed(2).padStart(14)}`;
    });
    const text = ["       Value     Percentile TotalCount 1/(1-Percentile)", "", ...lines, ""].join("\n");
    const link = el("a", { href: URL.createObjectURL(new Blob([text], { type: "text/plain" })), download: "response-times.hgrm" });
    link.click();
    URL.revokeObjectURL(link.href);
  }
}

/** Returns the places to look at: eight for each factor of ten, up to one in as many as there are. */
function steps(counts: number): number[] {
  const end = Math.log10(Math.max(counts, 10));
  return Array.from({ length: Math.floor(end * 8) + 1 }, (_, at) => 10 ** (at / 8));
}

function percentile(x: number): string {
  const share = (1 - 1 / x) * 100;
  if (x <= 1) return "0 %";
  const digits = Math.max(0, Math.round(Math.log10(x)) - 2);
  return `${share.toFixed(Math.min(digits, 8))} %` + (x >= 1e6 ? ` (1 in ${grouped(x)})` : "");
}
