import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { describe, expect, it, onTestFinished } from "vitest";
import { edgeChecks } from "../../../local-agent/install/doctor/edge-checks.ts";

/** An edge that knows the token, and answers the list of webhooks so. */
async function findingOf(status: number, webhooks: unknown): Promise<unknown> {
  const server = createServer((request, response) => {
    const isList = request.url === "/v1/default/webhooks";
    response.writeHead(isList ? status : 200, { "Content-Type": "application/json" });
    response.end(JSON.stringify(isList ? webhooks : {}));
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  onTestFinished(() => new Promise<void>((resolve) => server.close(() => resolve())));
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  const findings = await edgeChecks({ url, ecosystem: "default", token: () => "t" });
  return findings.find(({ check }) => check === "alerts");
}

const endpoint = (id: string, enabled = true) => ({ id, enabled, url: "https://example.org" });

describe("the doctor's finding about the endpoint alerts", () => {
  it.each([
    ["there is none", []],
    ["it is disabled", [endpoint("alerts", false)]],
    ["there are only others", [endpoint("on-call")]],
  ])("warns, and says how to mend that, where %s", async (_, webhooks) => {
    expect(await findingOf(200, { webhooks })).toMatchObject({
      verdict: "warning",
      detail: expect.stringContaining("there is no webhook endpoint alerts"),
      fix: expect.stringContaining("ganglion webhooks add alerts <url>"),
    });
  });

  it("is good where the endpoint is there", async () => {
    expect(await findingOf(200, { webhooks: [endpoint("on-call"), endpoint("alerts")] })).toMatchObject({
      verdict: "ok",
    });
  });

  it("is unknown where the token may not see the endpoints, or the answer cannot be read", async () => {
    expect(await findingOf(403, {})).toMatchObject({ verdict: "unknown", detail: expect.stringContaining("403") });
    expect(await findingOf(200, { webhooks: "none" })).toMatchObject({ verdict: "unknown" });
  });
});
