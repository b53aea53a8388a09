import { fork } from "node:child_process";
import { once } from "node:events";
import { existsSync, readdirSync, readFileSync, symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { replaceUnchanged } from "../../../local-agent/base/files/replace-unchanged.ts";
import { temporaryDirectory } from "../../harness/cleanup.ts";
import { within } from "../../harness/until.ts";

function aFile(content?: string) {
  const path = join(temporaryDirectory(), "list.yaml");
  if (content !== undefined) writeFileSync(path, content, { mode: 0o640 });
  return path;
}

/**
 * A person at an editor: saves what he has in it, by a new file in the place of the old one, and what others have added.
 * Ends with 7 when something that he has saved does not stay.
 */
const EDITS = 300;
const EDITOR = `
const { readFileSync, renameSync, writeFileSync } = require("node:fs");
const [path] = process.argv.slice(1);
const read = () => readFileSync(path, "utf8").split("\\n").filter(Boolean);
for (let own = []; own.length < ${EDITS}; ) {
  own.push("person " + own.length);
  writeFileSync(path + ".editor", [...read().filter((line) => !line.startsWith("person")), ...own, ""].join("\\n"));
  renameSync(path + ".editor", path);
  const untilMs = Date.now() + 5_000;
  while (!read().includes(own.at(-1))) if (Date.now() > untilMs) process.exit(7);
}`;

test("replaceUnchanged loses no text that another process saves, however often both write at the same moment", async () => {
  const path = aFile("");
  const editor = fork("-e", [], { execArgv: ["-e", EDITOR, path], silent: true });
  const ended = once(editor, "exit");
  let over = false;
  void ended.then(() => {
    over = true;
  });
  const outcomes = { replaced: 0, changed: 0 };
  for (let n = 0; !over; n++) {
    const before = readFileSync(path, "utf8");
    outcomes[await replaceUnchanged(path, before, `${before}agent ${n}\n`)]++;
  }
  expect(await within(ended, "the editor to be done")).toEqual([0, null]);
  const persons = readFileSync(path, "utf8")
    .split("\n")
    .filter((line) => line.startsWith("person"));
  expect(persons).toEqual(Array.from({ length: EDITS }, (_, n) => `person ${n}`));
  expect(outcomes.replaced).toBeGreaterThan(0);
});

test("replaceUnchanged creates, replaces and removes a file only if it has not changed since it was read", async () => {
  const path = aFile();
  expect(await replaceUnchanged(path, "something", "ours")).toBe("changed");
  expect(existsSync(path)).toBe(false);
  expect(await replaceUnchanged(path, null, "ours")).toBe("replaced");
  expect(await replaceUnchanged(path, null, "again")).toBe("changed");
  expect(await replaceUnchanged(path, "theirs", "again")).toBe("changed");
  expect(await replaceUnchanged(path, "theirs", null)).toBe("changed");
  expect(readFileSync(path, "utf8")).toBe("ours");
  expect(await replaceUnchanged(path, "ours", "next", { backup: `${path}.bak` })).toBe("replaced");
  expect(readFileSync(`${path}.bak`, "utf8")).toBe("ours");
  expect(await replaceUnchanged(path, "next", null)).toBe("replaced");
  expect(readdirSync(join(path, ".."))).toEqual(["list.yaml.bak"]);
});

test("replaceUnchanged keeps a link and the permissions of its file", async () => {
  const path = aFile("one");
  const link = join(temporaryDirectory(), "link.yaml");
  symlinkSync(path, link);
  expect(await replaceUnchanged(link, "one", "two", { backup: `${link}.bak` })).toBe("replaced");
  expect(readFileSync(path, "utf8")).toBe("two");
  expect(readFileSync(`${link}.bak`, "utf8")).toBe("one");
});

test("replaceUnchanged keeps the leftover of a crash under a visible name", async () => {
  const path = aFile("ours");
  writeFileSync(join(path, "..", ".list.yaml.exchanged"), "an edit that had come out");
  expect(await replaceUnchanged(path, "ours", "next")).toBe("replaced");
  expect(readFileSync(`${path}.conflict`, "utf8")).toBe("an edit that had come out");
});
