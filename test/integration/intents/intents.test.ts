import { once } from "node:events";
import {
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  symlinkSync,
  utimesSync,
  writeFileSync,
} from "node:fs";
import { createServer } from "node:net";
import { join } from "node:path";
import { afterEach, describe, expect, it } from "vitest";
import { createLog } from "../../../local-agent/base/log.ts";
import { IntentSource, type IntentSourceOptions } from "../../../local-agent/intents/intent-source.ts";
import { ObservedFiles } from "../../../local-agent/intents/observed-files.ts";
import { DeadLetterOutbox } from "../../../local-agent/store/dead-letter-outbox.ts";
import { Spool } from "../../../local-agent/store/spool.ts";
import { StateDatabase } from "../../../local-agent/store/state-database.ts";
import { eventually } from "../../harness/eventually.ts";
import { silent, temporaryDirectory } from "../../unit/store/temporary-state.ts";

const closing: (() => Promise<void>)[] = [];
afterEach(async () => {
  for (const close of closing.splice(0)) await close();
});

const intent = (id: string, type = "question") => JSON.stringify({ id, type, data: { question: `What about ${id}?` } });

const errorFileOf = (file: string) => file.replace(/json$/, "error.json");

async function openRouter(options: Partial<IntentSourceOptions> & { root?: string } = {}) {
  const root = options.root ?? temporaryDirectory();
  const directory = join(root, "intents");
  mkdirSync(directory, { recursive: true });
  const db = StateDatabase.open(join(root, "state"));
  const spool = new Spool(db, { hostId: "a", maxBytes: 1e9, now: Date.now, log: silent });
  const outbox = new DeadLetterOutbox(db, { hostId: "a", log: silent });
  const router = new IntentSource({
    directory,
    hostId: "a",
    spool,
    deadLetters: outbox,
    now: Date.now,
    log: silent,
    rescanMs: 60_000,
    settleMs: 60,
    ...options,
  });
  const close = async () => {
    await router.stop();
    db.close();
  };
  closing.push(close);
  const drop = (name: string, content: string) => {
    writeFileSync(join(directory, `.${name}.tmp`), content);
    renameSync(join(directory, `.${name}.tmp`), join(directory, name));
  };
  const signals = () => {
    const found: { signal: string; source: string; facts: Record<string, unknown> }[] = [];
    for (let from = 1; ; ) {
      const batch = spool.read("local", from, 1_000, 1e9);
      if (batch === null) return found;
      found.push(...batch.texts.map((text) => JSON.parse(text)));
      from = batch.last + 1;
    }
  };
  const ids = () => signals().map(({ facts }) => facts.question_id);
  const files = () => readdirSync(directory).filter((name) => name !== "dead-letter");
  const deadLetters = () =>
    existsSync(join(directory, "dead-letter"))
      ? readdirSync(join(directory, "dead-letter"))
          .filter((name) => !name.startsWith("."))
          .sort()
      : [];
  const reason = (name: string) => JSON.parse(readFileSync(join(directory, "dead-letter", name), "utf8"));
  return { root, directory, db, spool, router, close, drop, signals, ids, files, deadLetters, reason };
}

describe("intent source", () => {
  it("turns a dropped file into a signal and removes it", async () => {
    const { router, drop, signals, files } = await openRouter();
    await router.start();
    drop("one.json", intent("one", "discover.module.foo"));
    await eventually(() => expect(files()).toEqual([]));
    expect(signals()).toMatchObject([
      {
        signal: "Q_CURIOSITY_INVESTIGATE",
        source: "intent-router/a",
        facts: {
          question: "What about one?",
          question_id: "one",
          priority: "normal",
          evidence: [],
          intent_type: "discover.module.foo",
        },
      },
    ]);
    expect(router.report()).toMatchObject({ state: "live" });
  });

  it("routes files that were dropped before it started", async () => {
    const { router, drop, ids, files } = await openRouter();
    for (let n = 0; n < 300; n++) drop(`${n}.json`, intent(`i${n}`));
    await router.start();
    await eventually(() => expect(files()).toEqual([]));
    expect(new Set(ids()).size).toBe(300);
    expect(ids()).toHaveLength(300);
  });

  it("waits for a file that is written in place", async () => {
    const { router, directory, ids, files, deadLetters } = await openRouter({ settleMs: 400 });
    await router.start();
    const whole = intent("slow");
    const path = join(directory, "slow.json");
    writeFileSync(path, whole.slice(0, 10));
    await eventually(() => expect(files()).toEqual(["slow.json"]));
    writeFileSync(path, whole.slice(0, 20));
    writeFileSync(path, whole);
    await eventually(() => expect(ids()).toEqual(["slow"]));
    await eventually(() => expect(files()).toEqual([]));
    expect(deadLetters()).toEqual([]);
  });

  it.each([
    ["half-written", intent("x").slice(0, 20), "not JSON"],
    ["empty", "", "empty"],
    ["no JSON at all", "hello", "not JSON"],
    ["of an unknown type", intent("x", "launch.rocket"), "discover.module.*"],
    ["a list", "[]", "JSON object"],
    ["without a question", '{"id":"x","type":"ask"}', "lacks"],
    ["too large", JSON.stringify({ id: "x", type: "ask", data: { question: "?".repeat(300_000) } }), "262144"],
    [
      "too large for a signal",
      JSON.stringify({ id: "x", type: "ask", data: { question: "?".repeat(100_000) } }),
      "valid signal",
    ],
  ])("moves a file that is %s to the dead letters with the reason beside it", async (_, content, words) => {
    const { router, drop, signals, files, deadLetters, reason, directory } = await openRouter();
    await router.start();
    drop("bad.json", content);
    await eventually(() => expect(deadLetters()).toEqual(["bad.error.json", "bad.json"]));
    await eventually(() => expect(files()).toEqual([]));
    expect(reason("bad.error.json")).toMatchObject({
      reason: expect.stringContaining(words),
      file: "bad.json",
      timestamp: expect.any(String),
    });
    expect(readFileSync(join(directory, "dead-letter/bad.json"), "utf8")).toBe(content);
    expect(signals()).toEqual([]);
    await eventually(() => expect(router.counts).toEqual({ routed: 0, dead: 1, keptAsText: 0 }));
  });

  it("moves links and sockets to the dead letters without reading them", async () => {
    const { router, directory, deadLetters, reason, root } = await openRouter();
    writeFileSync(join(root, "elsewhere"), intent("stolen"));
    symlinkSync(join(root, "elsewhere"), join(directory, "link.json"));
    const socket = createServer().listen(join(directory, "socket.json"));
    await once(socket, "listening");
    await router.start();
    await eventually(() => expect(deadLetters()).toHaveLength(4));
    expect(reason("link.error.json").reason).toContain("not a regular file");
    socket.close();
  });

  it("puts a file back that is replayed as soon as the edge was notified of its dead letter", async () => {
    const replayed: Promise<{ files: string[] }>[] = [];
    const { router, drop, deadLetters } = await openRouter({
      deadLetters: {
        put: async ({ id }) => {
          if (replayed.length === 0) replayed.push(router.replay({ id }));
        },
      },
    });
    await router.start();
    drop("bad.json", intent("x", "launch.rocket"));
    await eventually(() => expect(replayed).toHaveLength(1));
    const { files = [] } = (await replayed[0]) ?? {};
    expect(files).toEqual([expect.stringMatching(/^bad\.[0-9a-f]{12}\.json$/)]);
    // Nothing has changed, so the file is dead-lettered again.
    await eventually(() => expect(deadLetters()).toEqual(files.flatMap((file) => [errorFileOf(file), file])));
  });

  it("never overwrites a dead letter", async () => {
    const { router, drop, deadLetters, directory } = await openRouter();
    await router.start();
    for (const [index, content] of ["first", "second", "third"].entries()) {
      drop("bad.json", content);
      await eventually(() => expect(deadLetters()).toHaveLength((index + 1) * 2));
    }
    expect(deadLetters()).toEqual([
      "bad.2.error.json",
      "bad.2.json",
      "bad.3.error.json",
      "bad.3.json",
      "bad.error.json",
      "bad.json",
    ]);
    expect(readFileSync(join(directory, "dead-letter/bad.2.json"), "utf8")).toBe("second");
  });

  it("leaves dotfiles, other names and directories alone", async () => {
    const { router, drop, directory, files, ids } = await openRouter();
    writeFileSync(join(directory, ".hidden.json"), intent("hidden"));
    writeFileSync(join(directory, "notes.txt"), intent("notes"));
    mkdirSync(join(directory, "folder.json"));
    await router.start();
    drop("last.json", intent("last"));
    await eventually(() => expect(ids()).toEqual(["last"]));
    await eventually(() => expect(files().sort()).toEqual([".hidden.json", "folder.json", "notes.txt"]));
  });

  it("finds files by scanning when the kernel sent no event", async () => {
    const { router, directory, drop, ids } = await openRouter();
    await router.start();
    // A directory that is made anew sends no events, as an overflowing queue sends none.
    rmSync(directory, { recursive: true });
    mkdirSync(directory);
    drop("a.json", intent("a"));
    await router.rescan();
    await eventually(() => expect(ids()).toEqual(["a"]));
    drop("b.json", intent("b"));
    await eventually(() => expect(ids()).toEqual(["a", "b"]));
  });

  it("routes a file once that a crash left between the commit of its signal and its removal", async () => {
    const second = await openRouter();
    second.drop("two.json", intent("two"));
    const put = second.spool.put.bind(second.spool);
    second.spool.put = async (...args) => {
      await put(...args);
      throw new Error("killed before the removal");
    };
    await second.router.start();
    await eventually(() => expect(second.ids()).toEqual(["two"]));
    await second.close();
    expect(second.files()).toEqual(["two.json"]);
    const third = await openRouter({ root: second.root });
    await third.router.start();
    await eventually(() => expect(third.files()).toEqual([]));
    expect(third.ids()).toEqual(["two"]);
    expect(third.router.counts.routed).toBe(0);
  });

  it("routes a file that replaced another of the same name while that one's signal was written", async () => {
    const { spool, router, drop, ids, files } = await openRouter();
    const put = spool.put.bind(spool);
    let once = true;
    spool.put = async (...args) => {
      const outcome = await put(...args);
      if (once) drop("same.json", intent("second"));
      once = false;
      return outcome;
    };
    await router.start();
    drop("same.json", intent("first"));
    await eventually(() => expect(ids()).toEqual(["first", "second"]));
    await eventually(() => expect(files()).toEqual([]));
  });

  it("routes the same content again when it is dropped a second time", async () => {
    const { router, drop, ids, files, directory } = await openRouter();
    await router.start();
    for (const time of [1_000, 2_000]) {
      writeFileSync(join(directory, ".again.tmp"), intent("again"));
      utimesSync(join(directory, ".again.tmp"), time, time);
      renameSync(join(directory, ".again.tmp"), join(directory, "again.json"));
      await eventually(() => expect(files()).toEqual([]));
    }
    drop("other.json", intent("again"));
    await eventually(() => expect(ids()).toEqual(["again", "again", "again"]));
  });

  it("keeps a file whose signal could not be written, and routes it later", async () => {
    const { spool, router, drop, ids, files } = await openRouter();
    const put = spool.put.bind(spool);
    spool.put = () => Promise.reject(new Error("database or disk is full"));
    await router.start();
    drop("one.json", intent("one"));
    await router.rescan();
    expect(files()).toEqual(["one.json"]);
    spool.put = put;
    await eventually(() => {
      void router.rescan();
      expect(ids()).toEqual(["one"]);
    });
  });

  it("reports a directory that cannot be used", async () => {
    const root = temporaryDirectory();
    writeFileSync(join(root, "file"), "");
    const { router } = await openRouter({ directory: join(root, "file", "intents") });
    await router.start();
    expect(router.report()).toMatchObject({ state: "failing", detail: expect.stringContaining("file") });
  });

  it("routes a file with a name as long as the kernel allows", async () => {
    const { router, directory, files, ids } = await openRouter();
    const name = `${"a".repeat(250)}.json`;
    writeFileSync(join(directory, name), intent("long"));
    await router.start();
    await eventually(() => expect(files()).toEqual([]));
    expect(ids()).toEqual(["long"]);
  });

  it("dead-letters a file with a name of 255 bytes once, and a replay brings it back", async () => {
    const { router, directory, files, deadLetters, reason } = await openRouter();
    const name = `${"ä".repeat(125)}.json`;
    writeFileSync(join(directory, name), intent("long", "launch.rocket"));
    await router.start();
    await eventually(() => expect(files()).toEqual([]));
    const [error = "", dead = ""] = deadLetters();
    expect(deadLetters()).toHaveLength(2);
    expect(dead).toMatch(/^ä+~[0-9a-f]{12}\.json$/);
    const { files: back } = await router.replay({ id: reason(error).letter });
    expect(back).toHaveLength(1);
    await eventually(() => expect(files()).toEqual([]));
    expect(deadLetters()).toHaveLength(2);
  });

  it("routes a file whose name is not UTF-8, and says under which name", async () => {
    const { router, directory, files, ids } = await openRouter();
    const raw = Buffer.concat([Buffer.from(`${directory}/caf`), Buffer.from([0xe9]), Buffer.from(".json")]);
    writeFileSync(raw, intent("latin1"));
    await router.start();
    await eventually(() => expect(ids()).toEqual(["latin1"]));
    await eventually(() => expect(files()).toEqual([]));
  });

  it("routes a file whose name is not UTF-8 and which is dropped while it runs", async () => {
    const { router, directory, files, ids } = await openRouter();
    await router.start();
    const raw = (name: number[]) => Buffer.concat([Buffer.from(`${directory}/`), Buffer.from(name)]);
    writeFileSync(raw([0x2e, 0xff]), intent("latin1"));
    renameSync(raw([0x2e, 0xff]), raw([0xff, 0x2e, 0x4a, 0x53, 0x4f, 0x4e]));
    await eventually(() => expect(ids()).toEqual(["latin1"]));
    await eventually(() => expect(files()).toEqual([]));
  });

  it("sets a file whose name is not UTF-8 aside when it is no intent", async () => {
    const { router, directory, deadLetters } = await openRouter();
    writeFileSync(Buffer.concat([Buffer.from(`${directory}/`), Buffer.from([0xe9]), Buffer.from(".json")]), "[]");
    await router.start();
    await eventually(() => expect(deadLetters()).toHaveLength(2));
    expect(deadLetters()[1]).toMatch(/^%E9\.[0-9a-f]{12}\.json$/);
  });

  it.each(["one.JSON", "one.Json"])("routes a file named %s", async (name) => {
    const { router, drop, files, ids } = await openRouter();
    await router.start();
    drop(name, intent("capitals"));
    await eventually(() => expect(files()).toEqual([]));
    expect(ids()).toEqual(["capitals"]);
  });

  it.each(["some.jsonl", "some.ndjson", "SOME.JSONL"])(
    "dead-letters %s and says what to do with lines",
    async (name) => {
      const { router, drop, files, deadLetters, reason } = await openRouter();
      await router.start();
      drop(name, `${intent("a")}\n${intent("b")}\n`);
      await eventually(() => expect(files()).toEqual([]));
      expect(deadLetters()).toEqual([`${name}.error.json`, `${name}.json`]);
      expect(reason(`${name}.error.json`).reason).toContain("ganglion emit -");
    },
  );

  it("says which files it does not read", async () => {
    const { router, directory } = await openRouter();
    writeFileSync(join(directory, "notes.txt"), "");
    writeFileSync(join(directory, "half.json.part"), "");
    await router.start();
    expect(router.report()).toEqual({
      name: "intents",
      state: "live",
      detail: `${directory}; not read, because their names do not end with .json: notes.txt`,
    });
    rmSync(join(directory, "notes.txt"));
    await router.rescan();
    expect(router.report().detail).toBe(directory);
  });

  it("does not take the folder of its dead letters for a file", async () => {
    const { router, directory, drop, deadLetters } = await openRouter();
    await router.start();
    drop("bad.json", "");
    await eventually(() => expect(deadLetters()).toHaveLength(2));
    await router.rescan();
    expect(router.report().detail).toBe(directory);
  });

  it("tries a file whose signal cannot be written less and less often, and logs the reason once", async () => {
    const lines: string[] = [];
    const log = createLog({ format: "json", level: "silent" });
    log.error = (...args: unknown[]) => void lines.push(String(args.at(-1)));
    let puts = 0;
    const { spool, router, drop } = await openRouter({ log, rescanMs: 1 });
    spool.put = () => {
      puts++;
      return Promise.reject(new Error("database or disk is full"));
    };
    await router.start();
    drop("one.json", intent("one"));
    await eventually(() => expect(puts).toBe(2));
    expect(lines).toHaveLength(1);
  });

  it("dead-letters a file whose handling fails the same way each time", async () => {
    const { spool, router, drop, files, deadLetters, reason } = await openRouter();
    spool.put = () => Promise.reject(Object.assign(new Error("ENAMETOOLONG: name too long"), { code: "ENAMETOOLONG" }));
    await router.start();
    drop("one.json", intent("one"));
    await eventually(() => expect(files()).toEqual([]));
    expect(deadLetters()).toEqual(["one.error.json", "one.json"]);
    expect(reason("one.error.json").reason).toBe("the file cannot be handled: ENAMETOOLONG: name too long");
  });

  it("does not write dead letters through a link that leads out of the directory", async () => {
    const { router, root, directory, drop, files } = await openRouter();
    mkdirSync(join(root, "elsewhere"));
    symlinkSync(join(root, "elsewhere"), join(directory, "dead-letter"));
    await router.start();
    drop("bad.json", "[]");
    await router.rescan();
    await eventually(() => expect(files()).toEqual([expect.stringMatching(/^\.bad\.json\.[0-9a-f]{12}\.staged$/)]));
    expect(readdirSync(join(root, "elsewhere"))).toEqual([]);
  });
});

describe("an intent source that observes", () => {
  const aQuestion = (id: string) => intent(id, "discover.module");

  it("routes a copy of each file once and leaves the file, also over a restart", async () => {
    const observed = new ObservedFiles(Date.now);
    const first = await openRouter({ observed, rescanMs: 20 });
    await first.router.start();
    first.drop("one.json", aQuestion("one"));
    first.drop("bad.json", "no JSON");
    await eventually(() => expect(observed.report).toMatchObject({ routed: 1, unroutable: 1 }));
    await first.router.rescan();
    expect(first.ids()).toEqual(["one"]);
    expect(first.files().sort()).toEqual(["bad.json", "one.json"]);
    expect(first.deadLetters()).toEqual([]);
    expect(first.router.report().detail).toContain("files are left there");
    await first.close();

    const again = new ObservedFiles(Date.now);
    const second = await openRouter({ root: first.root, observed: again });
    await second.router.start();
    second.drop("two.json", aQuestion("two"));
    await eventually(() => expect(second.ids()).toEqual(["one", "two"]));
    expect(again.report.routed).toBe(1);
  });

  it("tells what both routers did, what one alone did, and what it missed", async () => {
    const observed = new ObservedFiles(Date.now);
    const { router, drop, directory } = await openRouter({ observed });
    await router.start();
    const facts = (id: string) => ({ question: `What about ${id}?`, question_id: `other-${id}` });
    observed.heard("Q_CURIOSITY_INVESTIGATE", facts("early"));
    observed.heard("Q_CURIOSITY_INVESTIGATE", facts("lost"));
    observed.heard("Q_OTHER", {});
    for (const id of ["early", "late", "ours"]) drop(`${id}.json`, aQuestion(id));
    await eventually(() => expect(observed.report.routed).toBe(3));
    observed.heard("Q_CURIOSITY_INVESTIGATE", facts("late"));
    observed.heard("Q_CURIOSITY_INVESTIGATE", facts("late"));
    expect(observed.report).toMatchObject({ done_twice: 2, only_by_the_other: 1, missed: 0 });
    expect(observed.report.last.map(({ file, twice }) => `${file} ${twice}`).sort()).toEqual([
      "early.json true",
      "late.json true",
      "ours.json false",
    ]);
    // The other router takes its files away: some before they can be read.
    rmSync(join(directory, "ours.json"));
    await router.rescan();
    expect(observed.report.missed).toBe(0);
  });
});
