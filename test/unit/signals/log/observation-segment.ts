import type { Segment } from "../../../../src/core/signals/log/segment.ts";

/** A segment that holds one observation. @param line - the observation as the log stores it */
export const observationSegment = (seq: number, line: string): Segment => ({
  firstSeq: seq,
  lastSeq: seq,
  receivedMs: 0,
  firstTs: 0,
  lastTs: 0,
  names: ["OBSERVATION"],
  producers: [],
  foreignIds: [],
  causes: [],
  lines: [line],
});
