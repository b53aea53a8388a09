import { hostname } from "node:os";
import { createInterface } from "node:readline";
import { Command } from "commander";
import { callMcp, type McpMessage } from "../../../src/client/mcp.ts";
import { milliseconds } from "../../arguments.ts";
import { UsageError } from "../../failure.ts";
import { remark } from "../../output.ts";
import { clientFor, connectionFor } from "../../settings.ts";
import { Bridge } from "./bridge.ts";
import { CHANNEL, Channel } from "./channel.ts";
import { PERMISSION_CHANNEL, PermissionRelay } from "./permission-relay.ts";

interface Options {
  readonly tools?: string;
  readonly push?: readonly string[];
  readonly announce?: readonly string[];
  readonly answers?: true;
  readonly relayPermissions?: string;
  readonly permissionsExpire?: number;
}

/** Below the time after which clients give a call up, take_task's own wait of 25 s left out. */
const PATIENCE_MS = 20_000;

const DEFAULT_PERMISSION_MS = 600_000;
const LONGEST_PERMISSION_MS = 86_400_000;

const some = (value: string, before: readonly string[] = []) => [...before, value];

export const mcpCommand = () =>
  new Command("mcp")
    .summary("serve the tools of the edge to a model, over standard input and output (MCP)")
    .option("--tools <groups>", "groups of tools, with commas between them (default: those listed by default)")
    .option("--push <pattern>", "push signals of these names into the session; may be repeated", some)
    .option("--announce <queue/recipient>", "push that a task waits for a recipient; may be repeated", some)
    .option("--answers", "push the answer to a question that ask_agent or ask_human has left open")
    .option(
      "--relay-permissions <recipient>",
      "ask this person or role what the session asks permission for (default: off)",
    )
    .option(
      "--permissions-expire <length>",
      "how long a decision is of use (default: 10m)",
      milliseconds(1_000, LONGEST_PERMISSION_MS),
    )
    .addHelpText(
      "after",
      "\nPushing needs a client with channels, such as Claude Code: docs/mcp.md. Remarks go to standard error.",
    )
    .action(async (options: Options, command: Command) => {
      const { tools, push = [], announce = [], answers, relayPermissions } = options;
      const { ecosystem, ...edge } = connectionFor(command);
      const ended = new AbortController();
      const write = (message: McpMessage) => void process.stdout.write(`${JSON.stringify(message)}\n`);
      const channel = new Channel({
        client: clientFor(command),
        signals: push,
        tasks: announce.map(readAnnounced),
        write,
        warn: (text) => remark(`ganglion mcp: ${text}`),
        signal: ended.signal,
      });
      const permissions =
        relayPermissions === undefined
          ? undefined
          : new PermissionRelay({
              client: clientFor(command),
              recipient: relayPermissions,
              expiresMs: options.permissionsExpire ?? DEFAULT_PERMISSION_MS,
              session: `${hostname()} ${process.cwd()}`.slice(0, 200),
              write,
              warn: (text) => remark(`ganglion mcp: ${text}`),
            });
      const pushes = push.length > 0 || announce.length > 0 || answers === true;
      const bridge = new Bridge({
        send: (sending) =>
          callMcp(edge, {
            path: `/v1/${encodeURIComponent(ecosystem)}/mcp`,
            query: { tools },
            patienceMs: PATIENCE_MS,
            ...sending,
          }),
        write,
        experimental: {
          ...(pushes || permissions !== undefined ? { [CHANNEL]: {} } : {}),
          ...(permissions === undefined ? {} : { [PERMISSION_CHANNEL]: {} }),
        },
        onPermissionRequest: permissions === undefined ? undefined : (params) => permissions.take(params),
        onReady: () => channel.begin(),
        onToolResult: (params, { structuredContent }) => {
          const question = answers === true ? pendingQuestion(params, structuredContent) : undefined;
          if (question !== undefined) channel.awaitAnswer(question.queue, question.correlationId);
          const human = answers === true ? humanQuestion(params, structuredContent) : undefined;
          if (human?.open === true) channel.awaitHuman(human.id);
          else if (human !== undefined) channel.heardHuman(human.id);
        },
      });
      const open = new Set<Promise<void>>();
      for await (const line of createInterface({ input: process.stdin })) {
        if (line.trim() === "") continue;
        const taken = bridge.take(line).finally(() => open.delete(taken));
        open.add(taken);
      }
      // The client has gone: what it asked for is of no use to anybody.
      ended.abort();
      bridge.close();
      await Promise.all([...open, permissions?.close()]);
    });

/** The question to a person that a call has asked, and whether it was left open. */
function humanQuestion({ name }: Record<string, unknown>, content: unknown): { id: string; open: boolean } | undefined {
  if (name !== "ask_human" || typeof content !== "object" || content === null) return undefined;
  const { id, state } = content as Record<string, unknown>;
  return typeof id === "string" ? { id, open: state === "open" } : undefined;
}

function readAnnounced(text: string): { queue: string; recipient: string } {
  const [queue, recipient, ...more] = text.split("/");
  if (queue === undefined || queue === "" || recipient === undefined || recipient === "" || more.length > 0)
    throw new UsageError(`--announce ${text}: give a queue and a recipient, such as work/coder`);
  return { queue, recipient };
}

/** The question that a call of ask_agent has left pending. */
function pendingQuestion(params: McpMessage, content: unknown): { queue: string; correlationId: string } | undefined {
  if (params.name !== "ask_agent" || typeof content !== "object" || content === null) return undefined;
  const { arguments: args } = params;
  const queue = typeof args === "object" && args !== null && "queue" in args ? args.queue : undefined;
  if (!("status" in content) || content.status !== "pending" || !("correlation_id" in content)) return undefined;
  const { correlation_id: correlationId } = content;
  return typeof queue === "string" && typeof correlationId === "string" ? { queue, correlationId } : undefined;
}
