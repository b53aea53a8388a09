import type { Client } from "../../../src/client/client.ts";
import { type RunningEdge, runEdge } from "../../harness/running-edge.ts";
import { type RuntimeMemory, runtimeMemory } from "../../harness/runtime-memory.ts";

const AT_LIMIT = {
  /** V8 held to the memory of an isolate on Cloudflare: where it needs more, the runtime ends. */
  MINIFLARE_WORKERD_V8_FLAGS: "--max-old-space-size=128 --max-semi-space-size=2",
  /** A busy machine must not pass for a runtime that hangs: what ends here has run out of memory. */
  GANGLION_WATCHDOG_SECONDS: "0",
} as const;

/** An edge whose runtime has no more memory than on Cloudflare, and which may be started again with other settings. */
export class EdgeAtLimit {
  #edge: RunningEdge;
  #runtime: RuntimeMemory;
  /** Memory at its highest, as far as it was looked at. */
  peakBytes = 0;

  private constructor(edge: RunningEdge) {
    this.#edge = edge;
    this.#runtime = runtimeMemory(edge.process.pid);
  }

  static async start(env: Readonly<Record<string, string>> = {}): Promise<EdgeAtLimit> {
    return new EdgeAtLimit(await runEdge({ env: { ...AT_LIMIT, ...env } }));
  }

  get url(): string {
    return this.#edge.url;
  }

  get token(): string {
    return this.#edge.token;
  }

  client(ecosystem: string): Client {
    return this.#edge.client(ecosystem);
  }

  /** Kills the edge and starts it again: every object wakes from what it has stored. */
  async restart(env: Readonly<Record<string, string>> = {}): Promise<void> {
    this.look();
    await this.#edge.process.killGroup();
    const { stateDir } = this.#edge;
    this.#edge = await runEdge({ stateDir, env: { ...AT_LIMIT, ...env } });
    this.#runtime = runtimeMemory(this.#edge.process.pid);
  }

  async end(): Promise<void> {
    await this.#edge.process.killGroup();
  }

  /** @throws where the runtime has ended since it was started */
  look(): void {
    const { pid, bytes } = runtimeMemory(this.#edge.process.pid);
    this.peakBytes = Math.max(this.peakBytes, bytes);
    if (pid !== this.#runtime.pid)
      throw new Error(`the runtime has ended: ${this.#edge.process.lines.slice(-5).join("\n")}`);
  }

  async request(path: string, body: unknown, method = "POST"): Promise<Response> {
    const response = await fetch(`${this.url}${path}`, {
      method,
      headers: { Authorization: `Bearer ${this.token}`, "Content-Type": "application/json" },
      body: JSON.stringify(body),
    }).catch((error: unknown) => {
      this.look();
      throw error;
    });
    this.look();
    return response;
  }

  /** As {@link request}, again where the edge is busy. @throws where it refuses for good */
  async insist(path: string, body: unknown, method = "POST"): Promise<unknown> {
    for (;;) {
      const response = await this.request(path, body, method);
      const text = await response.text();
      if (response.ok) return text === "" ? undefined : JSON.parse(text);
      if (response.status !== 503 && response.status !== 429) throw new Error(`${path}: ${response.status} ${text}`);
      await new Promise((resolve) => setTimeout(resolve, 200));
    }
  }
}
