import type { ComponentType } from "preact";
import type { ViewName } from "../base/place.ts";

/** Each view is a file of its own, loaded when somebody first opens it; the home comes with the page. */
export const LOAD_VIEW: Readonly<Record<Exclude<ViewName, "attention">, () => Promise<ComponentType>>> = {
  fleet: async () => (await import("../fleet/view.tsx")).FleetView,
  live: async () => (await import("../live/view.tsx")).LiveView,
  chain: async () => (await import("../chain/view.tsx")).ChainView,
  queues: async () => (await import("../queues/view.tsx")).QueuesView,
  "dead-letters": async () => (await import("../dead-letters/view.tsx")).DeadLettersView,
  policies: async () => (await import("../policies/view.tsx")).PoliciesView,
  hosts: async () => (await import("../hosts/view.tsx")).HostView,
  gaps: async () => (await import("../gaps/view.tsx")).GapsView,
  expectations: async () => (await import("../expectations/view.tsx")).ExpectationsView,
  history: async () => (await import("../history/view.tsx")).HistoryView,
  usage: async () => (await import("../usage/view.tsx")).UsageView,
  access: async () => (await import("../access/view.tsx")).AccessView,
};
