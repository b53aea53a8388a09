import { HOST_LIMITS, HostShareStatus } from "../../../src/core/limits/host/api.ts";
import { AgentUnreachable, askAgent, CommandFailed } from "../../commands/ask-agent.ts";
import type { AgentSettings } from "../../config/settings.ts";
import { leftInJournal } from "../../limits/share-journal.ts";
import { type DoctorFinding, ok, unknown, warning } from "./finding.ts";

const ANSWER_MS = 5_000;
const CHECK = "limits";

/** Which limits the running agent holds a share of for the processes of this host, and what it has not told the edge yet. */
export async function limitsFinding({
  stateDir,
  limits,
}: Pick<AgentSettings, "stateDir" | "limits">): Promise<DoctorFinding> {
  if (limits?.share === false) return ok(CHECK, "limits.share is false: processes of this host reserve at the edge");
  try {
    return statusFinding(HostShareStatus.parse(await askAgent(stateDir, HOST_LIMITS, {}, ANSWER_MS)));
  } catch (failure) {
    if (failure instanceof CommandFailed)
      return unknown(CHECK, `the agent does not say what it holds: ${failure.message}`, "restart the agent");
    if (!(failure instanceof AgentUnreachable)) throw failure;
    return leftFinding(stateDir, failure.message);
  }
}

function leftFinding(stateDir: string, noAgent: string): DoctorFinding {
  let left: number;
  try {
    left = leftInJournal(stateDir);
  } catch (failure) {
    return unknown(CHECK, `${noAgent}, and what an earlier one held cannot be read: ${(failure as Error).message}`);
  }
  if (left === 0) return ok(CHECK, noAgent);
  return warning(
    CHECK,
    `${noAgent}, and ${counted(left, "settlement")} of its processes ${left === 1 ? "waits" : "wait"} for it`,
    "start the agent: until then the edge does not count what was used, and what was held expires",
  );
}

function statusFinding({ held, unsent, refused, problem }: HostShareStatus): DoctorFinding {
  const shares = held.map(({ limit, calls }) => `${limit} (${counted(calls, "call")})`).join(", ");
  const holds = shares === "" ? "holds no share" : `holds shares of ${shares}`;
  const lost = refused === 0 ? "" : `; the edge refused ${counted(refused, "settlement")} since its start`;
  if (unsent === 0) return ok(CHECK, `the agent ${holds}, and has told the edge what was used${lost}`);
  const waiting = `the agent ${holds}, and has not told the edge of ${counted(unsent, "settlement")}`;
  if (problem === undefined) return ok(CHECK, `${waiting} yet${lost}`);
  return warning(
    CHECK,
    `${waiting}: ${problem}${lost}`,
    "see the checks of the edge and the token (tasks:work): the agent sends them again until the edge takes them",
  );
}

const counted = (count: number, what: string) => `${count} ${what}${count === 1 ? "" : "s"}`;
