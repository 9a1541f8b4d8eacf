/**
 * Digests, as the protocol writes them: the name of a hash function, a colon, and hexadecimal digits.
 *
 * @module
 */

import { sha256 } from "./sha256.ts";

/** The prefix of a layer's digest. */
export const DIGEST_PREFIX = "sha256:";

const SHORT_DIGEST_LENGTH = 12;

/** The first digits of a digest, which servers and people use as a short name. */
export function shortDigest(digest: string): string {
  const digits = digest.slice(digest.indexOf(":") + 1);
  return digits.slice(0, SHORT_DIGEST_LENGTH);
}

/** The digest of some bytes. */
export function sha256Digest(bytes: Uint8Array): string {
  const digits = Array.from(sha256(bytes), (byte) => byte.toString(16).padStart(2, "0"));
  return DIGEST_PREFIX + digits.join("");
}
