import { chmodSync, rmSync } from "node:fs";
import { createServer, type Server, type Socket } from "node:net";
import { join } from "node:path";
import { MAX_LINE_BYTES, SOCKET_NAME } from "../../src/core/hosts/agent-socket.ts";
import { limitsAround } from "../../src/core/json/limits.ts";
import { readJson, refusalText } from "../../src/core/json/read-json.ts";
import type { Logger } from "../base/log.ts";
import { ExpectedError, type Service } from "../base/service.ts";
import { stoppedWithin } from "../base/stop-within.ts";
import { CommandRefused, type CommandRunner } from "../feature/command.ts";
import { type Answer, Request } from "./protocol.ts";
import { shortSocketPath } from "./socket-path.ts";

/** A request is an object around its payload. */
const LIMITS_OF_REQUEST = limitsAround(1);

export interface LocalSocketOptions {
  readonly stateDir: string;
  readonly commands: CommandRunner;
  readonly log: Logger;
  /** Time that a running command has for its answer when the agent stops, in milliseconds; default 5,000. */
  readonly answerMs?: number;
}

const ANSWER_MS = 5_000;

/** A client that has not sent a whole line after this time is disconnected. */
const REQUEST_MS = 10_000;

/**
 * Takes commands from this machine, with or without an edge: a socket in the state directory that only the agent's own
 * user can open. One agent at a time holds the state directory, so a socket that exists at the start was left by a
 * killed agent.
 */
export class LocalSocket implements Service {
  readonly name = "local socket";
  readonly #options: LocalSocketOptions;
  readonly #open = new Set<Socket>();
  /** Connections that have not sent their request yet. */
  readonly #waiting = new Set<Socket>();
  #server: Server | undefined;
  #path: { readonly path: string; done(): void } | undefined;

  constructor(options: LocalSocketOptions) {
    this.#options = options;
  }

  /** @throws ExpectedError when the socket cannot be created */
  async start(): Promise<void> {
    if (this.#server !== undefined) return;
    const path = shortSocketPath(join(this.#options.stateDir, SOCKET_NAME));
    this.#path = path;
    rmSync(path.path, { force: true });
    const server = createServer((socket) => this.#serve(socket));
    this.#server = server;
    // No other user may connect between bind and chmod. The directory is closed to others; the mask closes the socket too.
    const mask = process.umask(0o177);
    try {
      await new Promise<void>((resolve, reject) => {
        server.once("error", reject);
        server.listen(path.path, resolve);
      });
    } catch (error) {
      await this.stop();
      throw new ExpectedError(
        `The socket ${join(this.#options.stateDir, SOCKET_NAME)} cannot be created (${(error as Error).message}): ` +
          "make the state directory writable, or set GANGLION_STATE_DIR",
      );
    } finally {
      process.umask(mask);
    }
    chmodSync(path.path, 0o600);
    server.on("error", (error) => this.#options.log.error({ err: error }, "local socket"));
  }

  /** Waits for the answers of running commands. */
  async stop(): Promise<void> {
    const server = this.#server;
    this.#server = undefined;
    if (server === undefined) return;
    const closed = new Promise<void>((resolve) => server.close(() => resolve()));
    // The server would wait for connections without a request as long as they stay open.
    for (const socket of this.#waiting) socket.destroy();
    if (!(await stoppedWithin(this.#options.answerMs ?? ANSWER_MS, closed))) {
      this.#options.log.warn("local socket: a command is still running; its caller gets no answer");
      for (const socket of this.#open) socket.destroy();
      await closed;
    }
    this.#path?.done();
    this.#path = undefined;
  }

  #serve(socket: Socket): void {
    this.#open.add(socket);
    this.#waiting.add(socket);
    const aborting = new AbortController();
    const chunks: Buffer[] = [];
    let length = 0;
    let requested = false;
    socket.setTimeout(REQUEST_MS, () => {
      if (!requested) socket.destroy();
    });
    socket.on("data", (chunk: Buffer) => {
      if (requested) return;
      chunks.push(chunk);
      length += chunk.length;
      const end = chunk.indexOf(10);
      if (end < 0 && length <= MAX_LINE_BYTES) return;
      requested = true;
      this.#waiting.delete(socket);
      const line = end < 0 ? "" : Buffer.concat(chunks).toString("utf8", 0, length - chunk.length + end);
      void this.#answer(line, aborting.signal).then((answer) => socket.end(`${JSON.stringify(answer)}\n`));
    });
    // The caller has disconnected: no one is left to answer.
    socket.on("error", () => socket.destroy());
    socket.on("close", () => {
      this.#open.delete(socket);
      this.#waiting.delete(socket);
    });
    socket.on("close", () => aborting.abort(new Error("the caller has disconnected")));
  }

  async #answer(line: string, signal: AbortSignal): Promise<Answer> {
    const reading = readJson(line, LIMITS_OF_REQUEST);
    if (!reading.ok && reading.malformed === undefined)
      return { error: { kind: "refused", message: refusalText(reading) } };
    const parsed = Request.safeParse(reading.ok ? reading.value : undefined);
    if (!parsed.success) return { error: { kind: "refused", message: "send one line of JSON: {type, payload}" } };
    const request = parsed.data;
    try {
      return { result: (await this.#options.commands.run(request.type, request.payload, { signal })) ?? null };
    } catch (error) {
      const refused = error instanceof CommandRefused;
      const code = refused ? error.code : undefined;
      if (!refused) this.#options.log.error({ err: error, command: request.type }, "a command failed");
      const message = error instanceof Error ? error.message : String(error);
      return { error: { kind: refused ? "refused" : "failed", message, ...(code !== undefined && { code }) } };
    }
  }
}
