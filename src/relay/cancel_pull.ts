/**
 * Cancels a pull of a relay.
 *
 * @module
 */

import { PullError } from "../errors.ts";
import { Connection } from "../pull/connection.ts";
import { respond } from "../pull/redirects.ts";
import { ignoreRejection } from "../streams/producer.ts";
import { isNotRunning, planRelayRequest, relayError } from "./relay_request.ts";
import { SilenceWatch } from "./silence_watch.ts";
import type { RelayRequestOptions } from "./watch_options.ts";

/**
 * Cancels a pull of a relay, for all who watch it: their streams fail with an `AbortError`. The server
 * keeps what was downloaded, for the next pull.
 *
 * ```ts
 * import { cancelPull } from "@ollama-pull/kit/relay";
 *
 * const fetch = () => new Response(null, { status: 204 }); // leave it out to ask a relay
 * if (await cancelPull("https://example.com/api", "llama3.2", { fetch })) console.log("cancelled");
 * ```
 *
 * @param relay The address of the relay, as for {@link watchPull}.
 * @param model The model's name.
 * @param options How to reach the relay.
 * @return Whether there was such a pull.
 * @throws {PullError} `http` or `network`, if the relay refuses or cannot be reached; the reason of
 * `signal`, when that aborts.
 * @throws {TypeError} If the model is not a name, or the address or a header cannot be used.
 */
export async function cancelPull(
  relay: string | URL,
  model: string,
  options: RelayRequestOptions = {},
): Promise<boolean> {
  const request = planRelayRequest("DELETE", relay, model, options);
  const { fetch: makeRequest = fetch, signal: given } = options;
  given?.throwIfAborted();
  const connection = new Connection({
    origin: request.url.origin,
    respond: (signal) => respond(request, makeRequest, signal),
    errorOf: relayError,
  }, new SilenceWatch(Infinity));
  const stop = () => ignoreRejection(connection.cancel(given?.reason));
  given?.addEventListener("abort", stop);
  try {
    await connection.read();
    return true;
  } catch (error) {
    if (error instanceof PullError && isNotRunning(error)) return false;
    throw error;
  } finally {
    given?.removeEventListener("abort", stop);
    stop(); // nobody reads the rest of the answer
  }
}
