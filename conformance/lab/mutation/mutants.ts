/**
 * Reads the report of a mutation tool, and counts the mutants that the suite has caught.
 *
 * @module
 */

/** A place in a file, counted from 1. */
interface Position {
  readonly line: number;
  readonly column: number;
}

/** A mutant in a report (mutation-testing-elements). */
export interface Mutant {
  readonly mutatorName: string;
  readonly replacement?: string;
  readonly location: { readonly start: Position; readonly end: Position };
  readonly status:
    | "Killed"
    | "Survived"
    | "Timeout"
    | "NoCoverage"
    | "RuntimeError"
    | "CompileError"
    | "Ignored"
    | "Pending";
}

/** A report on one or more files. */
export interface MutationReport {
  readonly files: Readonly<
    Record<string, { readonly source: string; readonly mutants: readonly Mutant[] }>
  >;
}

/** A mutant that is equivalent to the original, and why. */
export interface Equivalent {
  /** The replaced text. */
  readonly original: string;
  /** The replacement. */
  readonly replacement: string;
  /** The whole line in which it begins, to identify it. */
  readonly line: string;
  /** Why the two are indistinguishable. */
  readonly proof: string;
}

/** A mutant, by its text. */
export interface NamedMutant extends Omit<Equivalent, "proof"> {
  readonly place: string;
  readonly status: Mutant["status"];
}

/** The results of the mutants. */
export interface MutationScore {
  readonly caught: number;
  readonly survived: readonly NamedMutant[];
  readonly equivalent: readonly NamedMutant[];
  /** Mutants listed as equivalent that are caught or no longer exist. */
  readonly stale: readonly Equivalent[];
  /** The share of the others that is caught. */
  readonly share: number;
}

/** All mutants of a report, with their texts. */
export function namedMutants({ files }: MutationReport): readonly NamedMutant[] {
  return Object.entries(files).flatMap(([file, { source, mutants }]) => {
    const lines = source.split("\n");
    return mutants.filter(({ status }) => status !== "Ignored").map((mutant) => {
      const { location: { start, end }, replacement = mutant.mutatorName, status } = mutant;
      return {
        original: textBetween(lines, start, end),
        replacement,
        line: lines[start.line - 1]!.trim(),
        place: `${file}:${start.line}:${start.column}`,
        status,
      };
    });
  });
}

function textBetween(lines: readonly string[], start: Position, end: Position): string {
  const covered = lines.slice(start.line - 1, end.line);
  const last = covered.length - 1;
  return covered.map((line, index) =>
    line.slice(
      index === 0 ? start.column - 1 : 0,
      index === last ? end.column - 1 : undefined,
    )
  ).join("\n");
}

/** The results that say whether a mutant is caught. (That it does not compile, say, proves nothing.) */
const COUNTED: ReadonlySet<Mutant["status"]> = new Set(
  ["Killed", "Survived", "Timeout", "NoCoverage", "RuntimeError"],
);

/** Counts the mutants that were caught. */
export function scoreOf(
  mutants: readonly NamedMutant[],
  equivalents: readonly Equivalent[],
): MutationScore {
  const counted = mutants.filter(({ status }) => COUNTED.has(status));
  const isCaught = ({ status }: NamedMutant) => status !== "Survived" && status !== "NoCoverage";
  const left = counted.filter((mutant) => !isCaught(mutant));
  const isListed = (mutant: NamedMutant) => equivalents.some((each) => isSame(each, mutant));
  const survived = left.filter((mutant) => !isListed(mutant));
  const caught = counted.length - left.length;
  return {
    caught,
    survived,
    equivalent: left.filter(isListed),
    stale: equivalents.filter((each) => !left.some((mutant) => isSame(each, mutant))),
    share: caught / (caught + survived.length),
  };
}

function isSame(
  a: Pick<Equivalent, "original" | "replacement" | "line">,
  b: Pick<Equivalent, "original" | "replacement" | "line">,
): boolean {
  return a.original === b.original && a.replacement === b.replacement && a.line === b.line;
}
