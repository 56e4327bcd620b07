// Builds elements. Texts become text nodes and never markup, so names from scripts and targets are inert.

import { visible } from "./format";

type Child = Node | string | null;

/** Creates an element with attributes and children. */
export function el<K extends keyof HTMLElementTagNameMap>(
  tag: K,
  attributes: Record<string, string> = {},
  ...children: Child[]
): HTMLElementTagNameMap[K] {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) element.setAttribute(name, value);
  element.append(...children.filter((child) => child !== null));
  return element;
}

/** Creates an element of a drawing. */
export function svg(tag: string, attributes: Record<string, string>, ...children: Node[]): SVGElement {
  const element = document.createElementNS("http://www.w3.org/2000/svg", tag);
  for (const [name, value] of Object.entries(attributes)) element.setAttribute(name, value);
  element.append(...children);
  return element;
}

/** Shows a text from a script or a target, whatever direction its letters have. */
export function foreign(text: string): HTMLElement {
  const shown = visible(text);
  return el("bdi", { class: "foreign", title: shown }, shown.length > 200 ? `${shown.slice(0, 200)}…` : shown);
}

export function button(label: string, pressed: boolean | null, click: () => void): HTMLButtonElement {
  const element = el("button", { type: "button" }, label);
  if (pressed !== null) element.setAttribute("aria-pressed", String(pressed));
  element.addEventListener("click", click);
  return element;
}

/** A table of plain cells; the first column holds the names of the rows. */
export function table(caption: string, head: string[], rows: (string | Node)[][]): HTMLTableElement {
  const body = rows.map((cells) =>
    el("tr", {}, ...cells.map((cell, at) => el(at === 0 ? "th" : "td", at === 0 ? { scope: "row" } : {}, cell))),
  );
  return el(
    "table",
    {},
    el("caption", {}, caption),
    el("thead", {}, el("tr", {}, ...head.map((title) => el("th", { scope: "col" }, title)))),
    el("tbody", {}, ...body),
  );
}

/** A panel of the page: a heading, buttons beside it, and contents. */
export interface Panel {
  readonly element: HTMLElement;
  readonly tools: HTMLElement;
  readonly body: HTMLElement;
}

export function panel(id: string, title: string, help: string): Panel {
  const tools = el("div", { class: "tools" });
  const body = el("div", { class: "body" });
  const heading = el("h2", { id: `${id}-title` }, title);
  const element = el(
    "section",
    { id, class: "panel", "aria-labelledby": `${id}-title` },
    el("header", {}, heading, tools),
    el("p", { class: "help" }, help),
    body,
  );
  return { element, tools, body };
}

/** The value of a colour of the theme, such as `--c1`. */
export function colour(name: string): string {
  return getComputedStyle(document.documentElement).getPropertyValue(name).trim();
}
