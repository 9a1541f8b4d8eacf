/**
 * The fuzzer: generates inputs and compares the decoders with the reference, and generates
 * conversations and checks the promises of the mock, until it has done enough or finds
 * a failure, which it shrinks.
 *
 *     Corpus ── Dice ──▶ Input ── check ──▶ Finding ── shrink ──▶ Failure
 *
 * @module
 */

import { check, checkSeparateStreams, Finding, requireCleanPrototypes } from "./checks.ts";
import { checkConversation, type Conversation, makeConversation } from "./conversations.ts";
import type { Corpus } from "./corpus.ts";
import { Dice } from "./dice.ts";
import { type Input, makeInput } from "./inputs.ts";
import { type Fails, shrinkConversation, shrinkInput } from "./shrink.ts";

/** One in this many inputs also goes through separate streams, and one is followed by requests. */
const SEPARATE_STREAMS_IN = 16;
const CONVERSATION_IN = 16;

/** The amount of work done. */
export interface FuzzCount {
  inputs: number;
  lines: number;
  bytes: number;
  requests: number;
}

/** A violated property, and the smallest input that shows it. */
export interface Failure {
  readonly seed: number;
  /** The index of the input for this seed, from 0. */
  readonly number: number;
  readonly message: string;
  readonly input?: Input;
  readonly conversation?: Conversation;
}

/** Options of {@link fuzz}. */
export interface FuzzOptions {
  readonly corpus: Corpus;
  readonly seed: number;
  /** Whether enough was done. Called before each input. */
  readonly isEnough: (count: FuzzCount) => boolean;
  /** Checks an input. All properties by default. */
  readonly checkInput?: (input: Input) => Promise<void>;
}

/** Fuzzes until enough was done, or a property does not hold. */
export async function fuzz(
  options: FuzzOptions,
): Promise<{ count: FuzzCount; failure: Failure | undefined }> {
  const { corpus, seed, isEnough, checkInput = check } = options;
  const count: FuzzCount = { inputs: 0, lines: 0, bytes: 0, requests: 0 };
  while (!isEnough(count)) {
    const number = count.inputs++;
    const dice = new Dice(seed, number);
    const input = makeInput(corpus, dice);
    const checkAll = dice.isOneIn(SEPARATE_STREAMS_IN) ? alsoSeparately(checkInput) : checkInput;
    const found = await findingOf(checkAll, input);
    if (found) {
      const small = await shrinkInput(input, failing(checkAll));
      const message = (await findingOf(checkAll, small))?.message ?? found.message;
      return { count, failure: { seed, number, message, input: small } };
    }
    count.bytes += input.bytes.length;
    count.lines += linesIn(input.bytes);

    if (!dice.isOneIn(CONVERSATION_IN)) continue;
    const conversation = makeConversation(dice);
    const finding = await findingOf(checkConversation, conversation);
    if (finding) {
      const small = await shrinkConversation(conversation, failing(checkConversation));
      return { count, failure: { seed, number, message: finding.message, conversation: small } };
    }
    count.requests += conversation.requests.length;
  }
  return { count, failure: undefined };
}

function alsoSeparately(checkInput: (input: Input) => Promise<void>) {
  return async (input: Input) => {
    await checkInput(input);
    await checkSeparateStreams(input);
    requireCleanPrototypes();
  };
}

/** The finding of a check, if there is one. A check that throws another error is also a finding. */
async function findingOf<Value>(
  check: (value: Value) => Promise<void>,
  value: Value,
): Promise<Finding | undefined> {
  try {
    await check(value);
    return undefined;
  } catch (error) {
    if (error instanceof Finding) return error;
    return new Finding(`Unexpected: ${error instanceof Error ? error.stack : error}`);
  }
}

function failing<Value>(check: (value: Value) => Promise<void>): Fails<Value> {
  return async (value) => await findingOf(check, value) !== undefined;
}

function linesIn(bytes: Uint8Array): number {
  let lines = 1;
  for (let at = bytes.indexOf(10); at !== -1; at = bytes.indexOf(10, at + 1)) lines++;
  return lines;
}
