/** What is sent in all, in each of the ways. */
export interface Amounts {
  /** Over HTTP, in batches. */
  readonly signals: number;
  /** Files, half of them to each host. */
  readonly intents: number;
  /** Over a host's bus, which forgets what nobody takes. */
  readonly bus: number;
  /** Signals to which a host reacts. */
  readonly asked: number;
  /** Tasks to which hosts react. */
  readonly tasks: number;
  /** Tasks for worker processes. */
  readonly worked: number;
  /** Tasks that are dropped as files. */
  readonly dropped: number;
  readonly calls: number;
  /** Of each kind that is mixed among the others and cannot be processed. */
  readonly spoiled: number;
}

/** For six kills; a longer run has proportionally more. */
const SMALL: Amounts = {
  signals: 1_000,
  intents: 60,
  bus: 300,
  asked: 40,
  tasks: 40,
  worked: 200,
  dropped: 30,
  calls: 100,
  spoiled: 3,
};

/** 100,000 signals beside those of the bus, 10,000 tasks, 5,000 reactions and 5,000 calls, however many kills. */
const LARGE: Amounts = {
  signals: 92_000,
  intents: 8_000,
  bus: 20_000,
  asked: 5_000,
  tasks: 1_000,
  worked: 8_500,
  dropped: 500,
  calls: 5_000,
  spoiled: 60,
};

/** @param amount - `large`, or anything else for as much as `kills` take */
export function amountsFor(amount: string, kills: number): Amounts {
  if (amount === "large") return LARGE;
  const share = (count: number) => Math.max(3, Math.round((count * kills) / 6));
  return {
    signals: share(SMALL.signals),
    intents: share(SMALL.intents),
    bus: share(SMALL.bus),
    asked: share(SMALL.asked),
    tasks: share(SMALL.tasks),
    worked: share(SMALL.worked),
    dropped: share(SMALL.dropped),
    calls: share(SMALL.calls),
    spoiled: share(SMALL.spoiled),
  };
}
