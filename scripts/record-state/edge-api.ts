import { readFileSync } from "node:fs";
import { setTimeout as pause } from "node:timers/promises";

/** The HTTP contract of an edge of any commit, without the client of this one. */
export class EdgeApi {
  readonly token: string;
  readonly #url: string;

  constructor(url: string, token: string) {
    this.#url = url;
    this.token = token;
  }

  static of(url: string, tokenFile: string): EdgeApi {
    return new EdgeApi(url, readFileSync(tokenFile, "utf8").trim());
  }

  /** @throws with the edge's own words where it refuses */
  async call(method: string, path: string, body?: unknown): Promise<Record<string, unknown>> {
    const response = await fetch(`${this.#url}${path}`, {
      method,
      headers: { Authorization: `Bearer ${this.token}`, "Content-Type": "application/json" },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    });
    const text = await response.text();
    if (!response.ok) throw new Error(`${method} ${path}: ${response.status} ${text}`);
    const answer: unknown = text === "" ? {} : JSON.parse(text);
    if (typeof answer !== "object" || answer === null) throw new Error(`${method} ${path}: ${text}`);
    return Object.fromEntries(Object.entries(answer));
  }

  /** The list that an answer holds under a name. */
  async list(path: string, name: string): Promise<readonly Record<string, unknown>[]> {
    const list = (await this.call("GET", path))[name];
    return Array.isArray(list) ? list : [];
  }

  /** Asks until the list under `name` fits. */
  async until(
    path: string,
    name: string,
    fits: (list: readonly Record<string, unknown>[]) => boolean,
  ): Promise<readonly Record<string, unknown>[]> {
    for (const deadline = Date.now() + 60_000; ; await pause(100)) {
      const list = await this.list(path, name);
      if (fits(list)) return list;
      if (Date.now() > deadline) throw new Error(`${path} stays at ${JSON.stringify(list).slice(0, 2_000)}`);
    }
  }
}
