import { chmodSync, existsSync, readFileSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { beforeAll, describe, expect, it } from "vitest";
import { temporaryDirectory } from "../../harness/cleanup.ts";
import { type RunningEdge, runEdge } from "../../harness/running-edge.ts";
import { RunningProcess } from "../../harness/running-process.ts";

let edge: RunningEdge;
let token: string;
beforeAll(async () => {
  edge = await runEdge();
  const scopes = ["signals:write", "signals:read"] as const;
  ({ token } = await edge.client().tokens.create({ name: "host", scopes: [...scopes], ecosystems: ["default"] }));
});

function host(text = token) {
  const directory = temporaryDirectory();
  const given = join(directory, "given");
  writeFileSync(given, `${text}\n`);
  return { directory, given, config: join(directory, "agent.yaml") };
}

async function agent(...args: string[]) {
  const running = new RunningProcess(["local-agent/main.ts", ...args], {
    env: { GANGLION_URL: "http://ignored.example" },
  });
  return { code: await running.ended, output: running.lines.join("\n") };
}

describe("ganglion-agent join", () => {
  it("tries the connection, keeps the token, writes the settings, says what is next, and an agent runs with them", async () => {
    const { given, config, directory } = host();
    const joined = await agent("join", edge.url, "--token-file", given, "--config", config, "--host-id", "host-j");
    expect(joined.code, joined.output).toBe(0);
    expect(joined.output).toMatch(/ok +edge: .*\n(.*\n)*ok +token: .*\n(.*\n)*Next: ganglion-agent run --config /);
    expect(joined.output).not.toContain(token);
    const kept = join(directory, "token");
    expect([readFileSync(kept, "utf8"), statSync(kept).mode & 0o777]).toEqual([`${token}\n`, 0o600]);
    expect((await agent("check", "--config", config)).code).toBe(0);

    const running = new RunningProcess(["local-agent/main.ts", "run", "--config", config], {
      env: { GANGLION_STATE_DIR: join(directory, "state"), GANGLION_SOURCES: "none" },
    });
    await expect
      .poll(async () => (await edge.client().agents.list()).map(({ host, state }) => [host, state]))
      .toContainEqual(["host-j", "up"]);
    await running.stop();
  });

  it("writes again over what it has written, with the permissions that the file has", async () => {
    const { given, config } = host();
    writeFileSync(config, "edge: { ecosystem: default } # the edge\n");
    chmodSync(config, 0o640);
    expect((await agent("join", edge.url, "--token-file", given, "--config", config)).code).toBe(0);
    const text = readFileSync(config, "utf8");
    expect((await agent("join", edge.url, "--token-file", given, "--config", config)).code).toBe(0);
    expect([readFileSync(config, "utf8"), statSync(config).mode & 0o777]).toEqual([text, 0o640]);
  });

  it("leaves another edge only where it is told to", async () => {
    const { given, config } = host();
    writeFileSync(config, "edge: { url: https://other.example }\n");
    const refused = await agent("join", edge.url, "--token-file", given, "--config", config);
    expect(refused).toMatchObject({
      code: 1,
      output: expect.stringContaining("names another edge, https://other.example"),
    });
    expect((await agent("join", edge.url, "--token-file", given, "--config", config, "--replace")).code).toBe(0);
    expect(readFileSync(config, "utf8")).toContain(edge.url);
  });

  it.each([
    ["no edge answers", () => "http://127.0.0.1:9", () => token, /ERROR +edge: .* does not answer/],
    [
      "the edge does not know the token",
      () => edge.url,
      () => "gng_made-up",
      /ERROR +token: the edge does not know the token/,
    ],
    ["the URL is none", () => "ganglion.example", () => token, /is not the URL of an edge/],
    ["the token file is empty", () => edge.url, () => "", /holds no token/],
  ])("writes nothing where %s", async (_, url, text, reason) => {
    const { given, config, directory } = host(text());
    const { code, output } = await agent("join", url(), "--token-file", given, "--config", config);
    expect(code).toBe(1);
    expect(output).toMatch(reason);
    expect([existsSync(config), existsSync(join(directory, "token"))]).toEqual([false, false]);
  });
});
