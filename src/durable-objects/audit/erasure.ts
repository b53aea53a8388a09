import { ERASED_NAME } from "../../core/signals/log/erased.ts";
import type { ErasureContext, ErasureRules, StoredRow } from "../shell/erasure-rules.ts";

/** Paths have ids as parts, which may begin with the name of a source. */
export const auditErasure: ErasureRules = { rows: { entries: { change: withoutName } } };

function withoutName(row: StoredRow, { mentions }: ErasureContext): StoredRow {
  const without = (part: string) => {
    const text = decoded(part);
    return mentions.isIn(text) || mentions.beginsId(text) ? ERASED_NAME : part;
  };
  const target = String(row.target).split("/").map(without).join("/");
  const by = mentions.replace(String(row.by));
  return target === row.target && by === row.by ? row : { ...row, target, by };
}

function decoded(part: string): string {
  try {
    return decodeURIComponent(part);
  } catch {
    // A path may hold any bytes.
    return part;
  }
}
