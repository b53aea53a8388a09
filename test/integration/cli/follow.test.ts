import { createInterface } from "node:readline";
import { describe, expect, it } from "vitest";
import { startEdge } from "../../unit/cli/fake-edge.ts";
import { TOKEN } from "../../unit/cli/ganglion.ts";
import { start } from "./ganglion-process.ts";

const signal = (seq: number) => ({
  seq,
  id: `id-${seq}`,
  signal: "X",
  source: seq % 2 ? "odd" : "even",
  ecosystem: "default",
  timestamp: "2026-01-31T12:00:00.000Z",
  received_at: "2026-01-31T12:00:00.001Z",
  facts: {},
});
const frame = (...seqs: number[]) => ({ type: "signals", last: seqs.at(-1), signals: seqs.map(signal) });

describe("ganglion signals --follow", () => {
  it("starts at the log's end, prints what comes and acknowledges it; Ctrl-C ends it cleanly", async () => {
    const edge = await startEdge(() => [200, { signals: [signal(41)], next: null }]);
    const cli = start(["signals", "--follow", "--json", "--signal", "Q_*", "--url", edge.url]);
    const lines = createInterface({ input: cli.stdout })[Symbol.asyncIterator]();
    const stream = await edge.nextStream();
    expect(stream.url.pathname).toBe("/v1/default/signals/stream");
    expect([...stream.url.searchParams]).toEqual([
      ["after", "41"],
      ["signal", "Q_*"],
    ]);
    expect(stream.authorization).toBe(`Bearer ${TOKEN}`);
    stream.send(frame(42, 43));
    expect(JSON.parse((await lines.next()).value ?? "")).toEqual(signal(42));
    expect(JSON.parse((await lines.next()).value ?? "")).toEqual(signal(43));
    expect(await stream.next()).toEqual({ type: "seen", seq: 43 });
    cli.kill("SIGINT");
    await stream.closed;
    expect(await cli.finished).toMatchObject({ code: 0, err: "Following from signal 41\n" });
  });

  it("resumes behind the last signal when the connection breaks, and prints none twice", async () => {
    const edge = await startEdge();
    const cli = start(["signals", "--follow", "--json", "--after", "0", "--limit", "4", "--url", edge.url]);
    const first = await edge.nextStream();
    first.send(frame(1, 2));
    await first.next();
    first.break();
    const second = await edge.nextStream();
    expect(second.url.searchParams.get("after")).toBe("2");
    second.send(frame(2, 3));
    second.send(frame(4, 5));
    const { code, out, err } = await cli.finished;
    expect([
      code,
      out
        .trim()
        .split("\n")
        .map((line) => JSON.parse(line).seq),
    ]).toEqual([0, [1, 2, 3, 4]]);
    expect(err).toContain("the stream ended; trying again in");
  });

  it("stops with the edge's reason when the stream is refused", async () => {
    const edge = await startEdge(() => [
      403,
      { type: "/problems/no-scope", title: "The token may not do this", status: 403 },
    ]);
    const { code, err } = await start(["signals", "--follow", "--url", edge.url]).finished;
    expect([code, err]).toEqual([1, "ganglion: The token may not do this\n"]);
  });

  it("ends quietly when nobody reads it any more", async () => {
    const edge = await startEdge();
    const cli = start(["signals", "--follow", "--after", "0", "--url", edge.url]);
    const stream = await edge.nextStream();
    cli.stdout.destroy();
    let seq = 0;
    const timer = setInterval(() => stream.send(frame(++seq)), 5);
    const { code, err } = await cli.finished;
    clearInterval(timer);
    expect([code, err]).toEqual([0, "Following from signal 0\n"]);
  });
});
