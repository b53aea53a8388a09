import type { Rng } from "../rng.ts";
import type { Findings } from "./findings.ts";
import { Generator, type JsonSchema } from "./generate.ts";
import { mutate } from "./mutate.ts";

interface Parameter {
  readonly name: string;
  readonly in: string;
  readonly required?: boolean;
  readonly schema?: JsonSchema;
}

interface Operation {
  readonly method: string;
  readonly path: string;
  readonly parameters: readonly Parameter[];
  readonly body: { readonly type: string; readonly schema: JsonSchema } | undefined;
}

interface Described {
  readonly parameters?: readonly Parameter[];
  readonly requestBody?: { readonly content?: Readonly<Record<string, { readonly schema?: JsonSchema }>> };
}

/** The part of an OpenAPI document that says what can be sent. */
export interface ApiDescription {
  readonly paths: Readonly<Record<string, Readonly<Record<string, Described>>>>;
  readonly components: { readonly schemas: Readonly<Record<string, JsonSchema>> };
}

/** A request as it is kept and sent again. */
export interface SentRequest {
  /** Method and path as the API describes them. */
  readonly operation: string;
  readonly method: string;
  readonly path: string;
  readonly type?: string;
  readonly body?: string;
  readonly principal: string;
}

export interface HttpFuzzerOptions {
  readonly url: string;
  readonly api: ApiDescription;
  /** Tokens by the names of their principals. */
  readonly tokens: Readonly<Record<string, string>>;
  readonly rng: Rng;
  readonly findings: Findings;
  /** What the edge has logged last. */
  readonly logged: () => readonly string[];
}

/** Calls that wait by design: for a task, a reply, or the rest of a stream. */
const WAITS_MS = 45_000;
const SOURCES = new Set(["/v1/{eco}/signals", "/v1/{eco}/queues/{q}/tasks", "/v1/{eco}/queues/{q}/lease"]);
const METHODS = ["get", "post", "put", "patch", "delete"];
/** They would take the tokens of the run away, or never end. */
const LEFT_OUT = new Set(["DELETE /v1/tokens/{id}", "GET /v1/{eco}/signals/stream"]);
/** They keep an ecosystem still or take it away: another one than that in which the run goes on. */
const STILL = new Set(["GET /v1/{eco}/export", "POST /v1/{eco}/import", "DELETE /v1/{eco}"]);
const STILL_ECOSYSTEM = "fuzz-copied";
const ECOSYSTEMS = ["fuzz", "fuzz-b", "default"] as const;
const QUEUES = ["work", "hosts", "investigations"] as const;
/** Queues that rules of the run may give tasks to: words of the generator that can be their names. */
const RULES_QUEUES = ["fuzz", "job-1", "job-2", "coder"];

/** Sends requests that are made of the API's own description, valid and spoiled, and judges the answers. */
export class HttpFuzzer {
  readonly #options: HttpFuzzerOptions;
  readonly #generator: Generator;
  readonly #operations: readonly Operation[];
  readonly #sources: readonly Operation[];
  readonly #recent: SentRequest[] = [];
  readonly #ids = ["job-1", "s1.abcdef", "h.e.local.1"];
  readonly #statuses = new Map<number, number>();
  #sent = 0;

  constructor(options: HttpFuzzerOptions) {
    this.#options = options;
    this.#generator = new Generator(options.rng, options.api.components.schemas);
    this.#operations = operationsOf(options.api);
    this.#sources = this.#operations.filter(({ method, path }) => method === "POST" && SOURCES.has(path));
  }

  get recent(): readonly SentRequest[] {
    return this.#recent;
  }

  get sent(): number {
    return this.#sent;
  }

  /** How often each status was answered. */
  get statuses(): Readonly<Record<string, number>> {
    return Object.fromEntries([...this.#statuses].toSorted(([a], [b]) => a - b));
  }

  /**
   * Has each object of the run exist: asks whatever can be read of each ecosystem, and gives each queue a task. Afterwards
   * the runtime's memory grows by what the run keeps, and no longer by databases that are opened for the first time.
   */
  async visitEverything(): Promise<void> {
    const readable = this.#operations.filter(
      ({ method, path }) => method === "GET" && !/\{(?!eco|q\b)/.test(path) && !STILL.has(`GET ${path}`),
    );
    for (const eco of [...ECOSYSTEMS, STILL_ECOSYSTEM]) {
      for (const q of [...QUEUES, ...RULES_QUEUES]) {
        await this.send({
          operation: "POST /v1/{eco}/queues/{q}/tasks",
          method: "POST",
          path: `/v1/${eco}/queues/${q}/tasks`,
          type: "application/json",
          body: JSON.stringify({ recipient: "fuzz", payload: {} }),
          principal: "admin",
        });
      }
      for (const { path } of readable) {
        if (path.startsWith("/v1/{eco}")) await this.#visit(path, eco);
      }
    }
  }

  async #visit(path: string, eco: string): Promise<void> {
    const queues = path.includes("{q}") ? QUEUES : [""];
    for (const q of queues) {
      const named = path.replace("{eco}", eco).replace("{q}", q);
      await this.send({ operation: `GET ${path}`, method: "GET", path: named, principal: "admin" });
    }
  }

  /** Sends one request, and judges the answer. */
  async step(): Promise<void> {
    await this.send(this.#make());
  }

  async send(request: SentRequest): Promise<void> {
    const { url, tokens, findings, logged } = this.#options;
    const { method, path, type, body, principal } = request;
    this.#recent.push(request);
    if (this.#recent.length > 200) this.#recent.shift();
    this.#sent++;
    const headers: Record<string, string> = { authorization: `Bearer ${tokens[principal] ?? "none"}` };
    if (type !== undefined) headers["content-type"] = type;
    try {
      const response = await fetch(url + path, {
        method,
        headers,
        ...(body === undefined ? {} : { body }),
        signal: AbortSignal.timeout(WAITS_MS),
        redirect: "manual",
      });
      const text = await response.text();
      this.#statuses.set(response.status, (this.#statuses.get(response.status) ?? 0) + 1);
      const wrong = wrongAnswer(response, text);
      if (wrong !== undefined)
        findings.add({
          what: `${wrong} at ${request.operation}`,
          seen: [text.slice(0, 2_000), ...logged()].join("\n"),
          input: request,
        });
      else this.#learn(text);
    } catch (error) {
      const reason = error instanceof Error ? `${error.name}: ${error.message}` : String(error);
      // A text that no header or URL can hold is refused by the client.
      if (/Invalid|URI malformed|Failed to parse URL/.test(reason)) return;
      findings.add({ what: `no answer at ${request.operation}`, seen: reason, input: request });
    }
  }

  #make(): SentRequest {
    const { rng, tokens } = this.#options;
    // Signals and tasks are what the rest of the edge works on.
    const among = rng.next() < 0.25 ? this.#sources : this.#operations;
    const operation = among[rng.between(0, among.length - 1)];
    if (operation === undefined) throw new Error("the API describes no operation");
    const { method, body, parameters } = operation;
    const principal =
      rng.next() < 0.8 ? "admin" : (Object.keys(tokens)[rng.between(0, Object.keys(tokens).length - 1)] ?? "admin");
    const operationName = `${method} ${operation.path}`;
    const path = operation.path.replace(/\{(\w+)\}/g, (_, name: string) =>
      name === "eco" && STILL.has(operationName) ? STILL_ECOSYSTEM : encodeURIComponent(this.#pathValue(name)),
    );
    const query = new URLSearchParams();
    for (const { name, in: place, schema = {}, required } of parameters) {
      if (place !== "query" || (required !== true && rng.next() < 0.6)) continue;
      const value = rng.next() < 0.15 ? this.#generator.anything() : this.#generator.value(schema);
      query.append(name, typeof value === "string" ? value : JSON.stringify(value));
    }
    const text = body === undefined ? undefined : this.#body(body);
    return {
      operation: operationName,
      method,
      path: `${path}${query.size === 0 ? "" : `?${query}`}`,
      principal,
      ...(text === undefined || body === undefined ? {} : { type: body.type, body: text }),
    };
  }

  #body({ type, schema }: NonNullable<Operation["body"]>): string {
    const { rng } = this.#options;
    const value = impatient(this.#generator.value(schema));
    if (type.endsWith("ndjson")) return Array.from({ length: rng.between(1, 4) }, () => this.#line()).join("\n");
    return rng.next() < 0.5 ? JSON.stringify(value) : mutate(value, rng);
  }

  #line(): string {
    const signal = this.#generator.value({ $ref: "#/components/schemas/NewSignal" });
    return this.#options.rng.next() < 0.7 ? JSON.stringify(signal) : mutate(signal, this.#options.rng);
  }

  #pathValue(name: string): string {
    const { rng } = this.#options;
    if (rng.next() < 0.03) return rng.pick(["..", "%", "a b", "\u{1f600}", "x".repeat(300), "__proto__", "a/b"]);
    if (name === "eco") return rng.pick(["fuzz", ...ECOSYSTEMS]);
    if (name === "q") return rng.pick(QUEUES);
    if (name === "host") return rng.pick(["gpu-01", "h"]);
    return this.#ids[rng.between(0, this.#ids.length - 1)] ?? "job-1";
  }

  /** Ids of answers lead later requests to what exists. */
  #learn(text: string): void {
    for (const [, id = ""] of text.slice(0, 20_000).matchAll(/"(?:id|task_id|name)":"([^"\\]{1,80})"/g)) {
      if (this.#ids.length < 300) this.#ids.push(id);
      else this.#ids[this.#options.rng.between(0, 299)] = id;
    }
  }
}

/** Calls that wait for a task or a reply wait shortly: each holds a lane of the run. */
function impatient(value: unknown): unknown {
  if (typeof value !== "object" || value === null) return value;
  const waits = Object.entries(value).filter(([name, ms]) => /^(wait|timeout)_ms$/.test(name) && Number(ms) > 200);
  return waits.length === 0 ? value : { ...value, ...Object.fromEntries(waits.map(([name]) => [name, 100])) };
}

function operationsOf({ paths }: ApiDescription): Operation[] {
  return Object.entries(paths).flatMap(([path, methods]) =>
    Object.entries(methods).flatMap(([method, { parameters = [], requestBody }]): Operation[] => {
      const name = method.toUpperCase();
      if (!METHODS.includes(method) || LEFT_OUT.has(`${name} ${path}`)) return [];
      const bodies = Object.entries(requestBody?.content ?? {}).map(([type, { schema = {} }]) => ({ type, schema }));
      return (bodies.length === 0 ? [undefined] : bodies).map((body) => ({ method: name, path, parameters, body }));
    }),
  );
}

/** @returns the same words for the same defect */
function wrongAnswer(response: Response, text: string): string | undefined {
  const { status, headers } = response;
  if (status === 503 && headers.get("retry-after") === null) return "503 without Retry-After";
  // A responder that fails or does not answer in time is no fault of the edge.
  if (status >= 500 && ![502, 503, 504].includes(status)) return String(status);
  const type = headers.get("content-type") ?? "";
  // Errors of MCP are those of JSON-RPC.
  const isRpcError = type === "application/json" && /^\{"jsonrpc":"2\.0",.*"error":\{"code":-\d+,/.test(text);
  if (status >= 400 && type !== "application/problem+json" && !isRpcError) return `${status} of the type ${type}`;
  if (type === "application/json" || type === "application/problem+json") {
    try {
      JSON.parse(text);
    } catch {
      return `${status} that is not JSON`;
    }
  }
  return undefined;
}
