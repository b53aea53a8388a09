import { describe, expect, it } from "vitest";
import { call, freshEcosystem, post, problemOf } from "../api/calls.ts";

const hook = { session_id: "s-1", tool_name: "Bash", nested: { signal: "not mine", list: [1, 2] } };

async function boundToken(wanted: object): Promise<string> {
  const answer = await post("/v1/tokens", { name: "t", scopes: ["signals:write"], ecosystems: ["*"], ...wanted });
  return (await answer.json<{ token: string }>()).token;
}

describe("POST /signals/{name}", () => {
  it("takes the whole body as the facts of a signal of this name", async () => {
    const eco = freshEcosystem();
    const answer = await post(`/v1/${eco}/signals/Q_TOOL_USED?source=hooks/claude&id=use-1&cause=ask-1`, hook);
    expect(answer.status).toBe(202);
    expect(await answer.json()).toMatchObject({ accepted: 1, ids: ["use-1"] });
    expect(await (await call(`/v1/${eco}/signals/use-1`)).json()).toMatchObject({
      signal: "Q_TOOL_USED",
      source: "hooks/claude",
      cause: "ask-1",
      facts: hook,
    });
  });

  it("checks the facts of a known signal, and points into the body", async () => {
    const refused = await problemOf(
      await post("/v1/default/signals/Q_DREAM_TRIGGER?source=s", { reason: "r", topic: null, promotion_count: "many" }),
    );
    expect(refused).toMatchObject({ status: 422, errors: [{ pointer: "/promotion_count" }] });
  });

  it.each([
    ["/v1/default/signals/Q_X", {}, "/query/source"],
    ["/v1/default/signals/Q_X?source=", {}, "/query/source"],
    ["/v1/default/signals/9X?source=s", {}, "/path/id"],
    ["/v1/default/signals/Q_X?source=s&id=%2F", {}, "/query/id"],
    ["/v1/default/signals/Q_X?source=s&timestamp=soon", {}, "/query/timestamp"],
    ["/v1/default/signals/Q_X?source=s&sauce=x", {}, "/query/sauce"],
    ["/v1/default/signals/Q_X?source=s", [1], ""],
    ["/v1/default/signals/Q_X?source=s", "7", ""],
    ["/v1/default/signals/Q_X?source=s", "null", ""],
  ])("points at what is wrong with %s and the body %j", async (path, body, pointer) => {
    const refused = await problemOf(await post(path, body));
    expect(refused).toMatchObject({ status: 422, errors: [{ pointer }] });
  });

  it.each([
    ["Q_POLICY_CHANGED?source=s", "/path/id"],
    ["Q_X?source=ganglion/policy", "/query/source"],
    ["Q_X?source=s&id=ganglion.1", "/query/id"],
    ["Q_X?source=other", "/query/source"],
  ])("refuses %s of a token that is bound to the source s", async (path, pointer) => {
    const token = await boundToken({ sources: ["s"] });
    const refused = await problemOf(await post(`/v1/default/signals/${path}`, {}, { token }));
    expect(refused.status).toBe(403);
    expect(refused.errors?.map((error) => error.pointer)).toContain(pointer);
  });

  it("takes facts as deep as those of any other signal, and no deeper", async () => {
    const nested = (depth: number) => `${'{"a":'.repeat(depth)}1${"}".repeat(depth)}`;
    const path = `/v1/${freshEcosystem()}/signals/Q_X?source=s`;
    expect((await post(path, nested(64))).status).toBe(202);
    expect(await problemOf(await post(path, nested(65)))).toMatchObject({
      status: 422,
      type: "/problems/invalid-signal",
    });
  });

  it("needs the right to write signals", async () => {
    const token = await boundToken({ scopes: ["signals:read"] });
    expect((await post("/v1/default/signals/Q_X?source=s", {}, { token })).status).toBe(403);
  });
});
