import { connect } from "node:net";
import { describe, expect, it } from "vitest";
import { LIMITS } from "../../../src/core/signals/limits.ts";
import { type RunningEdge, runEdge } from "../../harness/running-edge.ts";

/** Sends bytes as they are and reads until the edge closes, or has answered. @returns the status; 0: closed without an answer */
function send(edge: RunningEdge, headers: readonly string[], parts: Iterable<string>, end = false): Promise<number> {
  const { port, hostname } = new URL(edge.url);
  return new Promise((resolve) => {
    const socket = connect(Number(port), hostname);
    let answer = "";
    const done = () => {
      resolve(Number(/^HTTP\/1\.1 (\d{3})/.exec(answer)?.[1] ?? 0));
      socket.destroy();
    };
    socket.on("data", (data) => {
      answer += data.toString("latin1");
      if (answer.includes("\r\n\r\n")) done();
    });
    socket.on("error", done);
    socket.on("close", done);
    const head = [
      "POST /v1/default/signals HTTP/1.1",
      `Host: ${hostname}:${port}`,
      `Authorization: Bearer ${edge.token}`,
      "Content-Type: application/json",
      ...headers,
    ];
    socket.write(`${head.join("\r\n")}\r\n\r\n`);
    for (const part of parts) socket.write(part);
    if (end) socket.end();
  });
}

const chunk = (text: string) => `${text.length.toString(16)}\r\n${text}\r\n`;
const signal = (nr: number) => JSON.stringify({ signal: "Q_BODY", source: "test", facts: { nr } });

describe("the body of a request", () => {
  it("is as long as its headers say, and never longer than a batch may be", async () => {
    const edge = await runEdge();
    const stored = async () => {
      const answer = await fetch(`${edge.url}/v1/default/signals?signal=Q_BODY`, {
        headers: { Authorization: `Bearer ${edge.token}` },
      });
      const { signals } = (await answer.json()) as { signals: { facts: { nr: number } }[] };
      return signals.map(({ facts }) => facts.nr);
    };
    const length = (bytes: number) => `Content-Length: ${bytes}`;
    const chunks = "Transfer-Encoding: chunked";

    expect(await send(edge, [length(signal(1).length)], [signal(1)])).toBe(202);
    // What stands behind the body is another request, and no part of this one.
    expect(await send(edge, [length(signal(2).length)], [signal(2), "GET / HTTP/1.1\r\n\r\n"])).toBe(202);
    expect(await send(edge, [chunks], [chunk(signal(3)), "0\r\n\r\n"])).toBe(202);
    // Named too long, the body is not waited for.
    expect(await send(edge, [length(LIMITS.batchBytes + 1)], [])).toBe(413);
    const megabyte = chunk(" ".repeat(LIMITS.batchBytes));
    expect(await send(edge, [chunks], [megabyte, megabyte])).toBe(413);
    // A length beside chunks says nothing: the body is bounded all the same.
    expect([400, 413]).toContain(await send(edge, [length(10), chunks], [megabyte, megabyte]));
    expect([400, 413]).toContain(await send(edge, [chunks, length(10)], [megabyte, megabyte]));
    // A body that ends early stores nothing.
    expect([0, 400]).toContain(await send(edge, [length(signal(4).length + 10)], [signal(4)], true));

    expect(await stored()).toEqual([1, 2, 3]);
  });
});
