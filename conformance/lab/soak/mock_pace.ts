/**
 * How the mock of both soaks serves, and what it may break.
 *
 * @module
 */

import { type FaultKind, faultKinds } from "../../../mock/mod.ts";

/** The bandwidth that all downloads share. */
export const BYTES_PER_SECOND = 100_000_000;
/** Ten times as long as that of the server: so many lines at this speed would keep a machine busy. */
export const TICK_MS = 600;
/** All but one: in chunks of one byte, through HTTP in one process, a pull looks as if it hung. */
export const FAULT_KINDS: readonly FaultKind[] = (Object.keys(faultKinds) as FaultKind[])
  .filter((kind) => kind !== "split");
/** How long a pull waits for something new. */
export const STALL_TIMEOUT_MS = 30_000;
