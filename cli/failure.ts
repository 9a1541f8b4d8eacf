/**
 * Describes a failed pull in one line: what went wrong, and what to do.
 *
 * The first part is the message of {@link PullError}. Some of it comes from the server, or from whatever
 * answered in its place, so it is made safe for a terminal.
 *
 * @module
 */

import { PullError } from "../mod.ts";
import { printable } from "./format.ts";

/** The pull that failed. */
export interface Attempt {
  /** The model's name. */
  readonly model: string;
  /** The command that tries again. */
  readonly again: string;
}

/** Says why a pull failed and what to do. */
export function describeFailure(error: unknown, attempt: Attempt): string {
  if (!(error instanceof PullError)) {
    const text = error instanceof Error ? `${error.name}: ${error.message}` : String(error);
    return `Unexpected failure: ${printable(text)}; please report it`;
  }
  if (isUnknownModel(error)) {
    const model = JSON.stringify(printable(attempt.model));
    return `Model ${model} not found: ${printable(error.message)}. ` +
      "Check its name and tag at https://ollama.com/library";
  }
  return `${describe(error)}. ${advise(error, attempt)}`;
}

/** What went wrong. Each runtime describes a refused connection in its own long words. */
function describe({ message }: PullError): string {
  const line = printable(message);
  const start = /^Cannot reach \S+(?=: )/.exec(line)?.[0];
  const isRefused = start !== undefined && /refused|Unable to connect/i.test(line);
  return isRefused ? `${start}: connection refused` : line.replace(/\.$/, "");
}

/** Whether a network failure broke a connection. Otherwise none was made. */
function hadConnection({ message }: PullError): boolean {
  return !message.startsWith("Cannot reach");
}

/** Observed: how the server reports that the registry answered 404 for a manifest. */
function isUnknownModel({ code, message }: PullError): boolean {
  return code === "server" && message.startsWith("pull model manifest:") &&
    /does not exist|not found/.test(message);
}

const WRONG_ADDRESS = "Is this the address of Ollama? Check --host and OLLAMA_HOST";

function advise(error: PullError, { again }: Attempt): string {
  const resume = `What was downloaded is kept; to resume, run: ${again}`;
  switch (error.code) {
    case "network":
      return hadConnection(error)
        ? resume
        : "Is Ollama running there? Start it with `ollama serve`, or give its address with --host or OLLAMA_HOST";
    case "truncated":
    case "stalled":
      return resume;
    case "malformed":
    case "line-too-long":
      return WRONG_ADDRESS;
    case "server":
      return adviseOnServer(error.message, resume);
    case "http":
      return adviseOnHttp(error, again);
  }
}

function adviseOnServer(message: string, resume: string): string {
  if (/no space left/i.test(message)) {
    return "Free space on the server's disk, then run the command again";
  }
  return `The server's log says more. ${resume}`;
}

function adviseOnHttp({ status = 0, message }: PullError, again: string): string {
  if (/insecure protocol/.test(message)) return "To pull from this registry anyway, add --insecure";
  switch (status) {
    case 400:
      return "Check the model's name: it must be like llama3.2 or llama3.2:1b";
    case 401:
    case 403:
      return "Log in with --host http://USER:PASSWORD@ADDRESS";
    case 404:
    case 405:
      return WRONG_ADDRESS;
    case 502:
    case 503:
    case 504:
      return `A proxy could not reach Ollama: check that Ollama runs, then run: ${again}`;
    default:
      return status >= 500
        ? `The server's log says more; to try again, run: ${again}`
        : WRONG_ADDRESS;
  }
}
