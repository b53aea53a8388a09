import { signal } from "@preact/signals";

/** The time of the page, in milliseconds since the epoch: advances once a second while somebody looks. */
export const now = signal(Date.now());

export function startClock(): void {
  setInterval(() => {
    if (!document.hidden) now.value = Date.now();
  }, 1_000);
}
