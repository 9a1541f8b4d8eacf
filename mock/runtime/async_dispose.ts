/**
 * `await using`, in types that need no newer library than the rest.
 *
 * @module
 */

/**
 * What `await using` closes at the end of a block. Where TypeScript's library does not know
 * `Symbol.asyncDispose`, as with `lib: ["es2022"]`, this is an empty type, and not an error.
 */
export type AsyncDisposableIfKnown = SymbolConstructor extends
  { readonly asyncDispose: infer Key extends symbol }
  ? { readonly [Name in Key]: () => Promise<void> }
  : Record<never, never>;
