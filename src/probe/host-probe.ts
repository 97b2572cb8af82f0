/** What a diagnosis asks of its probe, whether one could be attached or not. */
import type { Result } from '../base/result.ts';
import type { Probe, SelfCost } from '../generated/report.ts';
import type { ProbeAnswer, ProbeLoad } from '../readings/answer.ts';

export interface HostProbe {
  /** Before a sample is taken: the profile is of the window, and not of the work of looking at it. */
  mark(): void;
  /** The dump `probe`. */
  answer(): Result<ProbeAnswer>;
  /** The dump `profile`: the first time it begins to sample, the second time it tells. */
  profile(): Result<unknown>;
  /** The dump `probe_load`. */
  load(): ProbeLoad;
  /** To be called now and then in the window: traffic may grow past what the budget was measured with. */
  watch(secondsLeft: number): Promise<void>;
  /** Detaches; the counts stay readable. */
  close(): Promise<void>;
  /** For the report, as is its cost. */
  status(): Probe;
  selfCost(): OwnCost;
}

export type OwnCost = Omit<SelfCost, 'cpuSeconds' | 'peakMemoryBytes' | 'dropsCpuShare'>;
