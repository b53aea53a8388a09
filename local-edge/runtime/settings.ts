import { ANY, LOOPBACK } from "../port.ts";

/**
 * Beside the bundle, all on which the configuration of the runtime depends. Address and directories are given to the runtime
 * at each start, so a state directory may be moved, and its edge may listen elsewhere.
 */
export interface RuntimeSettings {
  /** Variables of the Worker; they take the place of those of wrangler.toml. */
  readonly bindings: Readonly<Record<string, string>>;
  /** For V8, separated by spaces. */
  readonly v8Flags: string;
}

/** Variables of the Worker that are set on this machine alone. */
export function machineVariables(
  adminToken: string,
  host: string,
  environment: NodeJS.ProcessEnv = process.env,
): Record<string, string> {
  return {
    ADMIN_TOKEN: adminToken,
    // On one machine nobody pays for an object that is awake.
    STREAM_KEEPALIVE_SECONDS: environment.GANGLION_STREAM_KEEPALIVE_SECONDS ?? "25",
    // On one machine webhooks mostly go to services of this machine and of its network. Set it to false where authors of
    // rules must not reach those.
    WEBHOOKS_ALLOW_PRIVATE: environment.GANGLION_WEBHOOKS_ALLOW_PRIVATE ?? "true",
    // Nothing is billed on one machine, so nothing waits to be cheaper.
    PROFILE: environment.GANGLION_PROFILE || "local",
    // Pages of the web must not reach this edge by a name of theirs that resolves to 127.0.0.1.
    ALLOWED_HOSTS: allowedHosts(host, environment),
    CORS_ORIGINS: environment.GANGLION_CORS_ORIGINS ?? "",
    ...optionalVariables(environment),
  };
}

/** Who listens on one address means to be called by it. By which names all addresses are called is not known here. */
function allowedHosts(host: string, environment: NodeJS.ProcessEnv): string {
  const named = environment.GANGLION_ALLOWED_HOSTS ?? "";
  return host === LOOPBACK || host === ANY ? named : `${named},${host}`;
}

/** Variables that this machine need not set, such as how much one token may have; see docs/deploy.md. */
const OPTIONAL = [
  "RETENTION_DAYS",
  "LOG_MAX_GB",
  "HEAP_MB",
  "LINK_RELAY_LINKS",
  // Tests check here what Cloudflare would refuse; see src/durable-objects/shell/platform-limits.ts.
  "PLATFORM_LIMITS",
  "QUOTA_HOSTS",
  "QUOTA_LINKS",
  "QUOTA_QUEUES",
  "QUOTA_ECOSYSTEMS",
  "QUOTA_DEAD_LETTERS",
  "QUOTA_LOG_MB",
  "METRICS",
  "SESSION_CONTENT",
  "SESSION_WAITING_SECONDS",
  "SESSION_FROZEN_SECONDS",
  "SESSION_TOOL_SECONDS",
];

function optionalVariables(environment: NodeJS.ProcessEnv): Record<string, string> {
  return Object.fromEntries(
    OPTIONAL.flatMap((name) => {
      const text = environment[`GANGLION_${name}`];
      return text ? [[name, text]] : [];
    }),
  );
}
