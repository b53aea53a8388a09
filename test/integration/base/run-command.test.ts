import { expect, test } from "vitest";
import { processStat } from "../../../local-agent/base/process/process-group.ts";
import { endingText, runCommand } from "../../../local-agent/base/process/run-command.ts";
import { untilEnded } from "../../harness/process-alive.ts";

const sh = (script: string) => ["/bin/sh", "-c", script] as const;
const pidIn = (text: string) => Number(/pid (\d+)/.exec(text)?.[1]);

test("a command reads its input, its lines are reported as they come, and its exit status at the end", async () => {
  const lines: string[] = [];
  const command = sh("cat; echo a fault >&2; printf 'no end'; exit 3");
  const run = runCommand({ command, input: '{"é":1}\r\n', onLine: (line, stream) => lines.push(`${stream}: ${line}`) });
  const result = await run.result;
  expect(result.ending).toEqual({ kind: "exited", code: 3 });
  expect(lines.sort()).toEqual(["stderr: a fault", "stdout: no end", 'stdout: {"é":1}']);
  expect(result.stdout.text).toBe('{"é":1}\r\nno end');
  expect(result.durationMs).toBeGreaterThan(0);
});

test("a command that cannot be started is reported with the reason", async () => {
  const error = async (command: readonly [string, ...string[]], cwd?: string) => {
    const { identity, result } = runCommand({ command, cwd });
    expect(identity).toBeUndefined();
    return endingText((await result).ending);
  };
  expect(await error(["no-such-program"])).toBe("could not be started: there is no program no-such-program");
  expect(await error(["/etc/passwd"])).toBe("could not be started: /etc/passwd may not be executed");
  expect(await error(sh("true"), "/no/such")).toBe(
    "could not be started: the working directory /no/such does not exist",
  );
  expect(await error(["a\0b"])).toMatch(/could not be started: .*null bytes/);
});

test("a command that another process kills is distinguished from one that exceeds its time limit", async () => {
  const killed = await runCommand({ command: sh("kill -9 $$"), timeoutMs: 30_000 }).result;
  expect(killed.ending).toEqual({ kind: "killed", signal: "SIGKILL" });
  const late = await runCommand({ command: ["sleep", "600"], timeoutMs: 50 }).result;
  expect(late.ending).toEqual({ kind: "timed_out", timeoutMs: 50 });
});

test("a time limit ends all processes that the command started, also those that ignore SIGTERM", async () => {
  const script = "trap '' TERM; sleep 600 & echo pid $!; sh -c 'trap \"\" TERM; echo pid $$; sleep 600; sleep 600'";
  const pids: number[] = [];
  const run = runCommand({
    command: sh(script),
    timeoutMs: 300,
    graceMs: 100,
    onLine: (line) => pids.push(pidIn(line)),
  });
  const result = await run.result;
  expect(result.ending.kind).toBe("timed_out");
  expect(pids).toHaveLength(2);
  await untilEnded(pids);
});

test("a grandchild that keeps the outputs of a command open neither delays its end nor survives it", async () => {
  // Waiting for it would take longer than any test may.
  const run = runCommand({ command: sh("sleep 600 & echo pid $!") });
  const result = await run.result;
  expect(result.ending).toEqual({ kind: "exited", code: 0 });
  await untilEnded([pidIn(result.stdout.text)]);
});

test("a process that left the group of a command outlives the command", async () => {
  const result = await runCommand({ command: sh("setsid sleep 600 >/dev/null 2>&1 & sleep 0.2; echo pid $!") }).result;
  const pid = pidIn(result.stdout.text);
  expect(processStat(pid)?.state).toMatch(/[SR]/);
  process.kill(pid, "SIGKILL");
  await untilEnded([pid]);
});

test("an abort ends a command, and an abort before the start keeps it from starting", async () => {
  const abort = new AbortController();
  const run = runCommand({ command: sh("echo begun; sleep 600"), abort: abort.signal, onLine: () => abort.abort() });
  expect((await run.result).ending).toEqual({ kind: "aborted" });
  expect(runCommand({ command: sh("true"), abort: abort.signal }).identity).toBeUndefined();
});

test("a long output of a command keeps its beginning and end, and long lines are split", async () => {
  const longest = { line: 0 };
  const result = await runCommand({
    command: sh("echo first; head -c 3000000 /dev/zero | tr '\\0' x; echo; echo last"),
    keep: 1_000,
    onLine: (line) => {
      longest.line = Math.max(longest.line, line.length);
    },
  }).result;
  expect(longest.line).toBe(64 * 1024);
  expect(result.stdout.whole).toBe(false);
  expect(result.stdout.text).toMatch(/^first\nx+\n… 2999012 characters left out …\nx+\nlast\n$/);
});

test("a command that does not read its input does not fail for it", async () => {
  const result = await runCommand({ command: sh("exec 0<&-; echo done"), input: "x".repeat(1_000_000) }).result;
  expect(result.ending).toEqual({ kind: "exited", code: 0 });
});

test("the agent's own secrets do not reach a command, other variables do", async () => {
  process.env.GANGLION_TOKEN = "secret";
  process.env.NOTIFY_SOCKET = "/run/notify";
  process.env.MODEL_API_KEY = "theirs";
  try {
    const command = sh('echo "$GANGLION_TOKEN|$NOTIFY_SOCKET|$MODEL_API_KEY|$EXTRA|$HOME"');
    const { stdout } = await runCommand({ command, env: { EXTRA: "more", HOME: null } }).result;
    expect(stdout.text).toBe("||theirs|more|\n");
  } finally {
    for (const name of ["GANGLION_TOKEN", "NOTIFY_SOCKET", "MODEL_API_KEY"]) delete process.env[name];
  }
});
