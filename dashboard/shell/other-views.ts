import type { ComponentType } from "preact";
import { AccessView } from "../access/view.tsx";
import { AgentsView } from "../agents/view.tsx";
import type { ViewName } from "../base/place.ts";
import { ChainView } from "../chain/view.tsx";
import { CoordinationView } from "../coordination/view.tsx";
import { DeadLettersView } from "../dead-letters/view.tsx";
import { ExpectationsView } from "../expectations/view.tsx";
import { FleetView } from "../fleet/view.tsx";
import { GapsView } from "../gaps/view.tsx";
import { HistoryView } from "../history/view.tsx";
import { HostView } from "../hosts/view.tsx";
import { LiveView } from "../live/view.tsx";
import { PoliciesView } from "../policies/view.tsx";
import { QueuesView } from "../queues/view.tsx";
import { UsageView } from "../usage/view.tsx";

/**
 * Every view but the home, which comes with the page. They are one file: in files of their own they are a fifth more to load,
 * because each is compressed for itself.
 */
export const OTHER_VIEWS: Readonly<Record<Exclude<ViewName, "attention">, ComponentType>> = {
  fleet: FleetView,
  agents: AgentsView,
  live: LiveView,
  chain: ChainView,
  queues: QueuesView,
  "dead-letters": DeadLettersView,
  policies: PoliciesView,
  coordination: CoordinationView,
  hosts: HostView,
  gaps: GapsView,
  expectations: ExpectationsView,
  history: HistoryView,
  usage: UsageView,
  access: AccessView,
};
