import { writeSync } from "node:fs";
import pino from "pino";
import * as z from "zod";

export type Logger = pino.Logger;

export interface LogOptions {
  readonly format: "text" | "json";
  readonly level: "debug" | "info" | "warn" | "error" | "silent";
}

const LogLine = z.record(z.string(), z.unknown());

/** Logs to standard error: standard output is for the results of commands. */
export function createLog({ format, level }: LogOptions): Logger {
  const options: pino.LoggerOptions = { level, base: null, redact: ["token", "*.token", "headers", "*.headers"] };
  const isText = format === "text";
  let lost = 0;
  /**
   * A standard error that is slow (EAGAIN), closed (EPIPE) or on a full disk (ENOSPC) must not stop the agent: it loses
   * the line, but no signals. The next line that can be written says how many were lost.
   */
  const write = (json: string): void => {
    const line = isText ? textLine(LogLine.parse(JSON.parse(json))) : json;
    const note = { level: 40, time: Date.now(), msg: `${lost} lines of this log could not be written` };
    const before = lost === 0 ? "" : isText ? textLine(note) : `${JSON.stringify(note)}\n`;
    try {
      writeSync(2, before + line);
      lost = 0;
    } catch {
      lost += 1;
    }
  };
  return pino(options, { write });
}

const LEVELS: Readonly<Record<number, string>> = { 20: "debug", 30: "info ", 40: "warn ", 50: "ERROR", 60: "FATAL" };

/** `12:00:00.000 info  spool is open lane=bus`, with the stack of an error on the lines below. */
export function textLine({ time, level, msg, err, ...rest }: Record<string, unknown>): string {
  const at = new Date(Number(time)).toISOString().slice(11, 23);
  const fields = Object.entries(rest).map(([key, value]) => ` ${key}=${fieldText(value)}`);
  const error = err as { message?: string; stack?: string } | undefined;
  const cause = error === undefined ? "" : `: ${error.stack ?? error.message ?? ""}`;
  return `${at} ${LEVELS[Number(level)] ?? level} ${oneLine(String(msg ?? ""))}${fields.join("")}${cause}\n`;
}

function fieldText(value: unknown): string {
  const text = typeof value === "string" && /^[\w./:@-]+$/.test(value) ? value : JSON.stringify(value);
  return text ?? String(value);
}

/** Input of others may contain line breaks and terminal codes, which must not forge log lines. */
function oneLine(text: string): string {
  // biome-ignore lint/suspicious/noControlCharactersInRegex: control characters are removed here
  return text.replace(/[\u0000-\u001f\u007f]/g, " ");
}
