import { setTimeout as sleep } from 'node:timers/promises';

import { monotonicMs } from '../base/clock.ts';
import { Window } from '../metrics/window.ts';
import { monotonicSeconds } from './live-reader.ts';
import type { Snapshot } from '../metrics/snapshot.ts';

export interface WindowOptions<T extends { readonly at: number }> {
  readonly seconds: number;
  /** Ends the window early; the second sample is taken all the same. */
  readonly stop: AbortSignal;
  readonly sample: () => T | Promise<T>;
  /** Called about twice a second with the seconds left. */
  readonly onTick?: (secondsLeft: number) => void | Promise<void>;
}

export interface MeasuredWindow {
  readonly window: Window;
  readonly cutShort: boolean;
}

/**
 * Two samples of the host whose beginnings are `seconds` apart: rates are taken between the two readings of each series, so the
 * time that the first sample takes, long on a saturated host, is part of the window.
 */
export async function measureWindow(options: WindowOptions<Snapshot>): Promise<MeasuredWindow> {
  const { before, after, cutShort } = await sampleTwice(options);
  return { window: new Window(before, after), cutShort };
}

export interface Both<T> {
  readonly before: T;
  readonly after: T;
  readonly cutShort: boolean;
}

/** Of `seconds`: what is left to the second sample however long the first one took. The profile and spans begin after it. */
const LEAST_BETWEEN = 0.5;

/**
 * Anything that is read twice, the second time `seconds` after `at` of the first, in CLOCK_MONOTONIC seconds; later where
 * a starved first sample took most of that.
 */
export async function sampleTwice<T extends { readonly at: number }>({
  seconds,
  stop,
  sample,
  onTick,
}: WindowOptions<T>): Promise<Both<T>> {
  const before = await sample();
  const left = Math.max(before.at + seconds - monotonicSeconds(), seconds * LEAST_BETWEEN);
  const deadline = monotonicMs() + left * 1000;
  while (!stop.aborted) {
    const left = deadline - monotonicMs();
    if (left <= 0) break;
    await onTick?.(left / 1000);
    await sleep(Math.min(left, 500), undefined, { signal: stop }).catch((error: unknown) => {
      if (!stop.aborted) throw error;
    });
  }
  await onTick?.(0);
  return { before, after: await sample(), cutShort: stop.aborted };
}
