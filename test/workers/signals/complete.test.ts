import { describe, expect, it } from "vitest";
import { call, freshEcosystem } from "../api/calls.ts";
import { aSignal, logOf } from "../log-under-test.ts";

interface Frame {
  readonly type: string;
  readonly complete?: { readonly number: number; readonly seq: number };
  readonly request?: string;
}

async function openLink(eco: string) {
  const { webSocket: socket } = await call(`/v1/${eco}/link?host=h`, { headers: { Upgrade: "websocket" } });
  if (socket === null) throw new Error("no WebSocket");
  socket.accept();
  const send = (frame: object) => socket.send(JSON.stringify(frame));
  const gathered = new Promise<Frame>((resolve) => {
    socket.addEventListener("message", ({ data }) => {
      const frame: Frame = JSON.parse(String(data));
      if (frame.type !== "gather") return;
      send({ type: "facts", request: frame.request, facts: {} });
      resolve(frame);
    });
  });
  /** Resolves when the frames before it have been read. */
  const read = async () => {
    const ended = new Promise((resolve) => {
      socket.addEventListener("message", ({ data }) => JSON.parse(String(data)).type === "lettered" && resolve(data));
    });
    const letter = { id: "h.1", kind: "signal", error: "none", daemon: "test/h" };
    send({ type: "letters", batch: 1, letters: [letter] });
    await ended;
  };
  return { send, read, gathered };
}

describe("a question to hosts", () => {
  it("says how far the link's subscription has come, although nothing was sent to it", async () => {
    const eco = freshEcosystem();
    const link = await openLink(eco);
    link.send({ type: "subscribe", after: null, signals: ["Q_RARE"], number: 7 });
    await link.read();
    await logOf(eco).append({ signals: [aSignal("Q_OTHER", {}), aSignal("Q_OTHER", {})] });
    const { headSeq } = await logOf(eco).gather(["health"], 10_000);
    expect((await link.gathered).complete).toEqual({ number: 7, seq: headSeq });
    expect(headSeq).toBeGreaterThanOrEqual(2);
  });

  it("says nothing of it to an agent that gave its subscription no number", async () => {
    const eco = freshEcosystem();
    const link = await openLink(eco);
    link.send({ type: "subscribe", after: null, signals: ["Q_RARE"] });
    await link.read();
    await logOf(eco).gather(["health"], 10_000);
    expect(await link.gathered).not.toHaveProperty("complete");
  });
});
