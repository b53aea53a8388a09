import { mkdirSync, readdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { replayIntent } from "../../../local-agent/intents/replay-intent.ts";
import { temporaryDirectory } from "../store/temporary-state.ts";

function folderWith(...dead: { stem: string; letter: string; file: string }[]) {
  const directory = temporaryDirectory();
  const folder = join(directory, "dead-letter");
  mkdirSync(folder);
  for (const { stem, letter, file } of dead) {
    writeFileSync(join(folder, `${stem}.json`), "{");
    writeFileSync(join(folder, `${stem}.error.json`), JSON.stringify({ reason: "not JSON", letter, file }));
  }
  const files = () => readdirSync(directory).filter((name) => name !== "dead-letter");
  return { directory, files, left: () => readdirSync(folder).sort() };
}

describe("the replay of a dead-lettered intent", () => {
  it("puts back all files of the dead letter, and no other, under new names", async () => {
    const at = folderWith(
      { stem: "a", letter: "h.intent.1", file: "a.json" },
      { stem: "a.2", letter: "h.intent.1", file: "a.json" },
      { stem: "b", letter: "h.intent.2", file: "b.json" },
    );
    writeFileSync(join(at.directory, "a.json"), "{}");
    const { files } = await replayIntent({ id: "h.intent.1", kind: "intent" }, at.directory);
    expect(files).toHaveLength(2);
    expect(at.files().sort()).toEqual(["a.json", ...files].sort());
    expect(at.left()).toEqual(["b.error.json", "b.json"]);
    // A second request, because the answer to the first was lost, finds no file left.
    expect(await replayIntent({ id: "h.intent.1" }, at.directory)).toEqual({ files: [] });
  });

  it("puts back the files of a dead letter that was sent after the host was renamed", async () => {
    const at = folderWith({ stem: "a", letter: "old.intent.1", file: "a.json" });
    expect((await replayIntent({ id: "new.old.intent.1" }, at.directory)).files).toHaveLength(1);
    expect((await replayIntent({ id: "new.intent.1" }, at.directory)).files).toEqual([]);
  });

  it("is refused for a dead letter without an id", async () => {
    await expect(replayIntent({}, temporaryDirectory())).rejects.toThrow("give a dead letter with its id");
  });

  it("puts nothing back where no intent was ever dead-lettered", async () => {
    expect(await replayIntent({ id: "x" }, temporaryDirectory())).toEqual({ files: [] });
  });

  it.each(["../../stolen.json", "/etc/stolen.json", "sub/stolen.json", "..", "a\0b.json"])(
    "moves no file to %j, which an error file names, and says so",
    async (file) => {
      const at = folderWith({ stem: "a", letter: "h.intent.1", file });
      await expect(replayIntent({ id: "h.intent.1" }, at.directory)).rejects.toThrow("is not the name of a file");
      expect(at.files()).toEqual([]);
      expect(at.left()).toEqual(["a.error.json", "a.json"]);
    },
  );

  it("takes no file out of a directory to which the folder of dead letters is linked", async () => {
    const other = folderWith({ stem: "a", letter: "h.intent.1", file: "a.json" });
    const directory = temporaryDirectory();
    symlinkSync(join(other.directory, "dead-letter"), join(directory, "dead-letter"));
    await expect(replayIntent({ id: "h.intent.1" }, directory)).rejects.toThrow("is a link that leads out of");
    expect(other.left()).toEqual(["a.error.json", "a.json"]);
  });

  it("does not bring back the target of a link that lies among the dead letters", async () => {
    const at = folderWith({ stem: "a", letter: "h.intent.1", file: "a.json" });
    const secret = join(temporaryDirectory(), "secret");
    writeFileSync(secret, "secret");
    rmSync(join(at.directory, "dead-letter", "a.json"));
    symlinkSync(secret, join(at.directory, "dead-letter", "a.json"));
    const { files } = await replayIntent({ id: "h.intent.1" }, at.directory);
    expect(files).toHaveLength(1);
    // The link itself is moved, and the watch dead-letters it again without reading through it.
    expect(readFileSync(secret, "utf8")).toBe("secret");
  });
});
