/**
 * Answers a pull from a recording.
 *
 * @module
 */

import type { Dialect } from "../../src/dialects.ts";
import type { Exchange } from "../exchange/exchange.ts";
import type { ArmedFault } from "../faults/faults.ts";
import { strikesRecordings } from "../faults/targets.ts";
import { stringifyGoJson } from "../go_json/encode.ts";
import type { Catalog } from "../models/catalog.ts";
import { blobsOf, type Model } from "../models/models.ts";
import type { BlobStore } from "../pull/downloads.ts";
import { RecordedPlayer } from "../recordings/player.ts";
import type { RecordedPull } from "../recordings/recorded_models.ts";
import type { RecordedAnswer } from "../recordings/recording.ts";

/** What a recorded pull needs from the mock. */
export interface ReplayOptions {
  readonly catalog: Catalog;
  readonly store: BlobStore;
  readonly dialect: Dialect;
  /** The clock, in milliseconds. */
  readonly now: () => number;
  readonly replaySpeed: number;
  /** The faults for the pull. Kinds that recordings do not support have no effect. */
  readonly faults: readonly ArmedFault[];
}

/** Statuses whose answers have no body. */
const WITHOUT_BODY: readonly number[] = [204, 205, 304];

/** Answers a pull with a recorded answer. */
export async function replayPull(
  exchange: Exchange,
  { exchange: recorded, model }: RecordedPull,
  options: ReplayOptions,
): Promise<Response> {
  const { dialect, now, replaySpeed, faults } = options;
  const { entry } = exchange;
  const player = new RecordedPlayer({
    exchange: recorded,
    model,
    speed: replaySpeed,
    faults: faults.filter(strikesRecordings),
    now,
    errorLine: (message) => {
      const line = stringifyGoJson(dialect.failure(message, entry.model ?? ""));
      return dialect.endsFailures ? `${line}\n` : line;
    },
    onStrike: (kind) => void entry.faults.push(kind),
    onError: (message) => void (entry.error = message),
    onSuccess: () => install(model, options),
  });
  const { answer, end } = recorded;
  await exchange.wait({ ms: player.msUntil((answer ?? end).atMs) });
  if (!answer) throw new TypeError("The mock broke the connection, as was recorded");
  const isEmpty = WITHOUT_BODY.includes(answer.status);
  const body = isEmpty ? null : exchange.stream(player.actions());
  return new Response(body, { status: answer.status, headers: headersOf(answer) });
}

function headersOf({ contentType, retryAfter }: RecordedAnswer): Headers {
  const headers = new Headers();
  if (contentType !== null) headers.set("Content-Type", contentType);
  if (retryAfter !== undefined) headers.set("Retry-After", retryAfter);
  return headers;
}

/** Puts a pulled model on disk and in the lists. */
function install(model: Model, { catalog, store }: ReplayOptions): void {
  for (const blob of blobsOf(model)) store.fill(blob);
  catalog.install(model);
}
