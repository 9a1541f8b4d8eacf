/**
 * What a stranger is: a client that is wrong in one way, written from the text of the rules alone, before
 * any check was run against it.
 *
 * @module
 */

import type { ClientSubject } from "../../../client/subject.ts";
import { type ClientParts, pullWith, TIME_LIMIT_MS } from "./right_client.ts";

/** How unusual the input is that reveals the fault of a client. */
export type Difficulty = "easy" | "middling" | "hard";

/** A client that is wrong in one way. */
export interface StrangerClient {
  /** What it does wrong, as in `takes the end for success after "writing manifest"`. */
  readonly name: string;
  /** The sentence that it breaks, after the id of a rule if there is one. */
  readonly breaks: string;
  /** When a user would see it, with the report of a real client if one is known. */
  readonly how: string;
  /** How unusual the input is that reveals it. */
  readonly difficulty: Difficulty;
  /** Whether it runs in process, or makes sense only as a command. */
  readonly form: "in-process" | "command";
  /** The client. */
  readonly client: ClientSubject;
}

/** What describes a stranger beside its client. */
export type Description = Pick<StrangerClient, "name" | "breaks" | "how" | "difficulty">;

/** A stranger with its own `pull`, which passes on the server's statuses by default. */
export function strangerOf(
  description: Description,
  pull: ClientSubject["pull"],
  more: Partial<Pick<ClientSubject, "reports" | "timeLimitMs">> = {},
): StrangerClient {
  const client: ClientSubject = {
    name: description.name,
    reports: "statuses",
    transport: "in-process",
    timeLimitMs: TIME_LIMIT_MS,
    ...more,
    pull,
  };
  return { ...description, form: "in-process", client };
}

/** A stranger that passes on the server's statuses, and replaces some parts of the correct client. */
export function withStatuses(
  description: Description,
  parts: Partial<ClientParts>,
): StrangerClient {
  return strangerOf(description, pullWith(parts));
}

/** A stranger that reports progress over all layers, and replaces some parts of the correct client. */
export function withProgress(
  description: Description,
  parts: Partial<ClientParts>,
): StrangerClient {
  return strangerOf(description, pullWith(parts), { reports: "progress" });
}
