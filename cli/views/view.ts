/**
 * What every way to show a pull has in common.
 *
 * @module
 */

import type { PullProgress } from "../../mod.ts";

/** Shows one pull. */
export interface ProgressView {
  /** Takes the latest snapshot. */
  show(progress: PullProgress): void;
  /** Takes the end of the pull, however it came. What is shown stays. */
  end(): void;
}
