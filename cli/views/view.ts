/**
 * The interface of all views of a pull.
 *
 * @module
 */

import type { PullProgress, PullRetry } from "../../mod.ts";

/** Shows one pull. */
export interface ProgressView {
  /** Shows the latest snapshot. */
  show(progress: PullProgress): void;
  /** Shows that an attempt has failed and that another one follows. */
  retry(retry: PullRetry): void;
  /** Shows a line for a person, which stays. */
  note(line: string): void;
  /** Ends the view when the pull ends, in any way. The last picture stays. */
  end(): void;
}
