import { execFile } from "node:child_process";
import { existsSync, mkdirSync, readFileSync, readlinkSync, statSync, writeFileSync } from "node:fs";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { join } from "node:path";
import { promisify } from "node:util";
import { afterEach, describe, expect, it } from "vitest";
import { type UnitOptions, unitText } from "../../../local-agent/install/unit.ts";
import { RunningProcess } from "../../harness/running-process.ts";
import { temporaryDirectory } from "../../unit/store/temporary-state.ts";

const execute = promisify(execFile);
/** Its tools, that is: they work without a running manager. `.ci/run` installs them. */
const systemd = existsSync("/usr/bin/systemd-analyze") || existsSync("/bin/systemd-analyze");
const closing: (() => unknown)[] = [];
afterEach(async () => {
  for (const close of closing.splice(0).reverse()) await close();
});

const OPTIONS: UnitOptions = {
  command: [process.execPath, "/bin/true"],
  config: "/etc/ganglion/agent.yaml",
  scope: "system",
  user: "root",
  tokenFile: "/etc/ganglion/token",
  memoryMax: "512M",
  cpuQuota: "100%",
  writable: ["/srv/with blank"],
  systemdVersion: 252,
  version: "0.1.0",
};

function unitFile(options: UnitOptions): string {
  const path = join(temporaryDirectory(), "ganglion-agent.service");
  writeFileSync(path, unitText(options));
  return path;
}

function agent(args: readonly string[], env: Record<string, string> = {}) {
  const running = new RunningProcess(["local-agent/main.ts", ...args], { env });
  closing.push(() => running.killGroup());
  return running;
}

describe.skipIf(!systemd)("the unit", () => {
  it("is valid for systemd", async () => {
    const { stderr } = await execute("systemd-analyze", ["verify", "--man=no", unitFile(OPTIONS)]);
    expect(stderr).toBe("");
  });

  it("sandboxes the agent: exposure 3.0 at most", async () => {
    const path = unitFile({ ...OPTIONS, user: "ganglion" });
    // Ends with an error where the exposure is above the threshold, given in tenths.
    const { stdout } = await execute("systemd-analyze", ["security", "--offline=yes", "--threshold=30", path]);
    expect(stdout).toMatch(/Overall exposure level for ganglion-agent\.service: [0-2]\.\d OK/);
  });

  it("limits the agent, has the manager watch it, and restarts it with growing pauses", () => {
    const text = unitText({ ...OPTIONS, systemdVersion: 254 });
    for (const line of [
      "Type=notify",
      "WatchdogSec=30",
      "Restart=always",
      "RestartSteps=6",
      "MemoryMax=512M",
      "CPUQuota=100%",
      "Delegate=yes",
      'ReadWritePaths="-/srv/with blank"',
    ])
      expect(text.split("\n")).toContain(line);
    // Known to later ones only.
    expect(unitText(OPTIONS)).not.toContain("RestartSteps");
  });

  it("of a user leaves out settings that only the system may use", () => {
    const text = unitText({ ...OPTIONS, scope: "user" });
    expect(text).not.toMatch(/^(User|LoadCredential|ProtectSystem)=/m);
    expect(text).toContain("WantedBy=default.target");
  });
});

describe.skipIf(!systemd)("ganglion-agent install", () => {
  it("installs settings, unit and user into an image, may be repeated, and removes all but the settings", async () => {
    const root = temporaryDirectory();
    const install = agent(["install", "--root", root, "--memory-max", "75%", "--writable", "/srv/agents"]);
    expect(await install.ended, install.lines.join("\n")).toBe(0);
    const unit = join(root, "etc/systemd/system/ganglion-agent.service");
    expect(readFileSync(unit, "utf8")).toMatch(
      /ExecStart=\S+\/node \S+\/local-agent\/main\.ts run --config \/etc\/ganglion\/agent\.yaml/,
    );
    expect(readFileSync(unit, "utf8")).toContain("MemoryMax=75%");
    expect(readlinkSync(join(root, "etc/systemd/system/multi-user.target.wants/ganglion-agent.service"))).toBe(
      "/etc/systemd/system/ganglion-agent.service",
    );
    expect(readFileSync(join(root, "etc/passwd"), "utf8")).toContain("ganglion:");
    const config = join(root, "etc/ganglion/agent.yaml");
    writeFileSync(config, "edge: { ecosystem: mine }\n");
    const before = statSync(unit).mtimeMs;
    const again = agent(["install", "--root", root, "--memory-max", "75%", "--writable", "/srv/agents"]);
    expect(await again.ended).toBe(0);
    expect(again.lines).toContain(`${config} exists: unchanged`);
    expect(statSync(unit).mtimeMs).toBe(before);
    const uninstall = agent(["uninstall", "--root", root]);
    expect(await uninstall.ended, uninstall.lines.join("\n")).toBe(0);
    expect([existsSync(unit), existsSync(config)]).toEqual([false, true]);
    const nothing = agent(["uninstall", "--root", root]);
    expect(await nothing.ended).toBe(0);
    expect(nothing.lines).toEqual(["The service is not installed."]);
  });

  it("writes settings that pass the check", async () => {
    const root = temporaryDirectory();
    expect(await agent(["install", "--root", root]).ended).toBe(0);
    const check = agent(["check", "--config", join(root, "etc/ganglion/agent.yaml")], { GANGLION_TOKEN: "t" });
    expect(await check.ended, check.lines.join("\n")).toBe(0);
  });

  it("prints its steps without taking them in a dry run", async () => {
    const directory = temporaryDirectory();
    const env = { XDG_CONFIG_HOME: directory, XDG_STATE_HOME: directory };
    const dry = agent(["install", "--user", "--dry-run"], env);
    expect(await dry.ended).toBe(0);
    expect(dry.lines).toContain(`# write: ${directory}/systemd/user/ganglion-agent.service`);
    expect(dry.lines).toContain("# run: systemctl --user enable ganglion-agent.service");
    expect(dry.lines.join("\n")).toContain(
      `# Put the host's token into ${directory}/ganglion/token (mode 0600), then:`,
    );
    expect(existsSync(join(directory, "systemd"))).toBe(false);
  });

  it("starts the service when there is a token, and restarts a service whose unit has another version", async () => {
    const directory = temporaryDirectory();
    const env = { XDG_CONFIG_HOME: directory, XDG_STATE_HOME: directory, GANGLION_STATE_DIR: join(directory, "state") };
    mkdirSync(join(directory, "ganglion"));
    mkdirSync(join(directory, "state"));
    writeFileSync(join(directory, "ganglion", "agent.yaml"), "edge: { ecosystem: mine }\n");
    writeFileSync(join(directory, "state", "token"), "t", { mode: 0o600 });
    const planned = async () => {
      const dry = agent(["install", "--user", "--dry-run"], env);
      expect(await dry.ended).toBe(0);
      return dry.lines;
    };
    const first = await planned();
    expect(first).toContain("# run: systemctl --user restart ganglion-agent.service");
    const unit = first.slice(first.findIndex((line) => line.includes("# Written by ganglion-agent install, version")));
    mkdirSync(join(directory, "systemd", "user"), { recursive: true });
    const text = `${unit.slice(0, unit.indexOf("WantedBy=default.target") + 1).join("\n")}\n`;
    writeFileSync(join(directory, "systemd", "user", "ganglion-agent.service"), text);
    expect(await planned()).toContain("# run: systemctl --user start ganglion-agent.service");
  });
});

describe("ganglion-agent doctor", () => {
  async function edge(skewMs: number, tokenStatus: number) {
    const server = createServer((request, response) => {
      const status = request.url === "/readyz" ? 200 : tokenStatus;
      response.writeHead(status, { date: new Date(Date.now() + skewMs).toUTCString() }).end("{}");
    });
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
    closing.push(() => new Promise((resolve) => server.close(resolve)));
    return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  }

  const examine = async (env: Record<string, string>) => {
    const doctor = agent(["doctor", "--json"], {
      GANGLION_TOKEN: "t",
      GANGLION_STATE_DIR: temporaryDirectory(),
      GANGLION_SOURCES: "none",
      // Where the tests keep their files there may be less room than the default wants.
      GANGLION_SPOOL_MAX_MB: "1",
      ...env,
    });
    const code = await doctor.ended;
    const findings = JSON.parse(doctor.lines[0] ?? "[]") as {
      check: string;
      verdict: string;
      detail: string;
      fix?: string;
    }[];
    return { code, of: (check: string) => findings.find((finding) => finding.check === check) };
  };

  it("finds no problem on a healthy host", async () => {
    const { code, of } = await examine({ GANGLION_URL: await edge(0, 200) });
    expect(
      ["settings", "edge", "clock", "token", "state", "disk", "inotify", "service"].map((name) => of(name)?.verdict),
    ).toEqual(Array(8).fill("ok"));
    expect(code).toBe(0);
  });

  it("says of what it cannot find out that it is unknown, with the reason, which is no error", async () => {
    const away = await examine({ GANGLION_URL: "http://127.0.0.1:1" });
    expect([away.of("token"), away.of("clock")]).toMatchObject([
      { verdict: "unknown", detail: expect.stringContaining("the edge does not answer") },
      { verdict: "unknown", detail: expect.stringContaining("the edge does not answer") },
    ]);
    const busy = await examine({ GANGLION_URL: await edge(0, 503) });
    expect(busy.of("token")).toMatchObject({ verdict: "unknown", detail: expect.stringContaining("503") });
    expect(busy.code).toBe(0);
  });

  it("reports an edge that is away, an unknown token and a wrong clock, each with a fix", async () => {
    const away = await examine({ GANGLION_URL: "http://127.0.0.1:1" });
    expect([away.code, away.of("edge")]).toMatchObject([
      1,
      { verdict: "error", fix: expect.stringContaining("edge.url") },
    ]);
    const wrong = await examine({ GANGLION_URL: await edge(-90_000, 401) });
    expect(wrong.of("token")).toMatchObject({
      verdict: "error",
      fix: expect.stringContaining("ganglion tokens create"),
    });
    expect(wrong.of("clock")).toMatchObject({
      verdict: "error",
      detail: expect.stringMatching(/^this machine is \d+\.\d s ahead/),
    });
    expect(wrong.code).toBe(1);
  });

  it("explains invalid settings", async () => {
    const { code, of } = await examine({ GANGLION_URL: "ftp://x" });
    expect([code, of("settings")]).toMatchObject([
      1,
      { verdict: "error", detail: expect.stringContaining("GANGLION_URL") },
    ]);
  });
});
