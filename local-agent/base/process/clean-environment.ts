/** Secrets of Ganglion that do not begin with its name. */
const SECRETS = new Set(["ADMIN_TOKEN", "CLOUDFLARE_API_TOKEN"]);
/** Variables for the agent alone, by which commands must not be confused. */
const OWN = new Set([
  // Variables of systemd: a child that uses them would act in the agent's name.
  "CREDENTIALS_DIRECTORY",
  "NOTIFY_SOCKET",
  "WATCHDOG_PID",
  "WATCHDOG_USEC",
  "LISTEN_FDS",
  "LISTEN_PID",
  // Variables of Node: their file descriptor is not passed on.
  "NODE_CHANNEL_FD",
  "NODE_CHANNEL_SERIALIZATION_MODE",
]);
const SECRET = /^GANGLION_.*(TOKEN|SECRET|PASSWORD|KEY)/;

/** Whether a variable holds a secret of the agent's own, or leads to one. */
export function isOwnSecret(name: string): boolean {
  return SECRETS.has(name) || SECRET.test(name);
}

/**
 * The environment for a command: that of the agent without its own secrets, overridden by `over`, where `null` removes a
 * variable. All others are passed on: a command may need keys of its own that the service was given.
 */
export function cleanEnvironment(
  env: Readonly<Record<string, string | undefined>>,
  over: Readonly<Record<string, string | null>> = {},
): Record<string, string> {
  const clean = Object.entries({ ...env, ...over }).filter(
    (entry): entry is [string, string] =>
      typeof entry[1] === "string" && (Object.hasOwn(over, entry[0]) || !(OWN.has(entry[0]) || isOwnSecret(entry[0]))),
  );
  return Object.fromEntries(clean);
}
