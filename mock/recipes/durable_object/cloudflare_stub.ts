/**
 * As much of Cloudflare's types as the recipe uses. In a project, `wrangler types` writes all of them.
 *
 * @module
 */

import type { PullRecord } from "@ollama-pull/kit/relay";

/** What `wrangler.json` binds, and the secret. */
export interface Env {
  /** The address of Ollama. */
  readonly OLLAMA_HOST: string;
  /** What viewers have to know. */
  readonly TOKEN: string;
  readonly PULLS: { getByName(name: string): { fetch(request: Request): Promise<Response> } };
}

/** What an object stores of its pull. */
export interface KeptPull {
  readonly model: string;
  /** The last snapshot and the end, once it has ended. */
  readonly records?: readonly PullRecord[] | undefined;
}

export interface DurableObjectState {
  readonly storage: {
    get(key: "pull"): Promise<KeptPull | undefined>;
    put(key: "pull", value: KeptPull): Promise<void>;
    deleteAll(): Promise<void>;
    setAlarm(time: number): Promise<void>;
  };
  blockConcurrencyWhile(work: () => Promise<void>): Promise<void>;
}
