import { describe, expect, it } from "vitest";
import { logOf } from "../log-under-test.ts";
import { deadLettersUnderTest } from "./dead-letters-under-test.ts";

/** The end of a link that an agent holds. */
async function openLink(ecosystem: string, host: string) {
  const response = await logOf(ecosystem).fetch(`https://log/${ecosystem}/link?host=${host}`, {
    headers: { Upgrade: "websocket" },
  });
  const socket = response.webSocket;
  if (socket === null) throw new Error(`no WebSocket, but ${response.status}`);
  socket.accept();
  return (frame: object) =>
    new Promise<Record<string, unknown>>((resolve) => {
      socket.addEventListener("message", ({ data }) => resolve(JSON.parse(String(data))), { once: true });
      socket.send(JSON.stringify(frame));
    });
}

const intent = {
  id: "gpu-01.intent.1",
  kind: "intent",
  intent: { file: "a.json" },
  error: "e",
  daemon: "agent/intents",
};

describe("dead letters of a host", () => {
  it("are stored once, before the host gets the confirmation", async () => {
    const deadLetters = deadLettersUnderTest();
    const send = await openLink(deadLetters.ecosystem, "gpu-01");
    const frame = { type: "letters", batch: 7, letters: [intent] };
    expect(await send(frame)).toEqual({ type: "lettered", batch: 7 });
    expect(await deadLetters.list()).toMatchObject([{ ...intent, host: "gpu-01", attempts: 1 }]);
    await send({ ...frame, batch: 8 });
    expect(await deadLetters.list()).toMatchObject([{ attempts: 2 }]);
  });

  it("are refused in the name of another host or of the edge", async () => {
    const deadLetters = deadLettersUnderTest();
    const send = await openLink(deadLetters.ecosystem, "gpu-01");
    const foreign = { ...intent, id: "gpu-02.intent.1" };
    expect(await send({ type: "letters", batch: 1, letters: [foreign] })).toMatchObject({
      type: "refused",
      problem: { type: "/problems/foreign-letter", status: 403 },
    });
    for (const wrong of [
      { ...intent, daemon: "ganglion/policy" },
      { ...intent, kind: "webhook" },
    ])
      expect(await send({ type: "letters", batch: 1, letters: [wrong] })).toMatchObject({ problem: { status: 422 } });
    expect(await deadLetters.list()).toEqual([]);
  });
});
