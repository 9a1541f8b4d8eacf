/**
 * Advice on a failed pull: one table, indexed by the reason of the failure.
 *
 * @module
 */

import { parseModelName, type PullError, type PullErrorReason } from "../mod.ts";
import { DEFAULT_REGISTRY } from "../src/model_name.ts";
import { printable } from "./printable.ts";
import { isLoopback, showHost } from "./host.ts";

/** The pull that failed. */
export interface Attempt {
  /** The model's name. */
  readonly model: string;
  /** The address of the server. */
  readonly host: URL;
  /** The command that tries again. */
  readonly again: string;
  /** Whether part of the model is already on the server. */
  readonly hasBytes: boolean;
}

/** The advice, or a function that derives it from the failure. */
type Advice = string | ((error: PullError, attempt: Attempt) => string);

/** The literal members of a union, without the `string` that allows others. */
type NamedIn<Words extends string> = Words extends string ? string extends Words ? never : Words
  : never;

type KnownReason = NamedIn<PullErrorReason>;

const CHECK_ADDRESS = "Is this the address of Ollama? Check --host and OLLAMA_HOST";
const CHECK_NAME = "Check the model's name: it must be like llama3.2 or llama3.2:1b";
/** The hosts of Hugging Face's registry. */
const HUGGING_FACE = ["hf.co", "huggingface.co"];

/** Advice by reason. */
export const ADVICE: Readonly<Record<KnownReason, Advice>> = {
  "model-not-found": (_, attempt) => findModel(attempt),
  "invalid-name": CHECK_NAME,
  "model-unsupported": (_, attempt) =>
    isFrom(HUGGING_FACE, attempt)
      ? "Choose another quantization as the tag: one GGUF file that is not split"
      : "Choose another model or tag that this server can run",
  "server-too-old": (_, { again }) =>
    `Update Ollama on the server (https://ollama.com/download), then run: ${again}`,
  "disk-full": (_, attempt) =>
    `Free space on the server's disk. ${tryAgain({ ...attempt, then: "then " })}`,
  "storage-denied":
    "On the server, check who owns the models folder: OLLAMA_MODELS, or else .ollama/models",
  "unauthorized": (error, attempt) => logIn(error, attempt),
  "proxy-unauthorized": (_, { host }) =>
    "Set the proxy's login, as in HTTP_PROXY=http://USER:PASSWORD@PROXY, or bypass it with " +
    `NO_PROXY=${host.hostname}`,
  "forbidden": (error, attempt) => getAccess(error, attempt),
  "rate-limited": (_, attempt) =>
    `The server received too many requests: wait a while. ${tryAgain(attempt)}`,
  "overloaded": (error, attempt) => reachServer(error, attempt),
  "registry-unreachable": (_, attempt) =>
    "Check the server's own network, DNS and HTTPS_PROXY: it cannot reach the registry. " +
    tryAgain(attempt),
  "registry-refused": (_, attempt) => findModel(attempt),
  "insecure-registry": "To pull from this registry anyway, add --insecure",
  "digest-mismatch": (_, { again }) =>
    `The server deletes the damaged part and downloads it again; run: ${again}`,
  "transfer-failed": (_, attempt) => tryAgain(attempt),
  "not-running": (_, attempt) => tryAgain(attempt), // what a relay says, which the command does not ask
  "wrong-address": CHECK_ADDRESS,
  "redirected": "Give --host the address of Ollama itself",
  "refused": (_, { host }) =>
    isLoopback(host)
      ? "Is Ollama running there? Start it with `ollama serve`, or give its address with --host or OLLAMA_HOST"
      : "Is Ollama running there, and does it accept other machines (OLLAMA_HOST=0.0.0.0 ollama serve)?",
  "name-not-resolved": "Check the name of the host in --host or OLLAMA_HOST",
  "certificate": (error, attempt) => trustCertificate(error, attempt),
  "tls-mismatch": (error, attempt) => changeScheme(error, attempt),
  "not-permitted": (_, { again, host }) =>
    `Give Deno the permission --allow-net=${host.host}, then run: ${again}`,
  "runtime-limit": (_, attempt) => tryAgain(attempt),
};

/** Returns the advice on a failed pull. */
export function adviseOn(error: PullError, attempt: Attempt): string {
  const { reason = "", code } = error;
  const advice = Object.hasOwn(ADVICE, reason) ? ADVICE[reason as KnownReason] : undefined;
  if (typeof advice === "function") return advice(error, attempt);
  if (advice !== undefined) return advice;
  switch (code) {
    case "network":
      return wasConnected(error) ? tryAgain(attempt) : openConnection(error, attempt);
    case "truncated":
    case "stalled":
      return tryAgain(attempt);
    case "malformed":
    case "line-too-long":
      return CHECK_ADDRESS;
    case "server":
    case "http":
      return `The server's log may have details. ${tryAgain(attempt)}`;
  }
}

/** Says how to pull again. */
export function tryAgain(
  { again, hasBytes, then = "" }: Pick<Attempt, "again" | "hasBytes"> & { then?: string },
): string {
  return hasBytes
    ? `What was downloaded is kept; to resume, ${then}run: ${again}`
    : `To try again, ${then}run: ${again}`;
}

/** Whether a network failure broke an existing connection. Otherwise none was established. */
function wasConnected({ message }: PullError): boolean {
  return !message.startsWith("Cannot reach");
}

/** Whether the error is about the registry, not about the server itself. */
function isAboutRegistry({ code, message }: PullError): boolean {
  return code === "server" || message.includes("pull model manifest");
}

/** The parts of a name. A name that only other servers understand counts as one of the default registry. */
function partsOf({ model }: Attempt): { host: string; namespace: string; model: string } {
  try {
    return parseModelName(model);
  } catch {
    return { host: DEFAULT_REGISTRY, namespace: "library", model };
  }
}

function isFrom(registries: readonly string[], attempt: Attempt): boolean {
  return registries.includes(partsOf(attempt).host.toLowerCase());
}

function findModel(attempt: Attempt): string {
  const { host, namespace, model } = partsOf(attempt);
  if (isFrom(HUGGING_FACE, attempt)) {
    return `Check https://huggingface.co/${namespace}/${model}: it must have GGUF files, and the tag ` +
      "must be one of their quantizations";
  }
  return isFrom([DEFAULT_REGISTRY], attempt)
    ? `Check its name and tag at https://ollama.com/${namespace}`
    : `Check its name and tag at ${printable(host)}`;
}

function logIn(error: PullError, attempt: Attempt): string {
  const { host, again } = attempt;
  const url = signInUrl(error.body);
  if (url !== undefined) return `Sign in at ${url}, then run: ${again}`;
  if (isAboutRegistry(error)) {
    return isFrom(HUGGING_FACE, attempt)
      ? "A private or gated model needs the key of the server (~/.ollama/id_ed25519.pub there) in your " +
        "account: https://huggingface.co/settings/keys"
      : "Check the model's name; if the model is private, run `ollama signin` on the server";
  }
  if (host.username !== "" || host.password !== "") {
    return "Check the user name and password in --host or OLLAMA_HOST";
  }
  // Observed: gateways with API keys, such as Open WebUI, answer with an object; with passwords, a page.
  return typeof error.body === "object"
    ? 'Send a key that the server knows: --header "Authorization: Bearer KEY"'
    : 'Log in with --host http://USER:PASSWORD@ADDRESS, or with --header "Authorization: Bearer KEY"';
}

/** Observed: when Ollama wants a person to sign in, it says where. */
function signInUrl(body: unknown): string | undefined {
  const url = (body as { signin_url?: unknown } | null | undefined)?.signin_url;
  return typeof url === "string" && URL.canParse(url) ? printable(url) : undefined;
}

function getAccess(error: PullError, attempt: Attempt): string {
  if (isAboutRegistry(error)) return findModel(attempt);
  // Observed: Ollama refuses an unknown `Host` or `Origin` without a message.
  return error.body === undefined
    ? "Ollama refuses unknown host names and origins like this: use an IP address as the host, or set " +
      "OLLAMA_HOST=0.0.0.0 or OLLAMA_ORIGINS for the server"
    : "Ask those who run the server, or send a key that may pull: " +
      '--header "Authorization: Bearer KEY"';
}

/** The statuses by which gateways report a timeout. 522 and 524 are Cloudflare's. */
const TOO_LATE: readonly (number | undefined)[] = [408, 504, 522, 524];

function reachServer({ status }: PullError, attempt: Attempt): string {
  const problem = TOO_LATE.includes(status)
    ? "A proxy in front of Ollama timed out: raise its limit, or bypass it."
    : "A proxy could not reach Ollama, or Ollama is busy: check that it is running.";
  return `${problem} ${tryAgain(attempt)}`;
}

function trustCertificate(error: PullError, { host }: Attempt): string {
  if (isAboutRegistry(error)) {
    return "Make the server trust the registry's certificate (SSL_CERT_FILE), or add --insecure";
  }
  return `To trust the certificate of ${host.host}, set a file with it or with its issuer's certificate: ` +
    "DENO_CERT=ca.pem in Deno, NODE_EXTRA_CA_CERTS=ca.pem in Node and Bun";
}

function changeScheme(error: PullError, { host }: Attempt): string {
  if (isAboutRegistry(error)) return "Write the scheme of the registry before the model's name";
  const other = new URL(host);
  other.protocol = host.protocol === "https:" ? "http:" : "https:";
  const speaks = host.protocol === "https:" ? "does not speak TLS" : "speaks TLS";
  return `That port ${speaks}: use --host ${showHost(other)}`;
}

/** Advice if the server closes the connection, or none is established, with an unknown message. */
function openConnection({ retryable }: PullError, attempt: Attempt): string {
  if (!retryable) return CHECK_ADDRESS;
  const hint = attempt.host.protocol === "http:"
    ? ", and does it use plain HTTP (otherwise add https://)"
    : "";
  return `Is this the address of Ollama${hint}? ${tryAgain(attempt)}`;
}
