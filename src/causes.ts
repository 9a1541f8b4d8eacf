/**
 * Why pulls fail, and whether the cause may pass: the one place where words and numbers of others are
 * read, so that an app never has to.
 *
 * Each table is read from the top, and its first row that fits decides. What the words come from is said
 * of each row: `observed` in Ollama's sources or public reports, or the standard that defines them.
 *
 * @module
 */

import type { PullErrorReason } from "./errors.ts";

/** Why a pull failed. */
export interface Cause {
  /** The name of the cause, where it is known. */
  readonly reason?: PullErrorReason;
  /** Whether the same request may succeed later. */
  readonly retryable: boolean;
}

/** A cause, and the words by which it is recognized. */
interface CauseOfWords extends Cause {
  readonly words: RegExp;
}

/**
 * What servers say. What cannot pass comes first: `max retries exceeded: … no space left on device` does
 * not pass by itself.
 */
const CAUSES_OF_WORDS: readonly CauseOfWords[] = [
  // Observed: the server has no such model, the registry none. OCI: the codes of a registry.
  {
    words:
      /^model ['"].*['"] not found|^pull model manifest: (?:file does not exist|404\b)|\b(?:manifest|name)[ _]unknown|repository not found|model is not found/i,
    reason: "model-not-found",
    retryable: false,
  },
  // Observed, before anything is asked of the registry.
  {
    words: /invalid model (?:name|reference)|use either :local or :cloud|^model is required/i,
    reason: "invalid-name",
    retryable: false,
  },
  // Observed: without `insecure`; and Go's HTTP client at a registry without TLS.
  {
    words: /^insecure protocol http|server gave HTTP response to HTTPS client/i,
    reason: "insecure-registry",
    retryable: false,
  },
  // Observed: the registry answers 412 for a model that is newer than the server.
  {
    words: /^pull model manifest: 412\b|requires a newer version/i,
    reason: "server-too-old",
    retryable: false,
  },
  // Observed: a tensor model without its runtime; files of Hugging Face that the server cannot use.
  {
    words:
      /this model requires|unsupported (?:model|architecture|media type)|not supported by|sharded GGUF|not compatible with llama\.cpp/i,
    reason: "model-unsupported",
    retryable: false,
  },
  // Linux, Windows.
  {
    words: /no space left on device|not enough space|disk quota exceeded/i,
    reason: "disk-full",
    retryable: false,
  },
  {
    words: /: (?:permission denied|access is denied|read-only file system)/i,
    reason: "storage-denied",
    retryable: false,
  },
  // Observed: the server drops the blob, and fetches it anew when it is asked again.
  {
    words: /digest mismatch/i,
    reason: "digest-mismatch",
    retryable: true,
  },
  // Go's TLS, at the registry.
  {
    words: /x509:|failed to verify certificate/i,
    reason: "certificate",
    retryable: false,
  },
  // Go's and nginx's words for plain HTTP at a port with TLS.
  {
    words: /HTTP request (?:was sent )?to (?:an )?HTTPS (?:server|port)/i,
    reason: "tls-mismatch",
    retryable: false,
  },
  // Observed: the server has tried six times. Whatever stopped it, it goes on from there.
  {
    words: /max retries exceeded/i,
    reason: "transfer-failed",
    retryable: true,
  },
  {
    words: /^pull model manifest: 429\b|too many requests|rate limit/i,
    reason: "rate-limited",
    retryable: true,
  },
  // Observed: the registry's status and body; OCI: the code of a registry; Hugging Face's words.
  {
    words: /^pull model manifest: 401\b|unauthorized|authentication required|invalid username or/i,
    reason: "unauthorized",
    retryable: false,
  },
  {
    words: /^pull model manifest: 403\b|forbidden|access to the resource is denied/i,
    reason: "forbidden",
    retryable: false,
  },
  // Observed: the request for the manifest failed (Go names its method and address), or the registry
  // cannot answer.
  {
    words:
      /^pull model manifest: (?:(?:Get|Head|Post) "|408\b|425\b|5\d\d\b)|no such host|server misbehaving|name resolution|connection refused|no route to host|network is unreachable|TLS handshake timeout|registry (?:is )?unavailable/i,
    reason: "registry-unreachable",
    retryable: true,
  },
  {
    words: /^pull model manifest: 4\d\d\b/i,
    reason: "registry-refused",
    retryable: false,
  },
  // Go's words for a connection that breaks. `context canceled`: another caller has left, or the server
  // restarts.
  {
    words:
      /\bEOF\b|time-?out|timed out|deadline exceeded|connection reset|broken pipe|context canceled|closed network connection|connection was (?:forcibly )?closed|\bGOAWAY\b|stream error/i,
    reason: "transfer-failed",
    retryable: true,
  },
];

/** What a status of HTTP means where the words do not say it. RFC 9110, RFC 6585, and gateways' own. */
function causeOfStatus(status: number): Cause {
  if (status >= 300 && status < 400) return { reason: "redirected", retryable: false };
  switch (status) {
    case 401:
      return { reason: "unauthorized", retryable: false };
    case 403:
      return { reason: "forbidden", retryable: false };
    case 404:
    case 405:
    case 501:
      return { reason: "wrong-address", retryable: false };
    case 407:
      return { reason: "proxy-unauthorized", retryable: false };
    case 429:
      return { reason: "rate-limited", retryable: true };
    case 500:
      return { retryable: true };
    case 408:
    case 425:
      return { reason: "overloaded", retryable: true };
    default:
      return status > 500 ? { reason: "overloaded", retryable: true } : { retryable: false };
  }
}

/**
 * What runtimes say when they cannot connect, or a connection breaks: codes, and words in their place.
 * Observed in Deno 2.9, Bun 1.4 and Node 20, 24 and 26 (by `fetch` and by `node:http`), unless the row
 * says otherwise.
 */
const CAUSES_OF_FAILURES: readonly CauseOfWords[] = [
  // Deno: the program runs without `--allow-net` for this address.
  { words: /^NotCapable\b/m, reason: "not-permitted", retryable: false },
  // Node (undici), then Bun. Neither is at fault: the server was silent for longer than the runtime waits.
  {
    words: /UND_ERR_(?:HEADERS|BODY)_TIMEOUT|\b(?:Headers|Body)TimeoutError/,
    reason: "runtime-limit",
    retryable: true,
  },
  {
    words: /^TimeoutError\b[^\n]{0,40}operation timed out/,
    reason: "runtime-limit",
    retryable: true,
  },
  // The Fetch standard's list of ports that are never connected to: Node, then Deno.
  { words: /^\w+ {2}bad port$|Requests to port \d+ are blocked/m, retryable: false },
  // Node and Bun have codes of OpenSSL (the second one as in `CERT_HAS_EXPIRED`, not observed), Deno the
  // words of rustls.
  {
    words: /certificate|\bCERT_|_CERT\b|UNABLE_TO_VERIFY/i,
    reason: "certificate",
    retryable: false,
  },
  // TLS at a port without it, in Node, Deno and Bun. Then what Node and Deno say of a port with TLS that
  // answers a plain request with an alert of TLS. Others only close the connection, as any server may.
  {
    words:
      /wrong version number|corrupt message|TLS handshake failed|Expected HTTP\/|invalid HTTP version/i,
    reason: "tls-mismatch",
    retryable: false,
  },
  // Node and Bun, then Deno, then browsers (not observed).
  {
    words: /ENOTFOUND|EAI_AGAIN|lookup address|NAME_NOT_RES/i,
    reason: "name-not-resolved",
    retryable: true,
  },
  // Node and Bun, then Deno; its words on Windows and those of browsers are not observed.
  {
    words: /ECONNREFUSED|connection[ _]?refused|actively refused/i,
    reason: "refused",
    retryable: true,
  },
];

function firstMatch(rows: readonly CauseOfWords[], text: string): Cause | undefined {
  return rows.find(({ words }) => words.test(text));
}

/** Why the server says that a pull failed, in an `error` object of the stream. */
export function causeOfError(words: string): Cause {
  return firstMatch(CAUSES_OF_WORDS, words) ?? { retryable: false };
}

/** Why an answer has a status that is not 2xx. */
export function causeOfAnswer(status: number, words: string | undefined): Cause {
  const cause = words === undefined ? undefined : firstMatch(CAUSES_OF_WORDS, words);
  return cause ?? causeOfStatus(status);
}

/** Why a request or a connection failed, by the names, codes and messages of the errors. */
export function causeOfFailure(text: string): Cause {
  // Deno names the address, in which a host may be called anything.
  const words = text.replaceAll(/\bhttps?:\/\/\S+/g, "");
  return firstMatch(CAUSES_OF_FAILURES, words) ?? { retryable: true };
}
