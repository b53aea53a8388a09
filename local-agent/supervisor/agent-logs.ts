import { join } from "node:path";
import type { Logger } from "../base/log.ts";
import { LineSplitter } from "../base/process/output.ts";
import { LogFile } from "./log-file.ts";

/** Where an agent's output goes. */
export type AgentOutput = Pick<LogFile, "path" | "write" | "flush">;

const MIB = 1024 * 1024;
/** Of the log of all agents together. */
const MERGED = { maxBytes: 10 * MIB, keep: 3 };

export interface AgentLogsOptions {
  readonly stateDir: string;
  readonly now: () => number;
  readonly log: Logger;
}

/** The log of each agent as the agent writes it, and one log of all, in which each line has its time and its agent. */
export class AgentLogs {
  readonly #options: AgentLogsOptions;
  readonly #merged: LogFile;

  constructor(options: AgentLogsOptions) {
    this.#options = options;
    const { stateDir, log } = options;
    this.#merged = new LogFile({ path: join(stateDir, "agents.log"), ...MERGED, log });
  }

  get mergedPath(): string {
    return this.#merged.path;
  }

  /** The output of one agent. */
  of(name: string, { max_mb, keep }: { readonly max_mb: number; readonly keep: number }): AgentOutput {
    const { stateDir, now, log } = this.#options;
    const path = join(stateDir, "agents", `${name}.log`);
    const own = new LogFile({ path, maxBytes: max_mb * MIB, keep, log });
    const lines = new LineSplitter((line) =>
      this.#merged.write(Buffer.from(`${new Date(now()).toISOString()} ${name} | ${line}\n`)),
    );
    return {
      path,
      write: (chunk) => {
        own.write(chunk);
        lines.write(chunk);
      },
      flush: async () => {
        lines.end();
        await Promise.all([own.flush(), this.#merged.flush()]);
      },
    };
  }
}
