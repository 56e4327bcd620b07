// The smaller tables: error messages, statuses, phases by action, checks, metrics of plugins, and the generator.

import { el, foreign, panel, table, type Panel } from "./dom";
import { clock, grouped, groupedDecimal, latency, percent } from "./format";
import { fromWire, quantile, sum } from "./histogram";
import { rowLabel } from "./log";
import type { Store } from "./store";

/** The most rows that one of these tables shows. */
const MOST = 200;

/** A panel that is drawn from the store alone. */
export interface ListPanel {
  readonly panel: Panel;
  draw(): void;
}

type Contents = (store: Store) => Node | string;

class List implements ListPanel {
  readonly panel: Panel;
  constructor(
    id: string,
    private readonly title: string,
    help: string,
    private readonly store: Store,
    private readonly contents: Contents,
  ) {
    this.panel = panel(id, title, help);
  }

  draw(): void {
    const attributes = { class: "wide", tabindex: "0", role: "region", "aria-label": `Contents of ${this.title}` };
    this.panel.body.replaceChildren(el("div", attributes, this.contents(this.store)));
  }
}

export function lists(store: Store): ListPanel[] {
  return [
    new List("messages", "Error messages", "The first failure of each kind in each action, with the number of its kind.", store, messages),
    new List("statuses", "Replies by status", "The number of replies with each status, and their share of the action's requests.", store, statuses),
    new List("phases", "Phases by action", "Where a request spends its time: p50 and p95 of each phase, over the whole run.", store, phases),
    new List("checks", "Checks", "Conditions of the script on replies.", store, checks),
    new List("metrics", "Metrics of plugins", "What plugins counted on their own.", store, metrics),
    new List("generator", "Generator", "Whether the machine that makes the load kept up, and so how far the numbers can be trusted.", store, generator),
  ];
}

function messages(store: Store): Node | string {
  const { hello, report } = store;
  const rows: (string | Node)[][] = store.examples.slice(0, MOST).map((example) => {
    const counted = store.rows[example.row]?.errors.get(example.category) ?? 0;
    const label = hello?.rows[example.row]?.label ?? "";
    return [hello?.categories[example.category] ?? "", foreign(label), grouped(counted), clock(example.at_ms / 1000), foreign(example.text)];
  });
  if (rows.length === 0) {
    for (const error of report?.totals.errors ?? []) {
      rows.push([error.category, foreign(error.example?.name ?? ""), grouped(error.count), "–", foreign(error.example?.text ?? "")]);
    }
  }
  return rows.length === 0 ? "No request has failed." : table("Error messages", ["Category", "Action", "Failures", "First seen", "Message"], rows);
}

function statuses(store: Store): Node | string {
  const names = store.hello?.rows ?? [];
  const rows = store.rows.flatMap((sum, at) =>
    [...sum.statuses].sort(([a], [b]) => a - b).map(([status, count]) => [foreign(names[at]?.label ?? ""), String(status), grouped(count), percent(count, sum.requests)]),
  );
  if (rows.length === 0) return "There are no replies with a status.";
  return table("Replies by status", ["Action", "Status", "Replies", "Share"], rows.slice(0, MOST));
}

function phases(store: Store): Node | string {
  const names = store.hello?.phases ?? [];
  const rows: { label: string; p50: (number | null)[]; p95: (number | null)[] }[] = [];
  if (store.report) {
    for (const row of [store.report.totals, ...store.report.actions].slice(0, MOST)) {
      const times = names.map((name) => row.phases_us[name.replaceAll(" ", "_")] ?? null);
      rows.push({ label: row.action === null ? "All actions" : rowLabel(row), p50: times.map((t) => t?.p50 ?? null), p95: times.map((t) => t?.p95 ?? null) });
    }
  } else {
    const all = names.map((_, phase) => sum(store.buckets.map((bucket) => fromWire(bucket.tick.phases[phase] ?? []))));
    rows.push({ label: "All actions so far", p50: all.map((times) => quantile(times, 0.5)), p95: all.map((times) => quantile(times, 0.95)) });
  }
  const longest = Math.max(1, ...rows.map(({ p95 }) => p95.reduce<number>((total, time) => total + (time ?? 0), 0)));
  const cells = rows.map(({ label, p50, p95 }) => [
    foreign(label),
    el("div", { class: "bars" }, bar("p50", p50, names, longest), bar("p95", p95, names, longest)),
    ...names.map((_, phase) => `${latency(p50[phase]!)} / ${latency(p95[phase]!)}`),
  ]);
  return table("Phases, p50 / p95", ["Action", "p50 above p95", ...names], cells);
}

function bar(title: string, times: (number | null)[], names: string[], longest: number): HTMLElement {
  const parts = times.map((time, phase) => {
    const part = el("span", { class: `part part${phase + 1}`, title: `${names[phase]}: ${latency(time)}` });
    part.style.width = `${((time ?? 0) / longest) * 100}%`;
    return part;
  });
  const label = `${title}: ${times.map((time, phase) => `${names[phase]} ${latency(time)}`).join(", ")}`;
  return el("div", { class: "bar", role: "img", "aria-label": label }, ...parts);
}

function checks(store: Store): Node | string {
  const { report } = store;
  if (!report) return "At the end of the run.";
  if (report.checks.length === 0) return "The script has no checks.";
  const rows = report.checks.map((check) => [foreign(check.step), foreign(check.name), grouped(check.passed), grouped(check.failed), percent(check.passed, check.passed + check.failed)]);
  return table("Checks", ["Step", "Check", "Passed", "Failed", "Share passed"], rows.slice(0, MOST));
}

function metrics(store: Store): Node | string {
  const { report } = store;
  if (!report) return "At the end of the run.";
  if (report.metrics.length === 0) return "No plugin has defined a metric.";
  const rows = report.metrics.map((metric) => {
    const scale = (value: number): string => (metric.unit === "nanoseconds" ? latency(value / 1000) : groupedDecimal(value));
    const value = metric.distribution
      ? `p50 ${scale(metric.distribution.p50)}, p95 ${scale(metric.distribution.p95)}, p99 ${scale(metric.distribution.p99)}`
      : metric.share !== null ? percent(metric.share, 1) : scale(metric.sum ?? metric.last ?? 0);
    return [foreign(`${metric.plugin}/${metric.name}`), foreign(metric.step ?? ""), metric.kind, grouped(metric.count), value];
  });
  return table("Metrics of plugins", ["Metric", "Step", "Kind", "Values", "Value"], rows.slice(0, MOST));
}

function generator(store: Store): Node | string {
  const { report } = store;
  const box = el("div");
  if (report?.generator.bottleneck) {
    box.append(el("p", { class: "warning" }, `The generator itself was the bottleneck: ${report.generator.reasons.join(", and ")}. Do not take the numbers for the target's.`));
  } else if (report) {
    box.append(el("p", {}, "The generator kept up."));
  } else {
    const late = store.buckets.filter(({ tick }) => tick.saturated).length;
    box.append(el("p", {}, late === 0 ? "The generator keeps up." : `The generator was too slow in ${grouped(late)} stretches of the run; the charts show where.`));
  }
  const workers = report?.generator.workers.map((worker, at) => [
    `worker ${at}`, percent(worker.cpu_share, 1), percent(worker.busy_share, 1),
    worker.cpu_wait_us === null ? "–" : latency(worker.cpu_wait_us), latency(worker.loop_lag_max_us),
  ]);
  if (workers) box.append(table("Workers", ["Worker", "Processor", "More than 90 % busy", "Waited for the processor", "Longest stop"], workers));
  const guests = report?.generator.guests.map((guest) => [foreign(guest.plugin), grouped(guest.calls), latency(guest.time_us), grouped(guest.traps), grouped(guest.collateral)]);
  if (guests) box.append(table("Plugins", ["Plugin", "Calls", "Time in them", "Traps", "Others' actions lost"], guests));
  return box;
}
