import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import type { Logger } from "../../../local-agent/base/log.ts";
import { EdgeNotices, type NoticeChannels } from "../../../local-agent/monitors/edge-notices.ts";
import type { VitalChange } from "../../../src/core/hosts/edge-vitals.ts";
import { atEnd, temporaryDirectory } from "../../harness/cleanup.ts";
import { eventually } from "../../harness/eventually.ts";

const log = { info: () => {}, warn: () => {}, error: () => {} } as unknown as Logger;
const silent: VitalChange = { part: "cron", state: "silent", sinceMs: 1_000, seconds: 120, reason: "no rounds" };

/** A second channel that answers with the next of these statuses, at last 200. */
async function channel(...statuses: number[]) {
  const got: { part: string; state: string; host: string }[] = [];
  const server = createServer((request, response) => {
    let body = "";
    request.on("data", (chunk) => {
      body += chunk;
    });
    request.on("end", () => {
      const status = statuses.shift() ?? 200;
      if (status === 200) got.push(JSON.parse(body));
      response.writeHead(status).end();
    });
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  atEnd(() => new Promise<void>((resolve) => server.close(() => resolve())));
  return { got, url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/` };
}

function notices(channels: NoticeChannels, path = join(temporaryDirectory(), "edge-watch.json")) {
  const one = new EdgeNotices({
    path,
    host: "gpu-01",
    ecosystem: "default",
    channels: () => channels,
    log,
    retryMs: [5],
  });
  atEnd(() => one.stop());
  return { one, path };
}
const told = (path: string) => eventually(() => expect(JSON.parse(readFileSync(path, "utf8")).untold).toEqual([]));

describe("notices of a silent edge", () => {
  it("go to a command and to a second channel, once each", async () => {
    const out = temporaryDirectory();
    const { got, url } = await channel();
    const { one, path } = notices({
      url,
      command: ["sh", "-c", `cat >> ${out}/told; env | grep ^GANGLION_ > ${out}/env`],
    });
    await one.start();
    one.add({ cron: { sinceMs: 1_000, reason: "no rounds" } }, [silent]);
    await told(path);
    expect(got).toEqual([expect.objectContaining({ host: "gpu-01", part: "cron", state: "silent", seconds: 120 })]);
    expect(JSON.parse(readFileSync(`${out}/told`, "utf8"))).toEqual(got[0]);
    expect(readFileSync(`${out}/env`, "utf8")).toContain("GANGLION_EDGE_PART=cron");
  });

  it("are tried again until they are delivered, and one channel that fails holds up no other", async () => {
    const out = temporaryDirectory();
    const { got, url } = await channel(500, 503, 302);
    const { one, path } = notices({ url, command: ["sh", "-c", `echo told >> ${out}/told`] });
    await one.start();
    one.add({}, [silent]);
    await told(path);
    expect(got).toHaveLength(1);
    expect(readFileSync(`${out}/told`, "utf8")).toBe("told\n");
  });

  it("that were not delivered are told after a restart, and those that were are not told again", async () => {
    const failing = notices({ command: ["false"] });
    await failing.one.start();
    failing.one.add({ cron: { sinceMs: 1_000, reason: "no rounds" } }, [silent]);
    await failing.one.stop();
    const out = temporaryDirectory();
    const command = ["sh", "-c", `echo told >> ${out}/told`] as const;
    const next = notices({ command }, failing.path);
    await next.one.start();
    expect(next.one.silent).toEqual({ cron: { sinceMs: 1_000, reason: "no rounds" } });
    await told(failing.path);
    await next.one.stop();
    const last = notices({ command }, failing.path);
    await last.one.start();
    await last.one.stop();
    expect(readFileSync(`${out}/told`, "utf8")).toBe("told\n");
  });

  it("begin anew where their file cannot be read", async () => {
    const { one, path } = notices({});
    writeFileSync(path, "{");
    await one.start();
    expect(one.silent).toEqual({});
    one.add({ edge: { sinceMs: 5, reason: "gone" } }, []);
    expect([existsSync(path), one.silent]).toEqual([true, { edge: { sinceMs: 5, reason: "gone" } }]);
  });
});
