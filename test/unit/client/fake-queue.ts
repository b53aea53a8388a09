import { once } from "node:events";
import type { AddressInfo } from "node:net";
import { type WebSocket, WebSocketServer } from "ws";

interface Frame {
  readonly type: string;
  readonly credit?: number;
  readonly tasks?: readonly Record<string, unknown>[];
}

/** The queue's end of a channel, over real sockets. Hands out the frames of the worker in their order. */
export class FakeQueue {
  readonly #server: WebSocketServer;
  readonly #frames: Frame[] = [];
  #wake: (() => void) | undefined;
  socket: WebSocket | undefined;
  /** Bytes of each message that came. */
  readonly messageBytes: number[] = [];
  /** Connections opened so far, closed ones included. */
  connections = 0;

  constructor(port = 0) {
    this.#server = new WebSocketServer({ host: "127.0.0.1", port, handleProtocols: () => "ganglion.work.v1" });
    this.#server.on("connection", (socket) => {
      this.socket = socket;
      this.connections++;
      socket.on("message", (data) => {
        const text = String(data);
        this.messageBytes.push(Buffer.byteLength(text));
        for (const frame of JSON.parse(text) as Frame[]) this.#push(frame);
      });
      socket.on("close", (code) => this.#push({ type: `closed ${code}` }));
    });
  }

  async start(): Promise<string> {
    if (this.#server.address() === null) await once(this.#server, "listening");
    return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}`;
  }

  #push(frame: Frame): void {
    this.#frames.push(frame);
    this.#wake?.();
  }

  /** The next frame of this type. Frames before it are skipped. */
  async next(type: string): Promise<Frame> {
    for (;;) {
      const frame = this.#frames.shift();
      if (frame?.type === type) return frame;
      if (frame === undefined) {
        await new Promise<void>((resolve) => {
          this.#wake = resolve;
        });
      }
    }
  }

  give(...names: string[]): void {
    this.send({ type: "tasks", tasks: names.map((name) => leased(name, 1)) });
  }

  /** Leases a task once more, as the queue does when a lease was lost. */
  giveAgain(name: string, attempt: number): void {
    this.send({ type: "tasks", tasks: [leased(name, attempt)] });
  }

  send(frame: object): void {
    this.socket?.send(JSON.stringify(frame));
  }

  confirm({ tasks = [] }: Frame): void {
    this.send({ type: "done", tasks: tasks.map((task) => ({ ...task, status: "complete" })) });
  }

  async stop(): Promise<void> {
    for (const client of this.#server.clients) client.terminate();
    await new Promise((resolve) => this.#server.close(resolve));
  }
}

function leased(name: string, attempt: number) {
  return { task_id: name, lease_id: `${name}.${attempt}`, type: "X", payload: name, attempt };
}
