import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";

/** What a call costs here. */
export const USD_A_CALL = 0.01;

export interface ProviderTerms {
  /** Calls at a time: one more is refused. */
  readonly concurrency: number;
  /** The plan is used up after so many answers, once, and is renewed after a time. */
  readonly plan: number;
  readonly renewedAfterMs: number;
  /** How long a call takes. */
  readonly thinksMs: number;
}

interface Asked {
  readonly task: string;
  readonly step: number;
}

/** A provider of a language model as agents see one: answers cost money, and what is beyond the account's limits is a 429. */
export class FakeProvider {
  /** How often each step of each task was answered, by `task/step`. */
  readonly answered = new Map<string, number>();
  /** Refusals because the plan was used up, and because too many came at a time. */
  readonly refused = { plan: 0, concurrency: 0 };
  usd = 0;
  readonly #terms: ProviderTerms;
  readonly #server: Server;
  #running = 0;
  #renewedAtMs: number | undefined;

  constructor(terms: ProviderTerms) {
    this.#terms = terms;
    this.#server = createServer((request, response) => {
      this.#take(request, response).catch((error: unknown) => response.writeHead(500).end(String(error)));
    });
  }

  get answers(): number {
    return [...this.answered.values()].reduce((sum, count) => sum + count, 0);
  }

  async listen(): Promise<string> {
    await new Promise<void>((resolve) => this.#server.listen(0, "127.0.0.1", resolve));
    return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}/`;
  }

  close(): void {
    this.#server.close();
    this.#server.closeAllConnections();
  }

  async #take(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const chunks: Buffer[] = [];
    for await (const chunk of request) chunks.push(chunk as Buffer);
    const { task, step } = JSON.parse(Buffer.concat(chunks).toString()) as Asked;
    const { concurrency, plan, renewedAfterMs, thinksMs } = this.#terms;
    if (this.#renewedAtMs === undefined && this.answers >= plan) this.#renewedAtMs = Date.now() + renewedAfterMs;
    const leftMs = (this.#renewedAtMs ?? 0) - Date.now();
    if (leftMs > 0) {
      this.refused.plan++;
      return refuse(response, Math.ceil(leftMs / 1_000));
    }
    if (this.#running >= concurrency) {
      this.refused.concurrency++;
      return refuse(response, 1);
    }
    this.#running++;
    await new Promise((resolve) => setTimeout(resolve, thinksMs));
    this.#running--;
    this.answered.set(`${task}/${step}`, (this.answered.get(`${task}/${step}`) ?? 0) + 1);
    this.usd += USD_A_CALL;
    const answer = { text: `finding ${step} of ${task}`, usd: USD_A_CALL, input_tokens: 120, output_tokens: 40 };
    response.writeHead(200, { "Content-Type": "application/json" }).end(JSON.stringify(answer));
  }
}

function refuse(response: ServerResponse, seconds: number): void {
  response.writeHead(429, { "Retry-After": String(seconds) }).end();
}
