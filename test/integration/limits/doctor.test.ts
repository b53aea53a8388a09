import { randomUUID } from "node:crypto";
import { expect, test } from "vitest";
import { askAgent } from "../../../local-agent/commands/ask-agent.ts";
import { limitsFinding } from "../../../local-agent/install/doctor/limits-finding.ts";
import { HOST_RESERVE } from "../../../src/core/limits/host/api.ts";
import { temporaryDirectory } from "../../harness/cleanup.ts";
import { eventually } from "../../harness/eventually.ts";
import { runAgent } from "../../harness/running-agent.ts";
import { runEdge } from "../../harness/running-edge.ts";

test("the doctor says which limits the agent of a host holds a share of, and what the edge was not told", async () => {
  const edge = await runEdge();
  const { url } = edge;
  await edge.client().limits.put("anthropic", { usd_per_day: 5 });
  const stateDir = temporaryDirectory();
  expect(await limitsFinding({ stateDir })).toEqual({
    check: "limits",
    verdict: "ok",
    detail: `no agent runs in ${stateDir}`,
  });
  expect(await limitsFinding({ stateDir, limits: { share: false } })).toMatchObject({
    verdict: "ok",
    detail: expect.stringContaining("limits.share is false"),
  });
  const agent = await runAgent(edge, { stateDir, sources: [] });
  await eventually(async () =>
    expect(await limitsFinding({ stateDir })).toMatchObject({
      verdict: "ok",
      detail: "the agent holds no share, and has told the edge what was used",
    }),
  );
  const reserve = () =>
    askAgent(
      stateDir,
      HOST_RESERVE,
      { url, ecosystem: "default", limit: "anthropic", id: `h-${randomUUID()}`, amounts: { usd: 0.01 } },
      20_000,
    );
  expect(await reserve()).toMatchObject({ granted: true });
  // The agent asks the edge for a block, and gives its calls parts of it.
  expect(await limitsFinding({ stateDir })).toMatchObject({
    verdict: "ok",
    detail: "the agent holds shares of anthropic (1 call), and has told the edge what was used",
  });
  await agent.process.stop("SIGKILL");
  expect(await limitsFinding({ stateDir })).toEqual({
    check: "limits",
    verdict: "warning",
    detail: `no agent runs in ${stateDir}, and 1 settlement of its processes waits for it`,
    fix: "start the agent: until then the edge does not count what was used, and what was held expires",
  });
  // Without an edge the agent has nobody to tell it to, and says why.
  await edge.process.killGroup();
  const again = await runAgent({ url, token: edge.token }, { stateDir, sources: [] });
  await eventually(async () =>
    expect(await limitsFinding({ stateDir })).toMatchObject({
      verdict: "warning",
      detail: expect.stringMatching(/^the agent holds no share, and has not told the edge of 1 settlement: .+/),
      fix: expect.stringContaining("the agent sends them again"),
    }),
  );
  await again.process.stop();
});
