import { utf8Bytes } from "../signals/limits.ts";

/** Spans of one request, and bytes of its body: what receivers take by their defaults. */
export const MAX_REQUEST_SPANS = 512;
/** A body of 1 MiB, less what stands around the spans. */
export const MAX_REQUEST_BYTES = 1024 * 1024 - 4_096;

/** A part of what waits: spans as JSON texts, one a line. */
export interface SpanBatch {
  readonly spans: number;
  readonly bytes: number;
  readonly body: string;
}

/** Parts that each fit into one request. @param spans - as JSON texts, which hold no line breaks */
export function batchesOf(spans: readonly string[]): SpanBatch[] {
  const batches: SpanBatch[] = [];
  let [lines, bytes]: [string[], number] = [[], 0];
  const close = () => {
    if (lines.length > 0) batches.push({ spans: lines.length, bytes, body: lines.join("\n") });
    [lines, bytes] = [[], 0];
  };
  for (const span of spans) {
    const size = utf8Bytes(span) + 1;
    if (lines.length === MAX_REQUEST_SPANS || bytes + size > MAX_REQUEST_BYTES) close();
    lines.push(span);
    bytes += size;
  }
  close();
  return batches;
}

export const spansOf = ({ body }: Pick<SpanBatch, "body">): string[] => body.split("\n");

/** How many of the first batches go into one request together. The first always does. */
export function fitting(batches: readonly Pick<SpanBatch, "spans" | "bytes">[]): number {
  let [spans, bytes] = [0, 0];
  const end = batches.findIndex((batch) => {
    spans += batch.spans;
    bytes += batch.bytes;
    return spans > MAX_REQUEST_SPANS || bytes > MAX_REQUEST_BYTES;
  });
  return end === -1 ? batches.length : Math.max(1, end);
}
