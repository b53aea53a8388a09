import type { CopyRules } from "../shell/schema.ts";
import { newSecret } from "./endpoint-row.ts";

/** Without its secret an endpoint is imported switched off, and with a new secret, which its receiver must be given. */
export const withoutSigningSecrets: CopyRules = {
  without: (table, row, withSecrets) =>
    table === "endpoints" && !withSecrets
      ? { ...row, secret: "", old_secret: null, enabled: 0, last_error: "imported without its secret: rotate it" }
      : undefined,
  imported: (sql) => {
    for (const { id } of sql.exec<{ id: string }>("SELECT id FROM endpoints WHERE secret = ''").toArray())
      sql.exec("UPDATE endpoints SET secret = ? WHERE id = ?", newSecret(), id);
  },
};
