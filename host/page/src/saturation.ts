// Load against response times: three small charts one above the other, and a point for each stretch of the run with
// its throughput and its p95. Where the points turn upwards, the target was full.

import type { Bucket } from "./bucket";
import { colour, el, panel, table, type Panel } from "./dom";
import { clock, count, latency } from "./format";
import { quantile } from "./histogram";
import { knee, type Point } from "./knee";
import { cividis } from "./palette";
import type { Store } from "./store";
import { TimeChart, tableButton, type ChartSpec } from "./time_chart";
import type { View } from "./view";

const HEIGHT = 300;
const LEFT = 68;
const BOTTOM = 40;

const p95 = (bucket: Bucket, row: number | null): number | null => quantile(bucket.part(row).response, 0.95);
const rps = (bucket: Bucket, row: number | null): number => {
  const part = bucket.part(row);
  return (part.ok + part.err) / bucket.span;
};

const SMALL: ChartSpec[] = [
  {
    id: "small-users", title: "Users", help: "", height: 120, format: count, totalsOnly: true,
    lines: () => [{ label: "users", colour: "--c1", value: (bucket) => bucket.tick.users }],
  },
  {
    id: "small-rps", title: "Requests per second", help: "", height: 120,
    format: (value) => (value === null ? "–" : `${count(value)}/s`),
    lines: () => [{ label: "requests", colour: "--c3", value: rps }],
  },
  {
    id: "small-p95", title: "p95", help: "", height: 120, format: latency,
    lines: () => [{ label: "p95", colour: "--c4", value: p95 }],
  },
];

export class Saturation {
  readonly panel: Panel = panel(
    "saturation",
    "Load and response times",
    "Users, requests per second and p95 under one another, and p95 over the throughput of each stretch: later ones are brighter. If the points bend upwards, the line marks the knee.",
  );
  private readonly small: TimeChart[];
  private readonly canvas = el("canvas", { role: "img" });
  private readonly behind = el("div", { class: "behind", tabindex: "0", role: "region", hidden: "" });
  private readonly found = el("p", { class: "found" });

  constructor(
    private readonly store: Store,
    private readonly view: View,
  ) {
    this.small = SMALL.map((spec) => new TimeChart(spec, store, view));
    this.behind.setAttribute("aria-label", "Numbers of throughput and p95");
    this.panel.tools.append(tableButton(this.behind, () => this.draw()));
    const column = el("div", { class: "small" }, ...this.small.map((chart) => chart.panel.element));
    this.panel.body.append(el("div", { class: "split" }, column, el("div", {}, this.canvas, this.found)), this.behind);
  }

  restyle(): void {
    for (const chart of this.small) chart.restyle();
  }

  draw(): void {
    for (const chart of this.small) chart.draw();
    const points = this.points();
    const bend = knee(points);
    this.scatter(points, bend);
    const text = bend
      ? `The knee is near ${count(bend.rps)} requests per second, with a p95 of ${latency(bend.time)}.`
      : "The times do not bend upwards with the load.";
    this.found.textContent = text;
    this.canvas.setAttribute("aria-label", `p95 over requests per second, ${points.length} stretches. ${text}`);
    if (this.behind.hidden) return;
    const rows = points.map((point) => [clock(point.at), `${count(point.rps)}/s`, latency(point.time)]);
    this.behind.replaceChildren(table("Throughput and p95", ["Time", "Requests", "p95"], rows));
  }

  private points(): Point[] {
    const { min, max } = this.view.shown(this.store.elapsed);
    return this.store.buckets.flatMap((bucket) => {
      const [at, time] = [bucket.tick.end_ms / 1000, p95(bucket, this.view.row)];
      // A stretch that is much shorter than a second has no rate to speak of.
      return time === null || at < min || at > max || bucket.span < 0.5 ? [] : [{ at, time, rps: rps(bucket, this.view.row) }];
    });
  }

  private scatter(points: Point[], bend: Point | null): void {
    const width = Math.max(260, this.canvas.parentElement?.clientWidth ?? 0);
    this.canvas.width = width * devicePixelRatio;
    this.canvas.height = HEIGHT * devicePixelRatio;
    this.canvas.style.width = `${width}px`;
    this.canvas.style.height = `${HEIGHT}px`;
    const ctx = this.canvas.getContext("2d");
    if (!ctx) return;
    ctx.scale(devicePixelRatio, devicePixelRatio);
    const most = points.reduce((top, { rps, time }) => ({ rps: Math.max(top.rps, rps), time: Math.max(top.time, time) }), { rps: 1, time: 1 });
    const x = (value: number): number => LEFT + (value / (most.rps * 1.05)) * (width - LEFT - 12);
    const y = (value: number): number => HEIGHT - BOTTOM - (value / (most.time * 1.05)) * (HEIGHT - BOTTOM - 12);
    ctx.font = "12px sans-serif";
    ctx.strokeStyle = colour("--grid");
    for (let part = 0; part <= 4; part += 1) {
      const [across, up] = [(most.rps * part) / 4, (most.time * part) / 4];
      ctx.beginPath();
      ctx.moveTo(LEFT, y(up));
      ctx.lineTo(width - 12, y(up));
      ctx.stroke();
      ctx.fillStyle = colour("--text");
      ctx.textAlign = "right";
      ctx.fillText(latency(up), LEFT - 6, y(up) + 4);
      ctx.textAlign = "center";
      ctx.fillText(count(across), x(across), HEIGHT - BOTTOM + 16);
    }
    ctx.fillText("requests per second", LEFT + (width - LEFT) / 2, HEIGHT - 6);
    const end = Math.max(1, this.store.elapsed);
    ctx.strokeStyle = colour("--text");
    ctx.lineWidth = 0.5;
    for (const point of points) {
      ctx.fillStyle = cividis(point.at / end);
      ctx.beginPath();
      ctx.arc(x(point.rps), y(point.time), 4, 0, Math.PI * 2);
      ctx.fill();
      ctx.stroke();
    }
    if (!bend) return;
    ctx.strokeStyle = colour("--limit");
    ctx.lineWidth = 1.5;
    ctx.setLineDash([6, 4]);
    ctx.beginPath();
    ctx.moveTo(x(bend.rps), 12);
    ctx.lineTo(x(bend.rps), HEIGHT - BOTTOM);
    ctx.stroke();
  }
}
