/**
 * The reasons that the package finds for failed connections, from the runtime's errors.
 *
 * This file is copied into the folder of each consumer. It needs only its own imports.
 *
 * @module
 */

import { PullError, pullModel, type PullOptions } from "@ollama-pull/kit";

/** Pulls from each host, which must fail. Resolves to the reasons, and whether each is retryable. */
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

/** The failure of a pull. */
export async function failureOf(options: PullOptions): Promise<PullError> {
  const error = await pullModel("a", options).then(() => undefined, (error) => error);
  if (error instanceof PullError) return error;
  throw error ?? new Error("The pull succeeded, but it should fail");
}

/** Pulls with retries that do not wait. Resolves to the reasons for the retries, and the progress. */
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
