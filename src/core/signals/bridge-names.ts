/**
 * Names by which a log knows signals that the rules of other ecosystems forwarded to it. Both begin with `ganglion`, which
 * belongs to the edge: no link and no caller may use them.
 */
const SOURCE = "ganglion/bridge/";

/** Source of the signals that an ecosystem forwards. */
export const bridgeSource = (ecosystem: string): string => `${SOURCE}${ecosystem}`;

/** The ecosystem that forwarded a signal of this source; `undefined`: the signal was not forwarded. */
export const forwardedBy = (source: string): string | undefined =>
  source.startsWith(SOURCE) ? source.slice(SOURCE.length) : undefined;

/** Producer under which an ecosystem numbers what it forwards. An ecosystem's name holds no full stop. */
export const bridgeProducer = (ecosystem: string, epoch: string): string => `ganglion.bridge-${ecosystem}.${epoch}`;
