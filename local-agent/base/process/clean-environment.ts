/** Variables for the agent alone. Commands must not see these secrets or be confused by these variables. */
const OWN = new Set([
  "ADMIN_TOKEN",
  "CLOUDFLARE_API_TOKEN",
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
      typeof entry[1] === "string" && (Object.hasOwn(over, entry[0]) || !(OWN.has(entry[0]) || SECRET.test(entry[0]))),
  );
  return Object.fromEntries(clean);
}
