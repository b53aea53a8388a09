import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { AgentProcess } from "../../../scripts/start/agent-process.ts";
import { atEnd, temporaryDirectory } from "../../harness/cleanup.ts";
import { within } from "../../harness/until.ts";

const REPORT = `(type, state) => process.send({ type, link: { state, detail: "" }, sources: [{ name: "sampler", state: "live", detail: "" }] })`;

/** An agent that does what `behaviour` says; \`report(type, link)\` is there for it. */
function agent(behaviour: string) {
  const script = join(temporaryDirectory(), "agent.mjs");
  writeFileSync(script, `const report = ${REPORT};\n${behaviour}`);
  const said: string[] = [];
  const waiting = new Set<() => void>();
  const started = new AgentProcess(
    process.env,
    (sentence) => {
      said.push(sentence);
      for (const look of waiting) look();
    },
    script,
  );
  atEnd(() => started.stop());
  return {
    started,
    said,
    hear: (pattern: RegExp, times = 1) =>
      within(
        new Promise<void>((resolve) => {
          const look = () => said.filter((sentence) => pattern.test(sentence)).length >= times && resolve();
          waiting.add(look);
          look();
        }),
        `the words ${pattern}`,
      ),
  };
}

describe("the agent as a child", () => {
  it("is ready when its sources are up and the edge has accepted the link", async () => {
    const { started } = agent(`report("ready", "connecting"); setTimeout(() => report("status", "connected"), 50);`);
    expect(await started.ready).toEqual([{ name: "sampler", state: "live", detail: "" }]);
  });

  it("passes on what it says, and fails the start when it ends before it could report", async () => {
    const { started, said } = agent(`console.error("GANGLION_HOST_ID: give letters"); process.exitCode = 1;`);
    await expect(started.ready).rejects.toThrow("ended with code 1 before it was ready");
    expect(said).toEqual(["agent: GANGLION_HOST_ID: give letters"]);
  });

  it("is started again when it dies, and later each time", async () => {
    const pids = join(temporaryDirectory(), "pids");
    const { started, hear, said } = agent(`
      import { appendFileSync } from "node:fs";
      process.on("SIGUSR2", () => process.exit(9));
      setInterval(() => {}, 1000);
      appendFileSync(${JSON.stringify(pids)}, process.pid + "\\n");
      report("ready", "connected");
    `);
    const end = () => process.kill(Number(readFileSync(pids, "utf8").trim().split("\n").at(-1)), "SIGUSR2");
    await started.ready;
    end();
    await hear(/is back/);
    end();
    await hear(/Restart in 2 s/);
    expect(said.slice(0, 3)).toEqual([
      "The agent ended with code 9. Restart in 1 s.",
      "The agent is back.",
      "The agent ended with code 9. Restart in 2 s.",
    ]);
    await started.stop();
  });

  it("is given time to drain when it is asked to stop", async () => {
    const { started, said } = agent(`
      process.on("SIGTERM", () => setTimeout(() => { console.log("drained"); process.exit(0); }, 100));
      setInterval(() => {}, 1000);
      report("ready", "connected");
    `);
    await started.ready;
    await started.stop();
    await started.stop();
    expect(said).toEqual(["agent: drained"]);
  });
});
