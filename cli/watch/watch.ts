import { setTimeout as pause } from "node:timers/promises";
import type { Command } from "commander";
import type { Client } from "../../src/client/client.ts";
import { EdgeUnreachable } from "../../src/client/http/problem-errors.ts";
import { readDuration } from "../../src/core/times/duration.ts";
import { lengthInWords } from "../../src/core/times/in-words.ts";
import { UsageError } from "../failure.ts";
import { print, printingTo } from "../output.ts";
import { clientInUse, type GlobalOptions } from "../settings.ts";
import { currentLook } from "../terminal/look.ts";
import { cutTo } from "../terminal/width.ts";
import { Bell } from "./bell.ts";
import { VIEWS, type Wake } from "./views.ts";

/** Between two looks at a view of which no stream tells; and of one of which a stream tells. */
const EVERY_MS = { alone: 2_000, withStream: 30_000, least: 200 } as const;
/** What wakes within this time leads to one look. */
const TOGETHER_MS = 300;
const HOME_AND_CLEAR = "\u001b[H\u001b[2J";

/** The command of a look, as far as a stream of its changes needs it. */
interface View {
  readonly words: string;
  readonly wake: Wake;
  readonly queue: string | undefined;
  readonly everyMs: number | undefined;
}

let view: View | undefined;

/**
 * Before a command of a watched call runs: whether it is a view.
 *
 * @throws UsageError where it is none: it would be done again and again
 */
export function noteView(command: Command): void {
  const words: string[] = [];
  for (let at: Command | null = command; at?.parent != null; at = at.parent) words.unshift(at.name());
  const name = words.join(" ");
  const known = [name, name.replace(/ (list|show)$/, "")].find((one) => Object.hasOwn(VIEWS, one));
  const wake = known === undefined ? undefined : VIEWS[known];
  const { follow, history } = command.opts<{ follow?: true; history?: true }>();
  if (follow === true) throw new UsageError("--follow shows what comes already: leave --watch out");
  // `observations --history` is read as a whole: it is a view as well.
  if (wake === undefined || (history === true && name !== "observations"))
    throw new UsageError(`--watch shows a view again and again, and \`ganglion ${name}\` is none: leave --watch out`);
  const { watchEvery } = command.optsWithGlobals<GlobalOptions>();
  const { queue = command.args[0] } = command.opts<{ queue?: string }>();
  view = { words: name, wake, queue, everyMs: watchEvery === undefined ? undefined : everyOf(watchEvery) };
}

function everyOf(text: string): number {
  const reading = readDuration(text);
  if (!reading.ok) throw new UsageError(`--watch-every: ${reading.why}`);
  if (reading.ms < EVERY_MS.least)
    throw new UsageError(`--watch-every: give ${lengthInWords(EVERY_MS.least)} at least`);
  return reading.ms;
}

/**
 * Shows a view until Ctrl-C, and again each time that it has changed. Views of which a stream tells are read when it does;
 * the others every two seconds. An edge that is away later does not end it.
 *
 * @param look - runs the command once, which prints the view
 */
export async function watch(look: () => Promise<unknown>, end: AbortSignal, isJson: boolean): Promise<void> {
  const bell = new Bell();
  let listening: Promise<boolean> | undefined;
  let isStreamed = false;
  let shown: string | undefined;
  while (!end.aborted) {
    const picture = await pictureOf(look, shown !== undefined);
    if (end.aborted) break;
    if (view !== undefined && listening === undefined) {
      isStreamed = !("nothing" in view.wake);
      // A stream that is refused leaves the view to be read again.
      listening = listen(view, clientInUse(), bell, end).finally(() => {
        isStreamed = false;
        bell.ring();
      });
    }
    const everyMs = view?.everyMs ?? (isStreamed ? EVERY_MS.withStream : EVERY_MS.alone);
    if (picture !== shown) await draw(picture, headingOf(view, isStreamed, everyMs), isJson);
    shown = picture;
    await bell.rung(everyMs, end);
    await pause(TOGETHER_MS, undefined, { signal: end }).catch(() => undefined);
  }
  await listening;
}

/** What a look prints. @param isAgain - an edge that does not answer then is part of the picture */
async function pictureOf(look: () => Promise<unknown>, isAgain: boolean): Promise<string> {
  const lines: string[] = [];
  const remarks: string[] = [];
  const sink = {
    print: async (text: string) => void lines.push(text),
    remark: (text: string) => void remarks.push(text),
  };
  await printingTo(sink, look).catch((error: unknown) => {
    if (!isAgain || !(error instanceof EdgeUnreachable)) throw error;
    remarks.push(`${error.message}; trying again`);
  });
  return [lines.join("\n"), ...remarks].filter((part) => part !== "").join("\n");
}

/** @returns whether the stream ended by itself: it was refused */
async function listen(
  { wake, queue }: View,
  client: Client | undefined,
  bell: Bell,
  end: AbortSignal,
): Promise<boolean> {
  if (client === undefined || "nothing" in wake) return pausedUntil(end);
  const ring = () => bell.ring();
  try {
    if ("queue" in wake) {
      if (queue === undefined) return await pausedUntil(end);
      for await (const _ of client.queues.follow(queue, { tail: 0, signal: end, onInterrupted: ring })) ring();
    } else {
      for await (const _ of client.follow({ signals: [...wake.signals], signal: end, onOpen: ring })) ring();
    }
  } catch {
    return true; // the heading says that the view is read again every so often
  }
  return !end.aborted;
}

async function pausedUntil(end: AbortSignal): Promise<boolean> {
  if (!end.aborted) await new Promise((resolve) => end.addEventListener("abort", resolve, { once: true }));
  return false;
}

function headingOf(of: View | undefined, isStreamed: boolean, everyMs: number): string {
  const how = isStreamed ? "read again with each change" : `read again every ${lengthInWords(everyMs)}`;
  return `ganglion ${of?.words ?? ""}, ${how}; Ctrl-C ends it`;
}

async function draw(picture: string, heading: string, isJson: boolean): Promise<void> {
  if (isJson) return picture === "" ? undefined : print(picture);
  const { isTTY = false, rows } = process.stdout;
  if (!isTTY) return print(`--- ${new Date().toISOString()}\n${picture}`);
  const lines = [heading, "", ...picture.split("\n")];
  const room = Math.max(5, (rows || 24) - 1);
  const fitting =
    lines.length <= room ? lines : [...lines.slice(0, room - 1), `… ${lines.length - room + 1} more lines`];
  const { width } = currentLook();
  await print(HOME_AND_CLEAR + fitting.map((line) => (line.includes("\u001b") ? line : cutTo(line, width))).join("\n"));
}
