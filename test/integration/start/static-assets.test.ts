import { mkdirSync, readdirSync, writeFileSync } from "node:fs";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { join } from "node:path";
import { convertV4MiniflareOptions, Miniflare, NoOpLog } from "miniflare";
import { beforeAll, describe, expect, it } from "vitest";
import { unstable_getMiniflareWorkerOptions } from "wrangler";
import { buildDashboard, readDashboard } from "../../../local-edge/build-dashboard.ts";
import { upToDateBundle } from "../../../local-edge/bundle.ts";
import { deployedFiles } from "../../../local-edge/deployed-files.ts";
import { PROJECT_ROOT } from "../../../local-edge/paths.ts";
import { atEnd, temporaryDirectory } from "../../harness/cleanup.ts";
import { type RunningEdge, runEdge } from "../../harness/running-edge.ts";
import { RunningProcess } from "../../harness/running-process.ts";

const DOCUMENTS = ["/docs", "/openapi.json"] as const;

let edge: RunningEdge;
/** The Worker behind Cloudflare's own router for files, as wrangler.toml has it. */
let behindAssets: URL;

beforeAll(async () => {
  const build = new RunningProcess(["scripts/build-assets.ts"]);
  expect(await build.ended, build.lines.join("\n")).toBe(0);
  const { options, modules } = await upToDateBundle();
  const dist = join(PROJECT_ROOT, "dist");
  const { assets } = unstable_getMiniflareWorkerOptions(join(PROJECT_ROOT, "wrangler.toml")).workerOptions;
  const withAssets: Record<string, unknown> = { ...options, assets };
  const miniflare = new Miniflare(
    convertV4MiniflareOptions({
      ...withAssets,
      name: "ganglion",
      rootPath: PROJECT_ROOT,
      modules: modules.map((module) => ({ ...module, path: join(dist, module.path) })),
      modulesRoot: dist,
      bindings: { ADMIN_TOKEN: "the-administrator" },
      cf: false,
      telemetry: { enabled: false },
      log: new NoOpLog(),
    }),
  );
  atEnd(() => miniflare.dispose());
  behindAssets = await miniflare.ready;
  edge = await runEdge();
});

const fromFiles = (path: string, init?: RequestInit) => fetch(new URL(path, behindAssets), init);

describe("the files of the dashboard", () => {
  it("are what the pages name, served without the Worker with the headers that the Worker gives them", async () => {
    const [behind, direct] = await Promise.all([fromFiles("/app/"), fetch(`${edge.url}/app/`)]);
    const html = await behind.text();
    expect(html).toBe(await direct.text());
    const files = [...html.matchAll(/(?:src|href)="(\/app\/assets\/[^"]+)"/g)].map(([, path = ""]) => path);
    expect(files.map((path) => path.replace(/.*\./, ""))).toEqual(expect.arrayContaining(["css", "js"]));
    for (const path of files) {
      const [file, own] = await Promise.all([fromFiles(path), fetch(`${edge.url}${path}`)]);
      expect([file.status, own.status]).toEqual([200, 200]);
      for (const name of ["cache-control", "x-content-type-options", "cross-origin-resource-policy"])
        expect([name, file.headers.get(name)]).toEqual([name, own.headers.get(name)]);
      expect(own.headers.get("cache-control")).toContain("immutable");
      expect(await file.text()).toBe(await own.text());
    }
  });

  it("answer 404 where there is none, which nobody keeps", async () => {
    const path = "/app/assets/nothing.js";
    for (const answer of await Promise.all([fromFiles(path), fetch(`${edge.url}${path}`)])) {
      expect(answer.status).toBe(404);
      expect(answer.headers.get("cache-control") ?? "").not.toContain("immutable");
      await answer.body?.cancel();
    }
  });

  it("of the build before stay where another takes its place, also where another machine made it, and those before that go", async () => {
    const directory = temporaryDirectory();
    const pretend = (name: string, kept: string) => {
      mkdirSync(join(directory, "assets"), { recursive: true });
      for (const file of [name, kept]) writeFileSync(join(directory, file), "");
      writeFileSync(join(directory, "manifest.json"), JSON.stringify({ pages: {}, files: [name], kept: [kept] }));
    };
    pretend("assets/before.js", "assets/long-ago.js");
    // What another machine built and deployed: its page names a script, and that names another.
    const deployed: Readonly<Record<string, string>> = {
      "/app/": '<script src="/app/assets/app-DEPLOYED.js">',
      "/app/assets/app-DEPLOYED.js": 'import("./views-DEPLOYED.js"); "./never-there123.js"',
      "/app/assets/views-DEPLOYED.js": "export const views = 1;",
      "/login": '<link href="/app/assets/app-DEPLOYED.css">',
      "/app/assets/app-DEPLOYED.css": "a { b: c }",
    };
    const server = createServer(({ url = "" }, response) => {
      response.writeHead(deployed[url] === undefined ? 404 : 200).end(deployed[url]);
    });
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
    atEnd(() => {
      server.close();
    });
    const kept = await deployedFiles(`http://127.0.0.1:${(server.address() as AddressInfo).port}`);
    await buildDashboard(directory, kept);
    const first = readDashboard(directory);
    expect(Object.keys(first)).toContain("assets/before.js");
    expect(kept).toEqual({
      "assets/app-DEPLOYED.js": deployed["/app/assets/app-DEPLOYED.js"],
      "assets/views-DEPLOYED.js": deployed["/app/assets/views-DEPLOYED.js"],
      "assets/app-DEPLOYED.css": deployed["/app/assets/app-DEPLOYED.css"],
    });
    expect(first).toMatchObject(kept);
    expect(readdirSync(join(directory, "assets"))).not.toContain("long-ago.js");
    await buildDashboard(directory);
    expect(readDashboard(directory)).toEqual(first);
  });
});

describe("the documents of the API as files", () => {
  it.each(DOCUMENTS)("%s is what the Worker's route answers, with its headers", async (path) => {
    const [file, route] = await Promise.all([fromFiles(path), fetch(`${edge.url}${path}`)]);
    expect([file.status, route.status]).toEqual([200, 200]);
    for (const name of ["content-security-policy", "referrer-policy", "x-content-type-options"])
      expect(file.headers.get(name)).toBe(route.headers.get(name));
    expect(file.headers.get("content-type")?.split(";")[0]).toBe(route.headers.get("content-type")?.split(";")[0]);
    expect(await file.text()).toBe(await route.text());
  });

  it.each(DOCUMENTS)("%s is asked for again at little cost, and answers HEAD without a body", async (path) => {
    const first = await fromFiles(path);
    const tag = first.headers.get("etag") ?? "none";
    expect(first.headers.get("cache-control")).toBe("public, max-age=0, must-revalidate");
    await first.body?.cancel();
    expect((await fromFiles(path, { headers: { "If-None-Match": tag } })).status).toBe(304);
    const head = await fromFiles(path, { method: "HEAD" });
    expect([head.status, head.headers.get("etag"), await head.text()]).toEqual([200, tag, ""]);
  });

  it("lets pages of every origin read the document", async () => {
    const { headers } = await fromFiles("/openapi.json", { headers: { Origin: "https://console.example" } });
    expect(headers.get("access-control-allow-origin")).toBe("*");
  });

  it.each(["/", "/app/", "/app/manifest.json", "/healthz", "/v1/default/status", "/_headers", "/nothing"])(
    "leave %s to the Worker",
    async (path) => {
      const [behind, direct] = await Promise.all([fromFiles(path), fetch(`${edge.url}${path}`)]);
      expect(behind.status).toBe(direct.status);
      expect(behind.headers.get("content-type")).toBe(direct.headers.get("content-type"));
    },
  );
});
