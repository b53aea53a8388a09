/**
 * Which hosts of URLs lead into the public internet: the one place that judges addresses, for webhooks and for models.
 *
 * Written here and not taken from a library: the widely used ones call an address public unless a range is known to them,
 * and know neither all ranges by which IPv6 carries IPv4 nor names.
 */

/** Networks of IPv4 that are not the public internet: first address, and how many bits of it count. */
const SPECIAL_V4: readonly (readonly [network: string, bits: number])[] = [
  ["0.0.0.0", 8],
  ["10.0.0.0", 8],
  ["100.64.0.0", 10],
  ["127.0.0.0", 8],
  ["169.254.0.0", 16],
  ["172.16.0.0", 12],
  ["192.0.0.0", 24],
  ["192.0.2.0", 24],
  ["192.88.99.0", 24],
  ["192.168.0.0", 16],
  ["198.18.0.0", 15],
  ["198.51.100.0", 24],
  ["203.0.113.0", 24],
  // Multicast, reserved, and the broadcast address.
  ["224.0.0.0", 3],
];

/**
 * Networks within 2000::/3 that are not the public internet. Outside of 2000::/3 nothing is: neither IPv4 in IPv6
 * (`::ffff:0:0/96`, `::/96`), nor NAT64 (`64:ff9b::/96`, `64:ff9b:1::/48`), private and link-local networks, multicast.
 */
const SPECIAL_V6: readonly (readonly [network: string, bits: number])[] = [
  // Protocols of their own, among them Teredo (2001::/32), which carries IPv4, and benchmarks.
  ["2001::", 23],
  ["2001:db8::", 32],
  // 6to4, which carries IPv4.
  ["2002::", 16],
  ["3ffe::", 16],
  ["3fff::", 20],
];

const PRIVATE_NAMES = /\.(localhost|local|internal|intranet|private|lan|home|corp|home\.arpa)$/;

/**
 * Whether a host is one of this machine or of a private network, or none that the public internet can reach. Names are not
 * resolved.
 *
 * @param hostname - as the URL parser writes it: IPv4 in four decimal parts, IPv6 in brackets and compressed
 * @see https://www.iana.org/assignments/iana-ipv4-special-registry
 * @see https://www.iana.org/assignments/iana-ipv6-special-registry
 */
export function isPrivateHost(hostname: string): boolean {
  const name = hostname.toLowerCase().replace(/\.$/, "");
  if (name.startsWith("[")) {
    const address = wordsOfV6(name.slice(1, -1));
    return (
      !inNetwork(address, wordsOfV6("2000::"), 3, 16) ||
      SPECIAL_V6.some(([network, bits]) => inNetwork(address, wordsOfV6(network), bits, 16))
    );
  }
  if (/^\d+\.\d+\.\d+\.\d+$/.test(name)) {
    const address = bytesOfV4(name);
    return SPECIAL_V4.some(([network, bits]) => inNetwork(address, bytesOfV4(network), bits, 8));
  }
  return !name.includes(".") || PRIVATE_NAMES.test(name);
}

/** Whether the setting `WEBHOOKS_ALLOW_PRIVATE` allows private addresses, to webhooks and to models. */
export const allowsPrivate = (setting: string | undefined): boolean =>
  setting !== undefined && /^(1|true|yes)$/i.test(setting);

const bytesOfV4 = (address: string): number[] => address.split(".").map(Number);

/** The eight words of an address. */
function wordsOfV6(address: string): number[] {
  const [head = "", tail] = address.split("::");
  const words = (text: string) => (text === "" ? [] : text.split(":").map((word) => Number.parseInt(word, 16)));
  const first = words(head);
  const last = words(tail ?? "");
  return [...first, ...new Array<number>(Math.max(0, 8 - first.length - last.length)).fill(0), ...last];
}

/** Whether the first `bits` of two addresses agree. @param size - bits of each part */
function inNetwork(address: readonly number[], network: readonly number[], bits: number, size: number): boolean {
  return network.every((part, place) => {
    const counting = Math.min(size, Math.max(0, bits - place * size));
    const ignored = size - counting;
    return (address[place] ?? 0) >> ignored === part >> ignored;
  });
}
