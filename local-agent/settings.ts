import { readFileSync } from "node:fs";
import { hostname } from "node:os";
import { join, resolve } from "node:path";
import * as z from "zod";
import { EcosystemName, IDENTIFIER } from "../src/core/signals/signal.ts";
import { ExpectedError } from "./service.ts";

export const SOURCES = ["sampler", "intents", "bus"] as const;
export type SourceName = (typeof SOURCES)[number];

/** Where a host's ZMQ bus listens when nobody says otherwise (R6). */
export const DEFAULT_XSUB = "tcp://127.0.0.1:5556";
export const DEFAULT_XPUB = "tcp://127.0.0.1:5557";

export interface AgentSettings {
  readonly url: string;
  /** Asked at every connection, so that a token that was replaced is picked up. Throws {@link ExpectedError} where there is none. */
  readonly token: () => string;
  readonly ecosystem: string;
  readonly hostId: string;
  readonly stateDir: string;
  readonly intentsDir: string;
  readonly subscribe: readonly string[];
  readonly sampleSeconds: number;
  readonly xsub: string;
  readonly xpub: string;
  readonly sources: readonly SourceName[];
  readonly log: "text" | "json";
  readonly logLevel: "debug" | "info" | "warn" | "error";
  readonly spoolMaxBytes: number;
}

const list = (text: string) =>
  text
    .split(",")
    .map((item) => item.trim())
    .filter((item) => item !== "");

const Endpoint = z.string().regex(/^(tcp:\/\/[^\s:/]+:\d{1,5}|ipc:\/\/\S+)$/, {
  message: "give an address such as tcp://127.0.0.1:5556 or ipc:///run/bus.sock",
});

const HostId = z.string().regex(/^[A-Za-z0-9][A-Za-z0-9._-]{0,127}$/, {
  message: "give letters, digits and . _ - (128 at most), beginning with a letter or digit",
});

/** Numbers in the environment are texts; `Number("")` would be 0. */
const numberText = (range: z.ZodNumber, message: string) =>
  z
    .string()
    .refine((text) => text.trim() !== "" && range.safeParse(Number(text)).success, { message })
    .transform(Number);

const Environment = z
  .object({
    GANGLION_URL: z
      .url({ protocol: /^https?$/, message: "give an http:// or https:// address such as http://127.0.0.1:8787" })
      .optional(),
    GANGLION_PORT: numberText(z.int().min(1).max(65_535), "give a port between 1 and 65535").default(8787),
    GANGLION_TOKEN: z.string().optional(),
    GANGLION_ECOSYSTEM: EcosystemName.default("default"),
    GANGLION_HOST_ID: HostId.optional(),
    GANGLION_STATE_DIR: z.string().default(".ganglion"),
    GANGLION_INTENTS_DIR: z.string().optional(),
    GANGLION_SUBSCRIBE: z
      .string()
      .transform(list)
      .pipe(
        z
          .array(
            z
              .string()
              .regex(
                /^!?[A-Za-z0-9_.:*-]{1,128}$/,
                "a pattern is a signal's name in which * stands for any characters, such as Q_* or !OBSERVATION",
              ),
          )
          .min(1, "give at least one pattern, such as *")
          .max(64, "give 64 patterns at most"),
      )
      .default(["*", "!OBSERVATION"]),
    GANGLION_SAMPLE_SECONDS: numberText(z.number().min(0.1).max(3600), "give seconds between 0.1 and 3600").default(5),
    GANGLION_SOURCES: z
      .string()
      .transform((text) => (text.trim() === "none" ? [] : list(text)))
      .pipe(z.array(z.enum(SOURCES, `name some of ${SOURCES.join(", ")}, separated by commas, or none`)))
      .default([...SOURCES]),
    GANGLION_LOG: z.enum(["text", "json"], "give text or json").default("text"),
    GANGLION_LOG_LEVEL: z.enum(["debug", "info", "warn", "error"], "give debug, info, warn or error").default("info"),
    GANGLION_SPOOL_MAX_MB: numberText(z.number().min(1).max(1_000_000), "give megabytes, 1 at least").default(256),
    KLR_CHEM_XSUB: Endpoint.default(DEFAULT_XSUB),
    KLR_CHEM_XPUB: Endpoint.default(DEFAULT_XPUB),
  })
  .refine((settings) => settings.KLR_CHEM_XSUB !== settings.KLR_CHEM_XPUB, {
    path: ["KLR_CHEM_XPUB"],
    message: "give it another address than KLR_CHEM_XSUB: publishers and subscribers connect to different ones",
    when: () => true,
  });

/**
 * Reads the settings (names in README.md, "Settings"). An empty variable counts as unset.
 *
 * @throws ExpectedError that names every variable that is wrong and how to put it right; values are not repeated,
 * because one of them is a secret
 */
export function readSettings(env: Readonly<Record<string, string | undefined>>, cwd: string): AgentSettings {
  const given = Object.fromEntries(Object.entries(env).filter(([, value]) => value !== undefined && value !== ""));
  const parsed = Environment.safeParse(given);
  const problems = parsed.success
    ? []
    : parsed.error.issues.map((issue) => ({ variable: String(issue.path[0] ?? "settings"), fix: issue.message }));
  if (given.GANGLION_HOST_ID === undefined && !IDENTIFIER.test(hostname())) {
    problems.push({
      variable: "GANGLION_HOST_ID",
      fix: "set it: this machine's own name holds other characters than letters, digits and . _ -",
    });
  }
  const stateDir = resolve(cwd, given.GANGLION_STATE_DIR ?? ".ganglion");
  const token = tokenReader(given.GANGLION_TOKEN, join(stateDir, "token"));
  try {
    token();
  } catch (error) {
    if (!(error instanceof ExpectedError)) throw error;
    problems.push({ variable: "GANGLION_TOKEN", fix: error.message });
  }
  if (!parsed.success || problems.length > 0) {
    throw new ExpectedError(
      ["The settings are not right:", ...problems.map(({ variable, fix }) => `  ${variable}: ${fix}`)].join("\n"),
    );
  }
  const settings = parsed.data;
  return {
    url: settings.GANGLION_URL ?? `http://127.0.0.1:${settings.GANGLION_PORT}`,
    token,
    ecosystem: settings.GANGLION_ECOSYSTEM,
    hostId: settings.GANGLION_HOST_ID ?? hostname(),
    stateDir,
    intentsDir:
      settings.GANGLION_INTENTS_DIR === undefined
        ? join(stateDir, "intents")
        : resolve(cwd, settings.GANGLION_INTENTS_DIR),
    subscribe: settings.GANGLION_SUBSCRIBE,
    sampleSeconds: settings.GANGLION_SAMPLE_SECONDS,
    xsub: settings.KLR_CHEM_XSUB,
    xpub: settings.KLR_CHEM_XPUB,
    sources: settings.GANGLION_SOURCES,
    log: settings.GANGLION_LOG,
    logLevel: settings.GANGLION_LOG_LEVEL,
    spoolMaxBytes: settings.GANGLION_SPOOL_MAX_MB * 1024 * 1024,
  };
}

/** HTTP header values hold visible ASCII: anything else would fail at every connection, far from its cause. */
const SENDABLE_TOKEN = /^[\x21-\x7e]{1,4096}$/;

function tokenReader(fromEnvironment: string | undefined, file: string): () => string {
  return () => {
    const token = (fromEnvironment ?? tokenInFile(file)).trim();
    if (SENDABLE_TOKEN.test(token)) return token;
    const where = fromEnvironment === undefined ? `the file ${file}` : "GANGLION_TOKEN";
    throw new ExpectedError(`${where} does not hold a token: one line of visible ASCII characters without blanks`);
  };
}

function tokenInFile(file: string): string {
  try {
    return readFileSync(file, "utf8");
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    throw new ExpectedError(
      code === "ENOENT"
        ? `set it, or put the token into ${file} (the edge of this machine writes it there when it starts)`
        : `the file ${file} cannot be read (${code}): make it readable for this user, or set the variable`,
    );
  }
}
