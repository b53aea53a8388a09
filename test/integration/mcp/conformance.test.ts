import { execFile } from "node:child_process";
import { createServer, request } from "node:http";
import { createRequire } from "node:module";
import type { AddressInfo } from "node:net";
import { promisify } from "node:util";
import { expect, test } from "vitest";
import { atEnd, temporaryDirectory } from "../../harness/cleanup.ts";
import { runEdge } from "../../harness/running-edge.ts";
import { serveFixtures } from "./fixture-server.ts";

const SUITE = createRequire(import.meta.url).resolve("@modelcontextprotocol/conformance/dist/index.js");
const REVISION = "2026-07-28";

/** Passes requests on with a token: the suite cannot send one. */
async function withToken(url: string, token: string): Promise<string> {
  const proxy = createServer((from, to) => {
    const headers = { ...from.headers, authorization: `Bearer ${token}` };
    const onward = request(url, { method: from.method, headers }, (answer) => {
      to.writeHead(answer.statusCode ?? 502, answer.headers);
      answer.pipe(to);
    });
    onward.on("error", () => to.destroy());
    from.pipe(onward);
  });
  await new Promise<void>((resolve) => {
    proxy.listen(0, "127.0.0.1", resolve);
  });
  atEnd(() => {
    proxy.close();
    proxy.closeAllConnections();
  });
  return `http://127.0.0.1:${(proxy.address() as AddressInfo).port}/`;
}

/** Runs a scenario of the protocol's own suite. @returns the last line of its report */
async function scenario(name: string, url: string): Promise<string> {
  const args = [SUITE, "server", "--url", url, "--scenario", name, "--spec-version", REVISION];
  const ran = promisify(execFile)(process.execPath, args, { cwd: temporaryDirectory() });
  // A failed check ends the program with 1; its report says which.
  const { stdout } = await ran.catch((error: { stdout: string }) => error);
  return stdout.slice(stdout.indexOf("Test Results:"));
}

const RIGHT = expect.stringMatching(/, 0 failed, 0 warnings\s*$/);

test("the conformance suite of the protocol finds nothing wrong", async () => {
  const edge = await runEdge();
  const url = await withToken(`${edge.url}/v1/default/mcp`, edge.token);
  for (const name of ["tools-list", "caching", "http-header-validation", "dns-rebinding-protection"])
    expect([name, await scenario(name, url)]).toEqual([name, RIGHT]);
  expect(await scenario("server-stateless", await serveFixtures())).toEqual(RIGHT);
});
