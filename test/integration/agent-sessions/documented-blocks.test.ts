import { spawn } from "node:child_process";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { text as textOf } from "node:stream/consumers";
import { expect, test } from "vitest";
import { runEdge } from "../../harness/running-edge.ts";

const ROOT = join(import.meta.dirname, "../../..");
const page = readFileSync(join(ROOT, "docs/agent-telemetry.md"), "utf8");
const fixture = (name: string) => readFileSync(join(ROOT, "test/fixtures/telemetry", name), "utf8");
const hookInputs = fixture("claude-code-hooks.jsonl")
  .trim()
  .split("\n")
  .map((line) => (JSON.parse(line) as { input: { hook_event_name: string } }).input);

/** The block of the page behind a mark. */
function block(mark: string): string {
  const found = new RegExp(`<!-- ${mark} -->\n\`\`\`\\w+\n([\\s\\S]*?)\n\`\`\``).exec(page)?.[1];
  if (found === undefined) throw new Error(`no block ${mark}`);
  return found;
}

interface HttpHook {
  readonly type: "http";
  readonly url: string;
  readonly headers: Record<string, string>;
  readonly allowedEnvVars: string[];
}
interface CommandHook {
  readonly type: "command";
  readonly command: string;
}

/** Runs a shell. @returns what it printed */
async function shell(script: string, input = "", env: Record<string, string> = {}): Promise<string> {
  const child = spawn("sh", ["-c", script], { env: { PATH: process.env.PATH ?? "", ...env } });
  child.stdin.end(input);
  return textOf(child.stdout);
}

/** `Name=value` as the SDKs read it. */
function headersOf(text: string): Record<string, string> {
  const end = text.indexOf("=");
  return { [text.slice(0, end)]: decodeURIComponent(text.slice(end + 1)) };
}

test("each block of the page does what it says, as it stands but for the address and the token", async () => {
  const edge = await runEdge();
  const client = edge.client();
  const made = (text: string) => text.replaceAll("http://127.0.0.1:8787", edge.url).replaceAll("gng_…", edge.token);
  const send = async (url: string, body: string, headers: Record<string, string>) => {
    const answer = await fetch(url, {
      method: "POST",
      body,
      headers: { "Content-Type": "application/json", ...headers },
    });
    expect([url, answer.status, await answer.json()]).toEqual([url, 200, {}]);
  };

  const { env, hooks } = JSON.parse(made(block("claude settings"))) as {
    env: Record<string, string>;
    hooks: Record<string, { hooks: (HttpHook | CommandHook)[] }[]>;
  };
  expect(env.OTEL_EXPORTER_OTLP_PROTOCOL).toBe("http/json");
  const headers = headersOf(env.OTEL_EXPORTER_OTLP_HEADERS ?? "");
  await send(`${env.OTEL_EXPORTER_OTLP_ENDPOINT}/v1/logs`, fixture("claude-code-logs.json"), headers);
  await send(`${env.OTEL_EXPORTER_OTLP_ENDPOINT}/v1/metrics`, fixture("claude-code-metrics-delta.json"), headers);
  for (const input of hookInputs) {
    const [hook] = hooks[input.hook_event_name]?.[0]?.hooks ?? [];
    if (hook === undefined) throw new Error(`the page has no hook for ${input.hook_event_name}`);
    // What a command prints when a session begins would be told to the model.
    if (hook.type === "command") expect(await shell(hook.command, JSON.stringify(input), env)).toBe("");
    else {
      expect(hook.allowedEnvVars).toEqual(["GANGLION_TOKEN"]);
      const Authorization = hook.headers.Authorization?.replace("$GANGLION_TOKEN", env.GANGLION_TOKEN ?? "") ?? "";
      await send(hook.url, JSON.stringify(input), { Authorization });
    }
  }

  const codex = made(block("codex config"));
  const [, endpoint = "", authorization = ""] = /endpoint = "([^"]+)".*"Authorization" = "([^"]+)"/.exec(codex) ?? [];
  await send(endpoint, fixture("codex-logs.json"), { Authorization: authorization });

  const variables = await shell(`${made(block("sdk variables"))}\nenv`);
  const of = (name: string) => new RegExp(`^${name}=(.*)$`, "m").exec(variables)?.[1] ?? "";
  expect(of("OTEL_RESOURCE_ATTRIBUTES")).toContain("ganglion.task=t-17");
  await send(
    `${of("OTEL_EXPORTER_OTLP_ENDPOINT")}/v1/traces`,
    fixture("gen-ai-traces.json"),
    headersOf(of("OTEL_EXPORTER_OTLP_HEADERS")),
  );

  await expect
    .poll(async () => (await client.agentSessions()).sessions.map(({ agent, session }) => `${agent} ${session}`).sort())
    .toEqual([
      "billing-bot conv_5j66",
      "claude-code 8f14e45f-ceea-467f-a0e6-4a1c3d2b9f10",
      "codex 0199a213-81c0-7800-8aa1-bbab2a035a53",
    ]);
  const { sessions } = await client.agentSessions({ agent: "claude-code", verdict: "ended" });
  expect(sessions).toMatchObject([
    {
      started_at: expect.any(String),
      model: "claude-sonnet-4-5",
      usage: { cost_usd: 0.02, tool_calls: 2, prompts: 1, active_seconds: 11.75 },
    },
  ]);
});
