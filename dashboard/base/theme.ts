import { signal } from "@preact/signals";

const THEMES = ["system", "light", "dark"] as const;
type Theme = (typeof THEMES)[number];

const KEY = "ganglion.theme";

/** What the reader chose; `system` follows the machine. */
export const theme = signal<Theme>("system");

/** Reads what was chosen before. The style sheets follow the machine. */
export function startTheme(): void {
  const stored = localStorage.getItem(KEY);
  apply(THEMES.find((one) => one === stored) ?? "system");
}

export function nextTheme(): void {
  apply(THEMES[(THEMES.indexOf(theme.value) + 1) % THEMES.length] ?? "system");
}

function apply(chosen: Theme): void {
  theme.value = chosen;
  localStorage.setItem(KEY, chosen);
  if (chosen === "system") delete document.documentElement.dataset.theme;
  else document.documentElement.dataset.theme = chosen;
}
