import { readFileSync } from "node:fs";
import * as z from "zod";

const Package = z.object({ version: z.string() });

let known: string | undefined;

/** The version of the agent's package. */
export function version(): string {
  known ??= Package.parse(JSON.parse(readFileSync(new URL("../../package.json", import.meta.url), "utf8"))).version;
  return known;
}
