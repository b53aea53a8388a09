import { execFileSync } from "node:child_process";
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { PROJECT_ROOT } from "../../../local-edge/paths.ts";

const text = readFileSync(join(PROJECT_ROOT, "docs/deploy.md"), "utf8");
const blocks = [...text.matchAll(/^```\w*\n(.*?)^```$/gms)].map(([, block = ""]) => block);
const blockWith = (start: string) => blocks.find((block) => block.startsWith(start)) ?? "";
/** Where an edge listens as a service, and the name that its example allows. */
const LISTEN = /\| `--listen` \| `([\d.:]+)` \|/.exec(text)?.[1] ?? "no default";
const ALLOWED = /ganglion-edge install --allowed-hosts (\S+)/.exec(text)?.[1] ?? "no name";

describe("the recipes of docs/deploy.md for TLS", () => {
  it("have Caddy pass the allowed name on to where the edge listens", () => {
    const [site, proxy, end] = blockWith(ALLOWED).trimEnd().split("\n");
    expect([site, proxy, end]).toEqual([`${ALLOWED} {`, `\treverse_proxy ${LISTEN}`, "}"]);
  });

  it.skipIf(!existsSync("/usr/bin/ssh"))("have ssh forward the same port, with options that it knows", () => {
    const [, ...args] = blockWith("ssh ").trim().split(" ");
    // Prints what it would do, and connects to nobody. A word that it does not know ends it with an error.
    const said = execFileSync("ssh", ["-F", "/dev/null", "-G", ...args], { encoding: "utf8" });
    const [host, port] = LISTEN.split(":");
    expect(said).toContain(`localforward [${host}]:${port} [${host}]:${port}\n`);
    expect(said).toContain("exitonforwardfailure yes\n");
  });

  it("have Tailscale serve the port of the edge", () => {
    expect(text).toContain(`\`tailscale serve --bg ${LISTEN.split(":")[1]}\``);
  });
});
