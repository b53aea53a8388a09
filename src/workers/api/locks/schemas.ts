import {
  LockAcquisition,
  LockAnswer,
  LockHeld,
  LockPage,
  LockRelease,
  LockReleased,
  LockRenewal,
} from "../../../core/locks/api.ts";
import { named } from "../http/schema-parts.ts";

export const LockAcquisitionSchema = named("LockAcquisition", LockAcquisition);
export const LockRenewalSchema = named("LockRenewal", LockRenewal);
export const LockReleaseSchema = named("LockRelease", LockRelease);
export const LockAnswerSchema = named("LockAnswer", LockAnswer);
export const LockHeldSchema = named("LockHeld", LockHeld);
export const LockReleasedSchema = named("LockReleased", LockReleased);
export const LocksSchema = named("Locks", LockPage);
