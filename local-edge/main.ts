import { fail } from "./fail.ts";
import { run } from "./run.ts";

// `ganglion-edge run`, for those who start this file.
await run().catch(fail);
