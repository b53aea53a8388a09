import { existsSync } from "node:fs";
import { homedir } from "node:os";
import { dirname, join, resolve } from "node:path";
import { fileURLToPath } from "node:url";
import { SERVICE_STATE } from "../../src/core/hosts/agent-socket.ts";

export type Environment = Readonly<Record<string, string | undefined>>;

/** File of settings of the service. */
export const SYSTEM_CONFIG = "/etc/ganglion/agent.yaml";

/** Token file that systemd passes to the service as a credential. */
export const SYSTEM_TOKEN = "/etc/ganglion/token";

/** Whether this code was installed as a package. A clone of the project keeps its settings and state in itself. */
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

/** The file of settings: the named one; else, for an installed agent, that of the user or of the system. */
export function configFile(env: Environment, cwd: string, named?: string): string | undefined {
  const given = named ?? (env.GANGLION_CONFIG || undefined);
  if (given !== undefined) return given === "none" ? undefined : resolve(cwd, given);
  return INSTALLED ? [userConfig(env), SYSTEM_CONFIG].find((path) => existsSync(path)) : undefined;
}

/**
 * The default state directory: that of systemd, or the user's, or `.ganglion` in a clone.
 *
 * @param config - the file of settings. That of the service selects the state of the service, also when a person runs
 * the doctor
 */
export function defaultState(env: Environment, cwd: string, config: string | undefined): string {
  // systemd gives a colon-separated list when the unit names several.
  const given = env.STATE_DIRECTORY?.split(":")[0];
  if (given) return given;
  if (config === SYSTEM_CONFIG) return SERVICE_STATE;
  return INSTALLED ? userState(env) : join(cwd, ".ganglion");
}
