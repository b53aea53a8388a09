import { join } from "node:path";
import { type EdgeUnderTest, startProcess } from "../edge-under-test.ts";

/** The floor in processes of its own, with a directory that is thrown away. It asks nobody for a token. */
export const startFloor = (): Promise<EdgeUnderTest> =>
  startProcess((directory) => ({ main: join(import.meta.dirname, "main.ts"), arguments: [directory], token: "none" }));
