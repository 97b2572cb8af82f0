/** The probe for the length of one diagnosis: opened before the first sample, asked at each, closed after the last. */
import type { Probe, ProbePlan, SelfAction, SelfCost } from '../generated/report.ts';
import { fail, ok, type Result } from '../metrics/result.ts';
import type { ProbeAnswer, ProbeLoad } from './answer.ts';
import {
  costInWindow,
  decide,
  keepBudget,
  measureCost,
  projectShare,
  THIN_FACTOR,
  type BudgetReport,
  type ProbeCost,
} from './budget.ts';
import { readCapabilities, type Capabilities } from './capabilities.ts';
import { Company } from './company.ts';
import { ownNetns, readDeviceFacts, type NetnsTarget } from './facts.ts';
import { calibrateFloor, floorInWindow, shippedFloor, type Floor } from './floor.ts';
import { hasObjects } from './objects.ts';
import { planDevices, type AttachPlan, type ProbeChoice } from './plan.ts';
import { subtractReadings, tracedShare, type AttachStatus, type DeviceReading, type ProbeReading } from './reading.ts';
import { openProbe, type ProbeSession } from './session.ts';
import { Shifts } from './shifts.ts';

export interface LiveProbeOptions extends ProbeChoice {
  /** Only these devices; empty for all. */
  readonly devices: readonly string[];
  /** Namespaces whose devices are probed besides those of the own one. */
  readonly namespaces: readonly { readonly name: string; readonly inode: number; readonly path: string }[];
  readonly sysfs: string;
  readonly procfs: string;
  /** Why `probe` is off, where nobody asked for that. */
  readonly whyOff?: string;
  readonly windowSeconds: number;
  /** Share of the host's CPU time that the probe may take: 0.01 is one per cent. */
  readonly maxOverhead: number;
  readonly stop: AbortSignal;
  /** Which devices of the own namespace an ETH_P_ALL hook listens on: one without shows the floor. */
  readonly own: { readonly all: boolean; readonly devices: ReadonlySet<string> };
}

/** Everything that can be planned without touching the host: what `doctor` prints and `open` carries out. */
export interface ProbePlanning {
  readonly capabilities: Capabilities;
  readonly plans: readonly AttachPlan[];
  readonly netnsNames: Readonly<Record<string, string>>;
  readonly gaps: readonly string[];
}

type PlanningOptions = Pick<LiveProbeOptions, 'devices' | 'namespaces' | 'sysfs' | 'procfs' | keyof ProbeChoice>;

export function planProbe(options: PlanningOptions): Result<ProbePlanning> {
  const capabilities = readCapabilities(options.sysfs, options.procfs);
  const own = ownNetns();
  const netnsNames: Record<string, string> = { [own.id]: '' };
  const targets: NetnsTarget[] = [own];
  for (const { name, inode, path } of options.namespaces) {
    if (String(inode) in netnsNames) continue;
    netnsNames[String(inode)] = name;
    targets.push({ id: String(inode), path });
  }
  const gaps: string[] = [];
  const devices = targets.flatMap((target) => {
    const facts = readDeviceFacts(target, options.devices.length === 0 ? undefined : options.devices);
    if (!facts.ok)
      gaps.push(
        `devices of ${netnsNames[target.id] === '' ? 'this namespace' : (netnsNames[target.id] ?? '')}: ${facts.reason}`,
      );
    return facts.ok ? facts.value : [];
  });
  if (devices.length === 0 && gaps.length > 0) return fail(gaps.join('; '));
  return ok({ capabilities, plans: planDevices(devices, options, capabilities), netnsNames, gaps });
}

const COMPANY = 'another pktcost measured at the same time, and its programs are in these spans';

/** The statistics make the spans longer while they are on: no longer than needed to see some hundred runs. */
const PRICE_AGAIN_MS = 100;

/** What is saved in the rest of a window shorter than this is less than what it costs to find out. */
const LEAST_LEFT_SECONDS = 0.2;

/** A long window is watched no less often than this. */
const MOST_BETWEEN_MS = 5000;

export class LiveProbe {
  readonly #options: LiveProbeOptions;
  readonly #planning: ProbePlanning | undefined;
  readonly #session: ProbeSession | undefined;
  readonly #shifts: Shifts | undefined;
  readonly #reason: string | null;
  /** Why a load that was tried did not come to a session. */
  readonly #failed: string | null;
  readonly #company: Company | undefined;
  #budget: BudgetReport | undefined;
  #calibrated: Floor | undefined;
  #first: ProbeReading | undefined;
  /** What the budget is judged by since the sampling was last thinned. */
  #judgedFrom: ProbeReading | undefined;
  #thinnings = 0;
  #watchAgainAt = 0;
  #detachedEarly: string | null = null;
  readonly #actions: SelfAction[] = [];

  private constructor(
    options: LiveProbeOptions,
    planning: ProbePlanning | undefined,
    session: ProbeSession | undefined,
    reason: string | null,
    failed: string | null = null,
  ) {
    this.#options = options;
    this.#planning = planning;
    this.#session = session;
    this.#shifts = session === undefined ? undefined : new Shifts(session, options.windowSeconds);
    this.#reason = reason;
    this.#failed = failed;
    const own = session?.stampId();
    this.#company = session === undefined || own === undefined ? undefined : new Company(session.bpf, own);
  }

  /** Never fails: what cannot be attached is a reason in the report. */
  static async open(options: LiveProbeOptions): Promise<LiveProbe> {
    const without = (reason: string, planning?: ProbePlanning): LiveProbe =>
      new LiveProbe(options, planning, undefined, reason);
    if (options.probe === 'off') return without(options.whyOff ?? 'the probe was not asked for (--probe off)');
    if (process.geteuid?.() !== 0) return without('attaching eBPF programs needs root');
    const planning = planProbe(options);
    if (!planning.ok) return without(planning.reason);
    const { plans, capabilities } = planning.value;
    const session = await openProbe({ plans, capabilities, sockets: true });
    if (!session.ok) return new LiveProbe(options, planning.value, undefined, session.reason, session.reason);
    const probe = new LiveProbe(options, planning.value, session.value, null);
    await probe.#settle(session.value);
    return probe;
  }

  /** Before the first sample: the sampling rate that holds the budget, and the floor at that rate. */
  async #settle(session: ProbeSession): Promise<void> {
    const { maxOverhead, windowSeconds, stop } = this.#options;
    this.#budget = await keepBudget(session, {
      maxOverhead,
      windowMs: windowSeconds * 1000,
      signal: stop,
      beforeDetach: () => {
        this.#first = session.read();
      },
    });
    for (const { action, reason, sampleEvery, atMs } of this.#budget.actions) {
      this.#thinnings += action === 'thin' ? 1 : 0;
      if (action === 'detach') this.#detachedEarly = reason;
      const what = action === 'thin' ? `sampling thinned to 1 packet in ${String(sampleEvery)}` : 'probe detached';
      this.#actions.push({ seconds: -atMs / 1000, action: what, reason, restored: null });
    }
    if (this.#detachedEarly !== null) return;
    const floor = await calibrateFloor(session);
    this.#calibrated = floor.ok ? floor.value : shippedFloor(session.sampleEvery, floor.reason);
  }

  /** The dump `probe`. */
  answer(): Result<ProbeAnswer> {
    if (this.#session === undefined) return fail(this.#reason ?? 'not attached');
    if (this.#detachedEarly !== null && this.#first === undefined) return fail(this.#detachedEarly);
    const reading = this.#session.read();
    this.#company?.look();
    if (this.#first === undefined) this.#shifts?.start();
    this.#first ??= reading;
    const window = subtractReadings(this.#first, reading);
    return ok({
      version: 1,
      reading,
      window,
      // A floor from before the window lacks what another session adds to each span.
      floor:
        floorInWindow(window, (device) => this.#tapped(device)) ??
        (this.#company?.seen === true ? null : (this.#calibrated ?? null)),
      tapsPerNetns: this.#planning?.capabilities.tapsPerNetns ?? false,
      netnsNames: this.#planning?.netnsNames ?? {},
      loadError: this.#loadError(reading),
    });
  }

  /** The dump `probe_load`. */
  load(): ProbeLoad {
    return { version: 1, objects: hasObjects(), error: this.#failed };
  }

  /** That `auto` leaves XDP away from a device is no error. */
  #loadError({ attach }: ProbeReading): string | null {
    const skipped = (status: AttachStatus): boolean =>
      this.#planning?.plans.some(
        ({ device, steps }) =>
          device.name === status.target &&
          device.netns.id === status.netns &&
          steps.some(({ span, decision }) => span === 'stack' && decision === 'skip'),
      ) ?? false;
    const failed = attach.find((status) => status.span === 'stack' && !status.attached && !skipped(status));
    return failed?.reason ?? null;
  }

  #tapped({ netns, device }: DeviceReading): boolean {
    const { own } = this.#options;
    return this.#planning?.netnsNames[netns] !== '' || own.all || own.devices.has(device);
  }

  /** To be called now and then in the window: traffic may grow past what the budget was measured with. */
  async watch(secondsLeft: number): Promise<void> {
    const session = this.#session;
    const cost = this.#budget?.cost;
    if (session === undefined || cost === undefined || this.#first === undefined || this.#detachedEarly !== null)
      return;
    if (secondsLeft < LEAST_LEFT_SECONDS || performance.now() < this.#watchAgainAt) return;
    this.#company?.look();
    this.#watchAgainAt = performance.now() + Math.min(MOST_BETWEEN_MS, (this.#options.windowSeconds * 1000) / 20);
    const from = this.#judgedFrom ?? this.#first;
    const now = session.read();
    const since = subtractReadings(from, now);
    // The tracepoint counts in its shifts only, and the programs of the devices run always: on the safe side, all of the time.
    const seen = since.cpus.reduce((sum, { skbs }) => sum + skbs, 0) / tracedShare(since);
    const share = projectShare(cost, seen, now.monotonicNs - from.monotonicNs);
    const step = decide(share, this.#options.maxOverhead, this.#thinnings);
    if (step === 'keep') return;
    const reason = `${(share * 100).toFixed(2)} % of the host's CPU time is above the budget of ${(this.#options.maxOverhead * 100).toFixed(2)} %`;
    const seconds = (now.monotonicNs - this.#first.monotonicNs) / 1e9;
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
    this.#actions.push({ seconds, action: 'probe detached', reason, restored: null });
    await this.close();
  }

  /**
   * By the price from before, a thinned session would be as dear as ever and the next step always to leave. The statistics lengthen
   * what they measure, so nothing is timed the while.
   */
  async #priceAgain(session: ProbeSession): Promise<Result<ProbeCost>> {
    const { tracepoints } = session;
    const measure = (): Promise<Result<ProbeCost>> => measureCost(session, PRICE_AGAIN_MS, this.#options.stop);
    const untimed = (): Promise<Result<ProbeCost>> => tracepoints?.untimed(measure) ?? measure();
    const measured = await (this.#shifts?.inSlice(untimed) ?? untimed());
    if (measured.ok && this.#budget !== undefined) this.#budget = { ...this.#budget, cost: measured.value };
    this.#judgedFrom = session.read();
    return measured;
  }

  /** Detaches; the counts stay readable. */
  async close(): Promise<void> {
    if (this.#session === undefined) return;
    await this.#shifts?.stop();
    this.#session.read();
    const { done, problems, verified } = await this.#session.close();
    for (const action of done.filter((each) => !each.includes('links closed'))) {
      this.#actions.push({ seconds: null, action, reason: 'put back after the window', restored: verified });
    }
    for (const problem of problems) {
      this.#actions.push({ seconds: null, action: problem, reason: 'detaching', restored: false });
    }
  }

  /** For the report. */
  status(): Probe {
    const plan = this.#planning === undefined ? [] : planLines(this.#planning);
    if (this.#options.probe === 'off') return { status: 'off', tier: 'none', reason: this.#reason, plan };
    if (this.#session === undefined) return { status: 'not-measured', tier: 'none', reason: this.#reason, plan };
    const { tier, attach, devices } = this.#session.read();
    const done = asAttached(plan, attach, devices, this.#planning?.netnsNames ?? {});
    if (this.#detachedEarly !== null)
      return { status: 'detached-early', tier, reason: this.#detachedEarly, plan: done };
    return { status: 'attached', tier, reason: this.#company?.seen === true ? COMPANY : null, plan: done };
  }

  /** For the report. */
  selfCost(): Pick<SelfCost, 'nsPerPacket' | 'cpuShare' | 'runs' | 'budget' | 'actions'> {
    const cost = this.#budget?.cost;
    const window =
      this.#session === undefined || this.#first === undefined
        ? undefined
        : subtractReadings(this.#first, this.#session.read());
    const took = cost === undefined || window === undefined ? undefined : costInWindow(cost, window);
    return {
      nsPerPacket: took?.nsPerPacket ?? null,
      cpuShare: took?.cpuShare ?? null,
      runs: took?.runs ?? null,
      budget: this.#session === undefined ? null : this.#options.maxOverhead,
      actions: this.#actions,
    };
  }
}

/** The plan as the report and `doctor` show it. NET_RX is timed per CPU, not per device, and is said once. */
export function planLines({ plans, netnsNames }: ProbePlanning): ProbePlan[] {
  const lines = plans.flatMap(({ device, steps }) =>
    steps.map(({ span, hook, mode, decision, reason, price }) => ({
      netns: span === 'net_rx' ? '' : (netnsNames[device.netns.id] ?? ''),
      device: span === 'net_rx' ? '' : device.name,
      driver: span === 'net_rx' ? null : (device.driver ?? null),
      span,
      mode: mode === 'tracepoint' ? hook : mode,
      attach: decision === 'attach',
      reason,
      price,
    })),
  );
  const netRx = lines.find(({ span }) => span === 'net_rx');
  return [...lines.filter(({ span }) => span !== 'net_rx'), ...(netRx === undefined ? [] : [netRx])];
}

/** What became of the plan: the kernel may refuse what was planned, and only the attempt shows whether it permits fentry. */
function asAttached(
  plan: readonly ProbePlan[],
  attach: readonly AttachStatus[],
  devices: readonly DeviceReading[],
  netnsNames: Readonly<Record<string, string>>,
): ProbePlan[] {
  const gone = devices.filter(({ present, note }) => !present && note !== undefined);
  const lines = plan.map((line) => {
    const refused = attach.find(
      ({ attached, span, target, netns = '' }) =>
        !attached &&
        span === line.span &&
        (span === 'net_rx' || (target === line.device && (netnsNames[netns] ?? '') === line.netns)),
    );
    if (!line.attach) return line;
    if (refused !== undefined) return { ...line, attach: false, reason: refused.reason ?? 'refused', price: 'none' };
    const left = gone.find(({ device, netns }) => device === line.device && (netnsNames[netns] ?? '') === line.netns);
    return left?.note === undefined ? line : { ...line, reason: `${line.reason}; ${left.note}` };
  });
  const sockets = attach.find(({ span }) => span === 'sockets');
  if (sockets === undefined) return lines;
  const reason = sockets.reason ?? 'fentry and fexit time each packet socket on its own';
  const price = sockets.attached ? 'two programs per packet and socket, the clock read on 1 packet in N' : 'none';
  const { attached } = sockets;
  const line = {
    netns: '',
    device: '',
    driver: null,
    span: 'sockets',
    mode: 'fentry',
    attach: attached,
    reason,
    price,
  };
  return [...lines, line];
}
