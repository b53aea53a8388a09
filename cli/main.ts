import { Command, CommanderError } from "commander";
import { openCommand } from "./commands/access/open.ts";
import { sessionsCommand } from "./commands/access/sessions.ts";
import { tokensCommand } from "./commands/access/tokens.ts";
import { agentSessionsCommand } from "./commands/agent-sessions/agent-sessions.ts";
import { attentionCommand } from "./commands/attention/attention.ts";
import { auditCommand } from "./commands/audit/audit.ts";
import { budgetCommand } from "./commands/budget.ts";
import { dlqCommand } from "./commands/dead-letters/dead-letters.ts";
import { ecosystemCommand } from "./commands/ecosystems/ecosystem.ts";
import { eraseCommand } from "./commands/erasure/erase.ts";
import { bridgesCommand } from "./commands/federation/bridges.ts";
import { taskStatusCommand, workersCommand } from "./commands/file-tasks/workers.ts";
import { agentsCommand } from "./commands/hosts/agents.ts";
import { monitorsCommand } from "./commands/hosts/monitors.ts";
import { producersCommand } from "./commands/hosts/producers.ts";
import { importCommand } from "./commands/import/import.ts";
import { inboxCommand } from "./commands/inbox/inbox.ts";
import { askCommand } from "./commands/intelligence/ask.ts";
import { rolloutCommand } from "./commands/intelligence/rollout.ts";
import { gapsCommand } from "./commands/introspection/gaps.ts";
import { maintenanceCommand } from "./commands/introspection/maintenance.ts";
import { observationsCommand } from "./commands/introspection/observations.ts";
import { scannersCommand } from "./commands/introspection/scanners.ts";
import { explainCommand } from "./commands/lineage/explain.ts";
import { modelsCommand } from "./commands/models/models.ts";
import { overviewCommand } from "./commands/overview/overview.ts";
import { decisionsCommand } from "./commands/policy/decisions.ts";
import { expectationsCommand } from "./commands/policy/expectations.ts";
import { policyCommand } from "./commands/policy/policy.ts";
import {
  bottlenecksCommand,
  callCommand,
  eventsCommand,
  metricsCommand,
  queueCommand,
  queuesCommand,
} from "./commands/queue/queues.ts";
import { tasksCommand } from "./commands/queue/tasks.ts";
import { emitCommand } from "./commands/signals/emit.ts";
import { signalsCommand } from "./commands/signals/signals.ts";
import { smokeCommand } from "./commands/smoke/smoke.ts";
import { statusCommand } from "./commands/status.ts";
import { logsCommand, psCommand, restartCommand, startCommand, stopCommand } from "./commands/supervisor/supervisor.ts";
import { exportCommand } from "./commands/telemetry/export.ts";
import { usageCommand } from "./commands/usage.ts";
import { webhooksCommand } from "./commands/webhooks/webhooks.ts";
import { explain } from "./failure.ts";
import { remark } from "./output.ts";
import type { GlobalOptions } from "./settings.ts";
import { setLook } from "./terminal/look.ts";

/** Exit codes: 0 done, 1 refused or failed, 2 wrong usage. */
export async function main(argv: readonly string[]): Promise<void> {
  // `ganglion signals | head`: the reader closed the pipe. That is no failure.
  process.stdout.on("error", (error: NodeJS.ErrnoException) => {
    if (error.code === "EPIPE") process.exit(0);
    remark(`ganglion: the output cannot be written: ${error.message}`);
    process.exit(1);
  });
  // Remarks that nobody can read must not end a command that does its work.
  process.stderr.on("error", () => undefined);
  try {
    await program().parseAsync(argv);
  } catch (error) {
    if (error instanceof CommanderError) {
      process.exitCode = error.exitCode === 0 ? 0 : 2; // commander has printed the reason already
      return;
    }
    const { text, exitCode } = explain(error);
    remark(`ganglion: ${text}`);
    process.exitCode = exitCode;
  }
}

function program(): Command {
  const root = new Command("ganglion")
    .description("Talk to a Ganglion edge: emit, read and follow signals, see gaps and decisions, queue tasks.")
    .option("--url <url>", "URL of the edge (default: GANGLION_URL, or the edge on this machine)")
    .option("--token-file <file>", "file with the token (default: GANGLION_TOKEN, or the local edge's own)")
    .option("--ecosystem <name>", "name of the ecosystem (default: GANGLION_ECOSYSTEM, or default)")
    .option("--json", "for programs: JSON instead of tables")
    .option("--wide", "do not fit tables to the terminal")
    .addHelpText("after", "\nExit codes: 0 done, 1 refused or failed, 2 wrong usage.")
    .showHelpAfterError("(add --help for usage)")
    .hook("preAction", (_, command) => setLook({ wide: command.optsWithGlobals<GlobalOptions>().wide === true }));
  for (const make of [
    emitCommand,
    signalsCommand,
    observationsCommand,
    gapsCommand,
    scannersCommand,
    maintenanceCommand,
    policyCommand,
    expectationsCommand,
    decisionsCommand,
    explainCommand,
    modelsCommand,
    statusCommand,
    usageCommand,
    budgetCommand,
    smokeCommand,
    attentionCommand,
    overviewCommand,
    agentsCommand,
    agentSessionsCommand,
    producersCommand,
    monitorsCommand,
    tasksCommand,
    queueCommand,
    queuesCommand,
    bottlenecksCommand,
    metricsCommand,
    eventsCommand,
    callCommand,
    askCommand,
    rolloutCommand,
    workersCommand,
    taskStatusCommand,
    psCommand,
    startCommand,
    stopCommand,
    restartCommand,
    logsCommand,
    dlqCommand,
    webhooksCommand,
    exportCommand,
    inboxCommand,
    bridgesCommand,
    openCommand,
    sessionsCommand,
    tokensCommand,
    auditCommand,
    ecosystemCommand,
    eraseCommand,
    importCommand,
  ]) {
    root.addCommand(make());
  }
  throwInsteadOfExiting(root);
  return root;
}

/** Commander hands this down to subcommands that it makes itself, not to those it is given. */
function throwInsteadOfExiting(command: Command): void {
  command.exitOverride();
  for (const sub of command.commands) throwInsteadOfExiting(sub);
}
