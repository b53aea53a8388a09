import { describe, expect, it } from "vitest";
import { changedBy, patternsFor } from "../../../src/workers/api/mcp/resources.ts";
import { makeToken } from "../access/tokens-under-test.ts";
import { call, freshEcosystem } from "../api/calls.ts";
import { answerOf, connect, ERAS } from "./client-under-test.ts";

type Connected = Awaited<ReturnType<typeof connect>>;

async function textOf(client: Connected, uri: string): Promise<unknown> {
  const [content] = (await client.readResource({ uri })).contents;
  return JSON.parse(content !== undefined && "text" in content ? String(content.text) : "null");
}

/** The resources of which a client hears that they have changed. */
function updatesOf(client: Connected): Set<string> {
  const updates = new Set<string>();
  client.setNotificationHandler("notifications/resources/updated", ({ params }) => void updates.add(params.uri));
  return updates;
}

describe("the resources of the MCP server", () => {
  it.each(ERAS)("are what needs somebody, the gaps and each signal, to a client of %s", async (era) => {
    const client = await connect(freshEcosystem(), { era });
    const { resources } = await client.listResources();
    expect(resources.map(({ uri }) => uri)).toEqual(["ganglion://attention", "ganglion://gaps"]);
    const { resourceTemplates } = await client.listResourceTemplates();
    expect(resourceTemplates.map(({ uriTemplate }) => uriTemplate)).toEqual(["ganglion://signals/{id}"]);
    await answerOf(client, "emit_signal", { signal: "X", source: "me", facts: { n: 1 }, id: "a:b" });
    expect(await textOf(client, "ganglion://attention")).toMatchObject({ total: 0 });
    expect(await textOf(client, "ganglion://gaps")).toEqual({ gaps: [] });
    expect(await textOf(client, "ganglion://signals/a%3Ab")).toMatchObject({ signal: "X", facts: { n: 1 } });
  });

  it("that do not exist are not found", async () => {
    const client = await connect(freshEcosystem());
    for (const uri of [
      "ganglion://nothing",
      "ganglion://signals/none",
      "ganglion://signals/%E0%A4%A",
      "ganglion://signals/",
    ])
      await expect(client.readResource({ uri })).rejects.toMatchObject({ code: -32_602 });
  });

  it("are none to a token that may not read", async () => {
    const ecosystem = freshEcosystem();
    const { token } = await makeToken(ecosystem, ["tasks:work"]);
    expect((await connect(ecosystem, { token })).getServerCapabilities()).not.toHaveProperty("resources");
  });

  it("are of the kind that nobody else is given from a cache", async () => {
    const client = await connect(freshEcosystem());
    expect(await client.listResources()).toMatchObject({ cacheScope: "private", ttlMs: 300_000 });
    expect(await client.readResource({ uri: "ganglion://gaps" })).toMatchObject({ cacheScope: "private", ttlMs: 0 });
  });
});

describe("a stream of changed resources", () => {
  it("tells of what needs somebody, and of a signal that comes or becomes a cause, and of nothing else", async () => {
    const ecosystem = freshEcosystem();
    const [client, other] = await Promise.all([connect(ecosystem), connect(ecosystem)]);
    const updates = updatesOf(client);
    const uris = ["ganglion://attention", "ganglion://signals/x-1", "ganglion://signals/y-1", "ganglion://gaps"];
    const stream = await client.listen({ resourceSubscriptions: uris });
    expect(stream.honoredFilter).toEqual({ resourceSubscriptions: uris });
    const signal = { source: "me", facts: {} };
    await answerOf(other, "emit_signal", { ...signal, signal: "X", id: "x-1" });
    await answerOf(other, "emit_signal", { ...signal, signal: "Q_TASK_FAILED", cause: "y-1" });
    await expect.poll(() => [...updates].sort(), { timeout: 10_000 }).toEqual(uris.slice(0, 3).sort());
    await stream.close();
  });

  it("ends when its token is deleted, and is not opened again", async () => {
    const ecosystem = freshEcosystem();
    const { token, id } = await makeToken(ecosystem, ["signals:read"]);
    const client = await connect(ecosystem, { token });
    const stream = await client.listen({ resourceSubscriptions: ["ganglion://attention"] });
    await call(`/v1/tokens/${id}`, { method: "DELETE" });
    expect(await stream.closed).toBe("graceful");
    await expect(client.listen({ resourceSubscriptions: ["ganglion://attention"] })).rejects.toThrow();
  });

  it("ends at once where nothing would come", async () => {
    const client = await connect(freshEcosystem());
    expect(await (await client.listen({ toolsListChanged: true })).closed).toBe("graceful");
  });

  it("watches 16 resources at most", async () => {
    const client = await connect(freshEcosystem());
    const resourceSubscriptions = Array.from({ length: 17 }, (_, n) => `ganglion://signals/${n}`);
    await expect(client.listen({ resourceSubscriptions })).rejects.toThrow("16 resources at most");
  });
});

describe("the signals behind resources", () => {
  it("are those of what needs somebody alone, unless a signal is watched, which may have any name", () => {
    expect(patternsFor(["ganglion://gaps"])).toEqual(["CAPABILITY_GAP", "CAPABILITY_GAP_RESOLVED"]);
    expect(patternsFor(["ganglion://signals/x", "ganglion://gaps"])).toEqual([
      "*",
      "CAPABILITY_GAP",
      "CAPABILITY_GAP_RESOLVED",
    ]);
    expect(patternsFor(["ganglion://nothing"])).toEqual([]);
  });

  it("change what needs somebody also where the log only says that it has changed", () => {
    const uris = ["ganglion://attention", "ganglion://gaps"];
    expect(changedBy(uris, [])).toEqual(["ganglion://attention"]);
    expect(changedBy(uris, [{ signal: "CAPABILITY_GAP", id: "g" }])).toEqual(uris);
    expect(changedBy(uris, [{ signal: "X", id: "x" }])).toEqual([]);
  });
});

describe("the prompt of the MCP server", () => {
  it("has a model work on the tasks of a queue", async () => {
    const client = await connect(freshEcosystem());
    expect((await client.listPrompts()).prompts.map(({ name }) => name)).toEqual(["work"]);
    const { messages } = await client.getPrompt({ name: "work", arguments: { queue: "q", recipient: "me" } });
    expect(JSON.stringify(messages)).toContain("take_task");
    await expect(client.getPrompt({ name: "work", arguments: {} })).rejects.toThrow("prompts/list");
  });
});
