/**
 * Bytes as `Response` takes them, in types that TypeScript below 5.7 understands, too.
 *
 * @module
 */

export type { Bytes } from "../../src/bytes.ts";
