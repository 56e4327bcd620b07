// The strip at the top: whether the thresholds hold, how far the run is, and its main numbers. It is what a reader who
// has five seconds reads, and what is read out, at most once in five seconds.

import { TASK } from "./bucket";
import { el, foreign, table } from "./dom";
import { clock, grouped, groupedDecimal, latency, percent } from "./format";
import type { Report, ThresholdName, ThresholdReport, ShownThreshold } from "./log";
import { totalNumbers } from "./rows";
import type { Store } from "./store";

const ENDED: Record<string, string> = {
  duration: "Finished: its time was over",
  iterations: "Finished: all iterations were done",
  data: "Finished: the data was used up",
  interrupted: "Interrupted",
  "no-user-signed-in": "Ended: no user could sign in",
  "setup-failed": "Ended: the set-up failed",
  threshold: "Ended by a threshold",
  stopped: "Stopped",
};

/** What failed, after the reason of the end; not said where that reason or the table of thresholds says it. */
const FAILED: Record<string, string> = {
  inconclusive: "inconclusive, because segments of it are missing",
  "requests-failed": "failed, because requests failed (fail_on)",
  "target-unreached": "failed, because the target was not reached",
  "thresholds-failed": "failed",
  "worker-lost": "failed, because a worker ended before its users",
};

const SPOKEN_EVERY_MS = 5_000;

export class Verdict {
  readonly element = el("section", { id: "verdict", "aria-label": "State of the run" });
  /** The state of the connection, for a live page. */
  connection = "";
  private readonly tiles = el("dl", { class: "tiles" });
  private readonly title = el("p", { class: "state" });
  private readonly thresholds = el("div", { class: "thresholds", tabindex: "0", role: "region", "aria-label": "Thresholds" });
  private readonly spoken = el("p", { class: "spoken", role: "status" });
  private spokenAt = -Infinity;

  constructor(private readonly store: Store) {
    this.element.append(this.title, this.tiles, this.thresholds, this.spoken);
  }

  draw(): void {
    const { store } = this;
    const { report, hello, newest } = store;
    const all = totalNumbers(store);
    const state = this.state();
    this.title.textContent = state;
    this.title.dataset["verdict"] = report ? (hasPassed(report) ? "passed" : "failed") : "running";
    const dropped = report ? report.totals.tasks.dropped : store.buckets.reduce((sum, bucket) => sum + bucket.tick.tasks[TASK.dropped]!, 0);
    const recent = newest && !report ? `${groupedDecimal((newest.all.ok + newest.all.err) / newest.span)}` : groupedDecimal(all.rps);
    const planned = hello?.planned_s ? ` of ${clock(hello.planned_s)}` : "";
    const tiles: [string, string, string][] = [
      ["elapsed", "Time", clock(store.elapsed) + (report ? "" : planned)],
      ["users", "Users", grouped(report ? (hello?.users ?? null) : (newest?.tick.users ?? null))],
      ["rps", report ? "Requests/s" : "Requests/s now", recent],
      ["total", "Requests", grouped(all.total)],
      ["errors", "Errors", `${grouped(all.err)} (${percent(all.err, all.total)})`],
      ["p50", "p50", latency(all.p50)],
      ["p95", "p95", latency(all.p95)],
      ["p99", "p99", latency(all.p99)],
      ["max", "Longest", latency(all.max)],
      ["dropped", "Dropped", grouped(dropped)],
    ];
    this.tiles.replaceChildren(...tiles.map(([key, name, value]) => el("div", { "data-tile": key }, el("dt", {}, name), el("dd", {}, value))));
    this.drawThresholds();
    const now = performance.now();
    if (now - this.spokenAt >= SPOKEN_EVERY_MS || report) {
      this.spokenAt = now;
      const text = `${state}. ${grouped(all.total)} requests, ${percent(all.err, all.total)} errors, p95 ${latency(all.p95)}.`;
      if (this.spoken.textContent !== text) this.spoken.textContent = text;
    }
  }

  private state(): string {
    const { report, newest, hello } = this.store;
    if (report) {
      const failed = FAILED[report.run.verdict ?? ""];
      return [ENDED[report.run.ended] ?? report.run.ended, failed].filter(Boolean).join(" – ");
    }
    if (!hello) return this.connection || "Waiting for the run";
    const phase = newest === null ? "Starting" : ["Set-up", "Running", "Teardown"][newest.tick.segment]!;
    return [newest?.tick.paused ? "Paused" : phase, this.connection].filter(Boolean).join(" – ");
  }

  private drawThresholds(): void {
    const { report, hello, newest } = this.store;
    const names: ThresholdName[] = report?.thresholds ?? hello?.thresholds ?? [];
    this.thresholds.hidden = names.length === 0;
    const rows = names.map((threshold, at) => {
      const done = report?.thresholds[at];
      const state = done ? ofReport(done) : (newest?.tick.thresholds[at] ?? { holds: null, value: null, at_least: false });
      const words = done ? ["✓ held", "✗ did not hold"] : ["✓ holds", "✗ does not hold"];
      const word = state.holds === null ? "… waiting" : words[state.holds ? 0 : 1]!;
      const mark = el("span", { class: state.holds === null ? "open" : state.holds ? "good" : "bad" }, word);
      return [foreign(`${threshold.metric}: ${threshold.expression}`), mark, measured(threshold.unit, state)];
    });
    const title = report ? "Verdict" : "So far";
    this.thresholds.replaceChildren(table("Thresholds", ["Threshold", title, "Measured"], rows));
  }
}

function hasPassed({ run, thresholds }: Report): boolean {
  return run.verdict ? run.verdict === "passed" : thresholds.every(({ passed }) => passed);
}

function ofReport({ passed, value, at_least }: ThresholdReport): ShownThreshold {
  return { holds: passed, value, at_least };
}

function measured(unit: string, { value, at_least }: ShownThreshold): string {
  if (value === null) return "no values";
  const sign = at_least ? "≥ " : "";
  if (unit === "microseconds") return sign + latency(value);
  if (unit === "score") return value.toFixed(3);
  return sign + (unit === "share" ? percent(value, 1) : groupedDecimal(value));
}
