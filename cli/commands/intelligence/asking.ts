import type { Command } from "commander";
import type { IntelligenceClient } from "../../../src/client/intelligence/intelligence-client.ts";
import { openIntelligence } from "../../../src/client/intelligence/open.ts";
import { type IntelligenceSettings, readIntelligenceSettings } from "../../../src/core/intelligence/settings.ts";
import { UsageError } from "../../failure.ts";
import { remark } from "../../output.ts";
import { connectionFor } from "../../settings.ts";

/** The settings of those who ask, from the variables. @throws UsageError that names each wrong one with its fix */
export function askingSettings(address: string): IntelligenceSettings {
  const { settings, problems } = readIntelligenceSettings({ environment: process.env, address });
  const errors = problems.filter(({ severity }) => severity === "error");
  if (errors.length > 0) throw new UsageError(errors.map(({ where, message }) => `${where}: ${message}`).join("\n"));
  for (const { where, message } of problems) remark(`${where}: ${message}`);
  return settings;
}

/** Calls `ask` with a client, and closes the client. */
export async function withIntelligence<Answer>(
  command: Command,
  ask: (client: IntelligenceClient, settings: IntelligenceSettings) => Promise<Answer>,
): Promise<Answer> {
  const connection = connectionFor(command);
  const settings = askingSettings(connection.url);
  if (!settings.enabled || !settings.live)
    throw new UsageError("live hosts are not asked: KAFKA_ENABLE_INTELLIGENCE or ENABLE_EVENT_INTELLIGENCE is false");
  const client = openIntelligence({
    ...connection,
    settings,
    transport: "http",
    service: "ganglion-cli",
    onRemark: remark,
  });
  try {
    return await ask(client, settings);
  } finally {
    client.close();
  }
}
