import type { ShortLimits } from '../facts/short-cpus.ts';
import type { Overrides } from './rule.ts';
import { thresholds as saturation } from './softirq-limits.ts';
import { thresholds as taps } from './tap-cost-limits.ts';

/** From where on a CPU is short of time to PKT0101 or to PKT0102, whichever says so first. */
export function shortLimits(overrides: Overrides = {}): ShortLimits {
  const { PKT0101: ofTaps, PKT0102: ofSoftirq } = overrides;
  return {
    spare: Math.max(ofTaps?.['spare'] ?? taps.spare.value, ofSoftirq?.['spare'] ?? saturation.spare.value),
    softirq: Math.min(ofTaps?.['hot'] ?? taps.hot.value, ofSoftirq?.['warningShare'] ?? saturation.warningShare.value),
  };
}
