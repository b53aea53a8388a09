/** How much of everything: the most that settings allow, or a small part of it. */
export interface Amounts {
  readonly producers: number;
  /** Observations of 1.5 KB that a projection reads in one go. */
  readonly largeObservations: number;
  readonly observations: number;
  readonly expectations: number;
  readonly tasks: number;
  readonly sockets: number;
}

export const FULL: Amounts = {
  producers: 100_000,
  largeObservations: 20_000,
  observations: 200_000,
  expectations: 100_000,
  tasks: 250_000,
  sockets: 1_000,
};

export const SHORT: Amounts = {
  producers: 1_000,
  largeObservations: 2_100,
  observations: 3_000,
  expectations: 1_000,
  tasks: 15_000,
  sockets: 40,
};
