/**
 * Holds the library to a size: all of `mod.ts`, as a page would load it.
 *
 * @module
 */

import { assert } from "@std/assert";
import { describe, it } from "node:test";
import { gzipSync } from "node:zlib";
import { runDeno } from "./command.ts";
import { ROOT } from "./project.ts";

const MAX_BYTES = 5 * 1024;

describe("the library", () => {
  it(`takes at most ${MAX_BYTES} bytes, minified and compressed`, async () => {
    const args = ["bundle", "--quiet", "--minify", "--platform", "browser", "mod.ts"];
    const { ok, stdout, stderr } = await runDeno(args, ROOT);
    assert(ok, stderr);
    const minified = new TextEncoder().encode(stdout);
    const compressed = gzipSync(minified, { level: 9 });
    console.log(`mod.ts: ${minified.length} bytes minified, ${compressed.length} bytes with gzip`);
    assert(compressed.length <= MAX_BYTES, `${compressed.length} bytes are too many`);
  });
});
