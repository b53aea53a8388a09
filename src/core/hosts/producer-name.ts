/**
 * Who owns a producer: the agent of a host names its producers `<host>.<epoch>.<lane>`; two parts at most follow the
 * host's name, so that a host `a` cannot speak as the host `a.b`, whose own producers have two parts more than that.
 */
const PARTS_BEHIND_HOST = /^[^.]+(\.[^.]+)?$/;

/** Whether a producer belongs to the host. */
export function ownsProducer(host: string, producer: string): boolean {
  return producer.startsWith(`${host}.`) && PARTS_BEHIND_HOST.test(producer.slice(host.length + 1));
}
