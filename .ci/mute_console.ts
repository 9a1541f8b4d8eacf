/**
 * Keeps what the examples of the documentation print, which is a great deal, out of the test run.
 *
 * @module
 */

console.log = () => {};
console.error = () => {};
