import { MAIL_QUEUE } from "../../core/mail/api.ts";
import type { LateMail } from "../../core/queue/late-mail.ts";
import { formatTimestamp } from "../../core/signals/timestamp.ts";

/** The oldest messages that a look at the queue searches for late ones. */
const LOOKED_AT = 1_000;

interface LateRow extends Record<string, SqlStorageValue> {
  recipient: string;
  undelivered: number;
  unread: number;
  since_ms: number;
}

/** Messages that were not delivered, or not read, in the time that their senders gave them, by recipient. */
export function lateMail(queue: string, sql: SqlStorage, nowMs: number): LateMail {
  if (queue !== MAIL_QUEUE) return [];
  return sql
    .exec<LateRow>(
      `SELECT recipient, sum(undelivered) AS undelivered, sum(unread) AS unread, min(created_ms) AS since_ms FROM
         (SELECT terms ->> '$[1]' AS recipient, terms ->> '$[5]' AS created_ms,
            progress ->> '$[0][2]' = 0 AND payload ->> '$.deliver_by' < ?1 AS undelivered,
            coalesce(payload ->> '$.read_by' < ?1, 0) AND NOT EXISTS
              (SELECT 1 FROM json_each(progress, '$[2]') WHERE value ->> '$[1]' = 'read') AS unread
          FROM (SELECT * FROM tasks ORDER BY seq LIMIT ${LOOKED_AT})
          WHERE json_valid(terms) AND json_valid(progress) AND json_valid(payload))
       WHERE undelivered OR unread GROUP BY recipient ORDER BY since_ms LIMIT 100`,
      formatTimestamp(nowMs),
    )
    .toArray()
    .map(({ recipient, undelivered, unread, since_ms }) => ({
      recipient,
      undelivered,
      unread,
      since: formatTimestamp(since_ms),
    }));
}
