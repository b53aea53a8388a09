import { mkdirSync, readdirSync, readFileSync, renameSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { afterEach, expect, it } from "vitest";
import { runAgent } from "../../harness/running-agent.ts";
import { within } from "../../harness/until.ts";
import { temporaryDirectory } from "../../unit/store/temporary-state.ts";
import { FakeEdge } from "../link/fake-edge.ts";

const closing: (() => unknown)[] = [];
afterEach(async () => {
  for (const close of closing.splice(0).reverse()) await close();
});

/** Events that the kernel queues for a watcher that does not read. Beyond this number it drops events silently. */
const QUEUED_EVENTS = Number(readFileSync("/proc/sys/fs/inotify/max_queued_events", "utf8"));
const FILES = Number(process.env.GANGLION_TEST_INTENT_FILES) || QUEUED_EVENTS + 2_000;
/** Where the kernel queues more than its default of 16,384 events, so many files would take too long. */
const MANY = 60_000;

it.skipIf(FILES > MANY)(
  "the intent source routes every file once when more were dropped than the kernel reports events for",
  async () => {
    expect(FILES).toBeGreaterThan(QUEUED_EVENTS);
    const edge = await FakeEdge.listen();
    closing.push(() => edge.close());
    const directory = temporaryDirectory();
    const drafts = join(directory, "drafts");
    mkdirSync(drafts);
    for (let n = 0; n < FILES; n++)
      writeFileSync(join(drafts, `${n}.json`), `{"id":"${n}","type":"ask","data":{"question":"Why ${n}?"}}`);
    const agent = await runAgent({ url: edge.url, token: "secret" }, { stateDir: join(directory, "state") });
    closing.push(() => agent.process.killGroup());
    await agent.linked();
    agent.process.signal("SIGSTOP");
    for (let n = 0; n < FILES; n++) renameSync(join(drafts, `${n}.json`), join(agent.intentsDir, `${n}.json`));
    agent.process.signal("SIGCONT");
    await within(
      edge.when(() => edge.log.length >= FILES),
      "all files to be routed",
      200_000,
    );
    expect(await agent.process.stop()).toBe(0);
    expect(edge.log).toHaveLength(FILES);
    expect(new Set(edge.log.map(({ facts }) => facts.question_id)).size).toBe(FILES);
    expect(readdirSync(agent.intentsDir)).toEqual([]);
    // No identity is kept: the database does not grow with the number of files ever taken.
    const db = new DatabaseSync(join(agent.stateDir, "agent.db"), { readOnly: true });
    closing.push(() => db.close());
    for (const table of ["taken", "spool_local"])
      expect(db.prepare(`SELECT count(*) AS count FROM ${table}`).get()).toEqual({ count: 0 });
  },
);
