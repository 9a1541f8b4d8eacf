/**
 * The browsers in which the package is tested: one for each engine that people use.
 *
 * @module
 */

import { chromium } from "./chromium.ts";
import type { Engine } from "./engine.ts";
import { firefox } from "./firefox.ts";
import { webkit } from "./webkit.ts";

/** All of them, even those that are missing on this machine. */
export const ENGINES: readonly Engine[] = [chromium, firefox, webkit];
