/** Small programs that behave like agents, well or badly. Each is a Node script. */

const BEAT = `
const fs = require("node:fs");
const beat = (state, task, progress) => fs.writeSync(Number(process.env.GANGLION_HEARTBEAT_FD), JSON.stringify({ state, task, progress }) + "\\n");
const every = (ms, f) => { f(); setInterval(f, ms); };
`;

const program = (text: string): string[] => [process.execPath, "-e", BEAT + text];

/** Says each 200 ms that it is in `state`. */
export const beating = (state: string) => program(`every(200, () => beat("${state}", "t-1"));`);
/** Begins to work, and computes without end. */
export const spinning = program(`beat("working", "t-2"); for (;;);`);
/** Waits for input that never comes, in the middle of its work. */
export const blocked = program(`beat("working", "t-3"); fs.readSync(0, Buffer.alloc(1));`);
export const silent = program(`console.log("here"); setInterval(() => {}, 1000);`);
export const ending = (code: number) => program(`console.log("bye"); process.exitCode = ${code};`);
/** Does not stop when it is asked to. */
export const deaf = program(`process.on("SIGTERM", () => console.log("no")); every(200, () => beat("idle", "deaf"));`);
/** Holds about so many megabytes. */
export const greedy = (mb: number) =>
  program(`const hold = Buffer.alloc(${mb} << 20, 1); every(200, () => beat("idle", String(hold.length)));`);
/** Starts a process of its own that ignores SIGTERM, tells its number, and waits. */
export const parent = program(`
const { spawn } = require("node:child_process");
const child = spawn(process.execPath, ["-e", 'process.on("SIGTERM", () => {}); setInterval(() => {}, 1000); console.log("up")'], { stdio: ["ignore", "pipe", "inherit"] });
child.stdout.once("data", () => every(200, () => beat("idle", String(child.pid))));
`);
/** Prints each line of its input. */
export const echo = program(`
require("node:readline").createInterface({ input: process.stdin }).on("line", (line) => console.log("heard " + line));
every(200, () => beat("idle"));
`);
/** Sends a heartbeat for each request, which it counts, and none by itself. */
export const answering = program(`
let asked = 0;
require("node:readline").createInterface({ input: process.stdin }).on("line", (line) => {
  if (JSON.parse(line).type === "heartbeat_request") beat("idle", "asked " + ++asked);
});
`);
/** Prints a variable of its environment, then idles. */
export const telling = (...names: string[]) =>
  program(
    `for (const name of ${JSON.stringify(names)}) console.log(name + "=" + process.env[name]); every(200, () => beat("idle"));`,
  );
