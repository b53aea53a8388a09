import { existsSync } from "node:fs";
import { homedir } from "node:os";
import { dirname, join, resolve } from "node:path";
import { fileURLToPath } from "node:url";

export type Environment = Readonly<Record<string, string | undefined>>;

/** Where the service's settings are. */
export const SYSTEM_CONFIG = "/etc/ganglion/agent.yaml";

/** What systemd hands the service as its credential. */
export const SYSTEM_TOKEN = "/etc/ganglion/token";

/** Where systemd keeps the state of the service (`StateDirectory=ganglion`). */
export const SERVICE_STATE = "/var/lib/ganglion";

/** Whether this code was installed as a package, and is not a clone of the project, which keeps everything in itself. */
export const INSTALLED = dirname(fileURLToPath(import.meta.url))
  .split("/")
  .includes("node_modules");

/** @see https://specifications.freedesktop.org/basedir-spec/latest/ : a relative path counts as unset */
function xdg(env: Environment, variable: string, otherwise: string): string {
  const given = env[variable];
  return given?.startsWith("/") ? given : join(env.HOME || homedir(), otherwise);
}

export function userConfig(env: Environment): string {
  return join(xdg(env, "XDG_CONFIG_HOME", ".config"), "ganglion", "agent.yaml");
}

export function userState(env: Environment): string {
  return join(xdg(env, "XDG_STATE_HOME", ".local/state"), "ganglion");
}

/** The file to read: the one that is named, or in an installed agent the user's or the system's; else none. */
export function configFile(env: Environment, cwd: string, named?: string): string | undefined {
  const given = named ?? (env.GANGLION_CONFIG || undefined);
  if (given !== undefined) return given === "none" ? undefined : resolve(cwd, given);
  return INSTALLED ? [userConfig(env), SYSTEM_CONFIG].find((path) => existsSync(path)) : undefined;
}

/**
 * Where the state is when nobody says so: where systemd keeps it, or the user's place for such, or `.ganglion` in a clone.
 *
 * @param config - the file of settings. Who names the service's, such as a person who asks the doctor, means the service
 */
export function defaultState(env: Environment, cwd: string, config: string | undefined): string {
  // A colon-separated list where the unit names several.
  const given = env.STATE_DIRECTORY?.split(":")[0];
  if (given) return given;
  if (config === SYSTEM_CONFIG) return SERVICE_STATE;
  return INSTALLED ? userState(env) : join(cwd, ".ganglion");
}
