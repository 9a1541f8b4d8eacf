/**
 * The definition of a specimen: an implementation that is wrong in one way.
 *
 * @module
 */

/** An implementation that is wrong in one way, and the rules that must catch it. */
export interface Specimen<Subject> {
  /** Its name: what it does wrong, as in `takes the end of the stream for success`. */
  readonly name: string;
  /** What it does, as a sentence. If it breaks several rules, also why. */
  readonly does: string;
  /** The rules that it breaks, and no others. */
  readonly breaks: readonly string[];
  /** The implementation. */
  readonly subject: Subject;
}
