/**
 * The addresses that the mock answers for in process.
 *
 * @module
 */

import { ConfigurationError, show } from "../configuration_error.ts";

/** An address: a host name or IP address, with a port or for every port. */
interface Host {
  readonly hostname: string;
  readonly port: string | undefined;
}

/** The addresses that are the mock's own. */
export class Hosts {
  readonly #names: readonly string[];
  /** If `undefined`, the mock answers for every address. */
  readonly #hosts: readonly Host[] | undefined;

  /** Takes hosts with or without a port, such as `localhost:11434`; `undefined` for every address. */
  constructor(names: readonly string[] | undefined) {
    if (names?.length === 0) {
      throw new ConfigurationError(
        "Cannot use the hosts []: name at least one, or leave them out to answer for every address",
      );
    }
    this.#names = names ?? [];
    this.#hosts = names?.map(parse);
  }

  /** Whether an address is the mock's own. */
  has({ hostname, port, protocol }: URL): boolean {
    if (!this.#hosts) return true;
    const actual = port || (protocol === "https:" ? "443" : "80");
    return this.#hosts.some((host) =>
      host.hostname === hostname && (host.port ?? actual) === actual
    );
  }

  /** The error of `fetch` for an address that is not the mock's own. */
  refuse({ origin }: URL): TypeError {
    return new TypeError(
      `Cannot fetch ${origin}: the mock answers only for ${
        this.#names.join(", ")
      }, as its option ` +
        "`hosts` says; add the address there, or give the mock a `fallback`",
    );
  }
}

function parse(name: string): Host {
  const [, host, port] = /^(\[[^\]/?#@\s]+\]|[^:[\]/\\?#@\s]+)(?::(\d+))?$/.exec(name) ?? [];
  if (host !== undefined && URL.canParse(`http://${name}`)) {
    return { hostname: new URL(`http://${host}`).hostname, port };
  }
  throw new ConfigurationError(
    `Cannot use the host ${
      show(name)
    } in hosts: it must be a host with or without a port, such as ` +
      '"localhost:11434"',
  );
}
