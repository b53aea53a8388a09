import { readdir } from "node:fs/promises";
import { basename, dirname, join } from "node:path";
import * as z from "zod";
import { discoveredModule } from "../../src/core/hosts/discovered-module.ts";
import { readJsonKeeping } from "../../src/core/json/read-json.ts";
import { FILE_START, type FilePosition, LineFile, NotRead } from "../base/files/line-file.ts";
import { truthOf } from "../base/truth-value.ts";
import type { Facts, Monitor } from "./monitor.ts";

export interface InvestigationsOptions {
  readonly path: string;
  /** How a hypothesis about a module begins; the rest is the module's name, unless `module_name` gives it. */
  readonly prefix: string;
}

/** Limits of one answer. The next answer, a minute later, continues after it. */
const MAX_MODULES = 200;
const MAX_LINES = 20_000;
const MAX_TEXT = 512;

/** How far the log has been read. The edge stores it together with the modules of the answer: a crash loses neither. */
const Cursor = z.object({ identity: z.string(), offset: z.int(), skipping: z.boolean(), anchor: z.string() });

/** Modules that investigations discovered, from `curiosity_investigations.jsonl`. Only new lines are read. */
export class InvestigationsMonitor implements Monitor {
  readonly name = "investigations";
  readonly #options: InvestigationsOptions;
  /** The last line without its line feed behind each of the last cursors: a log that is copied and emptied has it no more. */
  #tails = new Map<string, Buffer>();

  constructor(options: InvestigationsOptions) {
    this.#options = options;
  }

  async gather(after: string | undefined): Promise<Facts> {
    const modules: Facts[] = [];
    let lines = 0;
    let cursor = after ?? "";
    const known = readCursor(after);
    // Lines that were written to the old file before it was rotated come first.
    for (const path of await this.#filesFrom(known?.identity)) {
      const isRotated = path !== this.#options.path;
      const file = await LineFile.open(path);
      if (file === undefined) continue;
      try {
        const before = known?.identity === file.identity ? known : FILE_START;
        let position = await file.resume(before);
        const kept = this.#tails.get(after ?? "");
        if (kept !== undefined && before === known && (await file.hasLost(kept, before, position))) {
          const found = this.#moduleIn(kept);
          if (found !== undefined) modules.push(found);
          position = FILE_START;
        }
        let tail: Buffer | undefined;
        while (modules.length < MAX_MODULES && lines < MAX_LINES) {
          // The last line of a rotated log is complete, even without its line feed.
          const batch = await file.read(position, MAX_MODULES - modules.length, isRotated ? "object" : "leave");
          lines += batch.lines.length;
          tail = batch.tail;
          for (const { bytes } of batch.lines) {
            const found = bytes && this.#moduleIn(bytes);
            if (found !== undefined) modules.push(found);
          }
          if (batch.position === position) break;
          position = batch.position;
        }
        cursor = JSON.stringify({ identity: file.identity, ...position });
        this.#remember(after ?? "", cursor, tail);
      } finally {
        await file.close();
      }
      if (modules.length >= MAX_MODULES || lines >= MAX_LINES) break;
    }
    return { modules, cursor };
  }

  /** The answer may be lost, and asked for again by the former cursor: no other one matters any more. */
  #remember(before: string, cursor: string, tail: Buffer | undefined): void {
    const former = this.#tails.get(before);
    this.#tails = new Map(former === undefined ? [] : [[before, former]]);
    if (tail !== undefined) this.#tails.set(cursor, tail);
  }

  /** The log; before it, the file that was read last, if it has been renamed since. */
  async #filesFrom(identity: string | undefined): Promise<string[]> {
    const { path } = this.#options;
    const log = await LineFile.open(path);
    const same = log !== undefined && log.identity === identity;
    await log?.close();
    if (same || identity === undefined) return [path];
    const name = basename(path);
    const others = (await readdir(dirname(path)).catch(() => [])).filter(
      (entry) => entry.startsWith(`${name}.`) || entry.startsWith(`${name}-`),
    );
    for (const other of others) {
      const file = await LineFile.open(join(dirname(path), other)).catch(ignoreNotRead);
      const found = file?.identity === identity;
      await file?.close();
      if (found) return [join(dirname(path), other), path];
    }
    return [path];
  }

  #moduleIn(bytes: Buffer): Facts | undefined {
    const record = readRecord(bytes);
    if (record === undefined) return undefined;
    const module = discoveredModule(record, this.#options.prefix);
    const name = textOf(module?.name);
    if (module === undefined || name === undefined) return undefined;
    const hasInit = truthOf(module.hasInit);
    const id = ["investigation_id", "id", "timestamp", "question_id"]
      .map((field) => textOf(record[field]))
      .find(Boolean);
    return {
      module_name: name,
      module_path: textOf(module.path, 4_096) ?? name,
      ...(id !== undefined && { investigation_id: id.slice(0, 256) }),
      ...(module.pyFiles !== undefined && { py_files_count: module.pyFiles }),
      ...(hasInit !== undefined && { has_init: hasInit }),
    };
  }
}

/** @returns `undefined` for a line that is no JSON object, and so no investigation */
function readRecord(line: Buffer): Readonly<Record<string, unknown>> | undefined {
  const reading = readJsonKeeping(line.toString("utf8"));
  return reading.ok && typeof reading.value === "object" && reading.value !== null ? { ...reading.value } : undefined;
}

function textOf(value: unknown, max = MAX_TEXT): string | undefined {
  const text = typeof value === "number" ? String(value) : value;
  return typeof text === "string" && text !== "" && text.length <= max ? text : undefined;
}

function readCursor(text: string | undefined): (FilePosition & { readonly identity: string }) | undefined {
  if (text === undefined || text === "") return undefined;
  try {
    return Cursor.parse(JSON.parse(text));
  } catch {
    // A cursor of another version: the log is read from its start, and the edge recognises modules it knows.
    return undefined;
  }
}

/** For a `catch`: a link or directory beside the log is no former log. @throws any other error */
function ignoreNotRead(error: unknown): undefined {
  if (!(error instanceof NotRead)) throw error;
}
