import { ExpiringMap } from "../../core/collections/expiring-map.ts";
import { logLine } from "../shell/log-line.ts";
import type { AppendCalls, RelayBindings } from "../shell/outbox-relay.ts";
import { type Namespace, objectNamed } from "../shell/ports.ts";
import type { Connection } from "./connection.ts";
import { operationOf, type QueueOperation } from "./operation.ts";
import type { WorkSockets } from "./work-sockets.ts";
import { hostOfAnother } from "./worker-rights.ts";

/** For so long the log is not asked again: a name that is released and taken by another token is noticed after that. */
const FRESH_MS = 30_000;
const MAX_KNOWN = 1_000;

const NOTHING = () => undefined;

/** Bindings to the log, which says whose the name of a host is too, and to what else a queue relays to. */
export interface HostNameBindings extends Omit<RelayBindings, "SIGNAL_LOG"> {
  readonly SIGNAL_LOG: Namespace<AppendCalls & { mayCommand(host: string, token: string): Promise<boolean> }>;
}

interface HostNamesOptions {
  readonly env: HostNameBindings;
  readonly ecosystem: string;
  /** Keeps the object awake until the log has answered. */
  readonly ctx: Pick<DurableObjectState, "waitUntil">;
  readonly submit: (changes: readonly QueueOperation[]) => void;
  readonly sockets: () => WorkSockets;
}

/**
 * Whether connections may take commands by the names of hosts. The log knows whose they are and is asked before the first
 * command is handed out, and again after a while.
 */
class HostNames {
  readonly #options: HostNamesOptions;
  readonly #known = new ExpiringMap<true>(MAX_KNOWN, FRESH_MS);
  readonly #asked = new Set<string>();

  constructor(options: HostNamesOptions) {
    this.#options = options;
  }

  /** Where that is not known, it is found out: then tasks are handed out, or the recipient is refused. */
  admits(connection: Connection, host: string): boolean {
    const { token, byName } = connection;
    if (!byName || token === undefined) return true;
    if (this.#known.has(`${token.id} ${host}`, Date.now())) return true;
    this.#ask(connection, host, token.id);
    return false;
  }

  #ask(connection: Connection, host: string, token: string): void {
    const asking = `${connection.id} ${host}`;
    if (this.#asked.has(asking)) return;
    this.#asked.add(asking);
    const { env, ecosystem, ctx, submit, sockets } = this.#options;
    const answered = objectNamed(env.SIGNAL_LOG, ecosystem, env)
      .mayCommand(host, token)
      .finally(() => this.#asked.delete(asking))
      .then(
        (mayCommand) => {
          if (!mayCommand) return sockets().deny(connection, host, hostOfAnother(host));
          this.#known.set(`${token} ${host}`, true, Date.now());
          // Changes nothing: its transaction hands out what waits.
          submit([operationOf(NOTHING, NOTHING, NOTHING)]);
        },
        (error: unknown) => {
          logLine("warn", "host-owner-not-known", { ecosystem, object: "queue", host, error });
          connection.socket.close(1013, "whose the host is could not be found out: connect again");
        },
      );
    ctx.waitUntil(answered);
  }
}

/** Whether a connection may take the commands of a host, as {@link HostNames} finds out. */
export function admitsByName(options: HostNamesOptions): (connection: Connection, host: string) => boolean {
  const names = new HostNames(options);
  return (connection, host) => names.admits(connection, host);
}
