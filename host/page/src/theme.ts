// The theme: the system's, unless the reader has chosen one for this page.

import { button } from "./dom";

/** Creates the button that switches between dark and light; `changed` draws everything anew. */
export function themeButton(changed: () => void): HTMLButtonElement {
  const dark = matchMedia("(prefers-color-scheme: dark)");
  const root = document.documentElement;
  const isDark = (): boolean => (root.dataset["theme"] ? root.dataset["theme"] === "dark" : dark.matches);
  const toggle = button("Dark", isDark(), () => {
    root.dataset["theme"] = isDark() ? "light" : "dark";
    update();
  });
  const update = (): void => {
    toggle.setAttribute("aria-pressed", String(isDark()));
    changed();
  };
  dark.addEventListener("change", update);
  matchMedia("(forced-colors: active)").addEventListener("change", update);
  return toggle;
}
