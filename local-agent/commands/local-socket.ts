import { chmodSync, rmSync } from "node:fs";
import { createServer, type Server, type Socket } from "node:net";
import { join } from "node:path";
import type { Logger } from "../base/log.ts";
import { ExpectedError, type Service } from "../base/service.ts";
import { stoppedWithin } from "../base/stop-within.ts";
import { CommandRefused, type HostCommands } from "./host-commands.ts";
import { type Answer, MAX_LINE_BYTES, Request } from "./protocol.ts";
import { SOCKET_NAME, shortSocketPath } from "./socket-path.ts";

export interface LocalSocketOptions {
  readonly stateDir: string;
  readonly work: HostCommands;
  readonly log: Logger;
  /** How long a command that is under way has to be answered when the agent stops, in milliseconds; default 5,000. */
  readonly answerMs?: number;
}

const ANSWER_MS = 5_000;

/** Who connects and says nothing, or half a line, is let go after this. */
const SILENT_MS = 10_000;

/**
 * The way from this machine to {@link HostCommands}, edge or no edge: a socket in the state directory that only the
 * agent's own user can open. The state directory is held by one agent at a time, so a socket that is there at the
 * start was left by one that was killed.
 */
export class LocalSocket implements Service {
  readonly name = "local socket";
  readonly #options: LocalSocketOptions;
  readonly #open = new Set<Socket>();
  /** Those that have not asked yet. */
  readonly #silent = new Set<Socket>();
  #server: Server | undefined;
  #path: { readonly path: string; done(): void } | undefined;

  constructor(options: LocalSocketOptions) {
    this.#options = options;
  }

  /** @throws ExpectedError when the socket cannot be made */
  async start(): Promise<void> {
    if (this.#server !== undefined) return;
    const path = shortSocketPath(join(this.#options.stateDir, SOCKET_NAME));
    this.#path = path;
    rmSync(path.path, { force: true });
    const server = createServer((socket) => this.#serve(socket));
    this.#server = server;
    // Between bind and chmod nobody else may get in: the directory is closed to others, and the mask makes sure.
    const mask = process.umask(0o177);
    try {
      await new Promise<void>((resolve, reject) => {
        server.once("error", reject);
        server.listen(path.path, resolve);
      });
    } catch (error) {
      await this.stop();
      throw new ExpectedError(
        `The socket ${join(this.#options.stateDir, SOCKET_NAME)} cannot be made (${(error as Error).message}): ` +
          "make the state directory writable, or set GANGLION_STATE_DIR",
      );
    } finally {
      process.umask(mask);
    }
    chmodSync(path.path, 0o600);
    server.on("error", (error) => this.#options.log.error({ err: error }, "local socket"));
  }

  /** What is being answered is answered first. */
  async stop(): Promise<void> {
    const server = this.#server;
    this.#server = undefined;
    if (server === undefined) return;
    const closed = new Promise<void>((resolve) => server.close(() => resolve()));
    // Who has connected and asked nothing would be waited for as long as he likes.
    for (const socket of this.#silent) socket.destroy();
    if (!(await stoppedWithin(this.#options.answerMs ?? ANSWER_MS, closed))) {
      this.#options.log.warn("local socket: a command is still at work; whoever asked is not told how it ends");
      for (const socket of this.#open) socket.destroy();
      await closed;
    }
    this.#path?.done();
    this.#path = undefined;
  }

  #serve(socket: Socket): void {
    this.#open.add(socket);
    this.#silent.add(socket);
    const aborting = new AbortController();
    const chunks: Buffer[] = [];
    let length = 0;
    let asked = false;
    socket.setTimeout(SILENT_MS, () => {
      if (!asked) socket.destroy();
    });
    socket.on("data", (chunk: Buffer) => {
      if (asked) return;
      chunks.push(chunk);
      length += chunk.length;
      const end = chunk.indexOf(10);
      if (end < 0 && length <= MAX_LINE_BYTES) return;
      asked = true;
      this.#silent.delete(socket);
      const line = end < 0 ? "" : Buffer.concat(chunks).toString("utf8", 0, length - chunk.length + end);
      void this.#answer(line, aborting.signal).then((answer) => socket.end(`${JSON.stringify(answer)}\n`));
    });
    // The asker was interrupted: there is nobody left to tell.
    socket.on("error", () => socket.destroy());
    socket.on("close", () => {
      this.#open.delete(socket);
      this.#silent.delete(socket);
    });
    socket.on("close", () => aborting.abort(new Error("the asker has gone")));
  }

  async #answer(line: string, signal: AbortSignal): Promise<Answer> {
    let request: Request;
    try {
      request = Request.parse(JSON.parse(line));
    } catch {
      return { error: { kind: "refused", message: "send one line of JSON: {type, payload}" } };
    }
    try {
      return { result: (await this.#options.work.run(request.type, request.payload, { signal })) ?? null };
    } catch (error) {
      const refused = error instanceof CommandRefused;
      if (!refused) this.#options.log.error({ err: error, command: request.type }, "a command failed");
      const message = error instanceof Error ? error.message : String(error);
      return { error: { kind: refused ? "refused" : "failed", message } };
    }
  }
}
