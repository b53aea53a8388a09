import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { loadSettings } from "../../../local-agent/config/settings.ts";
import { temporaryDirectory } from "../store/temporary-state.ts";

function load(yaml: string, env: Record<string, string> = {}) {
  const directory = temporaryDirectory();
  const file = join(directory, "agent.yaml");
  writeFileSync(file, yaml);
  return { ...loadSettings({ GANGLION_TOKEN: "t", GANGLION_HOST_ID: "h", ...env }, directory, file), file };
}

describe("the section intelligence of an agent", () => {
  it("names code roots, and what counts for those who ask with its origin", () => {
    const { settings, problems, asking } = load("intelligence:\n  roots: [code]\n  share: 20\n", {
      KAFKA_REQUEST_TIMEOUT_MS: "6000",
    });
    expect(problems).toEqual([]);
    expect(settings?.intelligence).toMatchObject({
      roots: ["code"],
      languages: ["python", "typescript", "javascript"],
    });
    expect(settings?.asking).toMatchObject({ share: 20, requestTimeoutMs: 6_000 });
    expect(asking).toContainEqual({ name: "share", value: 20, origin: "intelligence.share" });
    expect(asking).toContainEqual({ name: "request_timeout_ms", value: 6_000, origin: "KAFKA_REQUEST_TIMEOUT_MS" });
    expect(asking).toContainEqual({ name: "live", value: true, origin: "default" });
  });

  it("is refused with the line of its mistake", () => {
    const { file, settings, problems } = load("intelligence:\n  roots: [code]\n  share: 200\n");
    expect(settings).toBeUndefined();
    expect(problems).toEqual([
      {
        severity: "error",
        where: "intelligence.share",
        message: "give percent from 0 to 100",
        file,
        line: 3,
        column: 3,
      },
    ]);
    expect(load("intelligence:\n  root: [code]\n").problems[0]?.message).toContain("did you mean roots?");
  });

  it("may stay as it is with the settings of a broker, which the check tells to be unused", () => {
    const { settings, problems } = load("", { KAFKA_BOOTSTRAP_SERVERS: "localhost:29092" });
    expect(settings).toBeDefined();
    expect(problems).toMatchObject([{ severity: "warning", where: "KAFKA_BOOTSTRAP_SERVERS" }]);
  });
});
