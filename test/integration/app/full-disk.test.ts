import { mkdirSync, readdirSync, renameSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterEach, describe, expect, it } from "vitest";
import { Agent } from "../../../local-agent/app/agent.ts";
import { smallDisk } from "../../faults/soak/small-disk.ts";
import { eventually } from "../../harness/eventually.ts";
import { freePort } from "../../harness/free-port.ts";
import { silent } from "../../unit/store/temporary-state.ts";
import { freeEndpoints } from "../bus/bus-parts.ts";
import { FakeEdge } from "../link/fake-edge.ts";
import { agentOptions } from "./agent-options.ts";

const closing: (() => unknown)[] = [];
afterEach(async () => {
  for (const close of closing.splice(0).reverse()) await close();
});

const INTENTS = 40;

describe("an agent that is started on a full disk", () => {
  const disk = smallDisk(48);

  it.runIf(disk.canFill)("sends what its spool holds", async () => {
    const port = await freePort();
    const { directory } = disk;
    const start = async () => {
      const endpoints = await freeEndpoints();
      const options = agentOptions(directory, `http://127.0.0.1:${port}`);
      const sources = ["intents", "metrics"] as const;
      const agent = new Agent({ ...options, ...endpoints, sources, logger: silent, stopMs: 200 });
      closing.push(() => agent.stop());
      await agent.start();
      return agent;
    };
    mkdirSync(join(directory, "intents"), { recursive: true });
    const first = await start();
    for (let n = 0; n < INTENTS; n++) {
      const intent = { id: `i${n}`, type: "question", data: { question: `Why ${n}?` } };
      writeFileSync(join(directory, "intents", `.${n}.tmp`), JSON.stringify(intent));
      renameSync(join(directory, "intents", `.${n}.tmp`), join(directory, "intents", `${n}.json`));
    }
    await eventually(() => expect(readdirSync(join(directory, "intents"))).toEqual([]));
    await first.stop();
    disk.fill();
    const edge = await FakeEdge.listen(port);
    closing.push(() => edge.close());
    await start();
    await edge.when(() => edge.log.length >= INTENTS);
    expect(new Set(edge.log.map(({ facts }) => facts.question_id)).size).toBe(INTENTS);
  });
});
