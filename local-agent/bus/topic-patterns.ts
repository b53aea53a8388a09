/** How many prefixes become patterns of their own. A subscription holds 64 patterns, and reactions need some of them. */
const MAX_PREFIXES = 32;
const NAME_LENGTH = 128;
const OBSERVATION = "OBSERVATION";

/**
 * The patterns of the signals that a bus's subscribers receive. A topic is a prefix of the names, so the shortest of those
 * that begin alike stands for all. A subscription to everything leaves out measurements, of which each host sends one every
 * few seconds: they come to programs that name them.
 *
 * @returns an empty list where no signal's name begins with any of the topics
 */
export function patternsOfTopics(topics: Iterable<string>): string[] {
  const possible = [...topics].filter((topic) => /^[A-Za-z0-9_.:-]*$/.test(topic) && topic.length <= NAME_LENGTH);
  if (possible.length === 0) return [];
  const prefixes: string[] = [];
  for (const topic of possible.filter((one) => one !== "").sort()) {
    const last = prefixes.at(-1);
    if (last === undefined || !topic.startsWith(last)) prefixes.push(topic);
  }
  const named = prefixes.some((prefix) => OBSERVATION.startsWith(prefix));
  if (possible.includes("") || prefixes.length > MAX_PREFIXES) return named ? ["*"] : ["*", `!${OBSERVATION}`];
  return prefixes.map((prefix) => (prefix.length === NAME_LENGTH ? prefix : `${prefix}*`));
}

/** Topics that a text for people names. */
const MAX_NAMED = 5;

/** Why these topics lead to a subscription, for people. @param foreign - the bus's proxy is another program's */
export function explainTopics(topics: readonly string[], foreign: boolean): string {
  const auto = "edge.subscribe is auto, and";
  if (topics.length === 0) return `${auto} no program on the bus is subscribed`;
  if (foreign && topics.includes(""))
    return `${auto} the proxy of the bus, another program, reports a subscription to everything, as it does for this agent's own: name the signals in edge.subscribe to be sent fewer`;
  const named = topics
    .slice(0, MAX_NAMED)
    .map((topic) => (topic === "" ? "everything" : JSON.stringify(topic)))
    .join(", ");
  const more = topics.length > MAX_NAMED ? ` and ${topics.length - MAX_NAMED} more` : "";
  return `${auto} programs on the bus are subscribed to ${named}${more}`;
}
