import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { KNOWN_SIGNALS } from "../../../src/core/signals/known-signals.ts";

const ROOT = join(import.meta.dirname, "../../..");
const KNOWN_FILE = "known-signals.ts";
/** Code by which Ganglion can say something. */
const sources = ["src", "local-agent", "policies"].flatMap((folder) =>
  readdirSync(join(ROOT, folder), { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile() && /\.(ts|yaml)$/.test(entry.name) && entry.name !== KNOWN_FILE)
    .map((entry) => readFileSync(join(entry.parentPath, entry.name), "utf8")),
);
const code = sources.join("\n");
/** Names as values: in quotes, or after `signal:` in YAML. Comments name signals in back-quotes. */
const emitted = new Set(
  [
    ...code.matchAll(
      /(?:"|signal: \[?)((?:Q_[A-Z]+(?:_[A-Z]+)*|CAPABILITY_GAP(?:_RESOLVED)?|OBSERVATION|ganglion\.budget\.[a-z]+))(?=["\n,\]])/g,
    ),
  ].map(([, name = ""]) => name),
);

const guide = readFileSync(join(ROOT, "docs/signals.md"), "utf8");
const section = guide.slice(guide.indexOf("## Signals that Ganglion emits"), guide.indexOf("## Limits"));
const rows = section
  .split("\n")
  .filter((line) => line.startsWith("| `"))
  .map((line) => line.split("|").map((cell) => [...cell.matchAll(/`([^`]+)`/g)].map(([, word = ""]) => word)));
const listed = rows.flatMap(([, names = []]) => names);
/** Named below the table: hosts emit them, built-in rules wait for them. */
const fromHosts = [...(section.split("\n\n").at(-2) ?? "").matchAll(/`(Q_[A-Z_]+)`/g)].map(([, name = ""]) => name);

describe("the guide to signals", () => {
  it("names every signal that the code can say, once, and no other", () => {
    expect(emitted.size).toBeGreaterThan(30);
    const known = Object.entries(KNOWN_SIGNALS).flatMap(([name, { ...signal }]) =>
      "reserved" in signal ? [] : [name],
    );
    expect([...emitted].filter((name) => !known.includes(name))).toEqual([]);
    expect([...listed, ...fromHosts].sort()).toEqual(known.sort());
    expect(listed.filter((name) => !emitted.has(name))).toEqual([]);
  });

  it("names facts that the code knows", () => {
    const facts = new Set(rows.flatMap((cells) => cells.at(-2) ?? []));
    const words = new Set(code.match(/[a-z]\w*/g));
    expect(facts.size).toBeGreaterThan(60);
    expect([...facts].filter((fact) => !words.has(fact))).toEqual([]);
  });
});
