import { WebSocket } from "ws";
import { LINK_PROTOCOL, PONG } from "../src/core/wire/link-frames.ts";
import type { ReachedEdge } from "./edge-under-test.ts";

/** One end of a link, as bare as it can be, so that a figure is the edge's and not the client's. */
export interface BareLink {
  send(text: string): void;
  /** Frames that are not `signals`, parsed; set before sending. */
  onFrame: (frame: { type: string; batch?: number; request?: string; last?: number }) => void;
  /** A frame of signals: its text and its last place. */
  onSignals: (text: string, last: number) => void;
  onPong: () => void;
  /** The other end has closed the link. */
  onClose: (code: number) => void;
  /** Subscribes from now on. Resolves when the edge has said where the log ends: whatever is sent then is delivered. */
  subscribe(name: string): Promise<void>;
  close(): void;
}

export async function openLink(edge: ReachedEdge, host: string, ecosystem = "default"): Promise<BareLink> {
  const url = `${edge.url.replace("http", "ws")}/v1/${ecosystem}/link?host=${host}`;
  const socket = new WebSocket(url, [LINK_PROTOCOL], {
    perMessageDeflate: false,
    headers: { authorization: `Bearer ${edge.token}` },
  });
  edge.until?.addEventListener("abort", () => socket.terminate());
  await new Promise<void>((resolve, reject) => {
    socket.once("open", () => resolve());
    socket.once("error", reject);
  });
  let subscribed = (): void => {};
  const link: BareLink = {
    send: (text) => socket.send(text),
    onFrame: () => {},
    onSignals: () => {},
    onPong: () => {},
    onClose: () => {},
    subscribe: (name) =>
      new Promise((resolve) => {
        subscribed = resolve;
        socket.send(JSON.stringify({ type: "subscribe", after: null, signals: [name] }));
      }),
    close: () => {
      link.onClose = () => {};
      socket.terminate();
    },
  };
  socket.on("close", (code) => link.onClose(code));
  socket.on("message", (data: Buffer) => {
    const head = data.toString("latin1", 0, 64);
    if (head === PONG) link.onPong();
    else if (head.startsWith('{"type":"signals"')) {
      // The first frame after a subscription holds only the end of the log.
      if (head.endsWith('"signals":[]}')) subscribed();
      else link.onSignals(data.toString(), Number(/"last":(\d+)/.exec(head)?.[1]));
    } else {
      link.onFrame(JSON.parse(data.toString()));
    }
  });
  return link;
}

/** A signal such as a host sends once a second for each of its agents. */
export function benchSignal(number: number, name: string): string {
  return JSON.stringify({
    signal: name,
    source: "bench/agent-7",
    timestamp: "2026-11-01T12:00:00.000Z",
    facts: { zooid: "bench/agent-7", ok: true, ttr_ms: 12.5, niche: "bench", number, cpu_percent: 41.5 },
  });
}

/** Sends `batches` of `size` signals with `inFlight` unanswered at a time. @returns seconds from first send to last answer */
export async function pump(
  link: BareLink,
  options: { producer: string; batches: number; size: number; inFlight: number; name: string; first?: number },
): Promise<number> {
  const { producer, batches, size, inFlight, name } = options;
  // The frames' bodies are made beforehand, a hundred different ones: their making is not what is measured.
  const bodies = Array.from({ length: Math.min(batches, 100) }, (_, batch) =>
    Array.from({ length: size }, (_, place) => benchSignal(batch * size + place, name)).join(","),
  );
  let sent = 0;
  let answered = 0;
  const next = (): void => {
    const first = (options.first ?? 1) + sent * size;
    link.send(
      `{"type":"append","batch":${sent},"producer":"${producer}","first":${first},"signals":[${bodies[sent % bodies.length]}]}`,
    );
    sent++;
  };
  const started = performance.now();
  await new Promise<void>((resolve, reject) => {
    link.onClose = (code) => reject(new Error(`the edge closed the link (${code}) after ${answered} batches`));
    link.onFrame = (frame) => {
      // How the edge wants signals gathered is for agents; this client sends as fast as answers come.
      if (frame.type === "gather") return;
      if (frame.type !== "appended") return reject(new Error(`the edge answered ${JSON.stringify(frame)}`));
      answered++;
      if (sent < batches) next();
      else if (answered === batches) resolve();
    };
    for (let lane = 0; lane < Math.min(inFlight, batches); lane++) next();
  });
  return (performance.now() - started) / 1_000;
}
