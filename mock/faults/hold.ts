/**
 * Pulls that wait for a test.
 *
 * @module
 */

/** A point at which a pull waits until it is let go on. */
export interface PullHold {
  /** Resolves when a pull has come there. Its client has been sent everything up to the point. */
  readonly reached: Promise<void>;
  /** Whether a pull has come there. */
  readonly isReached: boolean;
  /** Lets it go on. Before a pull has come there, none will wait. */
  release(): void;
}

/** A {@link PullHold}, as the pull sees it. */
export class Hold implements PullHold {
  readonly reached: Promise<void>;
  /** Resolves when the pull may go on. */
  readonly released: Promise<void>;
  #arrive!: () => void;
  #release!: () => void;
  #isReached = false;
  #isOver = false;

  constructor() {
    this.reached = new Promise((resolve) => this.#arrive = resolve);
    this.released = new Promise((resolve) => this.#release = resolve);
  }

  get isReached(): boolean {
    return this.#isReached;
  }

  /** Whether a pull has come there, or none will wait. */
  get isOver(): boolean {
    return this.#isOver;
  }

  /** A pull has come there. */
  arrive(): void {
    this.#isReached = true;
    this.#isOver = true;
    this.#arrive();
  }

  release(): void {
    this.#isOver = true;
    this.#release();
  }
}
