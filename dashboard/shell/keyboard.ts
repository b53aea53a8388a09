import { VIEWS } from "../base/place.ts";
import { open, queryOf, setQuery, to } from "../base/router.ts";
import { singleKeys } from "../base/single-keys.ts";
import { nextTheme } from "../base/theme.ts";
import { paletteOpen } from "../palette/palette.tsx";
import { helpOpen } from "./help.tsx";

/** Longest time between `g` and the key of a view. */
const SEQUENCE_MS = 1_500;

/** Keys that work on the whole page. */
export function startKeyboard(): void {
  let goneAt = Number.NEGATIVE_INFINITY;
  document.addEventListener("keydown", (event) => {
    if ((event.ctrlKey || event.metaKey) && event.key.toLowerCase() === "k") {
      event.preventDefault();
      paletteOpen.value = true;
      return;
    }
    if (event.ctrlKey || event.metaKey || event.altKey || document.querySelector("dialog[open]") !== null) return;
    if (event.key === "Escape") return leave();
    if (!singleKeys.value || isTyping(event.target)) return;
    if (event.timeStamp - goneAt < SEQUENCE_MS) {
      goneAt = Number.NEGATIVE_INFINITY;
      const view = VIEWS.find(({ key }) => key === event.key);
      if (view !== undefined) return open(to(view.name));
    }
    if (event.key === "g") goneAt = event.timeStamp;
    else if (act(event.key)) event.preventDefault();
  });
}

function act(key: string): boolean {
  switch (key) {
    case "/":
      document.querySelector<HTMLElement>("[data-filter]")?.focus();
      return true;
    case "?":
      helpOpen.value = true;
      return true;
    case "t":
      nextTheme();
      return true;
    case "j":
      return walk(1);
    case "k":
      return walk(-1);
    default:
      return false;
  }
}

/** To the next, or the previous, thing of the view. */
function walk(step: number): boolean {
  const places = [...document.querySelectorAll<HTMLElement>("[data-walk]")];
  const at = places.findIndex((one) => one.matches(":focus"));
  const next = places[at === -1 && step < 0 ? places.length - 1 : at + step];
  next?.focus();
  return next !== undefined;
}

/** Out of a field, and then out of what is chosen. */
function leave(): void {
  const { activeElement } = document;
  if (activeElement instanceof HTMLElement && isTyping(activeElement)) activeElement.blur();
  else if (queryOf("sel") !== "") setQuery({ sel: "" });
}

function isTyping(target: EventTarget | null): boolean {
  return (
    target instanceof Element &&
    target.closest("input:not([type=checkbox]):not([type=range]), textarea, select") !== null
  );
}
