/**
 * Shows that a manager and a hub fit the stores of React and Svelte as they are.
 *
 * @module
 */

import { assert, assertEquals, assertStrictEquals } from "@std/assert";
import { parseHTML } from "linkedom";
import { after, describe, it } from "node:test";
import { createElement, Profiler, StrictMode, useSyncExternalStore } from "react";
import { renderToString } from "react-dom/server";
import { derived, get } from "svelte/store";
import { settle, TestSource, VirtualClock } from "../stream_test_helpers.ts";
import type { PullProgress } from "../snapshot.ts";
import { PullHub } from "./hub.ts";
import { PullManager } from "./manager.ts";
import { progressAt } from "./test_helpers.ts";

// React looks for a page when it is loaded.
const { window, document } = parseHTML("<html><body><main></main></body></html>");
Object.assign(globalThis, { window, document });
const { createRoot } = await import("react-dom/client");
const { flushSync } = await import("react-dom");
console.log(typeof createRoot, typeof flushSync, Profiler, StrictMode);
