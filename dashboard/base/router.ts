import { computed, signal } from "@preact/signals";
import { hrefOf, type Place, readPlace, type ViewName } from "./place.ts";

const here = signal<Place>(readPlace(location.pathname, location.search));

/** Where the reader is. */
export const place = computed(() => here.value);

/** A part of the URL's query, or "". */
export const queryOf = (name: string): string => here.value.query[name] ?? "";

/** Listens to the browser's back and forward, and to clicks on links of the application. */
export function startRouter(): void {
  addEventListener("popstate", () => {
    here.value = readPlace(location.pathname, location.search);
  });
  document.addEventListener("click", (event) => {
    if (event.defaultPrevented || event.button !== 0 || event.metaKey || event.ctrlKey || event.shiftKey) return;
    const link = event.target instanceof Element ? event.target.closest("a") : null;
    if (link === null || link.origin !== location.origin || link.target !== "" || !link.pathname.startsWith("/app")) {
      return;
    }
    event.preventDefault();
    open(link.pathname + link.search);
  });
}

let arrived = false;

/** Whether the reader has just come to another view by a link or a key; true once. */
export function takeArrival(): boolean {
  const before = arrived;
  arrived = false;
  return before;
}

/** Opens another place, as a new entry of the browser's history. */
export function open(href: string): void {
  const before = location.pathname;
  if (href !== location.pathname + location.search) history.pushState(null, "", href);
  arrived = location.pathname !== before;
  here.value = readPlace(location.pathname, location.search);
}

/** A link to a view of this ecosystem. */
export function to(view: ViewName, id?: string, query: Place["query"] = {}): string {
  return hrefOf({ ecosystem: here.value.ecosystem, view, id, query });
}

/** Changes parts of the query; "" removes one. Typing replaces the entry of the browser's history. */
export function setQuery(change: Readonly<Record<string, string>>): void {
  const next = { ...here.value, query: { ...here.value.query, ...change } };
  const href = hrefOf(next);
  history.replaceState(null, "", href);
  here.value = readPlace(location.pathname, location.search);
}
