import type { Limit } from "../../src/core/limits/api.ts";
import type { Question } from "../../src/core/questions/api.ts";
import type { TaskView } from "../../src/core/queue/api.ts";
import type { FakeProvider, ProviderTerms } from "./provider.ts";
import type { Entry } from "./tree.ts";

/** What the demonstration has seen when all is over. */
export interface Outcome {
  readonly plan: { readonly topics: number; readonly steps: number };
  readonly terms: ProviderTerms;
  readonly provider: Pick<FakeProvider, "answered" | "answers" | "refused" | "usd">;
  readonly limit: Limit;
  /** Tasks that were parked when the limit closed. */
  readonly parked: number;
  readonly journal: readonly Entry[];
  readonly index: readonly string[];
  readonly question: Question;
  /** Tasks that have ended. */
  readonly tasks: readonly TaskView[];
}

/** A row of the summary: what was to hold, what was seen, and whether it holds. */
export interface Row {
  readonly what: string;
  readonly seen: string;
  readonly holds: boolean;
}

const same = (a: number, b: number): boolean => Math.abs(a - b) < 1e-6;

/** What must be true in the end. Anything that is not is a fault of the coordination, and not of an agent. */
export function rowsOf(outcome: Outcome): Row[] {
  return [...providerRows(outcome), ...treeRows(outcome), questionRow(outcome), ...taskRows(outcome)];
}

function providerRows({ plan, terms, provider, limit, parked }: Outcome): Row[] {
  const { answered, answers, refused, usd } = provider;
  const wanted = plan.topics * plan.steps;
  const budget = limit.usd_per_day ?? 0;
  return [
    {
      what: "provider: answers, each paid once",
      seen: `${answers} of ${wanted}`,
      holds: answers === wanted && answered.size === wanted,
    },
    {
      what: "provider: 429s, at most one for each call at a time",
      seen: `${refused.plan}, ${refused.concurrency} for too many at a time`,
      holds: refused.plan >= 1 && refused.plan <= terms.concurrency && refused.concurrency === 0,
    },
    {
      what: "dollars: the bill, and what the limit counted, of the budget",
      seen: `$${usd.toFixed(2)}, $${limit.spent_usd.toFixed(2)} of $${budget.toFixed(2)}`,
      holds: same(usd, limit.spent_usd) && usd <= budget && limit.held === 0,
    },
    { what: "tasks parked while the limit was closed", seen: String(parked), holds: parked > 0 },
  ];
}

function treeRows({ plan, journal, index }: Outcome): Row[] {
  const begun = journal.filter(({ event }) => event === "begin");
  const faults = journal.filter(({ event }) => event === "overlap" || event === "refused").length;
  const apart = journal.every(
    (entry, place) => entry.event !== "begin" || isEndOf(journal[place + 1], entry) || faults > 0,
  );
  const rising = begun.every(({ fence }, place) => place === 0 || fence > (begun[place - 1]?.fence ?? fence));
  return [
    {
      what: "tree: writers that overlapped",
      seen: `${apart ? faults : "some"} of ${begun.length}`,
      holds: faults === 0 && apart && begun.length === plan.topics,
    },
    {
      what: "tree: fences rise, and no line is lost",
      seen: `${index.length} lines`,
      holds: rising && index.length === plan.topics,
    },
  ];
}

const isEndOf = (next: Entry | undefined, { owner, task, fence }: Entry): boolean =>
  next?.event === "end" && next.owner === owner && next.task === task && next.fence === fence;

function questionRow({ question, tasks }: Outcome): Row {
  const { answered_by: by, answer, answered_at } = question;
  const release = tasks.find(({ type }) => type === "RELEASE")?.result as { released?: unknown } | undefined;
  return {
    what: "question: answered once, and acted on",
    seen: by === null ? "nobody has answered" : `“${answer}” by ${by.name} (${by.way}) at ${answered_at}`,
    holds: by !== null && release?.released === (answer === "yes"),
  };
}

interface Scouted {
  readonly by: string;
  readonly resumed_from: { readonly by: string; readonly steps: number } | null;
}

function taskRows({ plan, tasks }: Outcome): Row[] {
  const complete = tasks.filter(({ outcome }) => outcome === "complete").length;
  const wanted = 2 * plan.topics + 1;
  const resumed = tasks.flatMap(({ task_id, result }) => {
    const { by, resumed_from } = (result ?? {}) as Partial<Scouted>;
    return resumed_from ? [`${task_id}: ${by} went on after step ${resumed_from.steps} of ${resumed_from.by}`] : [];
  });
  return [
    {
      what: "tasks: each done once",
      seen: `${complete} of ${wanted}`,
      holds: complete === wanted && tasks.length === wanted,
    },
    { what: "notes: handed on to a successor", seen: resumed.join("; ") || "none", holds: resumed.length === 1 },
  ];
}

/** The rows for people. */
export function table(rows: readonly Row[]): string {
  const width = Math.max(...rows.map(({ what }) => what.length));
  return rows.map(({ what, seen, holds }) => `${holds ? "✓" : "✗"} ${what.padEnd(width)}  ${seen}`).join("\n");
}
