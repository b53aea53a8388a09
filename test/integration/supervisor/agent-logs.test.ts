import { appendFileSync, renameSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { AgentLogs } from "../../../local-agent/supervisor/agent-logs.ts";
import { followLog } from "../../../local-agent/supervisor/follow-log.ts";
import { silent, temporaryDirectory } from "../../unit/store/temporary-state.ts";

describe("the log of all agents", () => {
  it("has the lines of all of them in the order in which they came, each with its time and its agent", async () => {
    let nowMs = Date.UTC(2026, 0, 6);
    const logs = new AgentLogs({ stateDir: temporaryDirectory(), now: () => nowMs++, log: silent });
    const [coder, tester] = ["coder", "tester"].map((name) => logs.of(name, { max_mb: 1, keep: 1 }));
    const say = (agent: typeof coder, text: string) => agent?.write(Buffer.from(text));
    say(coder, "begins ");
    say(tester, "waits\n");
    say(coder, "to code\nand");
    await Promise.all([coder?.flush(), tester?.flush()]);
    expect((await followLog(logs.mergedPath, undefined, 50)).lines).toEqual([
      "2026-01-06T00:00:00.000Z tester | waits",
      "2026-01-06T00:00:00.001Z coder | begins to code",
      "2026-01-06T00:00:00.002Z coder | and",
    ]);
    expect((await followLog(coder?.path ?? "", undefined, 50)).lines).toEqual(["begins to code"]);
  });

  it("can be followed from line to line, also when it is rotated or emptied", async () => {
    const path = join(temporaryDirectory(), "agents.log");
    let next: string | undefined;
    const more = async (wanted = 50) => {
      const part = await followLog(path, next, wanted);
      next = part.next;
      return part.lines;
    };
    expect(await more()).toEqual([]);
    writeFileSync(path, "one\ntwo\nhal");
    expect(await more()).toEqual([]);
    expect(await more()).toEqual(["one", "two"]);
    expect(await more()).toEqual([]);
    appendFileSync(path, "f\nthree\n");
    renameSync(path, `${path}.1`);
    writeFileSync(path, "four\n");
    expect(await more()).toEqual(["half", "three"]);
    expect(await more()).toEqual([]);
    expect(await more()).toEqual(["four"]);
    writeFileSync(path, "5\n");
    expect(await more()).toEqual(["5"]);
    next = undefined;
    writeFileSync(path, "a\nb\nc\n");
    expect(await more(2)).toEqual(["b", "c"]);
    writeFileSync(path, `${"x".repeat(200_000)}\nlast\n`);
    next = undefined;
    expect(await more()).toEqual(["last"]);
  });
});
