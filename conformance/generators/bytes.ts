/**
 * Bytes as `Response` takes them, in types that TypeScript below 5.7 understands, too.
 *
 * @module
 */

/**
 * What a `TextEncoder` makes. From TypeScript 5.9 on that is `Uint8Array<ArrayBuffer>`, a type that
 * TypeScript below 5.7 cannot read.
 */
export type Bytes = ReturnType<TextEncoder["encode"]>;
