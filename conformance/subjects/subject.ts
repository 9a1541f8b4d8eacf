/**
 * What a subject is: an implementation and what is known about it.
 *
 * @module
 */

import type { ClientSubject } from "../client_subject.ts";
import type { ServerSubject } from "../server_subject.ts";

/** An implementation that the suites are run against. */
export type Subject =
  & (
    | { readonly side: "client"; readonly implementation: ClientSubject }
    | { readonly side: "server"; readonly implementation: ServerSubject }
  )
  & {
    /** The rules that it breaks, each with the reason, from its source. */
    readonly breaks: Readonly<Record<string, string>>;
  };
