/**
 * Shrinks failing inputs while they still fail.
 *
 * @module
 */

import type { Conversation } from "./conversations.ts";
import type { Input } from "./inputs.ts";
import { toBytes, toText } from "./text.ts";

/** The most attempts to find something smaller. */
const MAX_TRIES = 3_000;

/** Whether a smaller candidate still fails. */
export type Fails<Value> = (value: Value) => Promise<boolean>;

/** Removes items while the rest still fails: first all of them, then halves, then fewer. */
export async function withoutNeedless<Item>(
  items: readonly Item[],
  fails: Fails<readonly Item[]>,
): Promise<readonly Item[]> {
  let rest = items;
  for (let size = rest.length; size > 0; size >>= 1) {
    for (let start = 0; start < rest.length;) {
      const fewer = rest.toSpliced(start, size);
      if (await fails(fewer)) rest = fewer;
      else start += size;
    }
  }
  return rest;
}

/** Limits the number of attempts. */
function limited<Value>(fails: Fails<Value>): Fails<Value> {
  let tries = 0;
  return async (value) => tries++ < MAX_TRIES && await fails(value);
}

/** Shrinks an input: its options, its cuts, then its lines, then its bytes. */
export async function shrinkInput(input: Input, stillFails: Fails<Input>): Promise<Input> {
  const fails = limited(stillFails);
  let smallest = input;
  const attempt = async (change: Partial<Input>) => {
    const changed = { ...smallest, ...change };
    const isSmaller = await fails(changed);
    if (isSmaller) smallest = changed;
    return isSmaller;
  };
  await attempt({ maxLineBytes: undefined });
  await attempt({ onMalformed: "tell" });
  if (!await attempt({ cuts: [] })) {
    await withoutNeedless(smallest.cuts, (cuts) => attempt({ cuts }));
  }
  const lines = toText(smallest.bytes).split(/(?<=\n)/);
  await withoutNeedless(lines, (lines) => attempt({ bytes: toBytes(lines.join("")) }));
  const characters = [...toText(smallest.bytes)];
  await withoutNeedless(characters, (rest) => attempt({ bytes: toBytes(rest.join("")) }));
  return smallest;
}

/** Shrinks a conversation: its requests, then their bodies. */
export async function shrinkConversation(
  conversation: Conversation,
  stillFails: Fails<Conversation>,
): Promise<Conversation> {
  const fails = limited(stillFails);
  let smallest = conversation;
  const attempt = async (change: Partial<Conversation>) => {
    const changed = { ...smallest, ...change };
    const isSmaller = await fails(changed);
    if (isSmaller) smallest = changed;
    return isSmaller;
  };
  await attempt({ faulty: false });
  await withoutNeedless(smallest.requests, (requests) => attempt({ requests }));
  for (const [index, { body = "" }] of smallest.requests.entries()) {
    await withoutNeedless([...body], (rest) => {
      const request = { ...smallest.requests[index]!, body: rest.join("") };
      return attempt({ requests: smallest.requests.with(index, request) });
    });
  }
  return smallest;
}
