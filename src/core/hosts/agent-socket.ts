/** State directory of an agent that runs as a service (`StateDirectory=ganglion`). */
export const SERVICE_STATE = "/var/lib/ganglion";

/** Name of the socket in the state directory of an agent. */
export const SOCKET_NAME = "agent.sock";

/** Longest path of a socket: the kernel takes 108 bytes with the final zero. */
export const MAX_SOCKET_PATH_BYTES = 107;

/** Longest line of the socket's protocol, of a request and of an answer, in bytes. */
export const MAX_LINE_BYTES = 4 * 1024 * 1024;

/** Why an agent refuses a command, for programs: it does not know the command, or belongs to another edge or ecosystem. */
export const REFUSAL_CODES = ["unknown-command", "other-edge"] as const;
export type RefusalCode = (typeof REFUSAL_CODES)[number];
