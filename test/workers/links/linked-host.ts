import { env } from "cloudflare:workers";
import { linkRelay } from "../../../src/workers/bindings/objects.ts";

interface Frame {
  readonly type: string;
  readonly last?: number;
  readonly request?: string;
  readonly signals?: readonly { readonly seq: number; readonly facts: { readonly host: string; readonly n: number } }[];
}

/** Signals of one append. */
const BATCH = 3;
const AGAIN_MS = 5;

/**
 * A host as its agent behaves: it numbers its signals, sends what is not confirmed again, and comes back after each lost link,
 * from the place up to which it has everything.
 */
export class LinkedHost {
  readonly name: string;
  /** `host:number` of what came, in order. */
  readonly got: string[] = [];
  readonly #eco: string;
  readonly #seqs = new Set<number>();
  #socket: WebSocket | undefined;
  #cursor = 0;
  #emitted = 0;
  #confirmed = 0;
  #sent = 0;
  #batch = 0;
  #ended = false;
  readonly #looks: (() => void)[] = [];
  /** How often it linked. */
  links = 0;

  constructor(eco: string, name: string) {
    this.#eco = eco;
    this.name = name;
    void this.#link();
  }

  emit(count: number): void {
    this.#emitted += count;
    this.#send();
  }

  get emitted(): number {
    return this.#emitted;
  }

  /** Resolves when everything is confirmed and so many signals have come. */
  async rest(signals: number): Promise<void> {
    await new Promise<void>((resolve) => {
      const look = () => {
        if (this.#confirmed === this.#emitted && this.got.length >= signals) resolve();
      };
      this.#looks.push(look);
      look();
    });
  }

  end(): void {
    this.#ended = true;
    this.#socket?.close();
  }

  async #link(): Promise<void> {
    const query = new URLSearchParams({ host: this.name, right: "any", token: "t1", installation: this.name });
    query.set("instance", "p1");
    for (;;) {
      const path = `https://relay/${this.#eco}/link?${query}`;
      const response = await linkRelay(env, this.#eco, "1")
        .fetch(path, { headers: { Upgrade: "websocket" } })
        .catch(() => undefined);
      if (this.#ended) return void response?.webSocket?.accept();
      const socket = response?.webSocket;
      if (socket) return this.#open(socket);
      await response?.body?.cancel();
      await new Promise((resolve) => setTimeout(resolve, AGAIN_MS));
    }
  }

  #open(socket: WebSocket): void {
    this.links++;
    this.#socket = socket;
    socket.addEventListener("message", ({ data }) => this.#receive(JSON.parse(String(data))));
    socket.addEventListener("close", () => {
      if (this.#socket !== socket) return;
      this.#socket = undefined;
      if (!this.#ended) void this.#link();
    });
    socket.accept();
    socket.send(JSON.stringify({ type: "subscribe", after: this.#cursor, signals: ["Q_KEPT"], number: 1 }));
    this.#sent = this.#confirmed;
    this.#send();
  }

  #send(): void {
    while (this.#socket !== undefined && this.#sent < this.#emitted) {
      const first = this.#sent + 1;
      const count = Math.min(BATCH, this.#emitted - this.#sent);
      const signals = Array.from({ length: count }, (_, place) => ({
        signal: "Q_KEPT",
        source: `agent/${this.name}`,
        facts: { host: this.name, n: first + place },
      }));
      const producer = `${this.name}.e1.local`;
      this.#socket.send(JSON.stringify({ type: "append", batch: this.#batch++, producer, first, signals }));
      this.#sent += count;
    }
  }

  #receive({ type, last = 0, request, signals = [] }: Frame): void {
    if (type === "signals") {
      for (const { seq, facts } of signals) {
        // What a link is sent twice is a fault: it names the place from which on it needs signals.
        this.got.push(this.#seqs.has(seq) ? `again ${seq}` : `${facts.host}:${facts.n}`);
        this.#seqs.add(seq);
      }
      this.#cursor = Math.max(this.#cursor, last);
      this.#socket?.send(JSON.stringify({ type: "seen", seq: last }));
    } else if (type === "appended") {
      this.#confirmed = Math.max(this.#confirmed, last);
      this.#sent = Math.max(this.#sent, last);
    } else if (type === "refused") {
      this.#sent = this.#confirmed;
      setTimeout(() => this.#send(), AGAIN_MS);
    } else if (type === "gather") this.#socket?.send(JSON.stringify({ type: "facts", request, facts: {} }));
    for (const look of this.#looks) look();
  }
}
