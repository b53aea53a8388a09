import { chmod, mkdir, readFile } from "node:fs/promises";
import { dirname, join, resolve } from "node:path";
import { Command } from "commander";
import { ifThere, replaceFile } from "../../base/files/replace-file.ts";
import { writeWhole } from "../../base/files/write-whole.ts";
import { SYSTEM_CONFIG, SYSTEM_TOKEN, userConfig } from "../../base/locations.ts";
import { ExpectedError } from "../../base/service.ts";
import { loadSettings, problemText } from "../../config/settings.ts";
import { edgeChecks } from "../doctor/edge-checks.ts";
import { findingLine } from "../doctor/finding.ts";
import { joinedSettings } from "./joined-settings.ts";

interface JoinOptions {
  readonly tokenFile: string;
  readonly ecosystem?: string;
  readonly hostId?: string;
  readonly config?: string;
  readonly user?: true;
  readonly replace?: true;
}

/** Where settings and token of the host lie. */
interface Place {
  readonly config: string;
  readonly token: string;
  /** Whether the settings have to name the token: systemd passes that of the system's service by itself. */
  readonly named: boolean;
  /** What starts the agent. */
  readonly next: string;
}

/** `ganglion-agent join`: makes this host one of an edge's. */
export function joinCommand(): Command {
  return new Command("join")
    .description("make this host one of an edge's: try the connection, keep the token, write the settings")
    .argument("<url>", "URL of the edge, such as https://ganglion.example")
    .requiredOption("--token-file <file>", "file with the host's token, which `ganglion tokens create` prints")
    .option("--ecosystem <name>", "ecosystem of the host (default: that of the settings, or default)")
    .option("--host-id <id>", "name of the host (default: that of the settings, or the hostname)")
    .option("--config <file>", "file of settings to write; the token is kept beside it")
    .option("--user", "write your own settings, for a service without root or for the foreground")
    .option("--replace", "leave the edge that the settings name")
    .addHelpText("after", "\nWhere the edge does not answer, or does not take the token, nothing is written.")
    .action(runJoin);
}

async function runJoin(given: string, options: JoinOptions): Promise<void> {
  const url = urlOf(given);
  const token = await tokenIn(options.tokenFile);
  const place = placeOf(options);
  const text = await ifThere(readFile(place.config, "utf8"));
  const { ecosystem, hostId } = options;
  const membership = { url, ecosystem, hostId, tokenFile: place.named ? place.token : undefined };
  // Refused before anything is asked of the edge.
  const joined = joinedSettings(place.config, text, membership, options.replace === true);
  const findings = await edgeChecks({ url, token: () => token, ecosystem: joined.ecosystem });
  for (const finding of findings) console.log(findingLine(finding));
  if (findings.some(({ check, verdict }) => verdict === "error" || (check === "token" && verdict !== "ok")))
    throw new ExpectedError("nothing was written: see above, and join again");
  await mkdir(dirname(place.token), { recursive: true, mode: 0o755 });
  await mkdir(dirname(place.config), { recursive: true, mode: 0o755 });
  await writeWhole(place.token, `${token}\n`, { mode: 0o600 });
  await chmod(place.token, 0o600);
  await replaceFile(place.config, joined.text);
  console.log(`wrote ${place.config} and ${place.token}`);
  const { problems } = loadSettings(environmentWithout(), "/", place.config);
  for (const problem of problems) console.log(problemText(problem));
  if (problems.some(({ severity }) => severity === "error"))
    throw new ExpectedError("the settings have errors besides: see above, and repair them (ganglion-agent check)");
  console.log(`Next: ${place.next}`);
}

/** The variables of this shell are not those of the service. */
const environmentWithout = () =>
  Object.fromEntries(Object.entries(process.env).filter(([name]) => !name.startsWith("GANGLION_")));

function urlOf(given: string): string {
  const url = URL.parse(given);
  if (url === null || !["http:", "https:"].includes(url.protocol) || url.username !== "" || url.password !== "")
    throw new ExpectedError(`"${given}" is not the URL of an edge: give one such as https://ganglion.example`);
  return url.href.replace(/\/$/, "");
}

async function tokenIn(file: string): Promise<string> {
  const text = await ifThere(readFile(resolve(file), "utf8"));
  if (text === undefined)
    throw new ExpectedError(
      `the token file ${file} does not exist: create a token (ganglion tokens create) and put it there`,
    );
  const token = text.trim();
  if (!/^[\x21-\x7e]{1,4096}$/.test(token))
    throw new ExpectedError(
      `the token file ${file} holds no token: give one line of visible ASCII characters without blanks`,
    );
  return token;
}

function placeOf({ config, user }: JoinOptions): Place {
  if (config !== undefined && user) throw new ExpectedError("--config and --user cannot be combined: leave one out");
  if (config !== undefined) {
    const path = resolve(config);
    return {
      config: path,
      token: join(dirname(path), "token"),
      named: true,
      next: `ganglion-agent run --config ${path}`,
    };
  }
  if (user) {
    const path = userConfig(process.env);
    return {
      config: path,
      token: join(dirname(path), "token"),
      named: true,
      next: "ganglion-agent install --user (a service), or ganglion-agent run (in the foreground)",
    };
  }
  if (process.getuid?.() !== 0)
    throw new ExpectedError("The settings of the system's service need root: use sudo, or --user for your own");
  return {
    config: SYSTEM_CONFIG,
    token: SYSTEM_TOKEN,
    named: false,
    next: `ganglion-agent install, then ganglion-agent doctor --config ${SYSTEM_CONFIG}`,
  };
}
