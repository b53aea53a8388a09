import { computed, signal } from "@preact/signals";

const THEMES = ["system", "light", "dark"] as const;
type Theme = (typeof THEMES)[number];

const KEY = "ganglion.theme";

/** What the reader chose; `system` follows the machine. */
export const theme = signal<Theme>("system");
const systemDark = signal(false);

/** Reads what was chosen before, and follows the machine. */
export function startTheme(): void {
  const stored = localStorage.getItem(KEY);
  apply(THEMES.find((one) => one === stored) ?? "system");
  const dark = matchMedia("(prefers-color-scheme: dark)");
  systemDark.value = dark.matches;
  dark.addEventListener("change", ({ matches }) => {
    systemDark.value = matches;
  });
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

const isDark = computed(() => (theme.value === "system" ? systemDark.value : theme.value === "dark"));

/** Colours for what is drawn on a canvas, where style sheets do not reach. The same as in styles.css. */
export const colours = computed(() =>
  isDark.value
    ? { accent: "#7fb2ff", faint: "#9aa4b2", line: "#2a313b", band: "rgb(127 178 255 / 0.16)" }
    : { accent: "#1f5fd0", faint: "#5c6672", line: "#e3e7ec", band: "rgb(31 95 208 / 0.12)" },
);
