/**
 * The browsers that the package is tried in: one for each engine that people use.
 *
 * @module
 */

import { chromium } from "./chromium.ts";
import type { Engine } from "./engine.ts";
import { firefox } from "./firefox.ts";
import { webkit } from "./webkit.ts";

/** All of them, whether they are on this machine or not. */
export const ENGINES: readonly Engine[] = [chromium, firefox, webkit];
