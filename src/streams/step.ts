/**
 * The logic of the package is synchronous: each part of it is a {@link Step}, which takes an input and emits
 * outputs. `producer.ts` and `pull_stream.ts` have all the promises, and no logic of the protocol.
 *
 * @module
 */

/** Takes one output. It may throw, and a step must not catch that. */
export type Emit<Output> = (output: Output) => void;

/** Turns input into output without waiting. Once it has thrown, it is not called again. */
export interface Step<Input, Output> {
  /** Takes one input and emits the outputs that follow from it. */
  push(input: Input, emit: Emit<Output>): void;
  /** Ends the input, and emits the remaining outputs. */
  end(emit: Emit<Output>): void;
  /**
   * Returns a step that does the work of `before` and of this one, if there is a faster way to do both at
   * once. The result must be the same as that of both in sequence.
   */
  joinTo?(before: Step<never, Input>): Step<never, Output> | undefined;
  /** Called once with the previous step, before any input, if the platform pipes its output into this one. */
  follow?(before: Step<never, Input>): void;
}
