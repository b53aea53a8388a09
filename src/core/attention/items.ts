import { type Attention, type AttentionItem, SHOWN_ITEMS } from "./api.ts";
import type { EcosystemState, TellingSignals } from "./ecosystem-state.ts";
import { edgeFindings } from "./edge.ts";
import { exportFindings } from "./exports.ts";
import type { Finding } from "./finding.ts";
import { groupByCause } from "./group.ts";
import { Absences, hostFindings } from "./hosts.ts";
import { limitFindings } from "./limits.ts";
import { lockFindings } from "./locks.ts";
import { questionFindings } from "./questions.ts";
import { deadLetterFindings, queueFindings } from "./queues.ts";
import { scheduleFindings } from "./schedules.ts";
import { sessionFinding } from "./sessions.ts";
import { withChains } from "./tell.ts";

/** Everything that is wrong in an ecosystem, each thing by itself and in no order. */
export function findingsOf(state: EcosystemState): Finding[] {
  const { ecosystem } = state;
  const absences = new Absences(state.hosts);
  return [
    ...state.hosts.flatMap((host) => hostFindings(host, ecosystem)),
    ...state.sessions.map((session) => sessionFinding(session, ecosystem)),
    ...state.queues.flatMap((queue) => queueFindings(queue, absences, state)),
    ...deadLetterFindings(state.deadLetters, absences, state),
    ...edgeFindings(state, absences),
    ...exportFindings(state),
    ...scheduleFindings(state, absences),
    ...questionFindings(state),
    ...lockFindings(state),
    ...limitFindings(state),
  ];
}

/**
 * What needs somebody, a row for each cause, most urgent first; of the same severity what has stood longest.
 *
 * @param findings - of {@link findingsOf}
 */
export function attentionItems(
  findings: readonly Finding[],
  ecosystem: string,
  signals: TellingSignals = [],
): AttentionItem[] {
  return groupByCause(withChains(findings, signals), ecosystem);
}

/** The part of all items that one document shows, with the counts of all. @param items - most urgent first */
export function shownItems(
  items: readonly AttentionItem[],
  most: number = SHOWN_ITEMS,
): Pick<Attention, "items" | "total" | "critical" | "left_out"> {
  return {
    items: items.slice(0, most),
    total: items.length,
    critical: items.filter(({ severity }) => severity === "critical").length,
    left_out: Math.max(0, items.length - most),
  };
}
