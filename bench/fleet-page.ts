import type { EdgeUnderTest } from "./edge-under-test.ts";
import { type BareLink, openLink } from "./link-client.ts";

const HOSTS = 50;
const PROCESSES = 20;

/** Fifty hosts with twenty processes each, of which some change how they stand each second. */
export class BusyFleet {
  readonly processes = HOSTS * PROCESSES;
  readonly #links: readonly BareLink[];
  #second = 0;

  private constructor(links: readonly BareLink[]) {
    this.#links = links;
    for (const [host, link] of links.entries()) {
      link.onFrame = ({ type, request }) => {
        if (type === "gather")
          link.send(JSON.stringify({ type: "facts", request, facts: { status: this.#status(host) } }));
      };
      this.#report(host, link);
    }
  }

  static async link(edge: EdgeUnderTest): Promise<BusyFleet> {
    const names = Array.from({ length: HOSTS }, (_, host) => `host-${String(host).padStart(2, "0")}`);
    return new BusyFleet(await Promise.all(names.map((name) => openLink(edge, name))));
  }

  /** Every fifth host reports that its processes stand otherwise. */
  tick(): void {
    this.#second++;
    for (const [host, link] of this.#links.entries()) if (host % 5 === this.#second % 5) this.#report(host, link);
  }

  close(): void {
    for (const link of this.#links) link.close();
  }

  #report(host: number, link: BareLink): void {
    link.send(JSON.stringify({ ...this.#status(host), type: "status" }));
  }

  #status(host: number): object {
    const agents = Array.from({ length: PROCESSES }, (_, place) => ({
      name: `agent-${place}`,
      state: "up",
      verdict: (host + place + this.#second) % 7 === 0 ? "waiting" : "working",
      task: `task ${this.#second} of host ${host}`,
      restarts: 0,
      detail: null,
      silent: false,
      pid: 4_711 + place,
      started_at: "2026-11-01T12:00:00Z",
      cpu_percent: 12,
      memory_mb: 210,
      next_wake_at: null,
    }));
    return { version: "0.1.0", agents };
  }
}
