import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { PROJECT_ROOT } from "../../../local-edge/paths.ts";
import { pythonWith } from "../../harness/python.ts";
import { runEdge } from "../../harness/running-edge.ts";
import { RunningProcess } from "../../harness/running-process.ts";

const DIRECTORY = join(PROJECT_ROOT, "python");
const pytest = pythonWith("pytest");
const mypy = pythonWith("mypy.api");

/** What a program says, and how it ends. */
async function outcomeOf(command: string, args: readonly string[], env: Record<string, string> = {}) {
  const running = new RunningProcess(args, { command, cwd: DIRECTORY, env });
  return { code: await running.ended, said: running.lines.join("\n") };
}

/** Without the packages the tests are skipped, and say so. `.ci/run` installs them. */
describe.concurrent("the Python client", () => {
  it.skipIf(pytest === undefined)("passes its own tests with a real edge (needs python3-pytest)", async () => {
    const edge = await runEdge();
    const { code, said } = await outcomeOf(pytest ?? "python3", ["-m", "pytest", "--durations=5"], {
      GANGLION_URL: edge.url,
      GANGLION_TOKEN: edge.token,
      PYTHONDONTWRITEBYTECODE: "1",
    });
    expect(code, said).toBe(0);
  });

  it.skipIf(mypy === undefined)("is typed without a gap, tests included (needs mypy)", async () => {
    const { code, said } = await outcomeOf(mypy ?? "python3", ["-m", "mypy", "--strict", "src", "tests"], {
      MYPY_CACHE_DIR: join(PROJECT_ROOT, "node_modules/.cache/mypy"),
    });
    expect(code, said).toBe(0);
  });
});
