import { describe, expect, it } from "vitest";
import { createLog } from "../../../local-agent/base/log.ts";
import { changed, startEdge, startLink } from "./link-under-test.ts";

describe("link, receiving", () => {
  it("learns where the log ends at its first subscription, and continues from the inbox afterwards", async () => {
    const edge = await startEdge();
    edge.append("Q_OLD_NEWS", {});
    edge.append("Q_OLD_NEWS", {});
    const { inbox } = await startLink(edge);
    await edge.when(() => edge.seen.includes(2));
    expect(edge.subscriptions).toEqual([null]);
    edge.dropConnections();
    edge.append("Q_TEST_DONE", { value: 1 });
    await edge.when(() => edge.seen.includes(3));
    expect(edge.subscriptions).toEqual([null, 2]);
    edge.append("OBSERVATION", { zooid: "x" });
    edge.append("Q_TEST_DONE", { value: 2 });
    await edge.when(() => edge.seen.includes(5));
    expect(inbox.next("test", 10).map(({ seq }) => seq)).toEqual([3, 5]);
    expect(JSON.parse(inbox.next("test", 1)[0]?.text ?? "")).toEqual(edge.log[2]);
    edge.dropConnections();
    await edge.when(() => edge.subscriptions.length === 3);
    expect(edge.subscriptions.at(-1)).toBe(5);
  });

  it("continues at the end of a log that is not the one it knew", async () => {
    const known = await startEdge();
    const { inbox, stop, directory } = await startLink(known);
    await known.when(() => known.seen.includes(0));
    for (const value of [1, 2, 3]) known.append("Q_TEST_DONE", { value });
    await known.when(() => known.seen.includes(3));
    expect(inbox.cursor).toBe(3);
    await stop();

    const other = await startEdge();
    other.append("Q_OLD_NEWS", {});
    const later = await startLink(other, { directory });
    await other.when(() => other.subscriptions.includes(3));
    other.append("Q_TEST_DONE", { value: "new" });
    await other.when(() => other.seen.includes(2));
    expect(later.inbox.next("test", 10).map(({ seq }) => seq)).toEqual([2]);
  });

  it("drops signals that arrive a second time", async () => {
    const edge = await startEdge();
    const { inbox } = await startLink(edge);
    await edge.when(() => edge.subscriptions.length === 1);
    const kept = edge.append("Q_TEST_DONE", { value: 1 });
    await edge.when(() => edge.seen.length === 1);
    edge.sendToAll(JSON.stringify({ type: "signals", last: 1, signals: [kept] }));
    await edge.when(() => edge.seen.length === 2);
    expect(inbox.next("test", 10)).toHaveLength(1);
  });

  it.each([
    ["no JSON", "{"],
    ["no type", '{"last":1}'],
    ["a delivery without places", '{"type":"signals","last":1,"signals":[{"signal":"Q_A"}]}'],
  ])("comes back on a new connection after a frame that it cannot read: %s", async (_, frame) => {
    const edge = await startEdge();
    const { inbox } = await startLink(edge);
    await edge.when(() => edge.subscriptions.length === 1);
    edge.sendToAll(frame);
    await edge.when(() => edge.subscriptions.length === 2);
    edge.append("Q_TEST_DONE", {});
    await edge.when(() => edge.seen.length === 1);
    expect(inbox.next("test", 10)).toHaveLength(1);
  });

  it("skips frames of a newer edge, logs each type once, and stays linked", async () => {
    const edge = await startEdge();
    const told: string[] = [];
    const log = createLog({ format: "text", level: "warn" });
    log.warn = (fields: object) => void told.push(JSON.stringify(fields));
    const { link, inbox } = await startLink(edge, { log });
    await edge.when(() => edge.subscriptions.length === 1);
    for (const type of ["news", "news", "weather"]) edge.sendToAll(JSON.stringify({ type, batch: 1, request: "r" }));
    const { seq } = edge.append("Q_TEST_DONE", {});
    await edge.when(() => edge.seen.includes(seq));
    expect(inbox.next("test", 10)).toHaveLength(1);
    expect(link.counts).toMatchObject({ connects: 1, failures: 0, unknown: 3 });
    expect(told).toEqual(['{"type":"news"}', '{"type":"weather"}']);
    expect(edge.upgrades).toHaveLength(1);
  });

  it("changes its subscription while it runs, and misses no signal while deliveries of the old one are on their way", async () => {
    const edge = await startEdge();
    const { link, inbox } = await startLink(edge, { subscribe: ["Q_OLD"] });
    await changed(link, () => link.state.state === "connected");
    link.setSubscribe(["Q_NEW"]);
    // The edge has not heard of it yet: it takes in one of each, and goes beyond both in what it tells by the old pattern.
    edge.append("Q_NEW", { value: 1 });
    edge.append("Q_OLD", { value: 2 });
    await edge.when(() => edge.seen.includes(2));
    expect(inbox.next("test", 10).map(({ seq, signal }) => [seq, signal])).toEqual([[1, "Q_NEW"]]);
    link.setSubscribe([]);
    link.setSubscribe(["Q_*"]);
    edge.append("Q_OLD", { value: 3 });
    await edge.when(() => edge.seen.includes(3));
    expect(inbox.next("test", 10).map(({ seq }) => seq)).toEqual([1, 3]);
    expect(edge.wrongFrames).toEqual([]);
  });

  it("asks for the end of the log while nothing is read, and goes on from there when something is", async () => {
    const edge = await startEdge();
    edge.append("Q_OLD", {});
    const { link, inbox } = await startLink(edge, { subscribe: ["!*"] });
    await changed(link, () => link.state.state === "connected");
    expect([edge.subscriptions, edge.patterns]).toEqual([[null], [["!*"]]]);
    edge.dropConnections();
    edge.append("Q_NEW", { value: 1 });
    link.setSubscribe(["Q_NEW", "Q_OLD"]);
    await edge.when(() => edge.seen.includes(2));
    expect(inbox.next("test", 10).map(({ seq }) => seq)).toEqual([2]);
  });

  it("moves its cursor where the edge says that everything was sent, without a message", async () => {
    const edge = await startEdge();
    const { link, inbox } = await startLink(edge, { subscribe: ["Q_RARE"] });
    await changed(link, () => link.state.state === "connected");
    for (const value of [1, 2, 3]) edge.append("Q_OTHER", { value });
    const complete = (number: number, seq: number) =>
      edge.sendToAll(JSON.stringify({ type: "gather", request: "r", monitors: [], complete: { number, seq } }));
    complete(edge.number - 1, 3);
    complete(edge.number, 2);
    const { seq } = edge.append("Q_RARE", {});
    await edge.when(() => edge.seen.includes(seq));
    expect(edge.seen.filter((one) => one > 0)).toEqual([seq]);
    complete(edge.number, 1);
    edge.dropConnections();
    await edge.when(() => edge.subscriptions.length === 2);
    expect(edge.subscriptions).toEqual([null, seq]);
    link.setSubscribe(["Q_OTHER"]);
    await edge.when(() => edge.patterns.at(-1)?.[0] === "Q_OTHER");
    expect(edge.subscriptions.at(-1)).toBe(seq);
    expect(inbox.next("test", 10).map(({ signal }) => signal)).toEqual(["Q_RARE"]);
  });

  it("opens a new connection where a change of its subscription is refused, and misses nothing", async () => {
    const edge = await startEdge();
    const { link, inbox } = await startLink(edge, { subscribe: ["Q_OLD"] });
    await changed(link, () => link.state.state === "connected");
    edge.refuseSubscription = true;
    link.setSubscribe(["Q_NEW"]);
    edge.append("Q_NEW", { value: 1 });
    await edge.when(() => edge.seen.includes(1));
    expect(inbox.next("test", 10).map(({ signal }) => signal)).toEqual(["Q_NEW"]);
  });

  it("answers a request for facts that it does not have", async () => {
    const edge = await startEdge();
    const { link } = await startLink(edge);
    await edge.when(() => edge.subscriptions.length === 1);
    edge.sendToAll('{"type":"gather","request":"r1","monitors":["health"]}');
    link.setStatus({ after: "the answer" });
    await edge.when(() => edge.statuses.length === 1);
    expect(edge.wrongFrames).toEqual([]);
  });
});

describe("link, connecting", () => {
  it.each([
    [401, "GANGLION_TOKEN"],
    [403, "signals:write"],
    [404, "GANGLION_URL"],
    [500, "500"],
  ])("says what to do when the edge answers %i, and tries again", async (status, hint) => {
    const edge = await startEdge();
    edge.refuseUpgrade = { status };
    const { link } = await startLink(edge);
    await changed(link, () => link.state.state === "waiting");
    expect(link.state.detail).toContain(hint);
    expect(link.state.detail).not.toContain("secret");
    edge.refuseUpgrade = undefined;
    await changed(link, () => link.state.state === "connected");
  });

  it("is connected when it knows from which place on it receives, and not before", async () => {
    const edge = await startEdge();
    const { link, inbox } = await startLink(edge);
    await changed(link, () => link.state.state === "connected");
    expect(inbox.cursor).toBe(0);
  });

  it("waits as long as Retry-After says", async () => {
    const edge = await startEdge();
    edge.refuseUpgrade = { status: 503, headers: { "retry-after": "1" } };
    const started = Date.now();
    const { link } = await startLink(edge);
    await edge.when(() => edge.upgrades.length === 1);
    edge.refuseUpgrade = undefined;
    await changed(link, () => link.state.state === "connected");
    expect(Date.now() - started).toBeGreaterThanOrEqual(990);
    expect(edge.upgrades).toHaveLength(2);
  });

  it("abandons a connection on which nothing arrives any more", async () => {
    const edge = await startEdge();
    edge.answersPings = false;
    const { link } = await startLink(edge, { heartbeatMs: 25 });
    await edge.when(() => edge.upgrades.length >= 2);
    edge.answersPings = true;
    await changed(link, () => link.state.state === "connected");
  });

  it("sends its status on each connection, and only changes in between", async () => {
    const edge = await startEdge();
    const { link } = await startLink(edge);
    link.setStatus({ sources: 1 });
    await edge.when(() => edge.statuses.length === 1);
    link.setStatus({ sources: 1 });
    link.setStatus({ sources: 2 });
    await edge.when(() => edge.statuses.length === 2);
    edge.dropConnections();
    await edge.when(() => edge.statuses.length === 3);
    expect(edge.statuses.map(({ sources }) => sources)).toEqual([1, 2, 2]);
  });

  it("stops while the edge does not answer, twice, or before it was started", async () => {
    const { link } = await startLink({ url: "http://127.0.0.1:1" });
    await link.stop();
    await link.stop();
    expect(link.state.state).toBe("stopped");
  });
});
