import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { createLog } from "../../../local-agent/base/log.ts";
import { HostCommands } from "../../../local-agent/commands/host-commands.ts";
import { Spool } from "../../../local-agent/store/spool.ts";
import { StateDatabase } from "../../../local-agent/store/state-database.ts";
import { registerSupervisorCommands } from "../../../local-agent/supervisor/commands.ts";
import { AgentsSettings } from "../../../local-agent/supervisor/settings.ts";
import { Supervisor } from "../../../local-agent/supervisor/supervisor.ts";
import type { Signal } from "../../../src/core/signals/signal.ts";
import type { AgentState } from "../../../src/core/supervisor/api.ts";
import { atEnd, temporaryDirectory } from "../../harness/cleanup.ts";
import { within } from "../../harness/until.ts";

const log = createLog({ format: "text", level: "silent" });

export interface SupervisorUnderTest {
  readonly supervisor: Supervisor;
  readonly stateDir: string;
  readonly announced: () => Signal[];
  /** Its state, once `wanted` accepts it. */
  until(name: string, wanted: (state: AgentState) => boolean, what: string): Promise<AgentState>;
  /** The first signal that `wanted` accepts, now or later. */
  signal(wanted: (signal: Signal) => boolean, what: string): Promise<Signal>;
  command(type: string, payload?: unknown): Promise<unknown>;
  stop(): Promise<void>;
}

/** A supervisor with real processes, measuring five times a second. `url` is of an edge that is not there. */
export async function supervise(
  agents: Record<string, unknown>,
  { stateDir = temporaryDirectory(), sampleMs = 200 } = {},
): Promise<SupervisorUnderTest> {
  const db = StateDatabase.open(stateDir);
  const spool = new Spool(db, { hostId: "host-a", maxBytes: 1e9, now: Date.now, log });
  const supervisor = new Supervisor({
    agents: AgentsSettings.parse(agents),
    environment: {
      url: "http://127.0.0.1:9",
      token: () => "secret",
      ecosystem: "default",
      hostId: "host-a",
      directory: stateDir,
    },
    stateDir,
    db,
    spool,
    now: Date.now,
    log,
    sampleMs,
  });
  const work = new HostCommands();
  registerSupervisorCommands({ command: (type, handler) => void work.add(type, handler) }, supervisor);
  let stopped = false;
  const stop = async () => {
    if (stopped) return;
    stopped = true;
    await supervisor.stop();
    await db.settled();
    db.close();
  };
  atEnd(stop);
  await supervisor.start();
  const announced = (): Signal[] => {
    const batch = spool.read("local", 1, 1_000, 1e6);
    return (batch?.texts ?? []).map((text) => JSON.parse(text) as Signal);
  };
  return {
    supervisor,
    stateDir,
    announced,
    stop,
    command: (type, payload) => work.run(type, payload, { signal: new AbortController().signal }),
    until: (name, wanted, what) =>
      heard(
        (look) => eachTurn(look),
        () => {
          const state = supervisor.states([name])[0];
          return state !== undefined && wanted(state) ? state : undefined;
        },
        `${name} to be ${what}`,
      ),
    signal: (wanted, what) =>
      heard(
        (look) => spool.onPut(look),
        () => announced().find(wanted),
        what,
      ),
  };
}

/** Nothing tells of figures that change all the time: they are looked at. */
function eachTurn(look: () => void): () => void {
  const timer = setInterval(look, 50);
  return () => clearInterval(timer);
}

async function heard<T>(listen: (look: () => void) => () => void, find: () => T | undefined, what: string): Promise<T> {
  let end = () => {};
  const found = new Promise<T>((resolve) => {
    const look = () => {
      const answer = find();
      if (answer !== undefined) resolve(answer);
    };
    end = listen(look);
    look();
  });
  try {
    return await within(found, what);
  } finally {
    end();
  }
}

export const logOf = (stateDir: string, name: string): string => join(stateDir, "agents", `${name}.log`);

/** What an agent has said so far. */
export function saidIn(path: string): string {
  return existsSync(path) ? readFileSync(path, "utf8") : "";
}
