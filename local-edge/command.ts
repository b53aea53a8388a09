import "../local-agent/base/small-heap.ts";

// `ganglion-edge`. Not imported above: what is loaded before the heap is told to stay small has made it large.
await import("./program.ts");
