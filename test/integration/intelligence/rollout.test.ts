import { execFile } from "node:child_process";
import { dirname, join } from "node:path";
import { promisify } from "node:util";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { PROJECT_ROOT } from "../../../local-edge/paths.ts";
import { IntelligenceGatherer } from "../../../src/client/intelligence/gatherer.ts";
import { builtInLibrary } from "../../../src/client/intelligence/library-file.ts";
import { openIntelligence, openRollout } from "../../../src/client/intelligence/open.ts";
import { placeOfKey } from "../../../src/core/intelligence/stable-share.ts";
import { topicsOf } from "../../../src/core/intelligence/topics.ts";
import { eventually } from "../../harness/eventually.ts";
import { type RunningEdge, runEdge } from "../../harness/running-edge.ts";

const run = promisify(execFile);
let edge: RunningEdge;

beforeAll(async () => {
  edge = await runEdge();
});

/** An asker as a program has it: a client, the roll-out and a gatherer. */
function openAsker() {
  const settings = {
    topicRequest: topicsOf("development").request,
    discoveryTimeoutMs: 1_000,
    analysisTimeoutMs: 1_000,
  };
  const connection = { url: edge.url, token: edge.token };
  const client = openIntelligence({ ...connection, settings });
  const rollout = openRollout(connection);
  const gatherer = new IntelligenceGatherer({ library: builtInLibrary(), client, rollout, timeoutMs: 1_000 });
  const reasonFor = async (service_name: string) =>
    (await gatherer.gather({ node_type: "EFFECT", service_name })).fallback_reason;
  return {
    rollout,
    reasonFor,
    close: async () => {
      client.close();
      await rollout.close();
    },
  };
}

describe("askers and an edge", () => {
  const asker = { current: undefined as ReturnType<typeof openAsker> | undefined };
  afterAll(() => asker.current?.close());

  it("agree on the share as soon as it changes, and roll back together where nobody answers", async () => {
    const { rollout } = edge.client();
    await rollout.set({ share: 0 });
    const one = openAsker();
    asker.current = one;
    expect(await one.reasonFor("TestWriter")).toBe("not_in_share");
    await rollout.set({ share: 100 });
    await eventually(async () => expect(one.rollout.share).toBe(100));
    // Nobody with code is connected: each falls back, and after twenty of them nobody is asked any more.
    for (let asked = 0; asked < 20; asked++)
      expect(["no_responder", "breaker_open"]).toContain(await one.reasonFor(`service-${asked}`));
    await one.rollout.flush();
    expect(await rollout.show()).toMatchObject({ share: 0, rolled_back: { rule: "fallback", share_before: 100 } });
    expect(await one.reasonFor("TestWriter")).toBe("not_in_share");
    await one.rollout.flush();
  });

  it("decide alike in Python, whose asker reports too", async () => {
    const { rollout } = edge.client();
    const script = join(PROJECT_ROOT, "examples/intelligence/asker.py");
    const env = { ...process.env, GANGLION_URL: edge.url, GANGLION_TOKEN: edge.token, PYTHONDONTWRITEBYTECODE: "1" };
    const keys = ["TestWriter", "service-1", "Über"];
    const places = keys.map(placeOfKey);
    const list = `import sys; sys.path.insert(0, "${dirname(script)}"); import asker; print([asker.place_of_key(k) for k in sys.argv[1:]])`;
    const { stdout: printed } = await run("python3", ["-c", list, ...keys], { env });
    expect(JSON.parse(printed)).toEqual(places);
    // The share was rolled back: nobody is asked, and the library's arm grows by one.
    const before = (await rollout.show()).arms.library.requests;
    const { stdout } = await run("python3", [script, "TestWriter"], { env });
    expect(JSON.parse(stdout)).toEqual({ asked: false, patterns: [] });
    expect((await rollout.show()).arms.library.requests).toBe(before + 1);
  });

  it("know of the rollback after the edge was killed and started again", async () => {
    const { stateDir, url } = edge;
    await edge.process.stop("SIGKILL");
    edge = await runEdge({ stateDir, port: Number(new URL(url).port) });
    expect(await edge.client().rollout.show()).toMatchObject({ share: 0, rolled_back: { rule: "fallback" } });
    const later = openAsker();
    expect(await later.reasonFor("TestWriter")).toBe("not_in_share");
    await later.close();
  });
});
