/** The queue of commands for hosts. Its recipients are hosts: each takes the commands that name it. */
export const HOSTS_QUEUE = "hosts";
