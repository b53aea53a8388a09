import "./base/small-heap.ts";

// Not above: what is loaded before the heap is told to stay small has made it large.
void import("./app/main.ts");
