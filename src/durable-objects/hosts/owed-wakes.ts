import { HOSTS_QUEUE } from "../../core/hosts/command-queue.ts";
import type { FleetProcess } from "../../core/hosts/fleet.ts";
import { MAIL_QUEUE } from "../../core/mail/api.ts";
import { isAsleep, wakeCommand } from "../../core/mail/wake.ts";
import { logLine } from "../shell/log-line.ts";
import { objectNamed } from "../shell/ports.ts";
import type { HostsBindings } from "./ports.ts";

/** Of agents that have mail and run. More are not kept: the next message to them asks again. */
const MAX_OWED = 10_000;

interface Owed {
  readonly host: string;
  readonly agent: string;
  /** The first message that came while the agent ran. */
  readonly message: string;
}

interface OwedWakesOptions {
  readonly env: HostsBindings;
  readonly ecosystem: string;
  readonly sql: SqlStorage;
  /** What a host supervises, as it reported last; `undefined`: the host is not known. */
  readonly processesOf: (host: string) => readonly FleetProcess[] | undefined;
}

/**
 * Agents that a message starts, and that ran as far as the edge knew when one came: an agent may have ended before it looked. When
 * its host reports that it sleeps, and a message still waits, it is woken, once. Only such a message costs a row; a report of
 * a host costs none, and asks nobody while nothing is owed.
 *
 * Table: `owed_wakes(host, agent, message)`.
 */
export class OwedWakes {
  readonly #options: OwedWakesOptions;
  /** By host, and then by agent: a report of one host looks at no other. */
  readonly #owed = new Map<string, Map<string, Owed>>();
  /** Hosts that have to be looked at. */
  readonly #due = new Set<string>();
  #count = 0;
  #running: Promise<boolean> | undefined;

  constructor(options: OwedWakesOptions) {
    this.#options = options;
    const { sql } = options;
    sql.exec(
      "CREATE TABLE IF NOT EXISTS owed_wakes (host TEXT, agent TEXT, message TEXT NOT NULL, PRIMARY KEY (host, agent)) WITHOUT ROWID",
    );
    this.load();
  }

  /** Begins with what is stored: also after a transaction that failed. */
  load(): void {
    this.#owed.clear();
    this.#due.clear();
    this.#count = 0;
    for (const owed of this.#options.sql.exec<Owed & Record<string, string>>(
      "SELECT host, agent, message FROM owed_wakes",
    )) {
      this.#keep(owed);
      this.#due.add(owed.host);
    }
  }

  /** A message came for an agent that runs on these hosts. */
  add(hosts: readonly string[], agent: string, message: string): void {
    for (const host of hosts) {
      if (this.#owed.get(host)?.has(agent) === true || this.#count >= MAX_OWED) continue;
      this.#options.sql.exec("INSERT INTO owed_wakes (host, agent, message) VALUES (?, ?, ?)", host, agent, message);
      this.#keep({ host, agent, message });
      this.#due.add(host);
    }
  }

  /** A host has reported what it supervises, or is not known any more: its agents alone are looked at. */
  reported(host: string): void {
    if (this.#owed.has(host)) this.#due.add(host);
  }

  /** Whether one of them sleeps now, or is not there any more, as far as their hosts have reported since it was last asked. */
  isDue(): boolean {
    for (const host of this.#due) {
      const owed = [...(this.#owed.get(host)?.values() ?? [])];
      if (owed.some((one) => this.#stateOf(one) !== "runs")) return true;
      this.#due.delete(host);
    }
    return false;
  }

  /** Wakes those who sleep and have mail. One run at a time; never throws. @returns false: it is to be called again */
  run(): Promise<boolean> {
    this.#running ??= this.#run().finally(() => {
      this.#running = undefined;
    });
    return this.#running;
  }

  async #run(): Promise<boolean> {
    try {
      for (const host of [...this.#due]) {
        for (const owed of [...(this.#owed.get(host)?.values() ?? [])]) await this.#settle(owed);
      }
      return true;
    } catch (error) {
      logLine("warn", "agent-not-woken", { ecosystem: this.#options.ecosystem, object: "hosts", error });
      return false;
    }
  }

  async #settle(owed: Owed): Promise<void> {
    const state = this.#stateOf(owed);
    if (state === "runs") return;
    const { host, agent, message } = owed;
    if (state === "sleeps") {
      const { open, waits } = await this.#queue(MAIL_QUEUE).addressee(agent);
      // A crash before the row is deleted repeats the command, which the queue knows by its id.
      if (open > 0 && !waits) await this.#queue(HOSTS_QUEUE).enqueue([wakeCommand(host, agent, message)]);
    }
    this.#options.sql.exec("DELETE FROM owed_wakes WHERE host = ? AND agent = ?", host, agent);
    this.#forget(owed);
  }

  #keep(owed: Owed): void {
    const { host, agent } = owed;
    this.#owed.set(host, (this.#owed.get(host) ?? new Map<string, Owed>()).set(agent, owed));
    this.#count++;
  }

  #forget({ host, agent }: Owed): void {
    const agents = this.#owed.get(host);
    if (agents?.delete(agent) !== true) return;
    this.#count--;
    if (agents.size === 0) this.#owed.delete(host);
  }

  #stateOf({ host, agent }: Owed): "runs" | "sleeps" | "gone" {
    const processes = this.#options.processesOf(host);
    const process = processes?.find(({ name }) => name === agent);
    if (process?.wakes_on_mail !== true) return "gone";
    return isAsleep(process) ? "sleeps" : "runs";
  }

  #queue(name: string) {
    const { env, ecosystem } = this.#options;
    return objectNamed(env.PRIORITY_QUEUE, `${ecosystem}/${name}`, env);
  }
}
