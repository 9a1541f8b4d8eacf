/**
 * What the package makes of connections that fail, by whatever the runtime says of them.
 *
 * This file is copied into the folder of each consumer. Its own imports are all that it needs.
 *
 * @module
 */

import { PullError, pullModel, type PullOptions } from "@ollama-pull/kit";

/** Pulls from each host in vain. Resolves to the reasons of the failures, and whether they may pass. */
export async function reasonsOf(
  hosts: Readonly<Record<string, string>>,
): Promise<Record<string, [reason: string | null, retryable: boolean]>> {
  const reasons: Record<string, [string | null, boolean]> = {};
  for (const [name, host] of Object.entries(hosts)) {
    const { reason, retryable } = await failureOf({ host });
    reasons[name] = [reason ?? null, retryable];
  }
  return reasons;
}

/** How a pull fails. */
export async function failureOf(options: PullOptions): Promise<PullError> {
  const error = await pullModel("a", options).then(() => undefined, (error) => error);
  if (error instanceof PullError) return error;
  throw error ?? new Error("The pull has succeeded");
}

/** Pulls with retries that do not wait. Resolves to why there were any, and how far the pull has come. */
export async function retriesOf(host: string): Promise<{ reasons: unknown[]; fraction: number }> {
  const reasons: unknown[] = [];
  let fraction = 0;
  await pullModel("a", {
    host,
    retries: 5,
    sleep: () => Promise.resolve(),
    onRetry: ({ error }) => reasons.push(error.reason),
    onProgress: (progress) => fraction = progress.fraction,
  });
  return { reasons, fraction };
}
