/** 128 random bits as 22 characters of base64url. Leases of earlier versions have the form `<seq>.<n>`, and end as they began. */
export function newLeaseId(): string {
  const bytes = crypto.getRandomValues(new Uint8Array(16));
  return btoa(String.fromCharCode(...bytes))
    .slice(0, 22)
    .replaceAll("+", "-")
    .replaceAll("/", "_");
}
