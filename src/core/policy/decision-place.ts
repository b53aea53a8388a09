/** The maximum number of decisions on one signal: all rules, with their time-outs. */
export const DECISIONS_OF_SIGNAL = 4_096;

/** The place in the log of the signal of a decision. @param place - of the decision; its id is `d<place>` */
export const seqOfDecision = (place: number): number => Math.floor(place / DECISIONS_OF_SIGNAL);
