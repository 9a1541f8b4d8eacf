/**
 * Bytes in several chunks.
 *
 * @module
 */

/**
 * What a `TextEncoder` makes. From TypeScript 5.9 on that is `Uint8Array<ArrayBuffer>`, a type that
 * TypeScript below 5.7 cannot read.
 */
export type Bytes = ReturnType<TextEncoder["encode"]>;

/** Joins chunks into one. */
export function concatBytes(chunks: readonly Uint8Array[]): Uint8Array<ArrayBuffer> {
  const bytes = new Uint8Array(chunks.reduce((total, { length }) => total + length, 0));
  let offset = 0;
  for (const chunk of chunks) {
    bytes.set(chunk, offset);
    offset += chunk.length;
  }
  return bytes;
}
