/** A file of the index. Its pattern stays on the disk until it is asked for. */
export interface IndexedFile {
  readonly root: string;
  /** Below the root, with `/`. */
  readonly path: string;
  readonly stamp: string;
  readonly confidence: number | null;
  /** Why the file has no pattern. */
  readonly error: string | null;
}
