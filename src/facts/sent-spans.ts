/** The span of sent packets up to the end of their taps (net/core/dev.c:xmit_one). */
import type { Signal } from './signal.ts';

/** Of a device, by the way in which packets came to the taps. */
export interface SentSpans {
  readonly sentSamples: readonly Signal[];
  readonly sentMedians: readonly Signal[];
  readonly sentFloors: readonly Signal[];
}

/** Nobody timed what was sent, on any device. */
export const NOT_TIMED = 'sent packets were not timed';

/** Fewer of one way say nothing about it. */
const FEWEST_OF_A_WAY = 20;

/** In the mean of the ways, each with its samples: they are begun at the same rate. */
export function medianOverFloor({ sentSamples, sentMedians, sentFloors }: SentSpans, fewest: number): number | string {
  const of = (signals: readonly Signal[], way: string | undefined): number | undefined =>
    signals.find(({ labels }) => labels['way'] === way)?.value;
  const ways = sentSamples.flatMap(({ labels: { way }, value: samples }) => {
    const [median, floor] = [of(sentMedians, way), of(sentFloors, way)];
    if (samples < FEWEST_OF_A_WAY || median === undefined || floor === undefined) return [];
    return [{ samples, ns: Math.max(0, median - floor) }];
  });
  const samples = ways.reduce((sum, way) => sum + way.samples, 0);
  const timed = Math.round(samples);
  if (samples < fewest)
    return timed === 0
      ? 'the probe timed no sent packet'
      : `the probe timed only ${timed} sent packet${timed === 1 ? '' : 's'}`;
  return ways.reduce((sum, { ns, samples: weight }) => sum + ns * weight, 0) / samples;
}
