import { isJsonObject } from "../json/is-json-object.ts";
import { PROJECTIONS } from "../projection/batch.ts";

/** Signals to which something stored goes back: by their places in the log, or by their ids. */
export interface References {
  readonly seqs: readonly number[];
  readonly ids: readonly string[];
}

/** Those of them that were erased. */
export interface ErasedReferences {
  readonly seqs: ReadonlySet<number>;
  readonly ids: ReadonlySet<string>;
}

export const NO_REFERENCES: References = { seqs: [], ids: [] };

/** Ids of effects of rules end in the place of the signal, the rule and the place of the effect. */
const EFFECT = /^ganglion\.policy\..+\.(\d+)\.[^.]+\.\d+$/;
const LETTER = new RegExp(`^(?:${PROJECTIONS.join("|")})\\.(\\d{1,15})(?:\\.|$)`);

/** To which signal an id goes back that the edge gave to a task, a message or a dead letter. */
export function referencesOfId(id: unknown): References {
  if (typeof id !== "string") return NO_REFERENCES;
  const seq = EFFECT.exec(id)?.[1] ?? LETTER.exec(id)?.[1];
  return seq === undefined ? NO_REFERENCES : { seqs: [Number(seq)], ids: [] };
}

/** @param ids - of signals; what is no id is left out */
export function referencesTo(...ids: readonly unknown[]): References {
  return { seqs: [], ids: ids.filter((id) => typeof id === "string") };
}

export function allReferences(...parts: readonly References[]): References {
  return { seqs: parts.flatMap(({ seqs }) => seqs), ids: parts.flatMap(({ ids }) => ids) };
}

export function concernsErased({ seqs, ids }: References, erased: ErasedReferences): boolean {
  return seqs.some((seq) => erased.seqs.has(seq)) || ids.some((id) => erased.ids.has(id));
}

/** The signals to which a stored dead letter goes back. @param record - without its id, as it was parsed */
export function referencesOfLetter(id: unknown, record: unknown): References {
  const { signal, task, webhook, lineage, reaction } = fields(record);
  const { seq, id: signalId, cause } = fields(signal);
  const chain: readonly unknown[] = Array.isArray(lineage) ? lineage : [];
  const causes = [fields(task).cause, fields(webhook).cause, fields(fields(task).cause).id];
  // A task that was put into the form of a signal has the place 0.
  const own = referencesTo(...chain, ...causes, signalId, fields(reaction).signal_id, seq === 0 ? cause : undefined);
  const place = typeof seq === "number" && seq > 0 ? { seqs: [seq], ids: [] } : NO_REFERENCES;
  return allReferences(referencesOfId(id), own, place);
}

/** The fields of a value that may be anything. */
export const fields = (value: unknown): Readonly<Record<string, unknown>> => (isJsonObject(value) ? value : {});

/** A stored text as a value; what cannot be read is `undefined`. */
export function storedJson(text: unknown): unknown {
  if (typeof text !== "string") return undefined;
  try {
    const value: unknown = JSON.parse(text);
    return value;
  } catch {
    return undefined;
  }
}
