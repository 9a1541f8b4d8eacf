/**
 * Bytes as texts of one character a byte, which are quicker to change than bytes are.
 *
 * @module
 */

import { Buffer } from "node:buffer";

/** Bytes that own their buffer. */
export type Bytes = Uint8Array<ArrayBuffer>;

/** A text of one character a byte. */
export function toText(bytes: Uint8Array): string {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length).toString("latin1");
}

/** The bytes of a text of one character a byte. */
export function toBytes(text: string): Bytes {
  // Copied, because a buffer shares its memory with others.
  return new Uint8Array(Buffer.from(text, "latin1"));
}

/** A text in UTF-8, one character a byte. */
export function inUtf8(text: string): string {
  return toText(new TextEncoder().encode(text));
}
