/** State directory of an agent that runs as a service (`StateDirectory=ganglion`). */
export const SERVICE_STATE = "/var/lib/ganglion";

/** Name of the socket in the state directory of an agent. */
export const SOCKET_NAME = "agent.sock";

/** Longest path of a socket: the kernel takes 108 bytes with the final zero. */
export const MAX_SOCKET_PATH_BYTES = 107;
