/**
 * The definition of a subject: an implementation, how to prepare it, and what is known about it.
 *
 * @module
 */

import type { ClientSubject } from "../../client/subject.ts";
import type { RuleResult } from "../../report.ts";
import type { RunOptions } from "../../run.ts";
import type { ServerSubject } from "../../server/subject.ts";
import type { ToolName } from "./tools.ts";
import type { Workshop } from "./workshop.ts";

/** An implementation that is ready to be tested. */
export interface ReadySubject<Implementation> {
  /** The implementation. */
  readonly implementation: Implementation;
  /** Ends everything that runs for it. */
  readonly close?: () => Promise<void>;
  /** Runs additional rules, besides those of its side. @default none */
  readonly runMore?: (options: RunOptions) => Promise<readonly RuleResult[]>;
}

/** An implementation that the suites are run against. */
export type Subject =
  & {
    /** Its name. */
    readonly name: string;
    /** Its version, if it does not depend on the machine. */
    readonly version?: string;
    /** The programs that it needs. */
    readonly needs: readonly ToolName[];
    /** The rules that it breaks, each with the reason, from its source code. */
    readonly breaks: Readonly<Record<string, string>>;
    /** Whether it is part of this repository. */
    readonly isOurs?: true;
  }
  & (
    | { readonly side: "client"; readonly prepare: Prepare<ClientSubject> }
    | { readonly side: "server"; readonly prepare: Prepare<ServerSubject> }
  );

/** Builds and starts what is needed. */
type Prepare<Implementation> = (workshop: Workshop) => Promise<ReadySubject<Implementation>>;
