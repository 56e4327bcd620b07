// The heat map of response times: time to the right, time taken upwards, and the number of requests as colour. It shows
// what percentiles hide, such as two humps. A click on a cell lists the actions in it.

import { timesOf, type Bucket } from "./bucket";
import { colour, el, foreign, panel, table, type Panel } from "./dom";
import { clock, count, grouped, latency } from "./format";
import { BINS, binFloor, total, type Sparse } from "./histogram";
import { cividis } from "./palette";
import { sumTimes, type Store } from "./store";
import { tableButton } from "./time_chart";
import type { View } from "./view";

/** Bins of a histogram that one cell covers: a quarter of a doubling. */
const PER_CELL = 4;
const LEFT = 68;
const BOTTOM = 28;
const HEIGHT = 300;

interface Cell {
  bucket: Bucket;
  cell: number;
}

export class HeatMap {
  readonly panel: Panel = panel(
    "heat",
    "Heat map of response times",
    "Each column is a stretch of the run, each cell a range of times; brighter cells have more requests, on a logarithmic scale. Click a cell, or move with the arrow keys and press Enter, to see its actions.",
  );
  private readonly canvas = el("canvas", { class: "heat", tabindex: "0", role: "img" });
  private readonly detail = el("div", { class: "detail", "aria-live": "polite" });
  private readonly behind = el("div", { class: "behind", tabindex: "0", role: "region", hidden: "" });
  private low = 0;
  private high = 1;
  private columns: Bucket[] = [];
  private cursor = { column: -1, cell: 0 };

  constructor(
    private readonly store: Store,
    private readonly view: View,
  ) {
    this.behind.setAttribute("aria-label", "Numbers of the heat map");
    this.panel.tools.append(tableButton(this.behind, () => this.draw()));
    this.panel.body.append(this.canvas, this.detail, this.behind);
    this.canvas.addEventListener("click", (event) => this.show(this.cellAt(event.offsetX, event.offsetY)));
    this.canvas.addEventListener("keydown", (event) => this.key(event));
  }

  draw(): void {
    const { min, max } = this.view.shown(this.store.elapsed);
    this.columns = this.store.buckets.filter(({ tick }) => tick.end_ms / 1000 > min && tick.at_ms / 1000 < max);
    this.measure();
    const width = Math.max(260, this.panel.body.clientWidth);
    const scale = devicePixelRatio;
    this.canvas.width = width * scale;
    this.canvas.height = HEIGHT * scale;
    this.canvas.style.width = `${width}px`;
    this.canvas.style.height = `${HEIGHT}px`;
    const ctx = this.canvas.getContext("2d");
    if (!ctx) return;
    ctx.scale(scale, scale);
    this.cells(ctx, width);
    this.axes(ctx, width);
    this.canvas.setAttribute("aria-label", this.summary());
    if (!this.behind.hidden) this.behind.replaceChildren(this.numbers());
  }

  private of(bucket: Bucket): Sparse {
    return timesOf(bucket.part(this.view.row), this.view.okOnly);
  }

  /** Finds the cells in use. */
  private measure(): void {
    let [low, high] = [BINS, 0];
    for (const bucket of this.columns) {
      const bins = this.of(bucket);
      if (bins.length === 0) continue;
      low = Math.min(low, bins[0]!);
      high = Math.max(high, bins[bins.length - 2]!);
    }
    if (low > high) [low, high] = [160, 240];
    this.low = Math.floor(low / PER_CELL);
    this.high = Math.max(Math.floor(high / PER_CELL) + 1, this.low + 6);
  }

  private x(seconds: number, width: number): number {
    const { min, max } = this.view.shown(this.store.elapsed);
    return LEFT + ((seconds - min) / (max - min)) * (width - LEFT - 8);
  }

  private y(cell: number): number {
    return HEIGHT - BOTTOM - ((cell - this.low) / (this.high - this.low)) * (HEIGHT - BOTTOM - 8);
  }

  private cells(ctx: CanvasRenderingContext2D, width: number): void {
    const columns = this.columns.map((bucket) => ({ bucket, counts: this.counts(bucket) }));
    const most = columns.reduce((top, { bucket, counts }) => Math.max(top, ...counts.map((n) => n / bucket.span)), 0);
    const scale = (value: number): number => Math.log1p(value) / Math.log1p(Math.max(most, 1));
    for (const { bucket, counts } of columns) {
      const from = Math.max(LEFT, this.x(bucket.tick.at_ms / 1000, width));
      const to = Math.min(width - 8, this.x(bucket.tick.end_ms / 1000, width));
      if (bucket.tick.saturated) {
        ctx.fillStyle = colour("--saturated");
        ctx.fillRect(from, 8, to - from, HEIGHT - BOTTOM - 8);
      }
      counts.forEach((value, at) => {
        if (value === 0) return;
        ctx.fillStyle = cividis(0.12 + 0.88 * scale(value / bucket.span));
        const top = this.y(this.low + at + 1);
        ctx.fillRect(from, top, Math.max(1, to - from + 0.4), this.y(this.low + at) - top + 0.4);
      });
    }
  }

  /** Returns the counts of the cells of a column, the shortest times first. */
  private counts(bucket: Bucket): number[] {
    const counts = new Array<number>(this.high - this.low).fill(0);
    const bins = this.of(bucket);
    for (let at = 0; at < bins.length; at += 2) {
      const cell = Math.floor(bins[at]! / PER_CELL) - this.low;
      if (cell >= 0 && cell < counts.length) counts[cell]! += bins[at + 1]!;
    }
    return counts;
  }

  private axes(ctx: CanvasRenderingContext2D, width: number): void {
    ctx.fillStyle = colour("--text");
    ctx.font = "12px sans-serif";
    ctx.textAlign = "right";
    const step = Math.max(1, Math.ceil((this.high - this.low) / 8));
    for (let cell = this.low; cell <= this.high; cell += step) {
      ctx.fillText(latency(binFloor(cell * PER_CELL)), LEFT - 6, Math.max(12, this.y(cell) + 4));
    }
    ctx.textAlign = "center";
    const { min, max } = this.view.shown(this.store.elapsed);
    for (let part = 0; part <= 4; part += 1) {
      const at = min + ((max - min) * part) / 4;
      ctx.fillText(clock(at), Math.min(width - 24, Math.max(LEFT + 12, this.x(at, width))), HEIGHT - 8);
    }
    const chosen = this.columns[this.cursor.column];
    if (!chosen) return;
    const [from, to] = [this.x(chosen.tick.at_ms / 1000, width), this.x(chosen.tick.end_ms / 1000, width)];
    ctx.strokeStyle = colour("--limit");
    ctx.lineWidth = 2;
    const top = this.y(this.cursor.cell + 1);
    ctx.strokeRect(from - 1, top - 1, Math.max(3, to - from + 2), this.y(this.cursor.cell) - top + 2);
  }

  private cellAt(x: number, y: number): Cell | null {
    const width = this.canvas.clientWidth;
    const column = this.columns.findIndex(({ tick }) => this.x(tick.at_ms / 1000, width) <= x && x < this.x(tick.end_ms / 1000, width));
    const cell = this.low + Math.floor(((HEIGHT - BOTTOM - y) / (HEIGHT - BOTTOM - 8)) * (this.high - this.low));
    this.cursor = { column, cell };
    return this.columns[column] ? { bucket: this.columns[column], cell } : null;
  }

  private key(event: KeyboardEvent): void {
    const moves: Record<string, [number, number]> = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, 1], ArrowDown: [0, -1] };
    const move = moves[event.key];
    if (!move && event.key !== "Enter") return;
    event.preventDefault();
    event.stopPropagation();
    if (this.cursor.column < 0) this.cursor = { column: this.columns.length - 1, cell: this.low };
    else if (move) {
      this.cursor.column = Math.max(0, Math.min(this.columns.length - 1, this.cursor.column + move[0]));
      this.cursor.cell = Math.max(this.low, Math.min(this.high - 1, this.cursor.cell + move[1]));
    }
    const bucket = this.columns[this.cursor.column];
    this.show(bucket ? { bucket, cell: this.cursor.cell } : null);
  }

  private show(at: Cell | null): void {
    this.draw();
    if (!at) return this.detail.replaceChildren();
    const found: [string, number][] = [];
    at.bucket.eachRow((row, part) => {
      let sum = 0;
      const times = timesOf(part, this.view.okOnly);
      for (let bin = 0; bin < times.length; bin += 2) {
        if (Math.floor(times[bin]! / PER_CELL) === at.cell) sum += times[bin + 1]!;
      }
      if (sum > 0) found.push([this.store.hello?.rows[row]?.label ?? "", sum]);
    });
    found.sort((a, b) => b[1] - a[1]);
    const [from, to] = [binFloor(at.cell * PER_CELL), binFloor((at.cell + 1) * PER_CELL)].map(latency);
    const { tick } = at.bucket;
    const caption = `${clock(tick.at_ms / 1000)} to ${clock(tick.end_ms / 1000)}, ${from} to ${to}`;
    const rows = found.map(([label, sum]) => [foreign(label), grouped(sum)]);
    this.detail.replaceChildren(table(caption, ["Action", "Requests"], rows.length > 0 ? rows : [["none", "0"]]));
  }

  private summary(): string {
    const part = sumTimes(this.store.all, this.view.okOnly);
    if (part.length === 0) return "Heat map of response times: no requests yet";
    const range = `${latency(binFloor(part[0]!))} to ${latency(binFloor(part[part.length - 2]! + 1))}`;
    return `Heat map of response times: ${count(total(part))} requests from ${range}`;
  }

  private numbers(): HTMLTableElement {
    const head = ["Time"];
    for (let cell = this.low; cell < this.high; cell += 1) head.push(`from ${latency(binFloor(cell * PER_CELL))}`);
    const rows = this.columns.map((bucket) => [clock(bucket.tick.end_ms / 1000), ...this.counts(bucket).map(grouped)]);
    return table("Requests by time taken", head, rows);
  }
}
