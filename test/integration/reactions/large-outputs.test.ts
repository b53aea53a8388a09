import { readdirSync, readFileSync, utimesSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { KeptOutputs } from "../../../local-agent/base/process/kept-outputs.ts";
import { atEnd } from "../../harness/cleanup.ts";
import { temporaryDirectory } from "../../unit/store/temporary-state.ts";
import { ReactingHost } from "./reacting-host.ts";

/** A command that prints `{"pad": "xx…"}` of as many bytes as the signal's `size` says, after `before`. */
const printing = (before = "") =>
  `"$NODE" -e 'let t="";process.stdin.on("data",(c)=>t+=c).on("end",()=>process.stdout.write(${JSON.stringify(before)}+JSON.stringify({pad:"x".repeat(JSON.parse(t).facts.size-10)})))'`;

async function hostWith(run: object): Promise<ReactingHost> {
  const one = new ReactingHost({ it: { when: "Q_SIZED", run: { env: { NODE: process.execPath }, ...run } } });
  await one.inbox.receive(0, []);
  await one.reactions.start();
  atEnd(() => one.stop());
  return one;
}

describe("the output of a reaction's command", () => {
  it("becomes the facts of the signal as long as a signal can hold them", async () => {
    const one = await hostWith({ command: printing() });
    await one.receive(1, "Q_SIZED", { size: 60_000 });
    const [said] = await one.until(1);
    expect(said).toMatchObject({ signal: "Q_REACTION_COMPLETE", facts: { pad: "x".repeat(59_990) } });
    expect(said?.facts).not.toHaveProperty("truncated");
  });

  it.each([65_536, 100_000, 131_073, 200_000])(
    "of %i bytes completes the reaction, and the signal says how large it is and where the whole is kept",
    async (size) => {
      const one = await hostWith({ command: printing() });
      await one.receive(1, "Q_SIZED", { size });
      const [said] = await one.until(1);
      expect(said).toMatchObject({
        signal: "Q_REACTION_COMPLETE",
        facts: { truncated: true, size, host: "host-a", output: expect.stringMatching(/^… x+"}$/) },
      });
      const path = String(said?.facts.path);
      expect(path.startsWith(join(one.directory, "outputs"))).toBe(true);
      expect(readFileSync(path, "utf8")).toBe(JSON.stringify({ pad: "x".repeat(size - 10) }));
    },
  );

  it("becomes the facts when its last line is an object, however long the lines before it were", async () => {
    const one = await hostWith({ command: `head -c 300000 /dev/zero | tr '\\0' y; echo; echo '{"found":1}'` });
    await one.receive(1, "Q_SIZED");
    expect((await one.until(1))[0]).toMatchObject({ signal: "Q_REACTION_COMPLETE", facts: { found: 1 } });
  });

  it("of an investigation that is too large fails at once, and says why and where it is", async () => {
    const one = await hostWith({ built_in: "investigator", command: printing() });
    await one.receive(1, "Q_SIZED", { size: 200_000, question: "why?" });
    const [said] = await one.until(1);
    expect(said).toMatchObject({
      signal: "Q_INVESTIGATION_FAILED",
      facts: { truncated: true, size: 200_000, error: expect.stringContaining("the command printed 200000 bytes") },
    });
    expect(readFileSync(String(said?.facts.path), "utf8")).toHaveLength(200_000);
  });

  it("of an investigation that only the log can hold is in the log, and the signal says so", async () => {
    const one = await hostWith({ built_in: "investigator", command: printing() });
    await one.receive(1, "Q_SIZED", { size: 100_000, question: "why?" });
    const [said] = await one.until(1);
    const path = join(one.directory, "curiosity_investigations.jsonl");
    expect(said).toMatchObject({
      signal: "Q_INVESTIGATION_COMPLETE",
      facts: { truncated: true, size: expect.any(Number), path, host: "host-a", question: "why?" },
    });
    expect(JSON.parse(readFileSync(path, "utf8"))).toMatchObject({ pad: "x".repeat(99_990) });
  });
});

describe("kept outputs", () => {
  it("are deleted when they are too old or too many, the oldest first", async () => {
    const directory = temporaryDirectory();
    const outputs = new KeptOutputs({ directory, maxBytes: 25, maxAgeMs: 1_000_000 });
    const nowMs = 10_000_000;
    for (const [name, ageMs] of Object.entries({ a: 1_000, b: 2_000, c: 3_000, old: 2_000_000 })) {
      writeFileSync(outputs.pathOf(name), "x".repeat(10));
      utimesSync(outputs.pathOf(name), (nowMs - ageMs) / 1_000, (nowMs - ageMs) / 1_000);
    }
    await outputs.prune(nowMs);
    expect(readdirSync(directory).sort()).toEqual(["a.output", "b.output"]);
  });
});
