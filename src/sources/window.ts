import { setTimeout as sleep } from 'node:timers/promises';

import { Window } from '../metrics/window.ts';
import type { Snapshot } from '../metrics/snapshot.ts';

export interface WindowOptions<T> {
  readonly seconds: number;
  /** Ends the window early; the second sample is taken all the same. */
  readonly stop: AbortSignal;
  readonly sample: () => T | Promise<T>;
  /** Called about twice a second with the seconds left. */
  readonly onTick?: (secondsLeft: number) => void | Promise<void>;
}

export interface Measured {
  readonly window: Window;
  readonly cutShort: boolean;
}

/** Two samples of the host, `seconds` apart. */
export async function measureWindow(options: WindowOptions<Snapshot>): Promise<Measured> {
  const { before, after, cutShort } = await sampleTwice(options);
  return { window: new Window(before, after), cutShort };
}

export interface Both<T> {
  readonly before: T;
  readonly after: T;
  readonly cutShort: boolean;
}

/** Anything that is read twice, `seconds` apart. */
export async function sampleTwice<T>({ seconds, stop, sample, onTick }: WindowOptions<T>): Promise<Both<T>> {
  const before = await sample();
  const deadline = performance.now() + seconds * 1000;
  while (!stop.aborted) {
    const left = deadline - performance.now();
    if (left <= 0) break;
    await onTick?.(left / 1000);
    await sleep(Math.min(left, 500), undefined, { signal: stop }).catch((error: unknown) => {
      if (!stop.aborted) throw error;
    });
  }
  await onTick?.(0);
  return { before, after: await sample(), cutShort: stop.aborted };
}
