import { ApiProblem } from "../../src/client/http/problem-errors.ts";
import { AgentLog } from "../../src/core/supervisor/api.ts";
import { ONCE, usePolled } from "../base/use-polled.ts";
import { Loaded } from "../parts/basics.tsx";
import { LongText } from "../parts/long-text.tsx";
import { command } from "./command.ts";

/** Lines of output that are asked for. */
const LINES = 200;

interface OutputProps {
  readonly ecosystem: string;
  readonly host: string;
  readonly name: string;
  readonly up: boolean;
}

/** The latest output of a process, as the host has it. */
export function Output({ ecosystem, host, name, up }: OutputProps) {
  const log = usePolled(
    `${ecosystem} ${host} ${name} ${up}`,
    async () =>
      up ? AgentLog.parse((await command(ecosystem, host, "logs", { name, lines: LINES })).result) : undefined,
    ONCE,
  );
  const forbidden = log.error instanceof ApiProblem && log.error.problem.status === 403;
  return (
    <section aria-label={`Output of ${name}`}>
      <div class="section-head">
        <h3>Output of {name}</h3>
        <button type="button" onClick={log.reload}>
          Look again
        </button>
      </div>
      {!up && <p class="faint">The host is away: its output is in its own files.</p>}
      {forbidden && (
        <p class="note">
          ● Output is read by a command for the host, and this session may not command hosts:{" "}
          <code>ganglion open --act</code>.
        </p>
      )}
      {up && !forbidden && (
        <Loaded of={log}>
          {(found) =>
            found === undefined || found.lines.length === 0 ? (
              <p class="faint">It has written nothing.</p>
            ) : (
              <LongText label={`Lines of ${name}`} kind="output">
                {found.lines.join("\n")}
              </LongText>
            )
          }
        </Loaded>
      )}
    </section>
  );
}
