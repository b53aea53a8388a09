import { readdir } from "node:fs/promises";
import { basename, dirname, join } from "node:path";
import * as z from "zod";
import { LineFile } from "../base/files/line-file.ts";
import { FILE_START, type FilePosition } from "../metric-files/file-positions.ts";
import type { Facts, Monitor } from "./monitor.ts";

export interface InvestigationsOptions {
  readonly path: string;
  /** How a hypothesis about a module begins; what follows is the module's name unless `module_name` gives it. */
  readonly prefix: string;
}

/** Modules in one answer, and lines read for it: the next minute goes on from there. */
const MAX_MODULES = 200;
const MAX_LINES = 20_000;
const MAX_TEXT = 512;

/** Where the log has been read to; kept by the edge together with what followed, so that a crash loses neither. */
const Cursor = z.object({ identity: z.string(), offset: z.int(), skipping: z.boolean(), anchor: z.string() });

/** Modules that investigations discovered, from `curiosity_investigations.jsonl` (R2, R25): only what is new is read. */
export class InvestigationsMonitor implements Monitor {
  readonly name = "investigations";
  readonly #options: InvestigationsOptions;

  constructor(options: InvestigationsOptions) {
    this.#options = options;
  }

  async gather(after: string | undefined): Promise<Facts> {
    const modules: Facts[] = [];
    let lines = 0;
    let cursor = after ?? "";
    const known = readCursor(after);
    // What was written to the end of the old file before it was rotated comes first.
    for (const path of await this.#filesFrom(known?.identity)) {
      const file = await LineFile.open(path);
      if (file === undefined) continue;
      try {
        let position = await file.resume(known?.identity === file.identity ? known : FILE_START);
        while (modules.length < MAX_MODULES && lines < MAX_LINES) {
          const stretch = await file.read(position, MAX_MODULES - modules.length);
          lines += stretch.lines.length;
          for (const { bytes } of stretch.lines) {
            const found = bytes && this.#moduleIn(bytes);
            if (found !== undefined) modules.push(found);
          }
          if (stretch.position === position) break;
          position = stretch.position;
        }
        cursor = JSON.stringify({ identity: file.identity, ...position });
      } finally {
        await file.close();
      }
      if (modules.length >= MAX_MODULES || lines >= MAX_LINES) break;
    }
    return { modules, cursor };
  }

  /** The log, and before it the file that was read last, should it have another name by now. */
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
      const file = await LineFile.open(join(dirname(path), other));
      const found = file?.identity === identity;
      await file?.close();
      if (found) return [join(dirname(path), other), path];
    }
    return [path];
  }

  #moduleIn(bytes: Buffer): Facts | undefined {
    let record: Record<string, unknown>;
    try {
      record = JSON.parse(bytes.toString("utf8")) as Record<string, unknown>;
    } catch {
      // A line that is no JSON is no investigation; whoever wrote it has to know.
      return undefined;
    }
    const { hypothesis, module_name, module_path, py_files_count, has_init } = record ?? {};
    if (typeof hypothesis !== "string" || !hypothesis.startsWith(this.#options.prefix)) return undefined;
    const name = textOf(module_name) ?? textOf(hypothesis.slice(this.#options.prefix.length));
    if (name === undefined) return undefined;
    const id = ["investigation_id", "id", "timestamp", "question_id"]
      .map((field) => textOf(record[field]))
      .find(Boolean);
    return {
      module_name: name,
      module_path: textOf(module_path, 4_096) ?? name,
      ...(id !== undefined && { investigation_id: id.slice(0, 256) }),
      ...(Number.isSafeInteger(py_files_count) && (py_files_count as number) >= 0 && { py_files_count }),
      ...(typeof has_init === "boolean" && { has_init }),
    };
  }
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
    // Of another version: the log is read anew, and the edge knows which modules it has told of.
    return undefined;
  }
}
