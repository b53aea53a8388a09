import type { deadLetterCalls } from "../../src/client/dead-letters.ts";
import type { DeadLetterFilter } from "../../src/core/dead-letters/filter.ts";
import { DEAD_LETTER_KINDS } from "../../src/core/dead-letters/kinds.ts";
import type { Progress } from "../parts/act-on-each.ts";

type Calls = ReturnType<typeof deadLetterCalls>;

/** The filter that a URL names; the edge knows the same one, so that what is shown is what a bulk call acts on. */
export function filterOf(query: Readonly<Record<string, string>>): DeadLetterFilter {
  const kind = DEAD_LETTER_KINDS.find((one) => one === query.kind);
  return {
    ...(kind === undefined ? {} : { kind }),
    ...given("daemon", query.daemon),
    ...given("host", query.host),
    ...given("text", query.text),
  };
}

const given = <Name extends string>(name: Name, value: string | undefined): { [name in Name]?: string } =>
  value === undefined || value.trim() === "" ? {} : ({ [name]: value.trim() } as { [name in Name]: string });

/** How many dead letters a filter selects, by calls that change nothing. */
export async function countMatches(calls: Pick<Calls, "replayAll">, filter: DeadLetterFilter): Promise<number> {
  let count = 0;
  let after: string | undefined;
  for (;;) {
    const page = await calls.replayAll(filter, { dryRun: true, after });
    count += page.matched;
    if (page.next === null) return count;
    after = page.next;
  }
}

/** Replays, or discards, what a filter selects, page by page, and says after each how far that is. */
export async function replayMatches(
  act: Calls["replayAll"],
  filter: DeadLetterFilter,
  progress: (progress: Progress) => void,
): Promise<Progress> {
  let [done, all] = [0, 0];
  const failed: { id: string; why: string }[] = [];
  let after: string | undefined;
  for (;;) {
    const page = await act(filter, { dryRun: false, after });
    done += page.done;
    all += page.matched;
    for (const { id, problem } of page.failed) failed.push({ id, why: problem.detail ?? problem.title });
    const state = { done, all, failed: [...failed] };
    progress(state);
    if (page.next === null) return state;
    after = page.next;
  }
}
