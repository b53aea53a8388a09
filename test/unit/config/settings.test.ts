import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { readSettings } from "../../../local-agent/config/settings.ts";
import { temporaryDirectory } from "../store/temporary-state.ts";

describe("settings", () => {
  it("have defaults for everything but the token", () => {
    const settings = readSettings({ GANGLION_TOKEN: " t0ken\n", GANGLION_HOST_ID: "h" }, "/srv/x");
    expect(settings).toMatchObject({
      url: "http://127.0.0.1:8787",
      ecosystem: "default",
      hostId: "h",
      stateDir: "/srv/x/.ganglion",
      intentsDir: "/srv/x/.ganglion/intents",
      metricsDir: "/srv/x/.ganglion/metrics",
      subscribe: "auto",
      sampleSeconds: 5,
      xsub: "tcp://127.0.0.1:5556",
      xpub: "tcp://127.0.0.1:5557",
      sources: ["sampler", "intents", "metrics", "bus"],
      log: "text",
      spoolMaxBytes: 256 * 1024 * 1024,
    });
    expect(settings.token()).toBe("t0ken");
  });

  it("read the token from the state directory each time", () => {
    const stateDir = temporaryDirectory();
    writeFileSync(join(stateDir, "token"), "first\n");
    const { token } = readSettings({ GANGLION_STATE_DIR: stateDir, GANGLION_PORT: "9000", GANGLION_TOKEN: "" }, "/");
    expect(token()).toBe("first");
    writeFileSync(join(stateDir, "token"), "second");
    expect(token()).toBe("second");
  });

  it("take given values", () => {
    const settings = readSettings(
      {
        GANGLION_TOKEN: "t",
        GANGLION_PORT: "9000",
        GANGLION_SUBSCRIBE: "Q_*, !Q_X",
        GANGLION_SOURCES: "none",
        GANGLION_SPOOL_MAX_MB: "1.5",
        KLR_CHEM_XPUB: "ipc:///run/bus",
      },
      "/",
    );
    expect(settings).toMatchObject({
      url: "http://127.0.0.1:9000",
      subscribe: ["Q_*", "!Q_X"],
      sources: [],
      spoolMaxBytes: 1.5 * 1024 * 1024,
      xpub: "ipc:///run/bus",
    });
  });

  it.each(["auto", " auto "])("subscribe to what the host needs where GANGLION_SUBSCRIBE is %j", (word) => {
    const { subscribe } = readSettings({ GANGLION_TOKEN: "t", GANGLION_SUBSCRIBE: word }, "/");
    expect(subscribe).toBe("auto");
  });

  it.each([
    [{}, "GANGLION_TOKEN: set it, or put the token into"],
    [{ GANGLION_TOKEN: "tök" }, "GANGLION_TOKEN holds no valid token"],
    [{ GANGLION_TOKEN: "t", GANGLION_PORT: "0" }, "GANGLION_PORT: give a port between 1 and 65535"],
    [{ GANGLION_TOKEN: "t", GANGLION_PORT: " " }, "GANGLION_PORT"],
    [{ GANGLION_TOKEN: "t", GANGLION_HOST_ID: "a b" }, "GANGLION_HOST_ID: give letters"],
    [{ GANGLION_TOKEN: "t", GANGLION_SUBSCRIBE: "Q X" }, "GANGLION_SUBSCRIBE: a pattern is"],
    [{ GANGLION_TOKEN: "t", KLR_CHEM_XPUB: "tcp://127.0.0.1:5556" }, "KLR_CHEM_XPUB: give another address"],
    [{ GANGLION_TOKEN: "t", GANGLION_SPOOL_MAX_MB: "-1" }, "GANGLION_SPOOL_MAX_MB"],
    [{ GANGLION_TOKEN: "t", GANGLION_LOG: "xml" }, "GANGLION_LOG: give text or json"],
  ])("refuse %j with a clear message", (environment, words) => {
    expect(() => readSettings(environment, temporaryDirectory())).toThrow(words);
  });
});
