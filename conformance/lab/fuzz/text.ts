/**
 * Bytes as strings of one character per byte, which are faster to edit than bytes.
 *
 * @module
 */

import { Buffer } from "node:buffer";

/** Bytes that own their buffer. */
export type Bytes = Uint8Array<ArrayBuffer>;

/** A string of one character per byte. */
export function toText(bytes: Uint8Array): string {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length).toString("latin1");
}

/** The bytes of a string of one character per byte. */
export function toBytes(text: string): Bytes {
  // Copy: a Node buffer shares its memory with others.
  return new Uint8Array(Buffer.from(text, "latin1"));
}

/** Encodes a text in UTF-8, as a string of one character per byte. */
export function inUtf8(text: string): string {
  return toText(new TextEncoder().encode(text));
}
