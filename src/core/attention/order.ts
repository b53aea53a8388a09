import { type AttentionItem, SEVERITIES } from "./api.ts";

type Ranked = Pick<AttentionItem, "id" | "severity" | "since"> & { readonly ecosystem?: string };

/** The order of findings and of items, also of several ecosystems: a total order, as long as ids are unique. */
export function byUrgency(a: Ranked, b: Ranked): number {
  const severity = SEVERITIES.indexOf(a.severity) - SEVERITIES.indexOf(b.severity);
  if (severity !== 0) return severity;
  // What is not known to have begun comes behind all that is.
  const [since, other] = [a.since ?? "~", b.since ?? "~"];
  if (since !== other) return since < other ? -1 : 1;
  const [name, otherName] = [`${a.ecosystem ?? ""} ${a.id}`, `${b.ecosystem ?? ""} ${b.id}`];
  return name < otherName ? -1 : name === otherName ? 0 : 1;
}
