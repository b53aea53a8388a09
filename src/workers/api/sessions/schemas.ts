import { CurrentSession, SessionCode, SessionRecord, Sessions } from "../../../core/access/session.ts";
import { named } from "../http/schema-parts.ts";

export const SessionCodeSchema = named("SessionCode", SessionCode);
export const SessionSchema = named("Session", SessionRecord);
export const SessionsSchema = named(
  "Sessions",
  Sessions.extend({ sessions: SessionSchema.array().openapi({ description: "The sessions, the latest used first" }) }),
);
export const CurrentSessionSchema = named("CurrentSession", CurrentSession);
