import { call } from "../api/calls.ts";

export interface Frame {
  readonly type: string;
  readonly batch?: number | null;
  readonly letters?: number;
  readonly last?: number;
  readonly request?: string;
  readonly rejected?: readonly unknown[];
  readonly signals?: readonly { readonly signal: string }[];
  readonly problem?: { readonly type: string; readonly status: number };
}

/** The caller's end of a link or a stream. */
export interface SocketEnd {
  readonly frames: readonly Frame[];
  readonly socket: WebSocket;
  send(frame: object): void;
  /** The first frame of this kind, whenever it came or comes; the code where the other end closes before. */
  first(matches: (frame: Frame) => boolean): Promise<Frame | number>;
  /** Resolves with the code when the other end closes. */
  readonly closed: Promise<number>;
}

/** Opens a socket of the API. @returns the status where it is refused */
export async function openSocket(path: string, authorization: string | null): Promise<SocketEnd | number> {
  const headers = { Upgrade: "websocket", ...(authorization === null ? {} : { Authorization: authorization }) };
  const response = await call(path, { headers, token: null });
  const socket = response.webSocket;
  if (socket === null) {
    await response.body?.cancel();
    return response.status;
  }
  const frames: Frame[] = [];
  const asked: { matches: (frame: Frame) => boolean; resolve: (frame: Frame) => void }[] = [];
  socket.addEventListener("message", ({ data }) => {
    const frame = JSON.parse(String(data)) as Frame;
    frames.push(frame);
    for (const { matches, resolve } of asked) if (matches(frame)) resolve(frame);
  });
  const closed = new Promise<number>((resolve) => socket.addEventListener("close", ({ code }) => resolve(code)));
  socket.accept();
  const first = (matches: (frame: Frame) => boolean) => {
    const came = frames.find(matches);
    if (came !== undefined) return Promise.resolve(came);
    return Promise.race([new Promise<Frame>((resolve) => asked.push({ matches, resolve })), closed]);
  };
  const send = (frame: object) => {
    if (socket.readyState === WebSocket.OPEN) socket.send(JSON.stringify(frame));
  };
  return { frames, socket, closed, first, send };
}
