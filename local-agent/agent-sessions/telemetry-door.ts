import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { unzipSync } from "node:zlib";
import { isLoopback } from "../../src/core/access/allowed-hosts.ts";
import { EXPORT_KINDS, exportAnswer } from "../../src/core/agent-sessions/otlp/export.ts";
import { writeAnswer } from "../../src/core/agent-sessions/otlp/protobuf.ts";
import { CurrentReport } from "../base/current-report.ts";
import type { Logger } from "../base/log.ts";
import type { Report, ReportingService } from "../base/service.ts";
import type { TakenExport, TelemetryIntake } from "./telemetry-intake.ts";

export interface TelemetryDoorOptions {
  /** 0: any free port. */
  readonly port: number;
  readonly intake: TelemetryIntake;
  readonly log: Logger;
}

const LOOPBACK = "127.0.0.1";
/** Largest body, packed or not, in bytes. */
const MAX_BYTES = 8 * 1024 * 1024;
/** A sender that has not sent its whole request after this time is disconnected, in milliseconds. */
const REQUEST_MS = 10_000;
const JSON_TYPE = "application/json";
const PROTOBUF_TYPE = "application/x-protobuf";

class Refused extends Error {
  readonly status: number;

  constructor(status: number, message: string) {
    super(message);
    this.status = status;
  }
}

/**
 * Takes OTLP over HTTP (`/v1/logs`, `/v1/metrics`, `/v1/traces`) and hooks (`/hooks/claude-code`) on the loopback address
 * alone. Pages of browsers cannot send what it takes: the media type makes browsers ask before, which is refused.
 */
export class TelemetryDoor implements ReportingService {
  readonly name = "sessions";
  readonly #options: TelemetryDoorOptions;
  readonly #report = new CurrentReport({ name: "sessions", state: "starting", detail: "" });
  #server: Server | undefined;

  constructor(options: TelemetryDoorOptions) {
    this.#options = options;
  }

  report(): Report {
    return this.#report.value;
  }

  onChange(listener: () => void): () => void {
    return this.#report.onChange(listener);
  }

  async start(): Promise<void> {
    if (this.#server !== undefined) return;
    const { port, log } = this.#options;
    const server = createServer(
      { requestTimeout: REQUEST_MS },
      (request, response) => void this.#serve(request, response),
    );
    try {
      await new Promise<void>((resolve, reject) => {
        server.once("error", reject);
        server.listen(port, LOOPBACK, resolve);
      });
    } catch (error) {
      const detail = `port ${port} cannot be opened (${(error as NodeJS.ErrnoException).code}): set sessions.port to a free one`;
      log.error(`sessions: ${detail}`);
      this.#report.set("failing", detail);
      return;
    }
    this.#server = server;
    this.#report.set("live", `http://${LOOPBACK}:${(server.address() as AddressInfo).port}`);
  }

  async stop(): Promise<void> {
    const server = this.#server;
    this.#server = undefined;
    if (server === undefined) return;
    const closed = new Promise((resolve) => server.close(resolve));
    server.closeIdleConnections();
    await closed;
  }

  async #serve(request: IncomingMessage, response: ServerResponse): Promise<void> {
    try {
      await this.#answer(request, response);
    } catch (error) {
      if (error instanceof Refused) return json(response, error.status, { error: error.message });
      this.#options.log.error({ err: error, path: request.url }, "sessions: a request failed");
      if (!response.headersSent) json(response, 500, { error: "see the agent's log" });
    }
  }

  async #answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    if (!isLoopback(request.headers.host ?? "")) throw new Refused(421, "name this machine: use 127.0.0.1");
    const { pathname, searchParams } = new URL(request.url ?? "/", "http://localhost");
    const kind = EXPORT_KINDS.find((one) => pathname === `/v1/${one}`);
    if (kind === undefined && pathname !== "/hooks/claude-code")
      throw new Refused(404, "not found: use /v1/logs, /v1/metrics, /v1/traces or /hooks/claude-code");
    if (request.method !== "POST") throw new Refused(405, "method not allowed: use POST");
    const type = request.headers["content-type"]?.split(";", 1)[0]?.trim().toLowerCase();
    const isProtobuf = kind !== undefined && type === PROTOBUF_TYPE;
    if (type !== JSON_TYPE && !isProtobuf) throw new Refused(415, `send Content-Type: ${JSON_TYPE}`);
    const { intake } = this.#options;
    const body = await bodyOf(request);
    if (kind === undefined) {
      const { traceparent } = request.headers;
      const given = {
        source: searchParams.get("source") ?? undefined,
        task: searchParams.get("task") ?? undefined,
        traceparent: typeof traceparent === "string" ? traceparent : undefined,
      };
      checked(await intake.takeHook(body, given));
      return json(response, 200, {});
    }
    const { refused, reasons } = checked(await intake.takeExport(kind, body, isProtobuf));
    const errorMessage = reasons.join("; ");
    if (isProtobuf) {
      response.writeHead(200, { "content-type": PROTOBUF_TYPE }).end(writeAnswer(refused, errorMessage));
      return;
    }
    json(response, 200, exportAnswer(kind, refused, errorMessage));
  }
}

function checked(taken: TakenExport): Extract<TakenExport, { ok: true }> {
  if (taken.ok) return taken;
  throw new Refused(taken.full ? 503 : 400, taken.reason);
}

async function bodyOf(request: IncomingMessage): Promise<Buffer> {
  const chunks: Buffer[] = [];
  let bytes = 0;
  for await (const chunk of request as AsyncIterable<Buffer>) {
    bytes += chunk.length;
    if (bytes > MAX_BYTES) throw new Refused(413, `a body may take ${MAX_BYTES} bytes: split it`);
    chunks.push(chunk);
  }
  const body = Buffer.concat(chunks);
  const encoding = request.headers["content-encoding"]?.trim().toLowerCase() ?? "identity";
  if (encoding === "identity") return body;
  if (encoding !== "gzip" && encoding !== "x-gzip") throw new Refused(415, "compress the body as gzip, or not at all");
  try {
    return unzipSync(body, { maxOutputLength: MAX_BYTES });
  } catch (error) {
    if (error instanceof RangeError) throw new Refused(413, `a body may take ${MAX_BYTES} bytes: split it`);
    throw new Refused(400, "the body is not gzip, or is incomplete");
  }
}

function json(response: ServerResponse, status: number, body: object): void {
  const later = status === 503 ? { "retry-after": "30" } : {};
  response.writeHead(status, { "content-type": JSON_TYPE, ...later }).end(`${JSON.stringify(body)}\n`);
}
