import { globSync, readFileSync } from "node:fs";
import { parseFile, Unparsable } from "../../local-agent/intelligence/parsing/parse-file.ts";

/** Parses every Python file below a directory, as the index does. Prints its figures as a line of JSON. */
const [, , root = ""] = process.argv;
const before = process.memoryUsage.rss();
const texts = globSync("**/*.py", { cwd: root }).map((name) => readFileSync(`${root}/${name}`, "utf8"));
const read = process.memoryUsage.rss();
const started = process.cpuUsage();
let refused = 0;
for (const text of texts) {
  try {
    parseFile(text, "python");
  } catch (error) {
    if (!(error instanceof Unparsable)) throw error;
    refused += 1;
  }
}
const { user, system } = process.cpuUsage(started);
const memoryMb = (process.memoryUsage.rss() - read) / 1024 / 1024;
process.stdout.write(
  `${JSON.stringify({ files: texts.length, cpuSeconds: (user + system) / 1e6, memoryMb, textMb: (read - before) / 1024 / 1024, refused })}\n`,
);
