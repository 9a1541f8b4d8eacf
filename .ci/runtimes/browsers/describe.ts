/**
 * Runs the same tests in each browser.
 *
 * @module
 */

import { describe, it } from "node:test";
import type { Engine } from "./engine.ts";
import { ENGINES } from "./engines.ts";

/** Describes something in each engine on this machine. */
export function describeInEngines(subject: string, testIn: (engine: Engine) => void): void {
  for (const engine of ENGINES) {
    const name = `${subject}, in ${engine.name}`;
    const { lacks } = engine;
    if (lacks === undefined) describe(name, () => testIn(engine));
    else {
      // In CI, where all tests must run, this is a failure.
      it(`${name}: ${lacks}`, { skip: !Deno.env.has("CI") }, () => {
        throw new Error(lacks);
      });
    }
  }
}
