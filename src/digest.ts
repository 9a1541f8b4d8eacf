/**
 * Digests, as the protocol writes them: the name of a hash, a colon, and hexadecimal digits.
 *
 * @module
 */

/** What the digest of a layer begins with. */
export const DIGEST_PREFIX = "sha256:";

const SHORT_DIGEST_LENGTH = 12;

/** The first digits of a digest, by which servers and people tell layers apart. */
export function shortDigest(digest: string): string {
  const digits = digest.slice(digest.indexOf(":") + 1);
  return digits.slice(0, SHORT_DIGEST_LENGTH);
}

/** The digest of some bytes. Fails in pages that are no secure context: see {@link canDigest}. */
export async function sha256Digest(bytes: Uint8Array<ArrayBuffer>): Promise<string> {
  const hash = new Uint8Array(await crypto.subtle.digest("SHA-256", bytes));
  const digits = Array.from(hash, (byte) => byte.toString(16).padStart(2, "0"));
  return DIGEST_PREFIX + digits.join("");
}

/** Whether digests can be computed: a page that was loaded by `http` has no `crypto.subtle`. */
export function canDigest(): boolean {
  return (crypto as Partial<Crypto>).subtle !== undefined;
}
