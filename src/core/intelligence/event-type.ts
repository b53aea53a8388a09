export const EVENTS = ["requested", "completed", "failed"] as const;
export type EventName = (typeof EVENTS)[number];

/** How a writer spells the type of its events. The answer to a request is spelt as the request was. */
export type Spelling = "lower" | "upper" | "dotted";

const DOTTED = "omninode.intelligence.event.";
const BARE = "code_analysis_";

/** @returns `undefined` for a type that is none of the three events in one of the three spellings */
export function readEventType(text: string): { readonly event: EventName; readonly spelling: Spelling } | undefined {
  for (const event of EVENTS) {
    for (const spelling of SPELLINGS) if (writeEventType(event, spelling) === text) return { event, spelling };
  }
  return undefined;
}

const SPELLINGS = ["lower", "upper", "dotted"] as const satisfies readonly Spelling[];

export function writeEventType(event: EventName, spelling: Spelling = "dotted"): string {
  switch (spelling) {
    case "lower":
      return `${BARE}${event}`;
    case "upper":
      return `${BARE}${event}`.toUpperCase();
    case "dotted":
      return `${DOTTED}${BARE}${event}.v1`;
  }
}
