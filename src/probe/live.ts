/** A probe that measures: asked at each sample, and closed after the last. */
import { monotonicMs } from '../base/clock.ts';
import type { Probe, SelfAction } from '../generated/report.ts';
import { fail, ok, type Result } from '../base/result.ts';
import type { ProbeAnswer, ProbeLoad, Floor } from '../readings/answer.ts';
import {
  costInWindow,
  decide,
  expectedShare,
  keepBudget,
  measureCost,
  overBudget,
  THIN_FACTOR,
  type BudgetReport,
  type ProbeCost,
} from './budget.ts';
import { Company } from './company.ts';
import { TapEpochs, type HookCounts, type DeviceIdentity } from './epochs.ts';
import { calibrateFloor, floorInWindow, shippedFloor } from './floor.ts';
import type { HostProbe, OwnCost } from './host-probe.ts';
import { hasObjects } from './objects.ts';
import type { Overhead } from './overhead.ts';
import { asAttached, pathOf, planLines, type ProbePlanning } from './planning.ts';
import type { ProfileDump } from './profile/dump.ts';
import { countingFrom, type Progress } from './progress.ts';
import { subtractReadings, type AttachStatus, type DeviceReading, type ProbeReading } from '../readings/reading.ts';
import { Sending } from './sending.ts';
import type { ProbeSession } from './session.ts';
import { roundsOf, Shifts } from './shifts.ts';

export interface ProbedWindow {
  readonly windowSeconds: number;
  /** What the spans share with the profile and the counter of drops. */
  readonly overhead: Overhead;
  readonly stop: AbortSignal;
  /** The ETH_P_ALL hooks of the namespace at this path, or of the own one: a device without any shows the floor. */
  readonly hooks: (path: string | undefined) => HookCounts | undefined;
}

const COMPANY = 'another pktcost measured at the same time, and its programs are in these spans';

function staysBecause(reason: string | undefined): readonly string[] {
  return reason === undefined ? [] : [`the programs of devices no longer rest in this window: ${reason}`];
}

/** The statistics make the spans longer while they are on: no longer than needed to see some hundred runs. */
const PRICE_AGAIN_MS = 100;

/** What is saved in the rest of a window shorter than this is less than what it costs to find out. */
const LEAST_LEFT_SECONDS = 0.2;

/** A long window is watched no less often than this. */
const MOST_BETWEEN_MS = 5000;

/** How late a tap that comes or goes is noticed, at most. */
const MOST_BETWEEN_LOOKS_MS = 500;

/** What was settled before the window: the rate of sampling that holds the budget, and the floor at that rate. */
interface Settled {
  readonly session: ProbeSession;
  readonly sending: Sending;
  readonly budget: BudgetReport;
  /** Not calibrated where the budget was exceeded at once, and the session is closed. */
  readonly floor: Floor | null;
}

export class LiveProbe implements HostProbe {
  readonly #options: ProbedWindow;
  readonly #planning: ProbePlanning;
  readonly #session: ProbeSession;
  readonly #profile: ProfileDump;
  readonly #shifts: Shifts;
  readonly #sending: Sending;
  readonly #company: Company | undefined;
  readonly #epochs: TapEpochs;
  readonly #floor: Floor | null;
  /** Of a packet, as last measured; or why that could not be. */
  #cost: Result<ProbeCost>;
  #progress: Progress;
  #thinnings = 0;
  /** Share of the host's CPU time, as last judged. */
  #taken = 0;
  #watchAgainAt = 0;
  #lookAgainAt = 0;
  #detachedEarly: string | null = null;
  readonly #actions: SelfAction[] = [];

  private constructor(options: ProbedWindow, planning: ProbePlanning, settled: Settled, profile: ProfileDump) {
    const { session, sending, budget, floor } = settled;
    this.#options = options;
    this.#planning = planning;
    this.#session = session;
    this.#profile = profile;
    this.#sending = sending;
    this.#cost = budget.cost === undefined ? fail(budget.reason ?? 'it was not measured') : ok(budget.cost);
    this.#floor = floor;
    const tapped = (device: DeviceIdentity): boolean => this.#epochs.everTapped(device);
    this.#shifts = new Shifts(session, options.windowSeconds, { tapped });
    if (budget.cost && !session.closed)
      this.#taken = expectedShare(budget.cost, roundsOf(options.windowSeconds).onShare);
    options.overhead.takes('spans', () => this.#taken);
    const own = session.stampId();
    this.#epochs = new TapEpochs((netns) => options.hooks(pathOf(planning, netns)));
    this.#company = own === undefined ? undefined : new Company(session.bpf, own);
    for (const { action, reason, sampleEvery, atMs } of budget.actions) {
      this.#thinnings += action === 'thin' ? 1 : 0;
      if (action === 'detach') this.#detachedEarly = reason;
      const what = action === 'thin' ? `sampling thinned to 1 packet in ${String(sampleEvery)}` : 'probe detached';
      this.#actions.push({ seconds: -atMs / 1000, action: what, reason, restored: null });
    }
    this.#progress = session.closed ? countingFrom(session.read()) : { name: 'settled' };
  }

  /** Before the first sample. */
  static async settle(
    options: ProbedWindow,
    planning: ProbePlanning,
    session: ProbeSession,
    profile: ProfileDump,
  ): Promise<LiveProbe> {
    const { overhead, windowSeconds, stop, hooks } = options;
    const sending = new Sending(session, planning.plans);
    await sending.begin((netns) => hooks(pathOf(planning, netns)));
    const { onShare } = roundsOf(windowSeconds);
    const budget = await keepBudget(session, { overhead, onShare, windowMs: windowSeconds * 1000, signal: stop });
    if (session.closed) return new LiveProbe(options, planning, { session, sending, budget, floor: null }, profile);
    const calibrated = await calibrateFloor(session);
    const floor = calibrated.ok ? calibrated.value : shippedFloor(session.sampleEvery, calibrated.reason);
    await sending.calibrate();
    return new LiveProbe(options, planning, { session, sending, budget, floor }, profile);
  }

  mark(): void {
    this.#profile.mark();
  }

  profile(): Result<unknown> {
    return this.#profile.answer();
  }

  answer(): Result<ProbeAnswer> {
    const begins = this.#progress.name === 'settled';
    if (this.#detachedEarly !== null && begins) return fail(this.#detachedEarly);
    if (begins) this.#session.beginWindow();
    const reading = this.#session.read();
    this.#company?.look();
    if (begins) this.#shifts.start();
    const progress = this.#progress.name === 'settled' ? countingFrom(reading) : this.#progress;
    this.#progress = progress;
    // A reading of a probe that left is of an earlier time than the taps of now.
    if (this.#detachedEarly === null) this.#epochs.look(reading, this.#sending.devices);
    const window = subtractReadings(progress.first, reading);
    return ok({
      version: 1,
      reading,
      window,
      // A floor from before the window lacks what another session adds to each span.
      floor:
        floorInWindow(window, (device) => this.#tapped(device), this.#floor ?? undefined) ??
        (this.#company?.seen === true ? null : this.#floor),
      tapped: this.#epochs.changed(reading.devices),
      ...this.#sending.answer(reading, window, this.#epochs),
      tapsPerNetns: this.#planning.capabilities.tapsPerNetns,
      netnsNames: this.#planning.netnsNames,
      loadError: this.#loadError(reading),
    });
  }

  load(): ProbeLoad {
    return { version: 1, objects: hasObjects(), error: null };
  }

  /** That `auto` leaves XDP away from a device is no error. */
  #loadError({ attach }: ProbeReading): string | null {
    const skipped = (status: AttachStatus): boolean =>
      this.#planning.plans.some(
        ({ device, steps }) =>
          device.name === status.target &&
          device.netns.id === status.netns &&
          steps.some(({ span, decision }) => span === 'stack' && decision === 'skip'),
      );
    const failed = attach.find((status) => status.span === 'stack' && !status.attached && !skipped(status));
    return failed?.reason ?? null;
  }

  #tapped(device: DeviceReading): boolean {
    return this.#planning.netnsNames[device.netns] !== '' || this.#epochs.everTapped(device);
  }

  async watch(secondsLeft: number): Promise<void> {
    this.#watchProfile();
    const session = this.#session;
    if (this.#progress.name === 'settled' || this.#detachedEarly !== null) return;
    if (this.#lookForTaps(session)) await this.#shifts.pricesChanged();
    if (await this.#sending.follow(this.#epochs)) await this.#priceAgain(session);
    const [cost, { first, judgedFrom }] = [this.#cost, this.#progress];
    if (!cost.ok) return;
    if (secondsLeft < LEAST_LEFT_SECONDS || monotonicMs() < this.#watchAgainAt) return;
    this.#company?.look();
    this.#watchAgainAt = monotonicMs() + Math.min(MOST_BETWEEN_MS, (this.#options.windowSeconds * 1000) / 20);
    const now = session.glance();
    // What ran, ran: the rests are in it.
    const share = costInWindow(cost.value, subtractReadings(judgedFrom, now)).cpuShare;
    this.#taken = share;
    const step = decide(share, this.#options.overhead.left('spans'), this.#thinnings);
    if (step === 'keep') return;
    const reason = overBudget(share, this.#options.overhead);
    const seconds = (now.monotonicNs - first.monotonicNs) / 1e9;
    if (step === 'thin') {
      const thinned = session.thin(THIN_FACTOR);
      this.#thinnings += 1;
      const action = thinned.ok
        ? `sampling thinned to 1 packet in ${String(session.sampleEvery)}`
        : `thinning failed: ${thinned.reason}`;
      const priced = await this.#priceAgain(session);
      const unpriced = priced.ok ? '' : `; what it takes since could not be measured: ${priced.reason}`;
      this.#actions.push({ seconds, action, reason: `${reason}${unpriced}`, restored: null });
      return;
    }
    this.#detachedEarly = reason;
    this.#taken = 0;
    this.#actions.push({ seconds, action: 'probe detached', reason, restored: null });
    await this.#detach();
  }

  /** The spans make room for it, within limits. */
  #watchProfile(): void {
    const reason = this.#profile.keepWithin(this.#options.overhead);
    if (reason === undefined) return;
    const now = Number(process.hrtime.bigint());
    const seconds = this.#progress.name === 'settled' ? null : (now - this.#progress.first.monotonicNs) / 1e9;
    this.#actions.push({ seconds, action: 'profile ended', reason, restored: null });
  }

  #lookForTaps(session: ProbeSession): boolean {
    if (monotonicMs() < this.#lookAgainAt) return false;
    this.#lookAgainAt = monotonicMs() + Math.min(MOST_BETWEEN_LOOKS_MS, (this.#options.windowSeconds * 1000) / 40);
    return this.#epochs.look(session.glance(), this.#sending.devices);
  }

  /**
   * By the price from before, a thinned session would be as dear as ever and the next step always to leave. The statistics lengthen
   * what they measure, so nothing is timed meanwhile.
   */
  async #priceAgain(session: ProbeSession): Promise<Result<ProbeCost>> {
    const { tracepoints } = session;
    const measure = (): Promise<Result<ProbeCost>> => measureCost(session, PRICE_AGAIN_MS, this.#options.stop);
    const measured = await this.#shifts.inSlice(() => tracepoints.untimed(measure));
    if (measured.ok) this.#cost = measured;
    if (this.#progress.name === 'counting') this.#progress = { ...this.#progress, judgedFrom: session.glance() };
    return measured;
  }

  async close(): Promise<void> {
    this.#profile.close();
    await this.#detach();
  }

  async #detach(): Promise<void> {
    await this.#shifts.stop();
    const { done, problems, verified } = await this.#session.close();
    for (const action of done) {
      this.#actions.push({ seconds: null, action, reason: 'put back after the window', restored: verified });
    }
    for (const problem of problems) {
      this.#actions.push({ seconds: null, action: problem, reason: 'detaching', restored: false });
    }
  }

  status(): Probe {
    const plan = planLines(this.#planning);
    const { tier, attach, devices } = this.#session.read();
    const done = asAttached(plan, attach, devices, this.#planning.netnsNames);
    const company = this.#company?.seen === true ? [COMPANY] : [];
    if (this.#detachedEarly !== null)
      return { status: 'detached-early', tier, reason: [this.#detachedEarly, ...company].join('; '), plan: done };
    const said = [...company, ...staysBecause(this.#session.rests.stays)];
    return { status: 'attached', tier, reason: said.length > 0 ? said.join('; ') : null, plan: done };
  }

  selfCost(): OwnCost {
    const [cost, progress] = [this.#cost, this.#progress];
    const took =
      !cost.ok || progress.name === 'settled'
        ? undefined
        : costInWindow(cost.value, subtractReadings(progress.first, this.#session.read()));
    return {
      nsPerPacket: took?.nsPerPacket ?? null,
      cpuShare: took?.cpuShare ?? null,
      profileCpuShare: this.#profile.cpuShare,
      runs: took?.runs ?? null,
      budget: this.#options.overhead.limit,
      actions: this.#actions,
    };
  }
}
