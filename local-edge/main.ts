import "../local-agent/base/small-heap.ts";

// `ganglion-edge run`, for those who start this file. Not imported above: what is loaded before the heap is told to stay small
// has made it large.
const [{ run }, { fail }] = await Promise.all([import("./run.ts"), import("./fail.ts")]);
await run().catch(fail);
