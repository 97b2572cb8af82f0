/**
 * A probe session: attaches a plan, is read as often as wanted, can be thinned, and goes away without a trace. Everything is
 * attached before the first reading and detached after the last, because the probe itself moves some of the host's counters.
 */
import { fail, ok, type Result } from '../base/result.ts';
import { attachPlans, driverRefused, namedPrograms, type Attached, type ProbeOptions } from './attach.ts';
import type { CountedSoFar } from './certainty.ts';
import { detachAll, type CloseReport } from './close.ts';
import { endCalibration, watchForCalibration } from './calibration.ts';
import { DETACH_DEADLINE_MS } from './detach.ts';
import { CPU_BYTES, readCpus, type CpuState } from './layout.ts';
import { loadLibbpf, type Libbpf, type MapFd, type ProgramFd } from './libbpf.ts';
import { findObjects } from './objects.ts';
import type { AttachPlan } from './plan.ts';
import type { AttachStatus, ProbeReading, ProbeTier } from '../readings/reading.ts';
import { kernelRuns, Strata, type Moment } from './strata.ts';
import { TcRests } from './tc-rests.ts';
import { thinOut } from './thinning.ts';
import type { Tracepoints } from './tracepoints.ts';
import type { SentClock } from './sent-strata.ts';
import { TransmitSpans, TRANSMIT_PROGRAMS } from './transmit.ts';
import type { WatchedDevice } from './watched.ts';

/** Fails only when nothing at all can be measured; every lesser failure is a status in the reading. */
export async function openSession(options: ProbeOptions): Promise<Result<ProbeSession>> {
  if (!options.capabilities.btf) return fail(`the kernel gives no BTF: ${options.capabilities.source}`);
  const bpf = loadLibbpf(options.libbpf);
  if (!bpf.ok) return bpf;
  const folder = options.objectsDirectory === undefined ? findObjects() : ok(options.objectsDirectory);
  if (!folder.ok) return folder;
  const attached = await attachPlans(bpf.value, folder.value, options);
  if (!attached.ok) return attached;
  const session = new ProbeSession(attached.value);
  if (attached.value.measures) return ok(session);
  await session.close();
  return fail(attached.value.status.findLast((status) => !status.attached)?.reason ?? 'nothing to attach');
}

const CLOSED = fail('the session is closed');

export class ProbeSession {
  readonly bpf: Libbpf;
  /** The host-wide tracepoints, for shifts.ts. */
  readonly tracepoints: Tracepoints;
  readonly #attached: Attached;
  readonly #status: AttachStatus[];
  readonly #programs: ProgramFd[];
  #transmit: TransmitSpans | undefined;
  #unthinned: string | undefined;
  readonly #strata = new Strata();
  /** The programs of devices, which rest with them. */
  readonly rests: TcRests;
  /** What was counted stands. */
  #end: { readonly last: ProbeReading; readonly report: Promise<CloseReport> } | undefined;
  sampleEvery: number;
  stackEvery: number;
  netRxEvery: number;

  constructor(attached: Attached) {
    this.#attached = attached;
    this.bpf = attached.bpf;
    this.tracepoints = attached.tracepoints;
    this.#status = [...attached.status];
    this.#programs = [...attached.programs];
    this.sampleEvery = attached.rates.sampleEvery;
    this.stackEvery = attached.rates.stackEvery;
    this.netRxEvery = attached.rates.netRxEvery;
    this.rests = new TcRests(attached, () => this.#readCpus([]));
  }

  /**
   * Begins to time what taps take of sent packets, once and wherever fentry does not: their price is then measured directly. A
   * failure is a status in the reading.
   */
  async watchTransmit(): Promise<void> {
    const { bpf, cpus, resting, object, plans, sockets } = this.#attached;
    if (this.#transmit || sockets || this.#end) return;
    if (this.#status.some(({ span }) => span === 'transmit')) return;
    const status = { target: 'host', span: 'transmit', hook: 'tracepoint' } as const;
    // Before the first await, so that nobody else begins it meanwhile.
    const place = this.#status.push({ ...status, attached: true }) - 1;
    const failed = (reason: string): void => void (this.#status[place] = { ...status, attached: false, reason });
    const senders = plans.map(({ device }) => device).filter(({ up }) => up);
    const loaded = await TransmitSpans.load({ bpf, cpus, resting, object }, senders, this.sampleEvery);
    if (!loaded.ok) {
      failed(loaded.reason);
      return;
    }
    const included = await this.tracepoints.include(loaded.value.object, TRANSMIT_PROGRAMS);
    if (!included.ok) {
      loaded.value.close();
      failed(included.reason);
      return;
    }
    this.#transmit = loaded.value;
    this.#transmit.begin(this.#sentClock());
    this.#programs.push(...namedPrograms(loaded.value.object, TRANSMIT_PROGRAMS));
  }

  /** What `watchTransmit` began, for its floor. */
  get transmit(): TransmitSpans | undefined {
    return this.#transmit;
  }

  /** The window begins: what is counted from here on is of it. */
  beginWindow(): void {
    this.#closeStratum();
    this.rests.sliceBegins();
  }

  /** The tracepoints come back, and the programs of the devices before them: see shifts.ts. */
  async beginSlice(): Promise<Result<void>> {
    if (!this.tracepoints.attached) await this.rests.sliceNears();
    return this.tracepoints.resume();
  }

  /** They go for a while, and what they counted stands for the time since they last went. */
  async endSlice(restMs: number): Promise<Result<void>> {
    const rested = await this.tracepoints.rest();
    this.#closeStratum();
    if (!this.#end) this.rests.sliceEnds(restMs);
    return rested;
  }

  #closeStratum(): void {
    if (this.#end) return;
    this.#transmit?.closeStratum(this.#sentClock());
    const cpus = this.#readCpus([]);
    if (cpus.length > 0) this.#strata.close(this.#moment(cpus));
  }

  #sentClock(): SentClock {
    return { every: this.sampleEvery, ...this.tracepoints.clock(), timedNs: this.tracepoints.lateNs() ?? 0 };
  }

  #moment(cpus: readonly CpuState[]): Moment {
    const { attachedNs, tracedNs } = this.tracepoints.clock();
    return {
      cpus: cpus.map(({ counts }) => counts),
      runs: kernelRuns(this.#attached.procfs),
      ...{ attachedNs, tracedNs },
    };
  }

  /** As much of a reading as the shifts are decided by. */
  progress(): CountedSoFar {
    if (this.#end) return { cpus: [], devices: [], transmit: [] };
    return {
      cpus: this.#readCpus([]).map(({ counts }) => counts),
      devices: this.devices.map((device) => device.timed()),
      transmit: this.#transmit?.timed() ?? [],
    };
  }

  /** A device outside the readings, in the last slot: see floor.ts. */
  async watchForCalibration(plan: AttachPlan): Promise<Result<WatchedDevice>> {
    return this.#end ? CLOSED : watchForCalibration(this.#attached, this.stackEvery, plan);
  }

  endCalibration(device: WatchedDevice): Promise<void> {
    return endCalibration(this.bpf, device);
  }

  get tier(): ProbeTier {
    if (this.devices.some((device) => device.xdp)) return 'stack';
    if (this.#attached.sockets) return 'sockets';
    if (this.devices.some((device) => device.tc.length > 0)) return 'taps';
    return this.#attached.softirq ? 'net_rx' : 'none';
  }

  /** Per-CPU state of all programs, until the end. */
  get cpus(): MapFd {
    return this.#attached.cpus;
  }

  /** For the sampler, whose samples are all of one device while its program rests. */
  get home(): MapFd {
    return this.#attached.home;
  }

  get devices(): readonly WatchedDevice[] {
    return this.#attached.devices;
  }

  get closed(): boolean {
    return this.#end !== undefined;
  }

  /** The id of the program that stamps: the mark of a session. */
  stampId(): number | undefined {
    const program = this.#attached.host.program('pktcost_recv');
    const runs = program.ok ? this.bpf.programRuns(program.value) : undefined;
    return runs?.ok === true ? runs.value.id : undefined;
  }

  /** The empty program's descriptor, for the budget's calibration. */
  nullProgram(): Result<ProgramFd> {
    return this.#end ? CLOSED : this.#attached.host.program('pktcost_null');
  }

  programIds(): number[] {
    return this.programs().flatMap((program) => {
      const runs = this.bpf.programRuns(program);
      return runs.ok ? [runs.value.id] : [];
    });
  }

  programs(): ProgramFd[] {
    return [...this.#programs, ...this.devices.flatMap((device) => device.programs)];
  }

  /** After `close` the last reading is answered again. */
  read(): ProbeReading {
    if (this.#end) return this.#end.last;
    const { sockets: prices, rings } = this.#attached;
    const gaps = [this.tracepoints.trouble, this.#unthinned].filter((each) => each !== undefined);
    const cpus = this.#readCpus(gaps);
    const monotonicNs = Number(process.hrtime.bigint());
    const moment = this.#attached.softirq === undefined ? undefined : this.#moment(cpus);
    const whole = ({ counts }: CpuState): ProbeReading['cpus'][number] =>
      moment === undefined ? counts : { ...counts, ...this.#strata.whole(counts, moment) };
    const sockets = prices?.read(gaps);
    const lost = rings?.read();
    if (lost?.ok === false) gaps.push(`rings of packet sockets: ${lost.reason}`);
    const programs = this.programs().flatMap((program) => {
      const runs = this.bpf.programRuns(program);
      if (!runs.ok) gaps.push(`program: ${runs.reason}`);
      return runs.ok ? [runs.value] : [];
    });
    return {
      ...this.#glance(monotonicNs, cpus, gaps),
      cpus: cpus.map(whole),
      ...(sockets && { sockets: sockets.bills, tapTotals: sockets.totals }),
      ...(lost?.ok === true && lost.value !== undefined && { rings: lost.value }),
      programs,
      attach: [...this.#status, ...driverRefused(this.tracepoints)],
    };
  }

  /** As much of a reading as is counted of packets, for looks that are taken often; `read` has the rest, and is recorded. */
  glance(): ProbeReading {
    if (this.#end) return this.#end.last;
    const gaps: string[] = [];
    const cpus = this.#readCpus(gaps);
    return this.#glance(Number(process.hrtime.bigint()), cpus, gaps);
  }

  #glance(monotonicNs: number, cpus: readonly CpuState[], gaps: string[]): ProbeReading {
    const { sampleEvery, stackEvery, netRxEvery, tier, tracepoints } = this;
    const rates = { sampleEvery, stackEvery, netRxEvery };
    const seen = this.rests.look();
    const [sent, transmitNs] = [this.#transmit?.read(gaps, this.#sentClock()), tracepoints.lateNs()];
    return {
      ...{ version: 1, monotonicNs, tier, ...rates },
      ...tracepoints.clock(),
      devices: this.devices.map((device) => {
        const whole = this.rests.whole(device, cpus, seen);
        const unmarked = this.rests.unmarked(device, cpus, whole);
        return device.read(cpus, { ...rates, still: tracepoints.still }, { whole, unmarked }, gaps);
      }),
      cpus: cpus.map(({ counts }) => counts),
      ...(sent && transmitNs !== undefined && { ...sent, transmitNs }),
      ...{ programs: [], attach: [], gaps },
    };
  }

  #readCpus(gaps: string[]): CpuState[] {
    const bytes = Buffer.allocUnsafeSlow(CPU_BYTES * this.bpf.possibleCpus);
    const read = this.bpf.lookupOnly(this.cpus, bytes);
    if (read.ok) return readCpus(bytes, this.bpf.possibleCpus, this.devices.length);
    gaps.push(`per-CPU counts: ${read.reason}`);
    return [];
  }

  /** Samples `factor` times fewer packets from now on. The floor depends on the rate, so it must be measured again. */
  thin(factor: number): Result<void> {
    if (this.#end) return CLOSED;
    const { sampleEvery, stackEvery, netRxEvery } = this;
    const rates = { sampleEvery, stackEvery, netRxEvery };
    const written = thinOut({ ...this.#attached, transmit: this.#transmit }, rates, factor);
    if (!written.ok) {
      this.#unthinned = `the sampling could not be thinned: ${written.reason}`;
      return written;
    }
    this.#transmit?.closeStratum(this.#sentClock());
    this.sampleEvery *= factor;
    this.stackEvery *= factor;
    this.netRxEvery *= factor;
    return written;
  }

  /** Detaches everything, at most once. What hangs is left to the kernel after the deadline, and told. */
  close(deadlineMs = DETACH_DEADLINE_MS): Promise<CloseReport> {
    this.#end ??= {
      last: this.read(),
      report: detachAll(this.#attached, { transmit: this.#transmit, rests: this.rests }, deadlineMs),
    };
    return this.#end.report;
  }
}
