import type { StoredRow } from "../shell/erasure-rules.ts";
import type { CopyRules } from "../shell/schema.ts";
import { newSecret } from "./endpoint-row.ts";
import { readSettings, writeSettings } from "./endpoint-settings.ts";

/** Without its secret an endpoint is imported switched off, and with a new secret, which its receiver must be given. */
export const withoutSigningSecrets: CopyRules = {
  without: (table, row, withSecrets) => (withSecrets ? undefined : withoutSecrets(table, row)),
  imported: (sql) => {
    for (const { id } of sql.exec<{ id: string }>("SELECT id FROM endpoints WHERE secret = ''").toArray())
      sql.exec("UPDATE endpoints SET secret = ? WHERE id = ?", newSecret(), id);
  },
};

function withoutSecrets(table: string, row: StoredRow): StoredRow | undefined {
  // Nothing that such a source sends is taken until it is put again, and given a new secret.
  if (table === "inbox_sources") return { ...row, secret: "", old_secret: null };
  if (table !== "endpoints") return undefined;
  const {
    headers,
    routing_key: key,
    ...open
  } = readSettings({
    settings: typeof row.settings === "string" ? row.settings : null,
  });
  const more = headers === undefined && key === undefined ? "" : ", and give its headers and its key again";
  const last_error = `imported without its secret: rotate it${more}`;
  return { ...row, settings: writeSettings(open), secret: "", old_secret: null, enabled: 0, last_error };
}
