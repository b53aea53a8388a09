import type { UsageMeter } from "../../core/billing/usage.ts";
import { ObjectLine } from "../../core/ecosystems/document.ts";
import { NewerSchema } from "../../core/problem/object-refusals.ts";
import { type Schema, versionOf } from "./schema.ts";
import type { Suspension } from "./suspension.ts";
import {
  type CopyPage,
  type CopyPlace,
  copyOut,
  endStaged,
  holdsNothing,
  stagedFor,
  stageRows,
  stageTables,
  useStaged,
} from "./table-copy.ts";
import type { UsageStore } from "./usage-store.ts";

/** What is asked of an object while its ecosystem is exported, imported or deleted. `id` is that of the copy. */
export type TransferRequest =
  | { readonly do: "suspend"; readonly id: string; readonly untilMs: number }
  | { readonly do: "extend"; readonly id: string; readonly untilMs: number }
  | { readonly do: "resume" }
  | {
      readonly do: "copy";
      readonly id: string;
      readonly object: string;
      readonly place: CopyPlace | null;
      readonly withSecrets: boolean;
    }
  | { readonly do: "look" }
  | { readonly do: "stage"; readonly id: string; readonly lines: readonly string[] }
  | { readonly do: "use"; readonly id: string; readonly dryRun: boolean }
  | { readonly do: "erase" }
  | { readonly do: "restart" };

export type TransferAnswer =
  /** Of `suspend`: whether nothing was written since the call before. */
  | { readonly still: boolean }
  | CopyPage
  | { readonly empty: boolean }
  /** Of `copy`: the object was started anew or has written meanwhile. Of `use`: why the object cannot be used. */
  | { readonly failed: "changed" | "not_empty" | "not_whole" }
  | { readonly done: true };

/** The reason of a restart; the caller gets it as the error of its call. */
export const RESTARTED = "restarted after a copy of the ecosystem";

/** Longest time that an object is held by one call, in milliseconds. */
const MAX_HELD_MS = 60_000;

interface TransferParts {
  readonly ctx: DurableObjectState;
  readonly sql: SqlStorage;
  readonly meter: UsageMeter;
  readonly used: Pick<UsageStore, "emptied">;
  readonly schema: Schema;
  readonly name: string;
  readonly suspension: Suspension;
  /** Stores the object's name, which no import holds: the alarm that is set may wake the object without its name. */
  readonly storeName: () => void;
}

/** Copies an object's tables out of it, into it, or deletes them: whatever the class keeps in them. */
export class ObjectTransfer {
  readonly #parts: TransferParts;

  constructor(parts: TransferParts) {
    this.#parts = parts;
  }

  async answer(request: TransferRequest): Promise<TransferAnswer> {
    const { ctx, sql, suspension, meter, schema, used } = this.#parts;
    switch (request.do) {
      case "suspend": {
        const untilMs = Math.min(request.untilMs, Date.now() + MAX_HELD_MS);
        return { still: suspension.hold(request.id, untilMs, meter.usage.rows_written) };
      }
      case "extend":
        suspension.extend(request.id, Math.min(request.untilMs, Date.now() + MAX_HELD_MS));
        return { done: true };
      case "resume":
        suspension.end();
        return { done: true };
      case "copy": {
        if (!suspension.holds(request.id, meter.usage.rows_written, Date.now())) return { failed: "changed" };
        const alarmMs = await ctx.storage.getAlarm();
        return copyOut(sql, request.object, schema, alarmMs, request.place, request.withSecrets);
      }
      case "look":
        return { empty: holdsNothing(sql, schema) };
      case "stage":
        ctx.storage.transactionSync(() => this.#stage(request.id, request.lines));
        return { done: true };
      case "use":
        return this.#use(request.id, request.dryRun);
      case "erase":
        // Nothing runs on in memory until the restart that follows.
        suspension.hold("erase", Date.now() + MAX_HELD_MS, 0);
        for (const socket of ctx.getWebSockets()) socket.close(1001, "the ecosystem was deleted");
        await ctx.storage.deleteAlarm();
        await ctx.storage.deleteAll();
        used.emptied();
        return { done: true };
      case "restart":
        ctx.abort(RESTARTED);
        return { done: true };
    }
  }

  #stage(id: string, lines: readonly string[]): void {
    const { sql, schema, name } = this.#parts;
    for (const text of lines) {
      const line = ObjectLine.parse(JSON.parse(text));
      if ("tables" in line) {
        const known = versionOf(schema);
        if (line.schema > known) throw new NewerSchema(`${schema.of} "${name}"`, line.schema, known);
        stageTables(sql, id, line);
      } else if (stagedFor(sql, id) === undefined) throw new Error(`import: the tables of ${line.object} are missing`);
      else if ("rows" in line) stageRows(sql, line);
      else endStaged(sql);
    }
  }

  /** Called again after it has succeeded, this does nothing. */
  async #use(id: string, dryRun: boolean): Promise<TransferAnswer> {
    const { ctx, sql, schema } = this.#parts;
    const staged = stagedFor(sql, id);
    if (staged === undefined) return { done: true };
    if (!staged.whole) return { failed: "not_whole" };
    if (!holdsNothing(sql, schema)) return { failed: "not_empty" };
    if (dryRun) return { done: true };
    ctx.storage.transactionSync(() => {
      useStaged(sql, schema, staged.about);
      this.#parts.storeName();
    });
    // In the same turn: the tables and the alarm reach the disk together.
    const { alarm_ms } = staged.about;
    await (alarm_ms === null ? ctx.storage.deleteAlarm() : ctx.storage.setAlarm(alarm_ms));
    return { done: true };
  }
}
