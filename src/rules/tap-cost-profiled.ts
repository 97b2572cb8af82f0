/** What the profile says of the taps: for PKT0101 where they have no price of their own, and to split a bill. */
import { worded, type Argument } from './finding.ts';
import { errorOfShare } from '../facts/chance.ts';
import { type ReceiveCost } from '../facts/packet-cost.ts';
import { SAMPLES_TO_PRICE } from '../facts/profile-price.ts';
import type { TapSamples } from '../facts/tap-price.ts';
import type { TapHook } from '../facts/taps.ts';
import { partsText } from './path-parts.ts';
import type { TapReadings } from './tap-cost-signals.ts';
import type { TapLimits } from './tap-cost-limits.ts';

/** What received packets cost by part, where the profile has enough samples to say. */
export interface ProfiledTaps {
  /** Of the taps, with its error. */
  readonly taps: number;
  readonly error: number;
  /** All parts, the largest first. */
  readonly parts: readonly (readonly [part: string, share: number])[];
}

export function receivedParts(samples: TapReadings['parts']): ProfiledTaps | undefined {
  const own = samples.filter(({ labels }) => labels['part'] !== 'self');
  const all = own.reduce((sum, each) => sum + each.value, 0);
  if (all < SAMPLES_TO_PRICE) return undefined;
  const parts = own
    .map(({ labels, value: count }) => [labels['part'] ?? '', count / all] as const)
    .sort(([, a], [, b]) => b - a);
  const taps = parts.find(([part]) => part === 'tap-receive')?.[1] ?? 0;
  return { taps, error: errorOfShare(taps, all), parts };
}

/** Where the time goes: the largest parts by the profile, else on which side of the stack's entrance, where that was told apart. */
export function whereText({ netRx, netRxDriver, parts }: TapReadings): Argument {
  const profiled = receivedParts(parts);
  if (profiled !== undefined)
    return worded(Object.fromEntries(profiled.parts), `; most of it is ${partsText(profiled.parts)}`);
  if (netRx === undefined || netRxDriver === undefined || netRx.value === 0) return '';
  const share = Math.min(1, netRxDriver.value / netRx.value);
  return worded(
    { driverShare: share },
    `, ${Math.round(share * 100)}% of NET_RX in driver and GRO; what the rest is was not told apart`,
  );
}

/**
 * What the profile met in the taps, where that surely is much of what received packets cost: stacked devices (macvlan, bonds) have no
 * span, and their taps cost as much.
 */
export function metIn(
  profiled: ProfiledTaps | undefined,
  { nsPerSecond, perPacketNs }: ReceiveCost,
  limits: TapLimits,
): Readonly<Record<'share' | 'error' | 'ns' | 'cpu', number>> | undefined {
  if (profiled === undefined || profiled.taps - profiled.error < limits.share) return undefined;
  const { taps: share, error } = profiled;
  const met = { share, error, ns: share * perPacketNs, cpu: (share * nsPerSecond) / 1e9 };
  return met.cpu < limits.cpu || met.ns < limits.nanoseconds ? undefined : met;
}

/** Whether all taps of the host are among these, so that what the profile met in taps is theirs. */
export function onlyHere(taps: readonly TapHook[], { inodes }: TapSamples): boolean {
  const own = new Set<string | undefined>(taps.flatMap((tap) => tap.inodes));
  return inodes.every((inode) => own.has(inode));
}

/** Taps elsewhere are in the profile too: it can clear these, and not blame them. */
export function cleared(profiled: ProfiledTaps | undefined, limits: TapLimits): ProfiledTaps | undefined {
  return profiled !== undefined && profiled.taps + profiled.error < limits.minorShare ? profiled : undefined;
}

/** What the profile met in the taps, which is of all that the host has. */
export function seenTaps({ allTaps }: TapReadings, hooks: TapReadings['tapSamples']): TapSamples {
  const running = allTaps.filter(({ labels }) => labels['hook'] !== 'none');
  return { hooks, inodes: running.map(({ labels }) => labels['inode']) };
}
