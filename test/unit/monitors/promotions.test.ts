import { mkdirSync, rmSync, utimesSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { beforeEach, describe, expect, it } from "vitest";
import { PromotionsMonitor } from "../../../local-agent/monitors/promotions.ts";
import { PromotionFacts } from "../../../src/core/hosts/monitors/facts.ts";
import { temporaryDirectory } from "../../harness/cleanup.ts";

const NOW = Date.UTC(2026, 0, 31, 12);

describe("promotions monitor", () => {
  let directory: string;
  const write = (name: string, content = "{}", hoursAgo = 1) => {
    const path = join(directory, name);
    writeFileSync(path, content);
    const seconds = (NOW - hoursAgo * 3_600_000) / 1_000;
    utimesSync(path, seconds, seconds);
  };
  const monitor = (lastDream?: string) => new PromotionsMonitor({ directory, lastDream, now: () => NOW });
  beforeEach(() => {
    directory = temporaryDirectory();
  });

  it("counts all promotions and those that wait, and reports the age of the oldest that waits", async () => {
    write("a.json", '{"skill": "a"}', 5);
    write("b.md", "# b", 2.5);
    write("c.json", '{"acknowledged": true}', 50);
    write("d.json", "{}", 60);
    write("d.json.ack", "");
    write(".hidden", "");
    write("e.json.tmp", "");
    mkdirSync(join(directory, "acknowledged"));
    write("acknowledged/old.json");
    const facts = await monitor().gather();
    expect(facts).toEqual({
      promotion_count: 4,
      unacknowledged_count: 2,
      oldest_promotion_age_hours: 5,
      newest_promotion_age_hours: 2.5,
      promotion_files: ["a.json", "b.md"],
      last_dream_time: null,
      promotions_path: directory,
      arrivals: { run: expect.any(String), count: 2, waiting: expect.stringMatching(/^[0-9a-f]{64}$/) },
    });
    expect(PromotionFacts.parse(facts)).toEqual(facts);
  });

  it("counts only *.json where the settings say so, as older systems do", async () => {
    write("a.json", "{}", 3);
    write("README.md", "# what this is");
    write(".b.json");
    const json = new PromotionsMonitor({ directory, files: "json", now: () => NOW });
    expect(await json.gather()).toMatchObject({
      promotion_count: 1,
      promotion_files: ["a.json"],
      oldest_promotion_age_hours: 3,
      newest_promotion_age_hours: 3,
    });
  });

  it("counts the promotions when the time of the last dream cannot be read, and says so", async () => {
    write("a.json");
    const facts = PromotionFacts.parse(await monitor(join(directory, "a.json", "below")).gather());
    expect(facts).toMatchObject({
      unacknowledged_count: 1,
      last_dream_time: null,
      failed: [{ part: "last_dream", reason: "it cannot be read (ENOTDIR)" }],
    });
  });

  it("says which promotion cannot be read because its name is not UTF-8", async () => {
    write("a.json");
    writeFileSync(Buffer.concat([Buffer.from(`${directory}/`), Buffer.from([0xe9]), Buffer.from(".json")]), "{}");
    expect(PromotionFacts.parse(await monitor().gather())).toMatchObject({
      unacknowledged_count: 1,
      failed: [{ part: "\ufffd.json", reason: "its name is not UTF-8: rename it" }],
    });
  });

  it.each(["true", "yes", 1])("counts a promotion as acknowledged that says so by %j", async (acknowledged) => {
    write("a.json", `\ufeff${JSON.stringify({ acknowledged })}`);
    expect(await monitor().gather()).toMatchObject({ promotion_count: 1, unacknowledged_count: 0 });
  });

  it("notices promotions that were acknowledged, rewritten or removed since the last answer", async () => {
    const looks = monitor();
    write("a.json");
    write("b.json");
    expect(await looks.gather()).toMatchObject({ unacknowledged_count: 2 });
    write("a.json", '{"acknowledged": true}');
    write("b.json.ack", "");
    expect(await looks.gather()).toMatchObject({ promotion_count: 2, unacknowledged_count: 0 });
    rmSync(join(directory, "a.json"));
    rmSync(join(directory, "b.json.ack"));
    expect(await looks.gather()).toMatchObject({
      promotion_count: 1,
      unacknowledged_count: 1,
      oldest_promotion_age_hours: 1,
    });
  });

  it("counts arrivals even if as many promotions were acknowledged, and identifies those that wait by a hash", async () => {
    const looks = monitor();
    write("a.json");
    const { arrivals: before } = PromotionFacts.parse(await looks.gather());
    write("a.json.ack", "");
    write("b.json");
    const { arrivals: after } = PromotionFacts.parse(await looks.gather());
    expect(after).toMatchObject({ run: before?.run, count: 2 });
    expect(after?.waiting).not.toBe(before?.waiting);
    const { arrivals: anew } = PromotionFacts.parse(await monitor().gather());
    expect(anew).toMatchObject({ count: 1, waiting: after?.waiting });
    expect(anew?.run).not.toBe(after?.run);
  });

  it("takes the time of the last dream from a file's content, from the file's time, or from a directory's newest file", async () => {
    const state = temporaryDirectory();
    const lastDream = async (path: string) => (await monitor(join(state, path)).gather()).last_dream_time;
    writeFileSync(join(state, "dream.json"), '{"last_dream_time": "2026-01-30T03:00:00Z"}');
    expect(await lastDream("dream.json")).toBe("2026-01-30T03:00:00Z");
    writeFileSync(join(state, "dream.txt"), "done");
    utimesSync(join(state, "dream.txt"), NOW / 1_000, NOW / 1_000);
    expect(await lastDream("dream.txt")).toBe("2026-01-31T12:00:00.000Z");
    mkdirSync(join(state, "dreams"));
    expect(await lastDream("dreams")).toBeNull();
    writeFileSync(join(state, "dreams/one.log"), "");
    utimesSync(join(state, "dreams/one.log"), NOW / 1_000, NOW / 1_000);
    expect(await lastDream("dreams")).toBe("2026-01-31T12:00:00.000Z");
    expect(await lastDream("nothing")).toBeNull();
  });

  it("names the directory that it cannot read", async () => {
    directory = join(directory, "absent");
    await expect(monitor().gather()).rejects.toThrow(/cannot be read \(ENOENT\): .*absent/);
  });
});
