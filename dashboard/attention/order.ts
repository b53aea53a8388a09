import type { AttentionItem } from "../../src/core/attention/api.ts";
import type { ViewName } from "../base/place.ts";
import type { Tone } from "../parts/tone.ts";
import { inLine } from "../parts/words.ts";

/** How urgent each severity looks. A severity of a newer edge looks like the mildest. */
export function toneOf(severity: string): Tone {
  return severity === "critical" || severity === "warning" ? severity : "notice";
}

interface AttentionFilter {
  readonly text: string;
  /** "": all. */
  readonly severity: string;
}

/** The items that a reader wants to see, in the order of the edge. */
export function wantedItems(items: readonly AttentionItem[], { text, severity }: AttentionFilter): AttentionItem[] {
  const wanted = text.trim().toLowerCase();
  return items.filter(
    (item) =>
      (severity === "" || item.severity === severity) &&
      (wanted === "" ||
        [item.what, item.why, item.subject, item.kind, ...item.effects].join("\n").toLowerCase().includes(wanted)),
  );
}

/** `2 critical, 1 warning` of what stands; "" for nothing. */
export function sumOf(items: readonly Pick<AttentionItem, "severity">[]): string {
  const counts = new Map<string, number>();
  for (const { severity } of items) counts.set(severity, (counts.get(severity) ?? 0) + 1);
  return ["critical", "warning", "info", "notice"]
    .flatMap((severity) => (counts.has(severity) ? [`${counts.get(severity)} ${severity}`] : []))
    .join(", ");
}

/** Parts of a path with its query, as the client wants them. */
export function pathParts(path: string): { path: string; query: Record<string, string[]> } {
  const [bare = "", search = ""] = path.split("?", 2);
  const query: Record<string, string[]> = {};
  for (const [name, value] of new URLSearchParams(search)) query[name] = [...(query[name] ?? []), value];
  return { path: bare, query };
}

/** Where a reader looks closer at a matter: a view of the dashboard, and what it shows. */
export function placeOf({
  kind,
  subject,
  id,
}: Pick<AttentionItem, "kind" | "subject" | "id">): PlaceOfItem | undefined {
  const [, second = "", third = ""] = id.split("/");
  switch (kind as string) {
    case "host_down":
    case "host_alert":
      return { view: "hosts", id: second || subject, text: "Open host" };
    case "agent_given_up":
    case "agent_hung":
      return { view: "hosts", id: second, query: { process: third }, text: "Open process" };
    case "rule_quarantined":
      return { view: "policies", id: second || subject, text: "Open rule" };
    case "queue_alert":
    case "breaker_open":
      return { view: "queues", id: second || subject, text: "Open queue" };
    case "gap":
      return { view: "gaps", id: second, text: "Open evidence" };
    case "dead_letters":
      return { view: "dead-letters", text: "Open dead letters" };
    case "expectation_late":
      return { view: "expectations", text: "Open expectations" };
    case "webhook_failing":
    case "forwards_waiting":
      return { view: "access", query: { tab: "webhooks" }, text: "Open webhooks" };
    case "question_open":
      return { view: "coordination", query: { tab: "questions", sel: second }, text: "Open question" };
    case "limit_closed":
      return { view: "coordination", query: { tab: "limits" }, text: "Open limits" };
    case "lock_waiting":
    case "lock_cycle":
      return { view: "coordination", query: { tab: "locks" }, text: "Open locks" };
    case "budget":
      return { view: "usage", text: "Open usage" };
    default:
      return undefined;
  }
}

interface PlaceOfItem {
  readonly view: ViewName;
  readonly id?: string;
  readonly query?: Readonly<Record<string, string>>;
  readonly text: string;
}

/** An effect in few words: longer ones are cut. */
export const effectText = (effect: string): string => inLine(effect, 140);
