import { execFile } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { promisify } from "node:util";
import { Client } from "@modelcontextprotocol/client";
import { StdioClientTransport } from "@modelcontextprotocol/client/stdio";
import { expect, test } from "vitest";
import { atEnd } from "../../harness/cleanup.ts";
import { runEdge } from "../../harness/running-edge.ts";
import { answerOf, connect } from "./session-client.ts";

const ROOT = join(import.meta.dirname, "../../..");
const page = readFileSync(join(ROOT, "docs/mcp.md"), "utf8");

/** The block of the page behind a mark. */
function block(mark: string): string {
  const found = new RegExp(`<!-- ${mark} -->\n\`\`\`\\w+\n([\\s\\S]*?)\n\`\`\``).exec(page)?.[1];
  if (found === undefined) throw new Error(`no block ${mark}`);
  return found;
}

test("each block of the page does what it says, as it stands but for the address", async () => {
  const edge = await runEdge();
  const made = (mark: string) => block(mark).replaceAll("http://127.0.0.1:8787", edge.url);
  const env = { PATH: process.env.PATH, GANGLION_TOKEN: edge.token };

  const { mcpServers } = JSON.parse(made("claude mcp")) as {
    mcpServers: Record<string, { type: string; url: string; headers: Record<string, string> }>;
  };
  const server = mcpServers.ganglion;
  expect(server?.type).toBe("http");
  const authorization = server?.headers.Authorization?.replace(/\$\{GANGLION_TOKEN\}/, edge.token) ?? "";
  const claude = await connect(server?.url ?? "", authorization.replace(/^Bearer /, ""));
  expect(await answerOf(claude, "what_needs_attention", {})).toMatchObject({ total: 0 });

  const codex = made("codex mcp");
  const settingOf = (key: string) => new RegExp(`^${key} = "(.*)"$`, "m").exec(codex)?.[1] ?? "";
  expect(settingOf("bearer_token_env_var")).toBe("GANGLION_TOKEN");
  expect((await (await connect(settingOf("url"), edge.token)).listTools()).tools.length).toBeGreaterThan(10);

  const stdio = (
    JSON.parse(made("claude stdio")) as { mcpServers: Record<string, { command: string; args: string[] }> }
  ).mcpServers.ganglion;
  expect(stdio?.command).toBe("ganglion");
  const session = new Client({ name: "test", version: "1.0.0" });
  const bin = join(ROOT, "cli/ganglion.mjs");
  await session.connect(
    new StdioClientTransport({
      command: process.execPath,
      args: [bin, ...(stdio?.args ?? [])],
      env: { PATH: process.env.PATH ?? "", GANGLION_URL: edge.url, GANGLION_TOKEN: edge.token },
    }),
  );
  expect(session.getServerCapabilities()).toMatchObject({ experimental: { "claude/channel": {} } });
  expect(await answerOf(session, "list_gaps", {})).toEqual({ gaps: [] });
  await session.close();

  // Beside the project's own packages, of which the block imports one.
  const directory = mkdtempSync(join(ROOT, "node_modules", ".mcp-"));
  atEnd(() => rmSync(directory, { recursive: true }));
  const program = join(directory, "program.mjs");
  writeFileSync(program, made("sdk client"));
  const { stdout } = await promisify(execFile)(process.execPath, [program], { env });
  expect(stdout).toBe("0 matters need somebody\n");
});
