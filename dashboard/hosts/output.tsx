import { ApiProblem } from "../../src/client/http/problem-errors.ts";
import { ONCE, usePolled } from "../base/use-polled.ts";
import { Loaded } from "../parts/basics.tsx";
import { LongText } from "../parts/long-text.tsx";
import { command } from "./command.ts";

/** Lines of output that are asked for. */
const LINES = 200;

/** What a host answers is its own: it is not the edge's, and is checked here. */
function linesIn(answer: unknown): string[] {
  const lines: unknown = typeof answer === "object" && answer !== null && "lines" in answer ? answer.lines : undefined;
  if (Array.isArray(lines) && lines.every((line) => typeof line === "string")) return lines;
  throw new TypeError("the host answers with something else than lines of output");
}

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
    async () => (up ? linesIn((await command(ecosystem, host, "logs", { name, lines: LINES })).result) : undefined),
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
            found === undefined || found.length === 0 ? (
              <p class="faint">It has written nothing.</p>
            ) : (
              <LongText label={`Lines of ${name}`} kind="output">
                {found.join("\n")}
              </LongText>
            )
          }
        </Loaded>
      )}
    </section>
  );
}
