/**
 * The type for `await using`, without a newer TypeScript library than the rest of the package needs.
 *
 * @module
 */

/**
 * What `await using` closes at the end of a block. If TypeScript's library does not have
 * `Symbol.asyncDispose`, as with `lib: ["es2022"]`, this is an empty type instead of an error.
 */
export type AsyncDisposableIfKnown = SymbolConstructor extends
  { readonly asyncDispose: infer Key extends symbol }
  ? { readonly [Name in Key]: () => Promise<void> }
  : Record<never, never>;
