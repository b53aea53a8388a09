import { chmodSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { temporaryDirectory } from "../../harness/cleanup.ts";
import { type Received, startEdge } from "../../unit/cli/fake-edge.ts";
import { ganglion } from "../../unit/cli/ganglion.ts";

const code = "gnc_aaaaaaaaaaaa_secret";
const answer = ({ body }: Received) =>
  [
    201,
    { code, path: `/login#${code}`, expires_at: "2026-01-01T00:01:00.000Z", act: false, ...(body as object) },
  ] as const;

/** A directory with an `xdg-open` of the test's own. @returns the directory, and what it was given */
function opener(script: string) {
  const directory = temporaryDirectory();
  const program = join(directory, "xdg-open");
  writeFileSync(program, `#!/bin/sh\n${script.replace("$0", directory)}\n`);
  chmodSync(program, 0o755);
  return {
    env: { PATH: `${directory}:/usr/bin:/bin` },
    opened: () => readFileSync(join(directory, "opened"), "utf8").trim(),
  };
}

describe.skipIf(process.platform !== "linux")("ganglion open", () => {
  it("opens the dashboard with a code for a session that only reads, and prints no code", async () => {
    const edge = await startEdge(answer);
    const { env, opened } = opener('echo "$1" > $0/opened');
    const { code: exit, out, err } = await ganglion(["open", "--url", edge.url], { env });
    expect([exit, out]).toEqual([0, ""]);
    expect(err).toBe(
      `Opened ${edge.url} in the browser. The session only reads; --act opens one that may change things.\n`,
    );
    expect(opened()).toBe(`${edge.url}/login#${code}`);
    expect(edge.received.map(({ method, url, body }) => [method, url.pathname, body])).toEqual([
      ["POST", "/v1/sessions", { act: false }],
    ]);
  });

  it("prints the address where no browser can be opened", async () => {
    const edge = await startEdge(answer);
    const { env } = opener("exit 3");
    const { code: exit, out, err } = await ganglion(["open", "--act", "--url", edge.url], { env });
    expect([exit, out]).toEqual([0, `${edge.url}/login#${code}\n`]);
    expect(err).toContain("No browser could be opened here");
    expect(edge.received[0]?.body).toEqual({ act: true });
  });

  it("opens nothing with --print, and says all of it with --json", async () => {
    const edge = await startEdge(answer);
    const { env } = opener("echo > $0/opened");
    expect(await ganglion(["open", "--print", "--url", edge.url], { env })).toEqual({
      code: 0,
      out: `${edge.url}/login#${code}\n`,
      err: "",
    });
    const { out } = await ganglion(["open", "--print", "--json", "--url", edge.url], { env });
    expect(JSON.parse(out)).toEqual({
      url: `${edge.url}/login#${code}`,
      code,
      act: false,
      expires_at: "2026-01-01T00:01:00.000Z",
      opened: false,
    });
  });
});
