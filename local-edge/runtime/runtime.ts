import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdirSync } from "node:fs";
import { get, type IncomingMessage } from "node:http";
import { dirname, join } from "node:path";
import { createInterface } from "node:readline";
import type { Readable } from "node:stream";
import { text } from "node:stream/consumers";
import { LOOPBACK } from "../port.ts";
import { type Loopback, startLoopback } from "./loopback.ts";
import { type EdgeLog, readRuntimeLog } from "./runtime-log.ts";

export interface RuntimeOptions {
  /** The runtime's binary. */
  readonly workerd: string;
  /** See configuration.ts. */
  readonly configFile: string;
  /** Address to listen on. */
  readonly host: string;
  readonly port: number;
  /** Directory for the storage of the Durable Objects. */
  readonly storage: string;
  /** Where its process id is left. */
  readonly pidFile: string;
  readonly log: (entry: EdgeLog) => void;
}

/** The runtime, and how it began: a runtime that never listened is not started again. */
interface Started {
  readonly process: ChildProcess;
  readonly ended: Promise<unknown>;
  /** Of Miniflare's entry, through which the cron is triggered. */
  readonly entryPort: number;
}

/** The entry that triggers the cron, and the Worker itself. */
const ENTRY = "entry";
const DIRECT = "direct:0:default";
const SOCKETS = [ENTRY, DIRECT];

/** The runtime could not begin to listen, because another program has the address. */
export class AddressInUse extends Error {}

/** A runtime that ends by itself soon after it was started is started again after this time, in milliseconds, and not at once. */
const PAUSE_MS = 1_000;

/**
 * The Workers runtime as a process. Where it ends by itself, it is started again on the same configuration: everything that it
 * confirmed is on the disk.
 */
export class Runtime {
  readonly #options: RuntimeOptions;
  readonly #loopback: Loopback;
  #started: Started | undefined;
  /** The attempt to start the runtime again that is under way: a stop must not leave its process behind. */
  #restarting: Promise<void> | undefined;
  #stopping = false;
  #again: NodeJS.Timeout | undefined;

  private constructor(options: RuntimeOptions, loopback: Loopback) {
    this.#options = options;
    this.#loopback = loopback;
  }

  /** @throws AddressInUse */
  static async start(options: RuntimeOptions): Promise<Runtime> {
    const runtime = new Runtime(options, await startLoopback());
    try {
      await runtime.#start();
    } catch (error) {
      runtime.#loopback.close();
      throw error;
    }
    return runtime;
  }

  /** Runs the Worker's scheduled handler. @returns how it ended; `ok`: it did not fail */
  async triggerCron(cron: string, atMs: number): Promise<string> {
    if (this.#started === undefined) throw new Error("the runtime is being started again");
    const query = new URLSearchParams({ cron, time: String(atMs) });
    // Not by `fetch`, whose library would take ten megabytes for one call a minute.
    const call = get(`http://${LOOPBACK}:${this.#started.entryPort}/cdn-cgi/local/scheduled?${query}`, {
      agent: false,
    });
    const [response] = (await once(call, "response")) as [IncomingMessage];
    return text(response);
  }

  /** The runtime is killed, not asked to end: everything that it confirmed is on the disk, and the rest was not promised. */
  async stop(): Promise<void> {
    this.#stopping = true;
    clearTimeout(this.#again);
    this.#started?.process.kill("SIGKILL");
    await this.#started?.ended;
    // It ends what it has started, because the runtime is stopping.
    await this.#restarting;
    this.#loopback.close();
  }

  async #start(): Promise<void> {
    const { workerd, configFile, host, port, pidFile, log } = this.#options;
    const beganMs = performance.now();
    const child = spawn(
      join(import.meta.dirname, "workerd-wrapper.sh"),
      [
        "serve",
        "--binary",
        // For flags of the runtime that have no date yet.
        "--experimental",
        `--socket-addr=${ENTRY}=${LOOPBACK}:0`,
        `--socket-addr=${DIRECT}=${host}:${port}`,
        ...this.#directories(),
        `--external-addr=loopback=${LOOPBACK}:${this.#loopback.port}`,
        "--control-fd=3",
        configFile,
      ],
      {
        stdio: ["ignore", "pipe", "pipe", "pipe"],
        env: { ...process.env, TZ: "UTC", GANGLION_WORKERD: workerd, GANGLION_WORKERD_PID_FILE: pidFile },
      },
    );
    const said: string[] = [];
    const note = (entry: EdgeLog) => {
      said.push(entry.message);
      if (this.#started !== undefined) said.length = 0;
      // That an address is in use is told by the error.
      if (!isAddressInUse(entry.message)) log(entry);
    };
    const [, stdout, stderr, control] = child.stdio as unknown as readonly [null, Readable, Readable, Readable];
    readRuntimeLog(stdout, note);
    readRuntimeLog(stderr, note);
    const ended = new Promise((resolve) => child.once("close", resolve));
    const failed = once(child, "error").then(([error]) => Promise.reject(error as Error));
    const ports = await Promise.race([listening(control), ended.then(() => undefined), failed]);
    if (ports === undefined) {
      if (said.some(isAddressInUse)) throw new AddressInUse("another program has the address");
      throw new Error(`The Workers runtime does not start.\n${said.join("\n")}`);
    }
    this.#started = { process: child, ended, entryPort: ports.get(ENTRY) ?? 0 };
    void ended.then(() => this.#ended(child, performance.now() - beganMs));
    if (!this.#stopping) return;
    child.kill("SIGKILL");
    await ended;
  }

  /** Of the services that keep files. */
  #directories(): string[] {
    const { configFile, storage } = this.#options;
    const paths = {
      "do:storage": join(storage, "do"),
      "cache:storage": join(storage, "cache"),
      // Mail that nobody sends.
      "email:store-disk": join(dirname(configFile), "email-store"),
    };
    return Object.entries(paths).map(([service, path]) => {
      mkdirSync(path, { recursive: true });
      return `--directory-path=${service}=${path}`;
    });
  }

  #ended({ pid, exitCode, signalCode }: ChildProcess, livedMs: number): void {
    this.#started = undefined;
    if (this.#stopping) return;
    const message = `the runtime (process ${pid}) ended (${signalCode ?? exitCode}) and is started again`;
    this.#options.log({ level: "warn", message });
    this.#again = setTimeout(() => this.#begin(), livedMs < PAUSE_MS ? PAUSE_MS : 0);
  }

  #begin(): void {
    this.#restarting = this.#restart();
  }

  async #restart(): Promise<void> {
    try {
      await this.#start();
    } catch (error) {
      this.#options.log({ level: "error", message: `the runtime was not started again: ${String(error)}` });
      if (!this.#stopping) this.#again = setTimeout(() => this.#begin(), PAUSE_MS);
    }
  }
}

/** @returns the port of each socket, when the runtime listens on all; never where it ends before */
async function listening(control: Readable): Promise<ReadonlyMap<string, number>> {
  const ports = new Map<string, number>();
  return new Promise((resolve) => {
    createInterface({ input: control }).on("line", (line) => {
      const { event, socket, port } = JSON.parse(line) as { event: string; socket?: string; port: number };
      if (event === "listen" && socket !== undefined) ports.set(socket, port);
      if (SOCKETS.every((name) => ports.has(name))) resolve(ports);
    });
  });
}

const isAddressInUse = (message: string) =>
  /Address already in use/.test(message) || /bind\(\): .*\(os error 98\)/.test(message);
