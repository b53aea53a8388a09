import type { Limit, LimitPage } from "../../../../src/core/limits/api.ts";
import type { LockPage } from "../../../../src/core/locks/api.ts";
import type { MailMessage, MailPage } from "../../../../src/core/mail/api.ts";
import type { Note, NotePage } from "../../../../src/core/notes/api.ts";
import type { Question } from "../../../../src/core/questions/api.ts";
import type { Schedule, ScheduleRun } from "../../../../src/core/schedules/api.ts";

/** What the documents are made of: times before now, and texts that are hard to show. */
export interface Parts {
  readonly ago: (seconds: number) => string;
  readonly HOSTILE: string;
  readonly LONG: string;
  readonly WIDE: string;
}

/** Answers of the edge about what agents share: schedules, mail, locks, limits, questions and notes. */
export function coordinationDocuments({ ago, HOSTILE, LONG, WIDE }: Parts): Record<string, unknown> {
  const [JUST, MINUTES, HOURS, SOON, LATER] = [ago(12), ago(600), ago(12_000), ago(-900), ago(-40_000)];
  const run: ScheduleRun = {
    run: "schedule/nightly/1796007600",
    time: HOURS,
    by: "time",
    state: "running",
    made_at: HOURS,
    taken_at: MINUTES,
    ended_at: null,
    broke: ["late_start"],
  };
  const nightly: Schedule = {
    name: "nightly",
    description: LONG,
    cron: "0 3 * * *",
    zone: "Europe/Berlin",
    task: { queue: "work", recipient: "backup", type: "backup", payload: { disk: "sda" }, priority: 5 },
    overlap: "skip",
    catch_up: 1,
    limits: { late_start: "10m", late_finish: "2h", too_often: { runs: 3, within: "1h" } },
    paused: false,
    created_at: HOURS,
    changed_at: MINUTES,
    next_at: LATER,
    open: [run],
    broken: [{ limit: "late_finish", since: MINUTES, run: run.run, value: 7_300_000, allowed: 7_200_000 }],
    last: { ...run, state: "complete", ended_at: HOURS, broke: [] },
  };
  const elsewhere: Schedule = {
    name: "tape",
    every: "10m",
    zone: "UTC",
    overlap: "skip",
    catch_up: 0,
    limits: {},
    paused: true,
    created_at: HOURS,
    changed_at: MINUTES,
    next_at: null,
    open: [],
    broken: [],
    last: null,
  };
  const runs: ScheduleRun[] = [
    run,
    {
      ...run,
      run: "r2",
      time: HOURS,
      through: MINUTES,
      state: "missed",
      made_at: null,
      taken_at: null,
      why: LONG,
      broke: [],
    },
  ];
  const message: MailMessage = {
    id: "mail-17",
    from: "planner",
    to: WIDE,
    subject: LONG,
    body: { numbers: ["9007199254740993"] },
    thread: "mail-11",
    reply_to: "mail-11",
    state: "read",
    sent_at: HOURS,
    delivered_at: MINUTES,
    read_at: JUST,
    acted_at: null,
    ended_at: null,
    expires_at: LATER,
  };
  const mail: MailPage = {
    messages: [
      message,
      {
        ...message,
        id: "mail-18",
        from: HOSTILE,
        to: "coder",
        subject: null,
        body: HOSTILE,
        state: "sent",
        read_at: null,
      },
    ],
    next: null,
  };
  const locks: LockPage = {
    locks: [
      {
        name: "tree:/srv/app/**",
        mode: "exclusive",
        owner: "gpu-01/4711",
        fence: 1_796_008_000_001,
        acquired_at: MINUTES,
        expires_at: SOON,
        ttl_ms: 30_000,
        task: LONG,
        owner_process: null,
        waiting: 2,
      },
      {
        name: "port:8080",
        mode: "shared",
        owner: "coder/7",
        fence: 1_796_008_000_002,
        acquired_at: JUST,
        expires_at: SOON,
        ttl_ms: 30_000,
        task: null,
        owner_process: null,
        waiting: 0,
      },
    ],
    waits: [
      {
        name: "tree:/srv/app/src/**",
        mode: "exclusive",
        owner: "reviewer/9",
        since: JUST,
        task: "t-17",
        blocked_by: {
          name: "tree:/srv/app/**",
          mode: "exclusive",
          owner: "gpu-01/4711",
          fence: 1_796_008_000_001,
          since: MINUTES,
          expires_at: SOON,
          task: null,
        },
      },
    ],
    waits_total: 1,
    next: null,
  };
  const limit: Limit = {
    name: "anthropic",
    description: LONG,
    requests_per_minute: 50,
    input_tokens_per_minute: 40_000,
    usd_per_day: 25,
    zone: "UTC",
    reservation_seconds: 600,
    ramp_seconds: 60,
    when_away: "closed",
    state: "closed",
    closed_until: SOON,
    reason: `the provider answered 429: ${HOSTILE}`,
    used: { requests: 48, input_tokens: 39_500, output_tokens: 1_200 },
    parked: 12,
    held: 3,
    shares: [{ host: "gpu-01", shares: 1, calls: 2, requests: 20, usd: 0.25 }],
    spent_usd: 12.345,
    held_usd: 0.5,
    created_at: HOURS,
    changed_at: MINUTES,
  };
  const limits: LimitPage = {
    limits: [
      limit,
      { ...limit, name: "local", state: "open", closed_until: null, reason: null, parked: undefined, held: 0 },
    ],
  };
  const question: Question = {
    id: "deploy-42",
    question: LONG,
    recipient: "ops",
    options: ["yes", "no"],
    context: { version: 42, note: HOSTILE },
    state: "open",
    answer: null,
    answered_by: null,
    answered_at: null,
    asked_by: "ci",
    asked_at: MINUTES,
    expires_at: SOON,
    closed_at: null,
    on_timeout: null,
    reminders: 1,
    escalate_to: "boss",
    escalated_at: JUST,
    cause: null,
    signal: "s-1",
  };
  const answered: Question = {
    ...question,
    id: "go",
    question: "Go on?",
    state: "answered",
    answer: "yes",
    comment: HOSTILE,
    answered_by: { name: "ada", way: "token" },
    answered_at: JUST,
    closed_at: JUST,
  };
  const permission: Question = {
    ...question,
    id: "perm-5f1c-abcde",
    question: "May Bash be used? Publish the package",
    options: ["allow", "deny"],
    escalate_to: null,
    escalated_at: null,
    reminders: 0,
    permission: {
      tool_name: "Bash",
      description: "Publish the package",
      input_preview: `npm publish --tag ${HOSTILE} && ${LONG}`,
      session: `${WIDE} ~/shop`,
    },
  };
  const decided = {
    id: "perm-9a-fghij",
    answer: "deny",
    options: ["allow", "deny"],
    permission: permission.permission,
  };
  const note: Note = {
    key: "task/build-17/progress",
    value: { step: 3, of: 7, why: LONG },
    version: 12,
    created_at: HOURS,
    changed_at: JUST,
    expires_at: LATER,
    by: "coder",
  };
  const notes: NotePage = {
    notes: [note, { ...note, key: WIDE, value: { text: HOSTILE }, version: 1, expires_at: null }],
    next: null,
  };
  return {
    schedules: { schedules: [nightly, elsewhere], next: null },
    "schedules/nightly": nightly,
    "schedules/nightly/runs": { runs },
    mail,
    "mail/mail-17": message,
    locks,
    limits,
    "limits/anthropic": limit,
    questions: { questions: [permission, question, answered], next: null },
    "questions?kind=permission": { questions: [permission, { ...answered, ...decided }], next: null },
    "questions/deploy-42": question,
    "questions/go": answered,
    "questions/perm-5f1c-abcde": permission,
    notes,
    "notes/task%2Fbuild-17%2Fprogress": note,
  };
}

/** The views of these documents. */
export const COORDINATION_VIEWS: readonly (readonly string[])[] = [
  ["schedule"],
  ["schedule", "show", "nightly"],
  ["schedule", "runs", "nightly"],
  ["mail", "list"],
  ["mail", "show", "mail-17"],
  ["lock", "list"],
  ["limits"],
  ["limits", "show", "anthropic"],
  ["questions"],
  ["questions", "show", "deploy-42"],
  ["questions", "show", "go"],
  ["permissions"],
  ["permissions", "show", "perm-5f1c-abcde"],
  ["notes"],
  ["notes", "show", "task/build-17/progress"],
];
