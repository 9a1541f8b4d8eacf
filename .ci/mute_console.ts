/**
 * Mutes the examples of the documentation, which print a great deal, in a test run.
 *
 * @module
 */

console.log = () => {};
console.error = () => {};
