import { effect, signal } from "@preact/signals";
import { Overview } from "../../src/core/overview/api.ts";
import { connection, edgeOf } from "./edge.ts";
import { type Polled, Poller } from "./poller.ts";
import { place } from "./router.ts";

/** What is asked for by all views together: one call in so many milliseconds. */
const EVERY_MS = 3_000;

/** The ecosystem at a glance. */
export const overview = signal<Polled<Overview> | undefined>(undefined);

let poller: Poller<Overview> | undefined;

/** Asks for the overview of the ecosystem that is shown, again when another one is. */
export function startOverview(): void {
  let shown: string | undefined;
  effect(() => {
    const { ecosystem } = place.value;
    if (ecosystem === shown) return;
    shown = ecosystem;
    poller?.stop();
    overview.value = undefined;
    const { call, inside } = edgeOf(ecosystem);
    // The browser asks with the tag of the last answer, and an ecosystem in which nothing happens costs no body.
    const load = (abort: AbortSignal) => call(Overview, { path: inside("/overview"), signal: abort });
    poller = new Poller<Overview>(
      load,
      EVERY_MS,
      (polled) => {
        overview.value = polled;
      },
      {
        hidden: () => document.hidden,
        setTimer: (run, ms) => setTimeout(run, ms),
        clearTimer: (timer) => clearTimeout(timer as ReturnType<typeof setTimeout>),
      },
    );
    poller.wake();
  });
  document.addEventListener("visibilitychange", () => (document.hidden ? poller?.pause() : poller?.wake()));
  addEventListener("online", () => poller?.reload());
  addEventListener("offline", () => {
    connection.value = "offline";
  });
}

/** Asks at once for what an action has changed. */
export const reloadOverview = (): void => poller?.reload();
