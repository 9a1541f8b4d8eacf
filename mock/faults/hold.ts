/**
 * Holds, at which pulls wait for a test.
 *
 * @module
 */

/** A point at which a pull waits until it is released. */
export interface PullHold {
  /** Resolves when a pull has reached the point. Its client has been sent everything before the point. */
  readonly reached: Promise<void>;
  /** Whether a pull has reached the point. */
  readonly isReached: boolean;
  /** Lets the pull go on. If no pull has reached the point yet, none will wait there. */
  release(): void;
}

/** A {@link PullHold} as the pull sees it. */
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

  /** Whether a pull has reached it, or it was released before that. */
  get isOver(): boolean {
    return this.#isOver;
  }

  /** Records that a pull has reached it. */
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
