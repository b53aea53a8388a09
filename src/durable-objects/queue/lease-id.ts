const ALPHABET = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
const LENGTH = 22;
/** Random bytes for so many ids are taken at a time: a call for each would take longer than the rest of a lease. */
const IDS = 128;

let random = new Uint8Array(0);
let used = 0;

/** 132 random bits as 22 characters of base64url. Leases of earlier versions have the form `<seq>.<n>`, and end as they began. */
export function newLeaseId(): string {
  if (used === random.length) {
    random = crypto.getRandomValues(new Uint8Array(IDS * LENGTH));
    used = 0;
  }
  let id = "";
  // The alphabet has 64 characters: six bits of each byte choose one, all with the same chance.
  for (const end = used + LENGTH; used < end; used++) id += ALPHABET[(random[used] ?? 0) & 63];
  return id;
}
