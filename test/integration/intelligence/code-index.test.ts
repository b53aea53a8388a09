import { cpSync, mkdirSync, renameSync, rmSync, symlinkSync, truncateSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterEach, describe, expect, it } from "vitest";
import { answerRequest } from "../../../local-agent/intelligence/answer-request.ts";
import { CodeIndex } from "../../../local-agent/intelligence/code-index.ts";
import { IndexStore } from "../../../local-agent/intelligence/index-store.ts";
import { PROJECT_ROOT } from "../../../local-edge/paths.ts";
import type { PatternsAnswer } from "../../../src/core/intelligence/answer.ts";
import { type RequestPayload, requestOf } from "../../../src/core/intelligence/request.ts";
import { temporaryDirectory } from "../../harness/cleanup.ts";
import { eventually } from "../../harness/eventually.ts";

const NODES = join(PROJECT_ROOT, "examples", "nodes");
const LANGUAGES = new Set(["python"] as const);
const SECRET =
  'class Outside:\n    """Nobody may see this."""\n\n    def secret(self) -> str:\n        return "outside"\n';
const HUNDRED_MB = 100 * 1024 * 1024;

const open: { close(): Promise<void> }[] = [];
afterEach(async () => {
  for (const each of open.splice(0)) await each.close();
});

/** An index of one root, which holds the nodes of the examples. Outside of it lies a file that nobody may see. */
async function indexed(prepare: (root: string, outside: string) => void = () => undefined) {
  const directory = temporaryDirectory();
  const root = join(directory, "code");
  const outside = join(directory, "outside");
  mkdirSync(outside);
  writeFileSync(join(outside, "node_secret_effect.py"), SECRET);
  cpSync(NODES, join(root, "nodes"), { recursive: true });
  prepare(root, outside);
  const store = IndexStore.open(join(directory, "index.db"));
  const warnings: string[] = [];
  const index = new CodeIndex({
    roots: [root],
    languages: LANGUAGES,
    ignored: new Set(),
    maxFiles: 1_000,
    store,
    warn: (message) => warnings.push(message),
    onChange: () => undefined,
  });
  open.push({
    close: async () => {
      await index.close();
      store.close();
    },
  });
  index.start();
  const settled = () => eventually(() => expect([index.ready, index.settled]).toEqual([true, true]));
  await settled();
  const answerer = { index, store, languages: LANGUAGES, now: Date.now };
  const ask = (payload: Partial<RequestPayload> & { source_path: string }) =>
    answerRequest(requestOf(payload as RequestPayload), answerer);
  const patterns = async (source_path = "*.py") =>
    (await ask({
      source_path,
      operation_type: "PATTERN_EXTRACTION",
      options: { quality_threshold: 0 },
    })) as PatternsAnswer;
  const errorOf = async (source_path: string) => {
    const file = [...index.files].find(({ path }) => path === source_path);
    return file?.error;
  };
  return { root, outside, index, warnings, ask, patterns, errorOf, settled };
}

describe("a hostile file below a code root", () => {
  it.each([
    [
      "of a hundred megabytes",
      "node_huge_effect.py",
      /larger than 1048576 bytes/,
      (path: string) => {
        writeFileSync(path, "");
        truncateSync(path, HUNDRED_MB);
      },
    ],
    [
      "that is binary and named .py",
      "node_binary_effect.py",
      /it is binary/,
      (path: string) => writeFileSync(path, Buffer.from([0x7f, 0x45, 0x4c, 0x46, 0, 0, 1])),
    ],
    [
      "that is no UTF-8",
      "node_latin_effect.py",
      /it is not UTF-8/,
      (path: string) => writeFileSync(path, Buffer.from([0x61, 0xff, 0xfe, 0x62])),
    ],
    ["that cannot be parsed", "node_torn_effect.py", /line 1/, (path: string) => writeFileSync(path, "def (:\n")],
  ] as const)("%s is counted as failed, is no pattern, and its analysis says why", async (_, name, why, write) => {
    const { ask, patterns, errorOf } = await indexed((root) => write(join(root, name)));
    expect(await errorOf(name)).toMatch(why);
    const answer = await patterns(name);
    expect(answer).toMatchObject({ patterns: [], total_count: 0, searched: { files_matched: 1, files_failed: 1 } });
    await expect(ask({ source_path: name })).rejects.toMatchObject({
      code: name === "node_torn_effect.py" ? "PARSING_ERROR" : "INVALID_INPUT",
    });
    expect((await patterns()).total_count).toBeGreaterThan(0);
  });

  it("that is a link, or lies behind one, is not there", async () => {
    const { ask, patterns } = await indexed((root, outside) => {
      symlinkSync(join(outside, "node_secret_effect.py"), join(root, "node_link_effect.py"));
      symlinkSync(outside, join(root, "linked"));
      symlinkSync(root, join(root, "loop"));
    });
    for (const path of ["node_link_effect.py", "linked/node_secret_effect.py", "loop/nodes/node_mail_effect.py"])
      await expect(ask({ source_path: path })).rejects.toMatchObject({ code: "INVALID_INPUT" });
    expect(JSON.stringify(await patterns("*secret*"))).not.toContain("outside");
  });

  it("whose directory becomes a link that leads out is not read", async () => {
    const { root, outside, ask, index } = await indexed((root) => {
      mkdirSync(join(root, "deep"));
      writeFileSync(join(root, "deep", "node_secret_effect.py"), "class Inside:\n    pass\n");
    });
    await index.close();
    renameSync(join(root, "deep"), join(root, "moved"));
    symlinkSync(outside, join(root, "deep"));
    await expect(ask({ source_path: "deep/node_secret_effect.py" })).rejects.toMatchObject({
      code: "INVALID_INPUT",
      message: expect.stringContaining("outside of the code roots"),
    });
  });
});

describe("a path that leads out of the code roots", () => {
  it.each([
    "../outside/node_secret_effect.py",
    "nodes/../../outside/node_secret_effect.py",
    "nodes\\..\\..\\outside",
    "/etc/passwd",
    "nodes/\0",
  ])("is refused by its text alone: %j", async (source_path) => {
    const { ask } = await indexed();
    for (const operation_type of ["PATTERN_EXTRACTION", "COMPREHENSIVE_ANALYSIS"])
      await expect(ask({ source_path, operation_type })).rejects.toMatchObject({ code: "INVALID_INPUT" });
  });
});

describe("a code root that disappears", () => {
  it("leaves the index with all of its files, and comes back with them", async () => {
    const { root, index, warnings, ask, patterns, settled } = await indexed();
    const before = (await patterns()).total_count;
    renameSync(root, `${root}.away`);
    index.rescan();
    await eventually(() => expect(index.size).toBe(0));
    await settled();
    expect(await patterns()).toMatchObject({ total_count: 0, searched: { roots: 0, files_seen: 0 } });
    await expect(ask({ source_path: "nodes/node_mail_effect.py" })).rejects.toMatchObject({ code: "INVALID_INPUT" });
    expect(warnings).toContainEqual(expect.stringContaining("is not there any more"));
    renameSync(`${root}.away`, root);
    index.rescan();
    await eventually(async () => expect((await patterns()).total_count).toBe(before));
    rmSync(root, { recursive: true });
  });
});
