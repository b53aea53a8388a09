/** For what changes without telling the test: look often, fail late. The machine may be slow, and busy. */
export const patience = { timeout: 45_000, interval: 10 };
