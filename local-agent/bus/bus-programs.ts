import * as z from "zod";

/** The message by which programs of older buses say that they are alive. */
const HEARTBEAT = "HEARTBEAT";

const text = z.string().min(1).max(256);
const Heartbeat = z.looseObject({
  zooid: text.optional(),
  zooid_name: text.optional(),
  niche: z.string().max(256).nullish(),
  uptime_s: z.number().nonnegative().nullish(),
  processed_count: z.number().nonnegative().nullish(),
});

/** What a program last said of itself. */
interface Said {
  readonly niche: string | null;
  readonly uptime_s: number | null;
  readonly processed_count: number | null;
}

export interface ProgramStatus extends Said {
  readonly name: string;
  readonly state: "live" | "silent";
  readonly last_heard: string;
}

export interface BusProgramsOptions {
  /** Called when a program falls silent, and when it is heard again. */
  readonly onChange: (signal: "Q_PROGRAM_SILENT" | "Q_PROGRAM_BACK", facts: Readonly<Record<string, unknown>>) => void;
  readonly now: () => number;
  /** How long a program may be silent, in milliseconds; default 30,000: three of its heartbeats. */
  readonly silentMs?: number;
}

interface Program {
  said: Said;
  heardMs: number;
  silent: boolean;
  /** Counts heartbeats: a timer that was late asks whether one came meanwhile. */
  beats: number;
  readonly timer: NodeJS.Timeout;
}

const SILENT_MS = 30_000;
/** Programs that are watched; of more the one that was heard longest ago is forgotten. */
const MAX_PROGRAMS = 1_000;
/** Programs in the agent's status, which the edge stores. */
const MAX_SHOWN = 64;

/**
 * The programs of the bus that say `HEARTBEAT` {zooid, niche, uptime_s, processed_count} every ten seconds. A heartbeat is a
 * sign of life and no signal: kept in the log, a host's programs would fill it. A program that falls silent is reported once,
 * and once when it is back. Only what was heard since the agent's start is watched.
 */
export class BusPrograms {
  readonly #options: BusProgramsOptions;
  /** In the order in which they were heard last. */
  readonly #programs = new Map<string, Program>();
  /** `false`: nothing can be heard, and silence says nothing about the programs. */
  #busWorks = true;

  constructor(options: BusProgramsOptions) {
    this.#options = options;
  }

  /** @returns `true` for a heartbeat, which is dealt with */
  take({ signal, facts }: Readonly<Record<string, unknown>>): boolean {
    if (signal !== HEARTBEAT) return false;
    const heartbeat = Heartbeat.safeParse(facts).data;
    const name = heartbeat?.zooid ?? heartbeat?.zooid_name;
    if (heartbeat === undefined || name === undefined) return false;
    const { niche, uptime_s, processed_count } = heartbeat;
    this.#heard(name, {
      niche: niche ?? null,
      uptime_s: uptime_s ?? null,
      processed_count: processed_count ?? null,
    });
    return true;
  }

  /** For the agent's status, those that are silent first; `undefined` where no program was heard. */
  get status(): readonly ProgramStatus[] | undefined {
    if (this.#programs.size === 0) return undefined;
    const all = [...this.#programs].map(([name, { said, heardMs, silent }]) => {
      const state = silent ? ("silent" as const) : ("live" as const);
      return { name, state, ...said, last_heard: new Date(heardMs).toISOString() };
    });
    return [...all.filter(({ state }) => state === "silent"), ...all.filter(({ state }) => state === "live")].slice(
      0,
      MAX_SHOWN,
    );
  }

  setBusWorks(works: boolean): void {
    this.#busWorks = works;
    if (works) for (const program of this.#programs.values()) if (!program.silent) program.timer.refresh();
  }

  stop(): void {
    for (const { timer } of this.#programs.values()) clearTimeout(timer);
    this.#programs.clear();
  }

  #heard(name: string, said: Said): void {
    const { now, onChange, silentMs = SILENT_MS } = this.#options;
    const known = this.#programs.get(name);
    const program = known ?? {
      said,
      heardMs: now(),
      silent: false,
      beats: 0,
      timer: setTimeout(() => this.#late(name), silentMs).unref(),
    };
    if (program.silent) onChange("Q_PROGRAM_BACK", { zooid: name, ...said, since: new Date(now()).toISOString() });
    Object.assign(program, { said, heardMs: now(), silent: false, beats: program.beats + 1 });
    if (known !== undefined) program.timer.refresh();
    this.#programs.delete(name);
    this.#programs.set(name, program);
    if (this.#programs.size <= MAX_PROGRAMS) return;
    for (const [oldest, { timer }] of this.#programs) {
      clearTimeout(timer);
      this.#programs.delete(oldest);
      return;
    }
  }

  /** The agent itself may have been busy: what waits in its socket is read before a program counts as silent. */
  #late(name: string): void {
    const beats = this.#programs.get(name)?.beats;
    setImmediate(() => {
      const program = this.#programs.get(name);
      if (program === undefined || program.beats !== beats || !this.#busWorks) return;
      program.silent = true;
      const since = new Date(program.heardMs).toISOString();
      this.#options.onChange("Q_PROGRAM_SILENT", { zooid: name, ...program.said, since });
    });
  }
}
