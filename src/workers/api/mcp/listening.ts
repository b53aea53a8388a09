import type { ServerEvent, ServerEventBus } from "@modelcontextprotocol/server";
import * as z from "zod";
import { authorise, type Caller } from "../../../core/access/grant.ts";
import { SignalsFrame } from "../../../core/wire/link-frames.ts";
import type { Environment } from "../../bindings/environment.ts";
import { signalLog } from "../../bindings/objects.ts";
import { socketOf } from "../http/server-sent-events.ts";
import { withToken } from "../http/upgrade.ts";
import { changedBy, patternsFor, RESOURCE_SCOPE } from "./resources.ts";

/** Resources that one stream may watch. */
export const MAX_WATCHED = 16;
/** Changes of one resource within this time are told once. */
const TOGETHER_MS = 1_000;
/**
 * A stream ends after this time, and the client listens anew: events for a reader who takes none wait in memory, because the
 * library knows no back-pressure.
 */
const LIFE_MS = 300_000;

const ListenRequest = z.looseObject({
  method: z.literal("subscriptions/listen"),
  params: z.looseObject({
    notifications: z.looseObject({ resourceSubscriptions: z.array(z.string()).optional() }),
  }),
});

/** The resources that a request wants to listen to; `undefined`: it is another request. */
export function watchedBy(body: unknown): readonly string[] | undefined {
  const parsed = ListenRequest.safeParse(body);
  return parsed.success ? (parsed.data.params.notifications.resourceSubscriptions ?? []) : undefined;
}

export interface ListenOptions {
  readonly env: Environment;
  readonly ecosystem: string;
  readonly grant: Caller;
  readonly uris: readonly string[];
}

/**
 * What a stream of changes is fed from: the stream of the log, in which the token counts as in any other stream.
 *
 * @returns `undefined` where nothing would come
 */
export async function openListening({ env, ecosystem, grant, uris }: ListenOptions): Promise<Listening | undefined> {
  const patterns = patternsFor(uris);
  if (patterns.length === 0 || authorise(grant, RESOURCE_SCOPE, ecosystem, Date.now()) !== "allowed") return undefined;
  const query = new URLSearchParams(patterns.map((pattern) => ["signal", pattern]));
  if (grant.scopes.includes("admin")) query.set("right", "admin");
  const url = `https://log/${ecosystem}/stream?${withToken(query, grant)}`;
  return new Listening(await socketOf(signalLog(env, ecosystem), url, "The log"), uris);
}

/** Changes of resources, as one stream of the server is given them. */
export class Listening implements ServerEventBus {
  readonly #socket: WebSocket;
  readonly #uris: readonly string[];
  readonly #changed = new Set<string>();
  #listener: ((event: ServerEvent) => void) | undefined;
  #telling: ReturnType<typeof setTimeout> | null = null;
  #life: ReturnType<typeof setTimeout> | null = null;
  #ended: () => void = () => undefined;

  constructor(socket: WebSocket, uris: readonly string[]) {
    this.#socket = socket;
    this.#uris = uris;
    socket.addEventListener("message", ({ data }) => {
      if (typeof data === "string") this.#read(data);
    });
    // The object restarts or moved, or the token is over: the client listens anew, or learns that it may not.
    socket.addEventListener("close", () => this.#ended());
    socket.accept();
  }

  /** @param end - ends the stream, in the way by which clients know that they may listen anew */
  onEnd(end: () => void): void {
    this.#ended = end;
    this.#life = setTimeout(end, LIFE_MS);
  }

  /** What changes comes from the log, and from nowhere else. */
  publish(): void {}

  subscribe(listener: (event: ServerEvent) => void): () => void {
    this.#listener = listener;
    return () => this.close();
  }

  /** Whether a stream has taken the events. */
  get taken(): boolean {
    return this.#listener !== undefined;
  }

  close(): void {
    this.#listener = undefined;
    this.#ended = () => undefined;
    clearTimeout(this.#telling);
    clearTimeout(this.#life);
    this.#socket.close(1000);
  }

  #read(text: string): void {
    const frame = SignalsFrame.safeParse(JSON.parse(text));
    if (!frame.success) return; // later versions may send frames of other types
    const { last, signals } = frame.data;
    for (const uri of changedBy(this.#uris, signals)) this.#changed.add(uri);
    if (this.#changed.size > 0) this.#telling ??= setTimeout(() => this.#tell(), TOGETHER_MS);
    this.#socket.send(JSON.stringify({ type: "seen", seq: last }));
  }

  #tell(): void {
    this.#telling = null;
    const changed = [...this.#changed];
    this.#changed.clear();
    for (const uri of changed) this.#listener?.({ kind: "resource_updated", uri });
  }
}
