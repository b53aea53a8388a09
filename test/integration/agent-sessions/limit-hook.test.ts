import { spawn } from "node:child_process";
import { once } from "node:events";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { eventually } from "../../harness/eventually.ts";
import { runEdge } from "../../harness/running-edge.ts";

const page = readFileSync(join(import.meta.dirname, "../../../docs/agent-telemetry.md"), "utf8");

/** The command of the page that gives the input of a hook to the edge. */
function documentedCommand(url: string): string {
  const [, block = ""] = /<!-- claude settings -->\n```json\n([\s\S]*?)\n```/.exec(page) ?? [];
  const { hooks } = JSON.parse(block) as { hooks: Record<string, { hooks: { type: string; command?: string }[] }[]> };
  const commands = Object.values(hooks).flatMap((all) => all.flatMap(({ hooks: some }) => some));
  const { command = "" } = commands.find(({ type }) => type === "command") ?? {};
  return command.replace("http://127.0.0.1:8787", url);
}

/** Runs the command as Claude Code runs it: a shell that is given JSON on its standard input. */
async function runHook(command: string, token: string, input: object): Promise<void> {
  const child = spawn("sh", ["-c", command], {
    env: { PATH: process.env.PATH ?? "", GANGLION_TOKEN: token },
    stdio: ["pipe", "pipe", "pipe"],
  });
  let said = "";
  for (const stream of [child.stdout, child.stderr]) stream.on("data", (chunk) => (said += String(chunk)));
  child.stdin.end(JSON.stringify(input));
  const [code] = await once(child, "close");
  expect([code, said]).toEqual([0, ""]);
}

test("a usage limit that one session meets closes the limit for all until its reset, through the documented hook", async () => {
  const edge = await runEdge();
  const client = edge.client();
  await client.limits.put("anthropic", { requests_per_minute: 1_000 });
  await client.changeSessionSettings({ feeds: [{ models: "claude-*", limit: "anthropic" }] });
  const { token } = await client.tokens.create({
    name: "hooks",
    scopes: ["signals:write"],
    ecosystems: ["default"],
    sources: ["team/alice"],
  });
  const [task] = await client.queues.put("work", [
    { recipient: "coder", type: "FIX", payload: 1, limits: ["anthropic"] },
  ]);
  const command = documentedCommand(edge.url);
  const session = { session_id: "s-1", cwd: "/srv/shop" };
  await runHook(command, token, { ...session, hook_event_name: "SessionStart", model: "claude-sonnet-4-5" });
  await runHook(command, token, { ...session, hook_event_name: "UserPromptSubmit", prompt: "fix it" });
  expect((await client.limits.reserve("anthropic", {})).granted).toBe(true);
  const resetMs = Math.ceil(Date.now() / 1_000) * 1_000 + 5 * 3_600_000;
  await runHook(command, token, {
    ...session,
    hook_event_name: "StopFailure",
    error: "rate_limit",
    error_details: "429 Too Many Requests",
    last_assistant_message: `Claude AI usage limit reached|${resetMs / 1_000}`,
  });
  await eventually(async () => expect((await client.limits.show("anthropic")).state).toBe("closed"));
  const { closed_until, reason, parked } = await client.limits.show("anthropic");
  expect(Math.abs(Date.parse(closed_until ?? "") - resetMs)).toBeLessThan(1_000);
  expect(reason).toContain("usage limit reached");
  // Another agent, which never met the limit, knows of it, and of the task that is parked until then.
  expect(await client.limits.reserve("anthropic", { agent: "another" })).toMatchObject({
    granted: false,
    why: "closed",
    closed_until,
  });
  expect(parked).toBe(1);
  await eventually(async () =>
    expect(await client.queues.task("work", task?.task_id ?? "")).toMatchObject({
      parked_reason: expect.stringContaining("the limit anthropic is closed: "),
    }),
  );
  expect((await client.agentSessions({ session: "s-1" })).sessions).toMatchObject([{ verdict: "idle" }]);
});
