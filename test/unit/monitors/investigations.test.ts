import { appendFileSync, renameSync, symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { beforeEach, describe, expect, it } from "vitest";
import { InvestigationsMonitor } from "../../../local-agent/monitors/investigations.ts";
import { InvestigationFacts, ModuleFacts } from "../../../src/core/hosts/monitors/facts.ts";
import { temporaryDirectory } from "../../harness/cleanup.ts";

describe("investigations monitor", () => {
  let path: string;
  let cursor: string | undefined;
  const found = (name: string, more: object = {}) =>
    `${JSON.stringify({ timestamp: `at-${name}`, hypothesis: `UNDISCOVERED_MODULE_${name}`, module_path: `/m/${name}`, ...more })}\n`;
  const look = async () => {
    const monitor = new InvestigationsMonitor({ path, prefix: "UNDISCOVERED_MODULE_" });
    const facts = InvestigationFacts.parse(await monitor.gather(cursor));
    ({ cursor } = facts);
    return facts.modules.map((module) => ModuleFacts.parse(module));
  };
  const names = async () => (await look()).map(({ module_name }) => module_name);
  beforeEach(() => {
    path = join(temporaryDirectory(), "curiosity_investigations.jsonl");
    cursor = undefined;
  });

  it("reports discovered modules with the fields of their investigation, and no other lines", async () => {
    appendFileSync(path, found("vision", { investigation_id: "i-1", py_files_count: 3, has_init: false }));
    appendFileSync(
      path,
      `${JSON.stringify({ hypothesis: "SLOW_ON_MONDAYS", module_name: "x" })}\nnot json\n\n7\nnull\n`,
    );
    appendFileSync(path, found("V", { module_name: "voice", module_path: undefined }));
    expect(await look()).toEqual([
      { module_name: "vision", module_path: "/m/vision", investigation_id: "i-1", py_files_count: 3, has_init: false },
      { module_name: "voice", module_path: "voice", investigation_id: "at-V" },
    ]);
  });

  it("reads name, path and number of files of an older line from capability and evidence", async () => {
    appendFileSync(
      path,
      '{"timestamp": "2026-01-06T08:00:00.123456", "capability": "speech_tools", "question": "Should speech_tools become a capability?", "hypothesis": "UNDISCOVERED_MODULE_SPEECH_TOOLS", "evidence": ["path:/srv/organs/speech_tools", "has_init:False", "py_files:3", "has_docs:True"], "probe_results": []}\n',
    );
    expect(await look()).toEqual([
      {
        module_name: "speech_tools",
        module_path: "/srv/organs/speech_tools",
        investigation_id: "2026-01-06T08:00:00.123456",
        py_files_count: 3,
        has_init: false,
      },
    ]);
  });

  it("continues from the cursor of the last stored answer, and repeats an answer that was not stored", async () => {
    appendFileSync(path, found("a"));
    const first = await look();
    const kept = cursor;
    appendFileSync(path, found("b").slice(0, 20));
    expect(await names()).toEqual([]);
    appendFileSync(path, found("b").slice(20));
    expect(await names()).toEqual(["b"]);
    cursor = kept;
    expect(await names()).toEqual(["b"]);
    cursor = undefined;
    expect(await look()).toHaveLength(first.length + 1);
  });

  it("reads the rest of a rotated log before the new log", async () => {
    appendFileSync(path, found("a"));
    await look();
    appendFileSync(path, found("b"));
    renameSync(path, `${path}.1`);
    writeFileSync(path, found("c"));
    expect(await names()).toEqual(["b", "c"]);
    appendFileSync(path, found("d"));
    expect(await names()).toEqual(["d"]);
  });

  it("reads the last line of a rotated log that has no line feed", async () => {
    appendFileSync(path, found("a") + found("b").trimEnd());
    expect(await names()).toEqual(["a"]);
    renameSync(path, `${path}.1`);
    writeFileSync(path, found("c"));
    expect(await names()).toEqual(["b", "c"]);
  });

  it("says that a log behind a link is not read", async () => {
    writeFileSync(`${path}.behind`, found("a"));
    symlinkSync(`${path}.behind`, path);
    await expect(look()).rejects.toThrow("it is a link, and links are not followed");
  });

  it("reads an emptied log from its start", async () => {
    appendFileSync(path, found("a") + found("b"));
    await look();
    writeFileSync(path, found("c"));
    expect(await names()).toEqual(["c"]);
  });

  it("reads the last line of a log without its line feed that was copied and emptied, also for a lost answer", async () => {
    const monitor = new InvestigationsMonitor({ path, prefix: "UNDISCOVERED_MODULE_" });
    const gather = async (after?: string) => {
      const facts = InvestigationFacts.parse(await monitor.gather(after));
      return { names: facts.modules.map((module) => ModuleFacts.parse(module).module_name), next: facts.cursor };
    };
    appendFileSync(path, found("a") + found("b").trimEnd());
    const first = await gather();
    expect(first.names).toEqual(["a"]);
    writeFileSync(path, found("c"));
    const lost = await gather(first.next);
    expect(lost.names).toEqual(["b", "c"]);
    expect(await gather(first.next)).toEqual(lost);
    expect((await gather(lost.next)).names).toEqual([]);
  });

  it("reports a long log in several answers, each module once", async () => {
    writeFileSync(path, Array.from({ length: 450 }, (_, n) => found(String(n))).join(""));
    const pieces = [await names(), await names(), await names(), await names()];
    expect(pieces.map((piece) => piece.length)).toEqual([200, 200, 50, 0]);
    expect(new Set(pieces.flat()).size).toBe(450);
  });

  it("reports no modules while there is no log", async () => {
    expect(await names()).toEqual([]);
    writeFileSync(path, found("a"));
    expect(await names()).toEqual(["a"]);
  });
});
