import { type ExportSettings, type SourceExport, sourceExport } from "../../core/telemetry/settings.ts";
import { objectNamed } from "../shell/ports.ts";
import type { TelemetryBindings } from "./ports.ts";

/** Queues that are told in one turn: an invocation may make 1,000 calls. */
const QUEUES = 400;
/** Calls under way at a time. */
const AT_ONCE = 6;

/**
 * Tells the rules and the queues what is exported. The directory knows it already: a queue that begins meanwhile is told by
 * the directory, and asks here.
 *
 * @param untold - from where on queues are not told yet; empty: nobody is
 * @returns from where on queues are not told; `undefined`: all are
 */
export async function tellSources(
  env: TelemetryBindings,
  ecosystem: string,
  settings: ExportSettings,
  untold: string,
): Promise<string | undefined> {
  const told: SourceExport = sourceExport(settings);
  const directory = objectNamed(env.DIRECTORY, "directory", env);
  if (untold === "") await objectNamed(env.POLICY_STATE, ecosystem, env).exportTo(told);
  const names = (await directory.queues(ecosystem)).map(({ name }) => name).filter((name) => name > untold);
  const some = names.sort().slice(0, QUEUES);
  for (let from = 0; from < some.length; from += AT_ONCE)
    await Promise.all(
      some
        .slice(from, from + AT_ONCE)
        .map((name) => objectNamed(env.PRIORITY_QUEUE, `${ecosystem}/${name}`, env).exportTo(told)),
    );
  return names.length > some.length ? some.at(-1) : undefined;
}
