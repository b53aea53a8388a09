import * as fs from "node:fs";
import { type ShortPath, shortPath } from "../../src/client/agent-socket/exchange.ts";

/** As {@link shortPath}, in this process. */
export const shortSocketPath = (path: string): ShortPath => shortPath(fs, path);
