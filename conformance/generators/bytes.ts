/**
 * Bytes as `Response` accepts them, in types that also work before TypeScript 5.7.
 *
 * @module
 */

export type { Bytes } from "../../src/bytes.ts";
