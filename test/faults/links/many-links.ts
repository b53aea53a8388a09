import { WebSocket } from "ws";
import { LINK_PROTOCOL } from "../../../src/core/wire/link-frames.ts";
import { type RunningEdge, runEdge } from "../../harness/running-edge.ts";
import { within } from "../../harness/until.ts";
import { pagesOfLog } from "../what-is-kept.ts";

export interface ManyLinksOptions {
  readonly links: number;
  readonly say?: (line: string) => void;
}

/** What objects have been called for and sent, as the edge counts. */
interface Counted {
  readonly requests: number;
  readonly socket_messages: number;
}

interface Usage {
  readonly signal_log: Counted;
  readonly link_relays: Counted;
}

export interface ManyLinksOutcome {
  /** Hosts of signals in the log, in order: each link appends one signal. */
  readonly appended: readonly string[];
  /** How often each link was sent the one signal that all are subscribed to. */
  readonly received: readonly number[];
  /** Links of which the log itself took the signal. */
  readonly atLog: number;
  /** What the log and the relays were called for while every link appended once. */
  readonly appending: Usage;
  /** What they were called for while one signal went to every link. */
  readonly following: Usage;
  readonly milliseconds: { readonly opening: number; readonly appending: number; readonly following: number };
}

/** Links that are opened at a time. */
const AT_ONCE = 50;
const PATIENCE_MS = 600_000;

/** Opens many links of one ecosystem, has each of them append a signal, and sends one signal to all of them. */
export async function manyLinks({ links, say = () => {} }: ManyLinksOptions): Promise<ManyLinksOutcome> {
  const edge = await runEdge({ env: { GANGLION_LINK_RELAY_LINKS: undefined } });
  const open: Link[] = [];
  try {
    let beganMs = performance.now();
    const tookMs = () => Math.round(performance.now() - beganMs);
    while (open.length < links) {
      const names = Array.from({ length: Math.min(AT_ONCE, links - open.length) }, (_, n) => `host-${open.length + n}`);
      open.push(...(await Promise.all(names.map((name) => Link.open(edge, name)))));
    }
    const opening = tookMs();
    const subscribed = await usageOf(edge);
    say(`${links} links open after ${opening} ms`);

    beganMs = performance.now();
    await within(Promise.all(open.map((link) => link.append())), "all appends to be answered", PATIENCE_MS);
    const appending = tookMs();
    const appended = await usageOf(edge);
    // Each link sends one frame. While they open, a minute's round may ask those at the log for facts.
    const atLog = difference(subscribed, appended).signal_log.socket_messages;
    say(`each has appended a signal after ${appending} ms: ${atLog} at the log, ${links - atLog} at relays`);

    beganMs = performance.now();
    const arrived = Promise.all(open.map((link) => link.arrived));
    await edge.client().emit([{ signal: "Q_TO_ALL", source: "test", facts: {} }]);
    await within(arrived, "the signal to reach every link", PATIENCE_MS);
    const following = tookMs();
    say(`one signal has reached all after ${following} ms`);
    const followed = await usageOf(edge);
    const hosts: string[] = [];
    for await (const { signal, source } of pagesOfLog(edge)) if (signal === "Q_FROM_LINK") hosts.push(source);
    return {
      appended: hosts,
      received: open.map(({ received }) => received),
      atLog,
      appending: difference(subscribed, appended),
      following: difference(appended, followed),
      milliseconds: { opening, appending, following },
    };
  } finally {
    for (const link of open) link.close();
    await edge.process.stop();
  }
}

/** A host's end of a link, as bare as it can be: thousands of them live in one process. */
class Link {
  readonly #socket: WebSocket;
  readonly #host: string;
  readonly arrived: Promise<void>;
  received = 0;
  #answered: (() => void) | undefined;
  #subscribed: () => void = () => {};
  #arrive: () => void = () => {};

  private constructor(socket: WebSocket, host: string) {
    this.#socket = socket;
    this.#host = host;
    this.arrived = new Promise((resolve) => {
      this.#arrive = resolve;
    });
    socket.on("message", (data) => this.#receive(JSON.parse(String(data))));
  }

  static async open(edge: RunningEdge, host: string): Promise<Link> {
    const url = `${edge.url.replace("http", "ws")}/v1/default/link?host=${host}`;
    const headers = { authorization: `Bearer ${edge.token}` };
    const socket = new WebSocket(url, [LINK_PROTOCOL], { perMessageDeflate: false, headers });
    const link = new Link(socket, host);
    await new Promise<void>((resolve, reject) => {
      socket.once("open", resolve);
      socket.once("error", reject);
    });
    const subscribed = new Promise<void>((resolve) => {
      link.#subscribed = resolve;
    });
    link.#send({ type: "subscribe", after: null, signals: ["Q_TO_ALL"], number: 1 });
    await within(subscribed, `the subscription of ${host}`, PATIENCE_MS);
    return link;
  }

  append(): Promise<void> {
    const signals = [{ signal: "Q_FROM_LINK", source: this.#host, facts: {} }];
    const answered = new Promise<void>((resolve) => {
      this.#answered = resolve;
    });
    this.#send({ type: "append", batch: 1, producer: `${this.#host}.e1.local`, first: 1, signals });
    return answered;
  }

  close(): void {
    this.#socket.terminate();
  }

  #send(frame: object): void {
    this.#socket.send(JSON.stringify(frame));
  }

  #receive(frame: { readonly type: string; readonly signals?: readonly unknown[]; readonly request?: string }): void {
    switch (frame.type) {
      case "signals":
        this.#subscribed();
        this.received += frame.signals?.length ?? 0;
        if (this.received > 0) this.#arrive();
        return;
      case "appended":
        return this.#answered?.();
      case "pace":
        return;
      case "gather":
        return this.#send({ type: "facts", request: frame.request, facts: {} });
      default:
        throw new Error(`the edge answered ${JSON.stringify(frame)}`);
    }
  }
}

async function usageOf(edge: RunningEdge): Promise<Usage> {
  const response = await fetch(`${edge.url}/v1/default/usage`, { headers: { authorization: `Bearer ${edge.token}` } });
  const { objects } = (await response.json()) as { objects: Usage };
  return objects;
}

function difference(before: Usage, after: Usage): Usage {
  const of = (object: keyof Usage): Counted => ({
    requests: after[object].requests - before[object].requests,
    socket_messages: after[object].socket_messages - before[object].socket_messages,
  });
  return { signal_log: of("signal_log"), link_relays: of("link_relays") };
}
