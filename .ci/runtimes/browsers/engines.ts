/**
 * The browsers that the package is tried in: one for each engine that people use.
 *
 * @module
 */

import { describe, it } from "node:test";
import { chromium } from "./chromium.ts";
import type { Engine } from "./engine.ts";
import { firefox } from "./firefox.ts";
import { webkit } from "./webkit.ts";

/** All of them, whether they are on this machine or not. */
export const ENGINES: readonly Engine[] = [chromium, firefox, webkit];

/** Describes something in each engine that is here. */
export function describeInEngines(subject: string, testIn: (engine: Engine) => void): void {
  for (const engine of ENGINES) {
    const name = `${subject}, in ${engine.name}`;
    const { lacks } = engine;
    if (lacks === undefined) describe(name, () => testIn(engine));
    else {
      // Where all tests are to be run, this is a failure.
      it(`${name}: ${lacks}`, { skip: !Deno.env.has("CI") }, () => {
        throw new Error(lacks);
      });
    }
  }
}
