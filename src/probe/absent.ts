/** Where there is no probe: why, and the profile, which needs none. */
import { fail, type Result } from '../base/result.ts';
import type { Probe, ProbePlan } from '../generated/report.ts';
import type { ProbeLoad } from '../readings/answer.ts';
import type { HostProbe, OwnCost } from './host-probe.ts';
import { hasObjects } from './objects.ts';
import type { ProfileDump } from './profile/dump.ts';

export interface Absence {
  readonly status: 'off' | 'not-measured';
  readonly reason: string;
  /** What would have been attached, as far as it could be planned. */
  readonly plan: readonly ProbePlan[];
  /** A load was tried and did not come to a session: an error, and no choice. */
  readonly refused: boolean;
}

export class AbsentProbe implements HostProbe {
  readonly #absence: Absence;
  readonly #profile: ProfileDump;

  constructor(absence: Absence, profile: ProfileDump) {
    this.#absence = absence;
    this.#profile = profile;
  }

  mark(): void {
    this.#profile.mark();
  }

  answer(): Result<never> {
    return fail(this.#absence.reason);
  }

  profile(): Result<unknown> {
    return this.#profile.answer();
  }

  load(): ProbeLoad {
    const { refused, reason } = this.#absence;
    return { version: 1, objects: hasObjects(), error: refused ? reason : null };
  }

  watch(): Promise<void> {
    return Promise.resolve();
  }

  close(): Promise<void> {
    this.#profile.close();
    return Promise.resolve();
  }

  status(): Probe {
    const { status, reason, plan } = this.#absence;
    return { status, tier: 'none', reason, plan: [...plan] };
  }

  selfCost(): OwnCost {
    const profileCpuShare = this.#profile.cpuShare;
    return { nsPerPacket: null, cpuShare: null, profileCpuShare, runs: null, budget: null, actions: [] };
  }
}
