// Buttons that change the run, if the program was started with `--page-control`: more or less load, pause, stop. They
// send the lines of the control socket, and show what the program answers.

import { button, el } from "./dom";

interface Status {
  error?: string;
  paused?: boolean;
  ending?: boolean;
  scenarios?: { name: string | null; scale: number }[];
}

type Request = { scale: number } | { pause: boolean } | { stop: true } | { status: true };

/** The time that a person has to confirm the end of the run. */
const CONFIRM_MS = 5_000;

export class Control {
  readonly element = el("div", { class: "control", role: "group", "aria-label": "Change the run", hidden: "" });
  private readonly answer = el("span", { class: "answer", role: "status" });
  private readonly pause = button("Pause", false, () => void this.ask({ pause: !this.isPaused }));
  private readonly stop = button("Stop", null, () => this.confirm());
  private isPaused = false;
  private confirmUntil = 0;

  constructor() {
    const less = button("− 10 %", null, () => void this.shift(-0.1));
    const more = button("+ 10 %", null, () => void this.shift(0.1));
    this.element.append("Load: ", less, more, this.pause, this.stop, this.answer);
  }

  /** Shows the buttons while the run can be changed. */
  draw(isAllowed: boolean, isPaused: boolean): void {
    this.element.hidden = !isAllowed;
    this.isPaused = isPaused;
    this.pause.setAttribute("aria-pressed", String(isPaused));
    if (this.confirmUntil > 0 && performance.now() > this.confirmUntil) {
      this.confirmUntil = 0;
      this.stop.textContent = "Stop";
    }
  }

  private confirm(): void {
    if (this.confirmUntil > performance.now()) {
      void this.ask({ stop: true });
      return;
    }
    this.confirmUntil = performance.now() + CONFIRM_MS;
    this.stop.textContent = "Really stop?";
  }

  /** Changes the load by a share of the plan's. */
  private async shift(by: number): Promise<void> {
    const status = await this.ask({ status: true });
    const scale = status?.scenarios?.[0]?.scale;
    if (scale !== undefined) await this.ask({ scale: Math.max(0, Math.round((scale + by) * 100) / 100) });
  }

  private async ask(request: Request): Promise<Status | null> {
    try {
      const headers = { "content-type": "application/json" };
      const reply = await fetch("control", { method: "POST", headers, body: JSON.stringify(request) });
      const text = await reply.text();
      const status = (text.startsWith("{") ? JSON.parse(text) : { error: text.trim() }) as Status;
      this.answer.textContent = words(status);
      if (status.paused !== undefined) this.draw(true, status.paused);
      return status;
    } catch {
      this.answer.textContent = "no answer";
      return null;
    }
  }
}

function words(status: Status): string {
  if (status.error !== undefined) return status.error;
  if (status.ending) return "ending";
  const scales = new Set((status.scenarios ?? []).map((scenario) => scenario.scale));
  const load = scales.size === 1 ? `load × ${[...scales][0]!}` : "load differs by scenario";
  return status.paused ? `paused, then ${load}` : load;
}
