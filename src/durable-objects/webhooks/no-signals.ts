/** For the outbox of an object that hands over dead letters and emits no signals. */
export const NO_SIGNALS = {
  producer: "ganglion.webhooks",
  next: (): number => {
    throw new Error("webhooks emit no signals");
  },
};
