import { resolve } from "node:path";
import { parseArgs } from "node:util";
import { stateDirectory } from "../../local-edge/paths.ts";
import { type ServedEdge, serveEdge } from "../../local-edge/serve.ts";
import { onStopRequest } from "../../local-edge/stop-request.ts";
import { AgentProcess, type Source } from "./agent-process.ts";
import { banner, USAGE } from "./banner.ts";
import { LiveLine } from "./live-line.ts";
import { StatusFeed } from "./status-feed.ts";

/**
 * `npm start`: edge and agent on this machine. The edge runs in this process (and its runtime in a child), the agent in
 * a child of its own, because one of them crashing must not take the other with it.
 */

const options = readOptions();
const ecosystem = process.env.GANGLION_ECOSYSTEM || "default";
const screen = new LiveLine(process.stdout);
/** What runs so far: a stop request may come while the rest is still starting. */
const parts: { edge?: ServedEdge; agent?: AgentProcess; feed?: StatusFeed } = {};
let stopping = false;

onStopRequest(async () => {
  stopping = true;
  parts.feed?.stop();
  screen.say("Stopping.");
  await stopParts();
  screen.say("Stopped. `npm start` goes on from here.");
  process.exit(0);
});

try {
  await start();
} catch (error) {
  // A stop request ends what was starting: that is no failure.
  if (!stopping) {
    screen.say(error instanceof Error ? error.message : String(error));
    await stopParts();
    process.exit(1);
  }
}

async function start(): Promise<void> {
  const stateDir = stateDirectory();
  if (!options["agent-only"]) {
    parts.edge = await serveEdge(
      (sentence) => screen.say(sentence),
      ({ level, message }) => {
        // The Worker's chatter is for who develops it; what went wrong is for everybody.
        if (level === "warn" || level === "error") screen.say(`edge ${level}: ${message}`);
      },
    );
    if (stopping) return parts.edge.stop();
  }
  const url = parts.edge?.url ?? (process.env.GANGLION_URL || `http://127.0.0.1:${process.env.GANGLION_PORT || 8787}`);
  let sources: readonly Source[] | undefined;
  if (!options["edge-only"]) {
    parts.agent = new AgentProcess(agentEnvironment(url, stateDir), (sentence) => screen.say(sentence));
    sources = await parts.agent.ready;
  }
  const tokenPath = parts.edge?.tokenPath;
  for (const line of banner({ url, stateDir, ecosystem, tokenPath, sources })) screen.say(line);
  screen.say(`ready ${url}`);
  if (tokenPath !== undefined && !stopping) parts.feed = new StatusFeed({ url, tokenPath, ecosystem }, screen);
}

/** The agent first: it hands over what it holds while the edge still answers. */
async function stopParts(): Promise<void> {
  parts.edge?.announceStop();
  await parts.agent?.stop();
  await parts.edge?.stop();
}

function agentEnvironment(url: string, stateDir: string): NodeJS.ProcessEnv {
  const environment: NodeJS.ProcessEnv = { ...process.env, GANGLION_URL: url, GANGLION_STATE_DIR: stateDir };
  // The port may be 0, which says nothing to an agent; the address is all that it needs.
  delete environment.GANGLION_PORT;
  for (const name of ["GANGLION_INTENTS_DIR", "GANGLION_METRICS_DIR"]) {
    const directory = environment[name];
    if (directory) environment[name] = resolve(process.env.INIT_CWD ?? process.cwd(), directory);
  }
  if (parts.edge !== undefined) {
    // A token for some other edge, meant for the command line or for --agent-only, would be refused by this one.
    delete environment.GANGLION_TOKEN;
    environment.GANGLION_TOKEN_FILE = parts.edge.tokenPath;
    environment.GANGLION_LOG_LEVEL ||= "warn";
  }
  return environment;
}

function readOptions() {
  try {
    const { values } = parseArgs({
      options: {
        "edge-only": { type: "boolean" },
        "agent-only": { type: "boolean" },
        help: { type: "boolean", short: "h" },
      },
    });
    if (values.help) {
      console.log(USAGE);
      process.exit(0);
    }
    if (values["edge-only"] && values["agent-only"])
      throw new Error("--edge-only and --agent-only exclude each other.");
    return values;
  } catch (error) {
    console.error(`${error instanceof Error ? error.message : String(error)}\n\n${USAGE}`);
    process.exit(2);
  }
}
