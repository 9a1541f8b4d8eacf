/**
 * Clients that make sense only as a command.
 *
 * @module
 */

import { fileURLToPath } from "node:url";
import { type ClientSubject, commandClient } from "../../../client/subject.ts";
import type { Description, StrangerClient } from "./specimen.ts";

/** A script of `commands/`, run by Node, as a client. */
function scriptClient(file: string, name: string): ClientSubject {
  const path = fileURLToPath(new URL(`./commands/${file}`, import.meta.url));
  return commandClient(["node", path], { name });
}

function command(file: string, description: Description): StrangerClient {
  return { ...description, form: "command", client: scriptClient(file, description.name) };
}

/** The control for commands: it breaks nothing, and hands on the server's statuses. */
export const rightCommand: ClientSubject = scriptClient("right.mjs", "a right command");

/** Clients that make sense only as a command. */
export const commandClients: readonly StrangerClient[] = [
  command("exits_before_flush.mjs", {
    name: "exits before its output is written",
    breaks: "C-FRAME-1: every object of the stream is reported, in order",
    how: "Who reads its output is slower than the server: the end is cut, with exit code 0 " +
      "(nodejs/node 3669).",
    difficulty: "hard",
  }),
  command("exits_with_zero.mjs", {
    name: "exits with 0 however the pull ends",
    breaks: "C-ERR-1: an error line is a failure, with its message",
    how: "curl | jq: the last stage of the pipe decides, and it has read its lines.",
    difficulty: "easy",
  }),
  command("writes_in_blocks.mjs", {
    name: "writes its updates in blocks of 4 KiB",
    breaks: "Updates are shown while the pull is running, not all at its end",
    how: "As output to a pipe is buffered in Python and C: the program that shows the bar gets " +
      "nothing for minutes.",
    difficulty: "hard",
  }),
  command("interrupted_with_zero.mjs", {
    name: "exits with 0 when it is interrupted",
    breaks: "C-DONE-1: success is reported only after the server has sent `success`",
    how: "A script goes on as if the model were there: ctrl-c && ollama run.",
    difficulty: "middling",
  }),
  command("asks_for_gzip.mjs", {
    name: "asks for gzip and cannot read it",
    breaks: "A client asks only for codings that it can decode (RFC 9110, 12.5.3)",
    how: "Headers copied from a browser: behind a proxy that compresses, no line is JSON.",
    difficulty: "hard",
  }),
];
