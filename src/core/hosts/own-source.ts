/** Parts of an agent that name themselves `<part>/<host>` as the source of their signals. */
const PARTS = ["agent", "intelligence", "intent-router", "sampler", "sessions", "supervisor"] as const;

/** Whether a source is a part of the host's own agent, which a token that may link as the host may always name. */
export function isSourceOfHost(host: string, source: string): boolean {
  const end = source.indexOf("/");
  if (end < 0) return false;
  const [part, rest] = [source.slice(0, end), source.slice(end + 1)];
  switch (part) {
    case "metrics":
      return rest.startsWith(`${host}/`);
    case "reaction":
      return rest.endsWith(`/${host}`);
    case "worker":
      return rest.endsWith(`@${host}`);
    default:
      return rest === host && PARTS.some((name) => name === part);
  }
}
