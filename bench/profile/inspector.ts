import { WebSocket } from "ws";

interface Target {
  readonly id: string;
  readonly webSocketDebuggerUrl: string;
}

interface Answer {
  readonly id?: number;
  readonly result?: unknown;
  readonly error?: { readonly message: string };
}

/** Calls of the Chrome DevTools Protocol to one isolate of the runtime. */
export class Inspector {
  readonly #socket: WebSocket;
  readonly #waiting = new Map<number, { resolve: (result: unknown) => void; reject: (error: Error) => void }>();
  #calls = 0;
  #ended = false;

  private constructor(socket: WebSocket) {
    this.#socket = socket;
    socket.on("message", (data) => this.#take(JSON.parse(String(data)) as Answer));
    socket.on("close", () => {
      this.#ended = true;
      for (const { reject } of this.#waiting.values()) reject(new Error("the runtime has ended"));
    });
  }

  /** @param address - host and port of the inspector. @param worker - name of the Worker whose isolate is meant */
  static async open(address: string, worker: string): Promise<Inspector> {
    const targets = (await (await fetch(`http://${address}/json`)).json()) as Target[];
    const target = targets.find(({ id }) => id.endsWith(worker));
    if (target === undefined)
      throw new Error(`the runtime has no ${worker}, only ${targets.map(({ id }) => id).join(", ")}`);
    const socket = new WebSocket(target.webSocketDebuggerUrl, { perMessageDeflate: false });
    await new Promise<void>((resolve, reject) => {
      socket.once("open", () => resolve());
      socket.once("error", reject);
    });
    return new Inspector(socket);
  }

  /** @throws what the isolate refuses */
  call<Result>(method: string, params: object = {}): Promise<Result> {
    if (this.#ended) return Promise.reject(new Error("the runtime that was profiled has ended: the bench restarts it"));
    const id = ++this.#calls;
    this.#socket.send(JSON.stringify({ id, method, params }));
    return new Promise((resolve, reject) => {
      this.#waiting.set(id, { resolve: (result) => resolve(result as Result), reject });
    });
  }

  close(): void {
    this.#socket.terminate();
  }

  #take({ id = -1, result, error }: Answer): void {
    const waiting = this.#waiting.get(id);
    this.#waiting.delete(id);
    if (error === undefined) waiting?.resolve(result);
    else waiting?.reject(new Error(error.message));
  }
}
