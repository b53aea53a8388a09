import type { Grant } from "./grant.ts";

/** What `ADMIN_TOKEN` may do. The directory does not know this token. */
export const ADMINISTRATOR: Grant = {
  id: "admin",
  name: "ADMIN_TOKEN",
  scopes: ["admin"],
  ecosystems: ["*"],
  expires_at: null,
};
