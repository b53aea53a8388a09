/** What the agent itself is told through its environment and no command of a host may see, or be confused by. */
const OWN = new Set([
  "ADMIN_TOKEN",
  "CLOUDFLARE_API_TOKEN",
  // systemd's: a child that speaks to them would speak for the agent.
  "CREDENTIALS_DIRECTORY",
  "NOTIFY_SOCKET",
  "WATCHDOG_PID",
  "WATCHDOG_USEC",
  "LISTEN_FDS",
  "LISTEN_PID",
  // Node's: the descriptor behind it is not passed on.
  "NODE_CHANNEL_FD",
  "NODE_CHANNEL_SERIALIZATION_MODE",
]);
const SECRET = /^GANGLION_.*(TOKEN|SECRET|PASSWORD|KEY)/;

/**
 * The environment for a command: the agent's without its own secrets, and `over` on top of it, where `null` takes a
 * variable away. Everything else is passed on: a command may need keys of its own that the service was given.
 */
export function cleanEnvironment(
  env: Readonly<Record<string, string | undefined>>,
  over: Readonly<Record<string, string | null>> = {},
): Record<string, string> {
  const clean = Object.entries({ ...env, ...over }).filter(
    (entry): entry is [string, string] =>
      typeof entry[1] === "string" && (Object.hasOwn(over, entry[0]) || !(OWN.has(entry[0]) || SECRET.test(entry[0]))),
  );
  return Object.fromEntries(clean);
}
