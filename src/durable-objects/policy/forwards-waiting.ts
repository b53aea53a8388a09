const RECEIVER = "ecosystem/";

/** How many forwarded signals wait for each other ecosystem. */
export function forwardsWaiting(sql: SqlStorage): Record<string, number> {
  const rows = sql.exec<{ receiver: string; waiting: number }>(
    "SELECT receiver, count(*) AS waiting FROM deeds WHERE receiver >= ? AND receiver < ? GROUP BY receiver",
    RECEIVER,
    "ecosystem0",
  );
  return Object.fromEntries([...rows].map(({ receiver, waiting }) => [receiver.slice(RECEIVER.length), waiting]));
}
