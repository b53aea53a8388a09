import { expect, test } from "vitest";
import { alive } from "../../harness/process-alive.ts";
import { runEdge } from "../../harness/running-edge.ts";
import { RunningProcess } from "../../harness/running-process.ts";

interface Step {
  readonly step: "wrong" | "mended" | "causes";
  readonly cause?: string;
  /** When the edge found out, and when the list first named it: times of the edge. */
  readonly detected_at?: string;
  readonly named_at?: string;
  readonly left?: readonly string[];
  readonly causes?: readonly string[];
}

const CAUSES = [
  "host_down/bad-day-b",
  "agent_given_up/bad-day-a/coder",
  "queue_alert/build/queue_deep/queue",
  "webhook_failing/chat",
  "dead_letters/task/work",
];

/** How long after the edge found out a cause may stand in the list of who watches. */
const WITHIN_MS = 2_000;

test("the bad day of the examples has five causes in their order, each named within 2 s, which leave as each is mended", async () => {
  const edge = await runEdge();
  const day = new RunningProcess(["examples/bad-day/bad-day.ts", "--auto", "--json"], {
    env: { GANGLION_URL: edge.url, GANGLION_TOKEN: edge.token },
  });
  expect([await day.ended, day.lines.filter((line) => !line.startsWith("{"))]).toEqual([0, []]);
  const steps = day.lines.map((line) => JSON.parse(line) as Step);
  const of = (kind: Step["step"]) => steps.filter(({ step }) => step === kind);
  expect(of("wrong").map(({ cause }) => cause)).toEqual(CAUSES);
  const waits = of("wrong").map(
    ({ cause, detected_at = "", named_at = "" }) => [cause, Date.parse(named_at) - Date.parse(detected_at)] as const,
  );
  expect(waits.filter(([, ms]) => !(ms <= WITHIN_MS))).toEqual([]);
  expect(of("causes").map(({ causes }) => causes)).toEqual([CAUSES, []]);
  expect(of("mended").map(({ left }) => left)).toEqual(CAUSES.map((_, place) => CAUSES.slice(place + 1)));
  expect(alive(day.pid)).toBe(false);
  const { entries } = await edge.client("bad-day").audit.here();
  expect(entries.map(({ target }) => target)).toContain("/v1/bad-day/queues/hosts/tasks");
});
