import type { ExportBindings } from "../shell/export-outbox.ts";
import type { AuditBindings } from "./audit-commands.ts";
import type { HostNameBindings } from "./host-names.ts";
import type { HostSampleBindings } from "./host-samples.ts";
import type { LimitWatchBindings } from "./limit-watch.ts";
import type { ProofBindings } from "./proof-relay.ts";
import type { RegistrationBindings } from "./registration.ts";
import type { RemovalBindings } from "./removal.ts";
import type { ScheduleBindings } from "./schedule-notices.ts";
import type { TaskNotesBindings } from "./task-notes.ts";

/** Bindings that a queue uses. */
export type QueueBindings = AuditBindings &
  HostNameBindings &
  RegistrationBindings &
  RemovalBindings &
  ExportBindings &
  ScheduleBindings &
  TaskNotesBindings &
  HostSampleBindings &
  ProofBindings &
  LimitWatchBindings;
