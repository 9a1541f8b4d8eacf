/**
 * Turns the points of faults into milestones of a pull.
 *
 * @module
 */

import { distinctBlobsOf, type Model } from "../models/models.ts";
import type { JobMilestone } from "./job.ts";
import type { ArmedFault } from "../faults/faults.ts";
import { bytesOf, findLayer, FIRST_BYTE } from "../faults/points.ts";

/**
 * Where the pull of a model must pause so that faults strike at the exact byte. Points at the very end need
 * no milestone, because no byte comes after them.
 */
export function milestonesOf(faults: readonly ArmedFault[], model: Model): readonly JobMilestone[] {
  return faults.flatMap(({ scope, at, isSpent }) => {
    if (scope !== "point" || isSpent()) return [];
    const { completed, layer } = at ?? {};
    if (completed === undefined && layer === undefined) return [];
    const blob = layer === undefined ? undefined : findLayer(model, layer);
    if (layer !== undefined && !blob) return [];
    const total = blob?.size ?? distinctBlobsOf(model).reduce((sum, { size }) => sum + size, 0);
    const bytes = bytesOf(completed ?? FIRST_BYTE, total);
    return bytes > 0 && bytes < total ? [{ blob, bytes }] : [];
  });
}
