import { expect, test } from "vitest";
import { answer } from "../../../src/client/work/responder.ts";
import { eventually } from "../../harness/eventually.ts";
import { runEdge } from "../../harness/running-edge.ts";
import { RunningProcess } from "../../harness/running-process.ts";
import { first } from "../../harness/until.ts";

const THRESHOLD = 5;
const CALLERS = [7, 7, 6];
const FAILED_PROBES = 3;

test("twenty callers on three hosts fail no more often than the threshold and those under way, and try once each time", async () => {
  const { url, token, client } = await runEdge();
  const { queues, follow } = client();
  await queues.configure("work", {
    breaker_failures: THRESHOLD,
    breaker_open_ms: 200,
    breaker_open_max_ms: 200,
    backoff_ms: 1,
  });
  /** Calls that met the failing responder. A call has several attempts. */
  const failed = new Set<string>();
  let isWell = false;
  const responder = answer(
    "work",
    "oracle",
    "ASK",
    (_, { task }) => {
      if (isWell) return "well";
      failed.add(task.task_id);
      throw new Error("out of order");
    },
    { url, token, concurrency: 20 },
  );
  const until = (state: string, times: number) => {
    let seen = 0;
    const breaker = follow({ after: 0, signals: ["Q_QUEUE_BREAKER"] });
    return first(breaker, ({ facts }) => facts.state === state && ++seen === times, `${times} times ${state}`);
  };
  const hosts = CALLERS.map(
    (callers) =>
      new RunningProcess(["test/integration/queue/calling-host.ts"], {
        env: { GANGLION_URL: url, GANGLION_TOKEN: token, CALLERS: String(callers) },
      }),
  );
  await until("opened", 1 + FAILED_PROBES);
  isWell = true;
  await until("closed", 1);
  await Promise.all(hosts.map((host) => host.line(/^answered$/)));
  const { signals } = await client().signals({ signals: ["Q_QUEUE_BREAKER"], limit: 1_000 });
  const of = (state: string) => signals.filter(({ facts }) => facts.state === state);
  const probes = of("probe").map(({ facts }) => facts.probe);
  // One call at a time for each caller: those that were under way when the breaker opened.
  const before = [...failed].filter((id) => !probes.includes(id));
  expect(before.length).toBeGreaterThanOrEqual(THRESHOLD);
  expect(before.length).toBeLessThanOrEqual(THRESHOLD + CALLERS.reduce((sum, callers) => sum + callers, 0) - 1);
  // Each time the breaker was half open, one call was let through, and the last of them closed it.
  expect(new Set(probes).size).toBe(of("opened").length);
  const told = (how: string) => hosts.flatMap(({ lines }) => lines).filter((line) => line === how).length;
  await eventually(() => expect(told("responder-failed")).toBe(before.length + of("opened").length - 1));
  expect(told("breaker-open")).toBeGreaterThan(0);
  await Promise.all(hosts.map((host) => host.killGroup()));
  await responder.stop();
});
