import { monotonicMs } from './clock.ts';

/**
 * Work that is done in steps. Whoever answers signals in JavaScript answers none within a pass over a large host, which may take
 * seconds: between two steps there is a turn for them.
 */
export type Steps<T> = Generator<undefined, T, undefined>;

/** Often enough for somebody who waits, and seldom enough not to be felt. */
const TURN_MS = 50;

export function atOnce<T>(steps: Steps<T>): T {
  for (;;) {
    const step = steps.next();
    if (step.done === true) return step.value;
  }
}

/** The same, with a turn for whatever else there is to do after every step that ends so long after the last turn. */
export async function inTurns<T>(steps: Steps<T>): Promise<T> {
  let since = monotonicMs();
  for (;;) {
    const step = steps.next();
    if (step.done === true) return step.value;
    if (monotonicMs() - since < TURN_MS) continue;
    // Behind the poll phase, in which signals are heard of.
    await new Promise((resolve) => setImmediate(resolve));
    since = monotonicMs();
  }
}
