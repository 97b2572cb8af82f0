/** The dump `profile`: a sampler, or why there is none. */
import { ok, type Result } from '../../base/result.ts';
import { encodeProfile } from '../../profile/stacks.ts';
import { percent, type Overhead } from '../overhead.ts';
import type { Sampler } from './sampler.ts';

/** Of the budget: half of it is planned, by what a sample takes on an ordinary host. */
const MOST_OF_BUDGET = 0.75;

export class ProfileDump {
  readonly #sampler: Result<Sampler>;

  constructor(sampler: Result<Sampler>) {
    this.#sampler = sampler;
  }

  /** The window ends here. */
  mark(): void {
    if (this.#sampler.ok) this.#sampler.value.stop();
  }

  /** The first time it begins to sample, the second time it tells. */
  answer(): Result<unknown> {
    if (!this.#sampler.ok) return this.#sampler;
    const sampler = this.#sampler.value;
    if (sampler.running) sampler.stop();
    const answer = sampler.read();
    sampler.start();
    return answer.ok ? ok(encodeProfile(answer.value)) : answer;
  }

  /** To be called now and then in the window. Ends it where it takes too much, and says why. */
  keepWithin({ limit }: Overhead): string | undefined {
    if (!this.#sampler.ok || !this.#sampler.value.running) return undefined;
    const { share } = this.#sampler.value;
    if (share <= limit * MOST_OF_BUDGET) return undefined;
    this.#sampler.value.stop();
    return `${percent(share)} of the host's CPU time is above its part of the budget, ${percent(limit * MOST_OF_BUDGET)}`;
  }

  /** Share of the host's CPU time; null where nothing was sampled. */
  get cpuShare(): number | null {
    return this.#sampler.ok ? this.#sampler.value.cpuShare : null;
  }

  close(): void {
    if (this.#sampler.ok) this.#sampler.value.close();
  }
}
