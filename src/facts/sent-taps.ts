/** What taps take of sent packets: dev_queue_xmit_nit runs for each of them, in the sender's context (net/core/dev.c:xmit_one). */
import type { Signal } from './signal.ts';
import type { PricedTaps } from './tap-price.ts';
import { sentPerSecond, type SentRates } from './tapped.ts';

export interface SentPrice {
  /** Per packet that is sent, measurement taken off: a median, since locks that are waited for move the mean. */
  readonly ns: number;
  readonly perSecond: number;
  /** CPU-seconds per second, while the taps are there. */
  readonly cpu: number;
}

/** The price of the taps on what a device sends, or why there is none. */
export function sentPrice(read: SentRates, { ns }: PricedTaps): SentPrice | string {
  if (typeof ns === 'string') return ns;
  const perSecond = sentPerSecond(read);
  return perSecond === undefined ? 'how much is sent is not known' : { ns, perSecond, cpu: (ns * perSecond) / 1e9 };
}

/** Who pays for the taps on sent packets, by the samples of the profile that met them in a process. */
export interface Payer {
  readonly pid: string;
  readonly comm: string;
  readonly share: number;
}

const FEWEST_SAMPLES = 10;

export function payersOf(samples: readonly Signal[]): readonly Payer[] {
  const all = samples.reduce((sum, { value }) => sum + value, 0);
  if (all < FEWEST_SAMPLES) return [];
  return samples
    .map(({ labels, value }) => ({ pid: labels['pid'] ?? '', comm: labels['comm'] ?? '', share: value / all }))
    .sort((a, b) => b.share - a.share);
}
