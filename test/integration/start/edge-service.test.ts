import { execFile } from "node:child_process";
import { existsSync, readFileSync, readlinkSync, statSync, writeFileSync } from "node:fs";
import { request } from "node:http";
import { networkInterfaces } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { describe, expect, it } from "vitest";
import { type UnitOptions, unitText } from "../../../local-edge/install/unit.ts";
import { temporaryDirectory } from "../../harness/cleanup.ts";
import { freePort } from "../../harness/free-port.ts";
import { RunningProcess } from "../../harness/running-process.ts";

const execute = promisify(execFile);
/** Its tools, that is: they work without a running manager. `.ci/run` installs them. */
const systemd = existsSync("/usr/bin/systemd-analyze") || existsSync("/bin/systemd-analyze");
/** An address of this machine beside 127.0.0.1. */
const outside = Object.values(networkInterfaces())
  .flatMap((addresses) => addresses ?? [])
  .find(({ family, internal }) => family === "IPv4" && !internal)?.address;

const OPTIONS: UnitOptions = {
  command: [process.execPath, "/bin/true"],
  scope: "system",
  user: "root",
  stateDir: "/var/lib/ganglion-edge",
  listen: "127.0.0.1:8787",
  allowedHosts: "ganglion.example",
  environmentFile: "/etc/ganglion/edge.env",
  memoryMax: "2G",
  systemdVersion: 252,
  version: "0.1.0",
};

function unitFile(options: UnitOptions): string {
  const path = join(temporaryDirectory(), "ganglion-edge.service");
  writeFileSync(path, unitText(options));
  return path;
}

async function edge(args: readonly string[], env: Record<string, string | undefined> = {}) {
  const running = new RunningProcess(["local-edge/command.ts", ...args], { env });
  return { code: await running.ended, lines: running.lines, output: running.lines.join("\n") };
}

describe.skipIf(!systemd)("the unit of the edge", () => {
  it.each(["/var/lib/ganglion-edge", "/srv/with blank"])(
    "is valid for systemd, with its state in %s",
    async (stateDir) => {
      const { stderr } = await execute("systemd-analyze", ["verify", "--man=no", unitFile({ ...OPTIONS, stateDir })]);
      expect(stderr).toBe("");
    },
  );

  it("sandboxes the edge: exposure 3.0 at most", async () => {
    const path = unitFile({ ...OPTIONS, user: "ganglion-edge" });
    // Ends with an error where the exposure is above the threshold, given in tenths.
    const { stdout } = await execute("systemd-analyze", ["security", "--offline=yes", "--threshold=30", path]);
    expect(stdout).toMatch(/Overall exposure level for ganglion-edge\.service: [0-2]\.\d OK/);
  });

  it("of a user leaves out settings that only the system may use", () => {
    const text = unitText({ ...OPTIONS, scope: "user" });
    expect(text).not.toMatch(/^(User|StateDirectory|ProtectSystem)=/m);
    expect(text).toContain("WantedBy=default.target");
  });
});

describe.skipIf(!systemd)("ganglion-edge install", () => {
  it("installs unit, user and variables into an image, may be repeated, and removes all but the variables", async () => {
    const root = temporaryDirectory();
    const install = ["install", "--root", root, "--listen", "10.0.0.1:8787", "--allowed-hosts", "a.example,b.example"];
    const first = await edge(install);
    expect(first.code, first.output).toBe(0);
    const unit = join(root, "etc/systemd/system/ganglion-edge.service");
    const text = readFileSync(unit, "utf8");
    expect(text).toMatch(/ExecStart=\S+\/node \S+\/local-edge\/command\.ts run\n/);
    for (const line of [
      "Environment=GANGLION_LISTEN=10.0.0.1:8787",
      "Environment=GANGLION_ALLOWED_HOSTS=a.example,b.example",
      "Environment=GANGLION_STATE_DIR=/var/lib/ganglion-edge",
      "StateDirectory=ganglion-edge",
    ])
      expect(text.split("\n")).toContain(line);
    expect(readlinkSync(join(root, "etc/systemd/system/multi-user.target.wants/ganglion-edge.service"))).toBe(
      "/etc/systemd/system/ganglion-edge.service",
    );
    expect(readFileSync(join(root, "etc/passwd"), "utf8")).toContain("ganglion-edge:");
    const variables = join(root, "etc/ganglion/edge.env");
    writeFileSync(variables, "GANGLION_RETENTION_DAYS=3\n");
    const before = statSync(unit).mtimeMs;
    const again = await edge(install);
    expect([again.code, again.lines.includes(`${variables} exists: unchanged`)]).toEqual([0, true]);
    expect(statSync(unit).mtimeMs).toBe(before);
    const uninstall = await edge(["uninstall", "--root", root]);
    expect(uninstall.code, uninstall.output).toBe(0);
    expect([existsSync(unit), existsSync(variables)]).toEqual([false, true]);
    expect((await edge(["uninstall", "--root", root])).lines).toEqual(["The service is not installed."]);
  });

  it("prints its steps without taking them in a dry run, and says what is next", async () => {
    const directory = temporaryDirectory();
    const env = { XDG_CONFIG_HOME: directory, XDG_STATE_HOME: directory };
    const dry = await edge(["install", "--user", "--dry-run"], env);
    expect(dry.code, dry.output).toBe(0);
    expect(dry.lines).toContain(`# write: ${directory}/systemd/user/ganglion-edge.service`);
    expect(dry.lines).toContain("# run: systemctl --user restart ganglion-edge.service");
    expect(dry.output).toContain(
      `# Try it: ganglion smoke http://127.0.0.1:8787 --token-file ${directory}/ganglion-edge/token`,
    );
    expect(dry.output).toContain("put a proxy with TLS in front");
    expect(existsSync(join(directory, "systemd"))).toBe(false);
  });

  it.each([
    [["--listen", "everywhere"], /GANGLION_LISTEN is "everywhere"/],
    [["--state-dir", "state"], /--state-dir state: give an absolute path/],
    [["--user", "--root", "/tmp"], /cannot be combined/],
  ])("refuses %j before anything is changed", async (args, reason) => {
    const { code, output } = await edge(["install", "--dry-run", ...args]);
    expect(code).toBe(1);
    expect(output).toMatch(reason);
  });
});

function ask(url: string, host: string): Promise<number> {
  return new Promise((resolve, reject) => {
    request(new URL("/healthz", url), { headers: { Host: host } }, (answer) => {
      answer.resume();
      resolve(answer.statusCode ?? 0);
    })
      .on("error", reject)
      .end();
  });
}

describe("an edge that is told where to listen", () => {
  it.skipIf(outside === undefined)(
    "answers there and to that name, warns of the missing TLS, and tells systemd",
    async () => {
      const [port, stateDir] = [await freePort(), temporaryDirectory()];
      const address = join(stateDir, "notify");
      const manager = new RunningProcess(["test/harness/notify-socket.py", address], { command: "python3" });
      await manager.line(/listening/);
      const running = new RunningProcess(["local-edge/command.ts", "run"], {
        env: {
          GANGLION_PORT: undefined,
          GANGLION_LISTEN: `${outside}:${port}`,
          GANGLION_STATE_DIR: join(stateDir, "state"),
          NOTIFY_SOCKET: address,
        },
      });
      const [, url = ""] = await running.line(/^ready (\S+)$/);
      expect(url).toBe(`http://${outside}:${port}`);
      await manager.line(new RegExp(`"pid": ${running.pid}, "lines": \\["READY=1", "STATUS=listening at ${url}"`));
      await running.line(/without TLS/);
      expect([await ask(url, `${outside}:${port}`), await ask(url, "evil.example")]).toEqual([200, 421]);
      await expect(fetch(`http://127.0.0.1:${port}/healthz`)).rejects.toThrow();
      expect(await running.stop()).toBe(0);
      await manager.line(/"STOPPING=1"/);
    },
  );

  it.each([
    ["localhost:80", /give an IPv4 address/],
    ["127.0.0.1", /give an IPv4 address/],
    ["127.0.0.1:99999", /give an IPv4 address/],
    ["203.0.113.77:0", /203\.0\.113\.77 is no address of this machine/],
  ])("names what is wrong with %s", async (listen, reason) => {
    const env = { GANGLION_PORT: undefined, GANGLION_LISTEN: listen, GANGLION_STATE_DIR: temporaryDirectory() };
    const { code, output } = await edge(["run"], env);
    expect(code).toBe(1);
    expect(output).toMatch(reason);
  });

  it("refuses two answers to the question of its port", async () => {
    const env = { GANGLION_PORT: "0", GANGLION_LISTEN: "127.0.0.1:0", GANGLION_STATE_DIR: temporaryDirectory() };
    expect(await edge(["run"], env)).toMatchObject({ code: 1, output: expect.stringContaining("both set") });
  });
});
