import type { NamedVersions } from "./entity-tags.ts";

/** A note as it is stored. Times are milliseconds since the epoch. */
export interface StoredNote {
  readonly key: string;
  /** A JSON object, as text. */
  readonly valueJson: string;
  /** Of the last change. No two changes of an ecosystem have the same, so that a note that was deleted and made anew has another. */
  readonly version: number;
  readonly createdMs: number;
  readonly changedMs: number;
  /** `null`: it is kept until it is deleted. */
  readonly expiresMs: number | null;
  /** Who changed it last. */
  readonly by: string;
}

export interface Conditions {
  /** The change is made only to one of these. */
  readonly ifMatch?: NamedVersions | undefined;
  /** The change is made only where there is none of these; `*`: only where there is no note. */
  readonly ifNoneMatch?: NamedVersions | undefined;
}

export interface NotePut extends Conditions {
  readonly key: string;
  readonly valueJson: string;
  /** Size of the value, in bytes of UTF-8. */
  readonly bytes: number;
  readonly by: string;
  /** `null`: the note is kept until it is deleted. */
  readonly ttlMs: number | null;
  /** Id of the signal that led to it. */
  readonly cause?: string | undefined;
}

export interface NoteRemoval extends Conditions {
  readonly key: string;
  readonly by: string;
  readonly cause?: string | undefined;
}

/** A change of a note, from which its signal is made. */
export interface NoteChange {
  readonly change: "set" | "deleted" | "expired";
  readonly key: string;
  readonly version: number;
  /** `null`: there was no note. */
  readonly before: number | null;
  /** `null`: its time was over. */
  readonly by: string | null;
  /** Of a note that was set. */
  readonly valueJson?: string | undefined;
  readonly cause?: string | undefined;
}

export type Full = "notes" | "bytes" | "ofTask";

export type PutOutcome =
  | { readonly note: StoredNote; readonly made: boolean }
  /** A condition does not hold. The note as it is; `null`: there is none. */
  | { readonly stale: StoredNote | null }
  | { readonly full: Full };

export type RemoveOutcome = { readonly removed: true } | { readonly stale: StoredNote } | { readonly none: true };
