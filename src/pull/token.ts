/**
 * How a registry asks for a token, where to get it, and what the token server answers.
 *
 *     WWW-Authenticate ── findChallenge ──▶ Challenge ── tokenAddress ──▶ URL … answer ── readToken ──▶ token
 *
 * The rules are those of the registries' own specification of token authentication (Distribution:
 * "Token Authentication Specification"); the header is that of RFC 9110, section 11.6.1.
 *
 * @module
 */

import { PullError } from "../errors.ts";
import { hideSecrets, showHost } from "../host.ts";
import { quote } from "../text.ts";

/** A registry's request for a token. */
export interface Challenge {
  /** The address of the token server, as the registry wrote it. */
  readonly realm: string;
  /** The name of the registry, for the token server. */
  readonly service: string | undefined;
  /** What the token should allow, such as `repository:library/llama3.2:pull`. */
  readonly scopes: readonly string[];
}

/** How much of a header is read. Those of registries have about 200 characters. */
const MAX_HEADER_LENGTH = 8_192;

/** The next scheme, or the next parameter with its value in quotes or without. */
const ITEM = /[\s,]*([\w!#$%&'*+.^`|~-]+)(?:[ \t]*=[ \t]*(?:"((?:[^"\\]|\\.)*)"|([^\s,"]*)))?/gy;

/** Finds the first `Bearer` challenge in a `WWW-Authenticate` header, which may have several challenges. */
export function findChallenge(header: string | null): Challenge | undefined {
  const parameters = bearerParameters((header ?? "").slice(0, MAX_HEADER_LENGTH));
  if (!parameters) return undefined;
  return {
    realm: parameters.get("realm") ?? "",
    service: parameters.get("service"),
    scopes: (parameters.get("scope") ?? "").split(" ").filter((scope) => scope !== ""),
  };
}

/** The parameters of the scheme `Bearer`, with their names in lower case. */
function bearerParameters(header: string): ReadonlyMap<string, string> | undefined {
  let parameters: Map<string, string> | undefined;
  for (const [, name = "", quoted, plain] of header.matchAll(ITEM)) {
    const value = quoted?.replaceAll(/\\(.)/g, "$1") ?? plain;
    if (value !== undefined) {
      parameters?.set(name.toLowerCase(), value);
    } else {
      if (parameters) break; // the next scheme
      if (name.toLowerCase() === "bearer") parameters = new Map();
    }
  }
  return parameters;
}

/**
 * The address at which to ask for a token.
 *
 * @param challenge The challenge of the registry.
 * @param registry The address that sent the challenge.
 * @param allowsHttp Whether the token server may be reached without TLS.
 * @throws {PullError} `malformed`, if the realm is not an address that may be used.
 */
export function tokenAddress(
  { realm, service, scopes }: Challenge,
  registry: URL,
  allowsHttp: boolean,
): URL {
  const where = `${showHost(registry)} asks for a token`;
  const address = URL.canParse(realm) ? new URL(realm) : undefined;
  if (!address || !/^https?:$/.test(address.protocol) || address.username || address.password) {
    throw new PullError(
      "malformed",
      `${where} without saying where to get it: its realm is ${quote(hideSecrets(realm))}, ` +
        "which must be an https address",
    );
  }
  if (address.protocol === "http:" && !allowsHttp) {
    throw new PullError(
      "malformed",
      `${where} from ${showHost(address)}, which has no TLS; insecure: true allows that`,
    );
  }
  address.hash = "";
  if (service !== undefined) address.searchParams.append("service", service);
  for (const scope of scopes) address.searchParams.append("scope", scope);
  return address;
}

/** The token in the answer of a token server, or `undefined` if there is none that can be sent. */
export function readToken(answer: string): string | undefined {
  let fields: { token?: unknown; access_token?: unknown } | null;
  try {
    fields = JSON.parse(answer);
  } catch {
    return undefined;
  }
  return [fields?.token, fields?.access_token].find(isToken);
}

/** Whether a value is a token that a header can carry. */
function isToken(value: unknown): value is string {
  return typeof value === "string" && /^[\x21-\x7e]+$/.test(value);
}
