import { describe, expect, it } from "vitest";
import { RecentBodies } from "../../../../src/durable-objects/signals/recent-bodies.ts";

const bodiesUnderTest = () => {
  const bodies = new RecentBodies();
  const reads: number[] = [];
  const read = (firstSeq: number, chars = 10) =>
    bodies.lines(firstSeq, () => {
      reads.push(firstSeq);
      return { lines: [`line ${firstSeq}`], chars };
    });
  return { bodies, reads, read };
};

describe("the bodies of segments that were read last", () => {
  it("are read once by a reader who takes a segment in pieces", () => {
    const { reads, read } = bodiesUnderTest();
    for (let piece = 0; piece < 3; piece++) expect(read(1)).toEqual(["line 1"]);
    expect(reads).toEqual([1]);
  });

  it("are let go when a single reader has come to their end", () => {
    const { bodies, reads, read } = bodiesUnderTest();
    read(1);
    bodies.finished(1);
    read(1);
    expect(reads).toEqual([1, 1]);
  });

  it("are kept for those who come behind a second reader of the same segment", () => {
    const { bodies, reads, read } = bodiesUnderTest();
    for (let reader = 0; reader < 5; reader++) {
      read(1);
      bodies.finished(1);
    }
    expect(reads).toEqual([1, 1]);
  });

  it("give way, the one that was not read for longest first, when they are too large together", () => {
    const { reads, read } = bodiesUnderTest();
    read(1, 2_000_000);
    read(2, 1_500_000);
    read(1, 2_000_000);
    read(3, 1_000_000);
    read(1, 2_000_000);
    read(2, 1_500_000);
    expect(reads).toEqual([1, 2, 3, 2]);
  });
});
