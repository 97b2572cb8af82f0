/** The verdict of PKT0101 about what taps take of received packets, with a price and without. */
import { ofAllCpuTime } from '../facts/cpu-time.ts';
import { burdenedCpus, shareOf, tapShares, type TapCost } from '../facts/packet-cost.ts';
import { billData, billText } from '../facts/tap-bill.ts';
import type { PricedTaps } from '../facts/tap-price.ts';
import { takesEverything } from '../facts/taps.ts';
import { worded, type Datum } from './finding.ts';
import { partsText } from './path-parts.ts';
import { critical, info, notMeasured, ok, warning } from './rule.ts';
import { type Load, placeOf, signsOf } from './tap-cost-load.ts';
import { type ProfiledTaps, metIn } from './tap-cost-profiled.ts';
import type { TapReadings, TapCostConclusion, Suspects } from './tap-cost-signals.ts';
import type { TapLimits } from './tap-cost-limits.ts';

/** Without a price, at most the signs of a costly tap can have moved together. */
export function judgeUnpriced(
  why: string,
  packets: number,
  suspects: Suspects,
  load: Load,
  limits: TapLimits,
  profiled: ProfiledTaps | undefined,
): TapCostConclusion {
  if (profiled !== undefined && profiled.taps + profiled.error < limits.minorShare) {
    return ok({
      message: 'cleared',
      args: {
        ...suspects.args,
        why,
        share: profiled.taps,
        error: profiled.error,
        where: worded(Object.fromEntries(profiled.parts), `; most of it is ${partsText(profiled.parts)}`),
      },
      evidence: { parts: null, taps: null, unbound: null },
    });
  }
  if (!load.dominant) return notMeasured(`taps are on busy devices and were not priced: ${why}`);
  const met = load.cost === undefined ? undefined : metIn(profiled, load.cost, limits);
  if (met !== undefined) {
    return warning({
      certainty: 'measured',
      message: 'profiled',
      args: { ...suspects.args, ...met, why },
      evidence: { parts: null, allTaps: null, taps: null, unbound: null },
      remedies: suspects.remedies,
      place: placeOf(load),
    });
  }
  const args = { ...suspects.args, packets, why };
  // A filter that looks at packets may reject nearly all of them; only a rise against the baseline speaks against it.
  const copies = suspects.taps.some(takesEverything);
  if ((load.hot.length > 0 && copies) || load.risen) {
    return warning({
      certainty: 'correlated',
      message: 'correlated',
      args: { ...args, signs: signsOf(load) },
      evidence: {
        received: ['>=', limits.busy],
        sent: null,
        taps: null,
        unbound: null,
        softirqByCpu: ['>=', limits.hot],
        dropped: null,
        missed: null,
        baseline: null,
      },
      remedies: suspects.remedies,
      place: placeOf(load),
    });
  }
  return info({
    certainty: 'possible',
    message: 'unpriced',
    args,
    evidence: { received: ['>=', limits.busy], sent: null, taps: null, unbound: null, hooks: null },
    remedies: suspects.remedies,
  });
}

export function judgePriced(
  price: TapCost,
  { shares: parts, unpriced, foreignNs }: PricedTaps,
  read: TapReadings,
  { loose, ...suspects }: Suspects,
  load: Load,
  limits: TapLimits,
  seconds: number,
  sentPriced: boolean,
): TapCostConclusion {
  const { ns, cpu } = price;
  const relative = load.cost === undefined ? undefined : shareOf(price, load.cost, read, seconds);
  const args = {
    ...suspects.args,
    ns,
    cpu,
    skbs: price.skbsPerSecond,
    ...(relative === undefined ? {} : { share: relative.share }),
  };
  const bill = { bill: worded(billData(parts), billText(parts, unpriced, loose)) };
  const evidence = {
    mean: ['>=', limits.nanoseconds],
    median: null,
    floor: null,
    samples: ['>=', limits.samples],
    lost: null,
    prices: null,
    skbs: null,
    skbsByCpu: null,
    netRxByCpu: null,
    netRxPacketsByCpu: null,
    taps: null,
    unbound: null,
    hooks: null,
  } as const;
  const enough = relative === undefined ? cpu >= limits.criticalCpu : relative.share >= limits.share;
  if (cpu < limits.cpu || !isDear(price, read, limits, foreignNs) || !enough) {
    const sent = read.sent?.value ?? 0;
    if (!sentPriced && ns >= limits.nanoseconds && (ns * sent) / 1e9 >= limits.criticalCpu) {
      const { remedies } = suspects;
      return info({ certainty: 'possible', message: 'transmit', args: { ...args, sent }, evidence, remedies });
    }
    const quiet = { mean: null, median: null, floor: null, samples: null, taps: null, unbound: null };
    const small = cpu < limits.cpu || (relative !== undefined && relative.share < limits.minorShare);
    const certainty = 'measured';
    if (small) {
      const message = relative === undefined ? 'negligibleAlone' : 'negligible';
      return ok({ certainty, message, args, evidence: quiet });
    }
    const message = relative === undefined ? 'minorAlone' : 'minor';
    return info({ certainty, message, args, evidence: quiet, remedies: suspects.remedies });
  }
  const shares = tapShares(read, price);
  const said = {
    certainty: 'measured',
    evidence,
    remedies: suspects.remedies,
    place: placeOf(load, burdenedCpus(shares, read.idleByCpu, limits.criticalCpu, limits.spare)),
    impact: ofAllCpuTime(cpu, read.cpus),
  } as const;
  if (relative === undefined)
    return warning({
      ...said,
      message: 'pricedAlone',
      args: { ...args, ...bill, cpus: worded(cpusData(shares), cpusText(shares)) },
    });
  const { restNs, share } = relative;
  const full = {
    ...args,
    ...bill,
    cpus: worded(cpusData(shares), cpusText(shares)),
    perPacket: restNs + ns,
    with: 1e9 / (restNs + ns),
    without: 1e9 / restNs,
  };
  const pressing = cpu >= limits.criticalCpu || load.hot.length > 0 || load.losing;
  return share >= limits.criticalShare && pressing
    ? critical({ ...said, message: 'priced', args: full })
    : warning({ ...said, message: 'priced', args: full });
}

/**
 * Whether the taps are dear by what they do. Interrupts and stalls that fall into the span make the mean of cheap taps
 * look dear; the median does not move by them, nor does it by a filter that takes a packet now and then, whose price the
 * mean has to tell, without what chance may have added.
 */
function isDear(
  { ns }: TapCost,
  { median, stddev, samples, floor }: TapReadings,
  limits: TapLimits,
  foreignNs: number,
): boolean {
  if (ns < limits.nanoseconds) return false;
  if (median === undefined || median.value - (floor?.value ?? 0) + foreignNs >= limits.nanoseconds) return true;
  const error = (stddev?.value ?? 0) / Math.sqrt(samples?.value ?? 1);
  return ns - 2 * error >= limits.uneven;
}

/** Which CPUs pay, the dearest first, without those that a stray packet came to: `CPU 3 12%`. */
function cpusText(shares: ReadonlyMap<string, number>): string {
  const all = [...shares].sort(([, a], [, b]) => b - a);
  const paying = all.filter(([, share], index) => index === 0 || share >= 0.001);
  const shown = paying.slice(0, 4).map(([cpu, share]) => `CPU ${cpu} ${(share * 100).toPrecision(2)}%`);
  return [...shown, ...(paying.length > 4 ? [`${paying.length - 4} more`] : [])].join(', ');
}

function cpusData(shares: ReadonlyMap<string, number>): Datum[] {
  return [...shares].sort(([, a], [, b]) => b - a).map(([cpu, share]) => ({ cpu, share }));
}
