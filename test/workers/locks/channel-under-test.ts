import type { LockChannelFrame, OutgoingLockFrame } from "../../../src/core/locks/lock-frames.ts";
import { call } from "../api/calls.ts";

type Named<Frame> = Frame extends { id: string | null } ? Frame : never;

/** One end of a channel for locks; {@link LocksChannel.ask} resolves with the last answer to a frame. */
export async function openLocks(eco: string, token?: string) {
  const { webSocket: socket, status } = await call(`/v1/${eco}/locks/channel`, {
    headers: { Upgrade: "websocket", "Sec-WebSocket-Protocol": "ganglion.locks.v1" },
    ...(token === undefined ? {} : { token }),
  });
  if (socket === null) throw new Error(`no WebSocket, but ${status}`);
  socket.accept();
  const closed = new Promise<number>((resolve) => socket.addEventListener("close", ({ code }) => resolve(code)));
  const received: LockChannelFrame[] = [];
  const asked: { id: string | null; waits: boolean; resolve: (frame: LockChannelFrame) => void }[] = [];
  const meets = ({ id, waits }: { id: string | null; waits: boolean }, frame: LockChannelFrame) =>
    (frame as Named<LockChannelFrame>).id === id && (frame.type === "waiting") === waits;
  socket.addEventListener("message", ({ data }) => {
    const frame = JSON.parse(String(data)) as LockChannelFrame;
    received.push(frame);
    const place = asked.findIndex((one) => meets(one, frame));
    if (place >= 0) asked.splice(place, 1)[0]?.resolve(frame);
  });
  const next = (id: string | null, waits: boolean) =>
    new Promise<LockChannelFrame>((resolve) => asked.push({ id, waits, resolve }));
  let ids = 0;
  const send = (frame: object) => socket.send(JSON.stringify(frame));
  const acquire = (name: string, owner: string, more: object = {}): OutgoingLockFrame => ({
    type: "acquire",
    id: `f${++ids}`,
    name,
    owner,
    ttl_ms: 60_000,
    ...more,
  });
  /** Sends a frame. @returns its answer */
  const ask = (frame: OutgoingLockFrame) => {
    const answer = next(frame.id, false);
    send(frame);
    return answer;
  };
  return {
    socket,
    closed,
    received,
    send,
    ask,
    acquire: (name: string, owner: string, more: object = {}) => ask(acquire(name, owner, more)),
    /** @throws where somebody else holds it */
    async fence(name: string, owner: string, more: object = {}): Promise<number> {
      const answer = await ask(acquire(name, owner, more));
      if (answer.type !== "lock" || !answer.held) throw new Error(`not held: ${JSON.stringify(answer)}`);
      return answer.fence;
    },
    /** Begins to wait. @returns what it was told at once, and the answer, when it comes */
    async wait(name: string, owner: string, more: object = {}) {
      const frame = acquire(name, owner, { wait_ms: 60_000, ...more });
      const told = next(frame.id, true);
      const answer = ask(frame);
      return { id: frame.id, frame, told: await told, answer };
    },
    renew: (name: string, fence: number, more: object = {}) =>
      ask({ type: "renew", id: `f${++ids}`, name, fence, ttl_ms: 60_000, ...more }),
    release: (name: string, fence: number, more: object = {}) =>
      ask({ type: "release", id: `f${++ids}`, name, fence, ...more }),
    /** The answer to whatever is sent, by the id that can be read in it. */
    raw(message: string | ArrayBuffer, id: string | null): Promise<LockChannelFrame> {
      const answer = next(id, false);
      socket.send(message);
      return answer;
    },
  };
}
