/** What somebody waits for a queue as; a reader of a channel has neither offered work nor called yet. */
export const LOBBY_ROLES = ["worker", "caller", "reader"] as const;
export type LobbyRole = (typeof LOBBY_ROLES)[number];

/** Code with which a socket of the lobby is closed when its queue has begun. */
export const QUEUE_BEGAN = 4_000;
