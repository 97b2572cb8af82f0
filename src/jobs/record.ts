import type { RunFacts } from '../bundle/manifest.ts';
import { everythingJudged } from './diagnose.ts';
import { measure, type MeasureOptions } from './measure.ts';

/** Evidence without a verdict: what `diagnose` reads, handed to `onSample`, and what the run knows besides. */
export async function recordEvidence(options: MeasureOptions): Promise<RunFacts> {
  const { requestedSeconds, cutShort, probe, self } = await measure(options, everythingJudged());
  return { requestedSeconds, cutShort, devices: options.devices, baseline: null, probe, selfCost: self() };
}
