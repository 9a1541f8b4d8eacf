/**
 * The type of what is generated.
 *
 * @module
 */

/**
 * What fast-check draws values from. Internal, so that fast-check's types are not documented here.
 *
 * @internal
 */
export type Arbitrary<Value> = import("fast-check").Arbitrary<Value>;
