/**
 * The name of a layer that has no digest: the server's words for it.
 *
 * @module
 */

// Each repetition is bounded, so that no text makes matching slow.

/** Amounts, speeds and percentages, such as `45 %`, `1.2 GB` and `3.4 MB/s`. */
const AMOUNT = /(?<![\w.:-])\d{1,16}(?:\.\d{1,3})? ?(?:%|(?:[kmgt]i?b|bytes)(?:\/s|ps)?(?!\w))/gi;

/** The first number in `12/40 MiB` and `5 of 9 bytes`, after `AMOUNT` has replaced the second with `…`. */
const PART = /(?<![\w.:-])\d{1,16}(?:\.\d{1,3})?(?: ?\/ ?| of )…/g;

/** Times, such as `1m25s` and `00:12`. (`135m` is more often the size of a model.) */
const TIME =
  /(?<![\w.:-])(?:(?:\d{1,4}[hm]){0,2}\d{1,4}s|\d{1,4}h\d{1,4}m|\d{1,3}(?::\d\d){1,2})(?!\w)/gi;

/**
 * The words without anything that changes with the progress: one layer may be `downloading 5%` in one
 * status and `downloading 6%` in the next. Other numbers are part of the name, as in `part 2 of 3`.
 */
export function layerName(words: string): string {
  return words.replace(AMOUNT, "…").replace(PART, "…").replace(TIME, "…");
}
