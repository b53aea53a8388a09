import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { CurrentReport } from "../base/current-report.ts";
import type { HealthProblem } from "../base/health-problem.ts";
import type { Logger } from "../base/log.ts";
import type { Report, ReportingService } from "../base/service.ts";

export interface ObservabilityServerOptions {
  /** `null`: no server. 0: any free port. */
  readonly port: number | null;
  readonly metrics: { readonly contentType: string; text(): Promise<string> };
  readonly health: { check(): Promise<HealthProblem | undefined> };
  readonly status: () => { readonly sources: readonly Report[]; readonly link: { readonly state: string } };
  readonly log: Logger;
}

const LOOPBACK = "127.0.0.1";

/**
 * Serves `/metrics` (OpenMetrics), `/healthz` (the agent lives and can store a signal) and `/readyz` (its sources work)
 * on the loopback address alone. When the port is taken, the service reports a failure, and the agent still takes in signals.
 */
export class ObservabilityServer implements ReportingService {
  readonly name = "observability";
  readonly #options: ObservabilityServerOptions;
  readonly #report = new CurrentReport({
    name: "observability",
    state: "off",
    detail: "observability.port is not set",
  });
  #port: number | null;
  #server: Server | undefined;
  #running = false;

  constructor(options: ObservabilityServerOptions) {
    this.#options = options;
    this.#port = options.port;
  }

  report(): Report {
    return this.#report.value;
  }

  onChange(listener: () => void): () => void {
    return this.#report.onChange(listener);
  }

  async start(): Promise<void> {
    if (this.#running) return;
    this.#running = true;
    await this.#listen();
  }

  async stop(): Promise<void> {
    this.#running = false;
    await this.#close();
  }

  /** Takes effect at once. */
  async setPort(port: number | null): Promise<void> {
    if (port === this.#port) return;
    this.#port = port;
    if (!this.#running) return;
    await this.#close();
    await this.#listen();
  }

  async #listen(): Promise<void> {
    if (this.#port === null) {
      this.#report.set("off", "observability.port is not set");
      return;
    }
    const server = createServer((request, response) => void this.#answer(request, response));
    try {
      await new Promise<void>((resolve, reject) => {
        server.once("error", reject);
        server.listen(this.#port ?? 0, LOOPBACK, resolve);
      });
    } catch (error) {
      const detail = `port ${this.#port} cannot be opened (${(error as NodeJS.ErrnoException).code}): set observability.port to a free one`;
      this.#options.log.error(`observability: ${detail}`);
      this.#report.set("failing", detail);
      return;
    }
    this.#server = server;
    const { port } = server.address() as AddressInfo;
    this.#report.set("live", `http://${LOOPBACK}:${port}/metrics`);
  }

  async #close(): Promise<void> {
    const server = this.#server;
    this.#server = undefined;
    if (server === undefined) return;
    const closed = new Promise((resolve) => server.close(resolve));
    server.closeAllConnections();
    await closed;
  }

  async #answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const { metrics, health, status, log } = this.#options;
    try {
      if (request.method !== "GET" && request.method !== "HEAD")
        return json(response, 405, { error: "method not allowed: use GET" });
      switch (request.url?.split("?")[0]) {
        case "/metrics": {
          const text = await metrics.text();
          response.writeHead(200, { "content-type": metrics.contentType }).end(text);
          return;
        }
        case "/healthz": {
          const problem = await health.check();
          return json(response, problem === undefined ? 200 : 503, {
            ok: problem === undefined,
            reason: problem?.reason,
          });
        }
        case "/readyz": {
          const { sources, link } = status();
          const failing = sources.filter(
            ({ state, needsEdge }) => needsEdge !== true && (state === "failing" || state === "starting"),
          );
          return json(response, failing.length === 0 ? 200 : 503, { ok: failing.length === 0, failing, link });
        }
        default:
          return json(response, 404, { error: "not found: use /metrics, /healthz or /readyz" });
      }
    } catch (error) {
      log.error({ err: error, path: request.url }, "observability: a request failed");
      if (!response.headersSent) json(response, 500, { error: "see the agent's log" });
    }
  }
}

function json(response: ServerResponse, status: number, body: object): void {
  response.writeHead(status, { "content-type": "application/json" }).end(`${JSON.stringify(body)}\n`);
}
