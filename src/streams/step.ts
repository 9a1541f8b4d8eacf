/**
 * The rules of the package hold no promise: each is a {@link Step}, which takes an input and emits
 * what follows from it. `producer.ts` and `pull_stream.ts` hold all the promises and no rule.
 *
 * @module
 */

/** Takes one output. It may throw, and a step must let that through. */
export type Emit<Output> = (output: Output) => void;

/** Turns input into output without waiting. Once it has thrown, it is not called again. */
export interface Step<Input, Output> {
  /** Takes one input and emits what follows from it. */
  push(input: Input, emit: Emit<Output>): void;
  /** Takes the end of the input and emits what is left. */
  end(emit: Emit<Output>): void;
  /**
   * A step that does the work of `before` and of this one, if there is a faster way to do both at
   * once. The result must be the same as with one after the other.
   */
  joinTo?(before: Step<never, Input>): Step<never, Output> | undefined;
  /** Called once with the step whose output the platform pipes in, before there is any. */
  follow?(before: Step<never, Input>): void;
}
