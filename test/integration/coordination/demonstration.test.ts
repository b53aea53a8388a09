import { readdirSync } from "node:fs";
import { tmpdir } from "node:os";
import { expect, test } from "vitest";
import { alive } from "../../harness/process-alive.ts";
import { RunningProcess } from "../../harness/running-process.ts";

interface Step {
  readonly step: string;
  readonly by?: string;
  readonly agents?: readonly string[];
  readonly rows?: readonly { readonly what: string; readonly seen: string; readonly holds: boolean }[];
}

const left = () => readdirSync(tmpdir()).filter((name) => name.startsWith("ganglion-coordination-"));

test("six agents on two hosts share a limit, a tree, notes and an approval, and what must be true in the end is", async () => {
  const before = left();
  const example = new RunningProcess(["examples/coordination/coordination.ts", "--json"], {
    env: { GANGLION_URL: undefined, GANGLION_TOKEN: undefined },
  });
  const code = await example.ended;
  const steps = example.lines.flatMap((line) => (line.startsWith("{") ? [JSON.parse(line) as Step] : []));
  const rows = steps.find(({ step }) => step === "summary")?.rows ?? [];
  expect([code, rows.filter(({ holds }) => !holds)], example.lines.join("\n")).toEqual([0, []]);
  expect(rows).toHaveLength(9);
  expect(steps.flatMap(({ agents = [] }) => agents)).toHaveLength(6);
  // Both languages have written pages.
  const writers = new Set(steps.flatMap(({ step, by }) => (step.endsWith(".page is done") ? [by] : [])));
  expect([...writers].sort()).toEqual(["writer-1", "writer-2"]);
  expect(alive(example.pid)).toBe(false);
  expect(left()).toEqual(before);
});
