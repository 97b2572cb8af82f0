/**
 * A probe session: attaches a plan, is read as often as wanted, can be thinned, and goes away without a trace. Everything is
 * attached before the first reading and detached after the last, because the probe itself moves some of the host's counters.
 */
import { closeSync, openSync } from 'node:fs';
import { fail, ok, type Result } from '../metrics/result.ts';
import type { Capabilities } from './capabilities.ts';
import { closeLinks, DETACH_DEADLINE_MS, ExitWatch } from './detach.ts';
import { CPU_BYTES, readCpus, SLOTS, type CpuState } from './layout.ts';
import { loadLibbpf, type Libbpf, type LinkFd, type LoadedObject, type MapFd, type ProgramFd } from './libbpf.ts';
import { DRIVER_PROGRAMS, loadDriver, loadRuns, RUN_PROGRAMS } from './net-rx.ts';
import { findObjects, readObject, type ObjectName } from './objects.ts';
import { offloadChanges, restoreOffloads, type OffloadChange } from './offloads.ts';
import type { AttachPlan } from './plan.ts';
import type { AttachStatus, ProbeReading, ProbeTier } from './reading.ts';
import { SocketPrices } from './sockets.ts';
import { removeFilters, verifyRemoved, type TcAttachment } from './tc.ts';
import { Tracepoints } from './tracepoints.ts';
import { every, inOrder, WatchedDevice } from './watched.ts';

export interface ProbeOptions {
  readonly plans: readonly AttachPlan[];
  readonly capabilities: Capabilities;
  /** 1 packet in so many, by design of bench/probe: 16 for taps, 64 for XDP stamps, 8 for softirq runs. */
  readonly sampleEvery?: number;
  readonly stackEvery?: number;
  readonly netRxEvery?: number;
  /** Price each packet socket by fentry where the kernel permits it. */
  readonly sockets?: boolean;
  readonly objectsDirectory?: string;
  readonly libbpf?: string;
}

export const DEFAULT_SAMPLE_EVERY = 16;
export const DEFAULT_STACK_EVERY = 64;
export const DEFAULT_NET_RX_EVERY = 8;

export interface CloseReport {
  readonly done: readonly string[];
  readonly problems: readonly string[];
  /** True when a look at the devices afterwards found nothing of ours. */
  readonly verified: boolean;
}

export async function openProbe(options: ProbeOptions): Promise<Result<ProbeSession>> {
  if (!options.capabilities.btf) return fail(`the kernel gives no BTF: ${options.capabilities.source}`);
  const bpf = loadLibbpf(options.libbpf);
  if (!bpf.ok) return bpf;
  const folder = options.objectsDirectory === undefined ? findObjects() : ok(options.objectsDirectory);
  if (!folder.ok) return folder;
  const session = new ProbeSession(bpf.value, folder.value, options);
  const attached = await session.attach(options.plans);
  if (attached.ok) return ok(session);
  await session.close();
  return attached;
}

export class ProbeSession {
  readonly bpf: Libbpf;
  readonly #folder: string;
  readonly #options: ProbeOptions;
  readonly #attach: AttachStatus[] = [];
  readonly #devices: WatchedDevice[] = [];
  readonly #objects: LoadedObject[] = [];
  readonly #links: LinkFd[] = [];
  readonly #programs: ProgramFd[] = [];
  readonly #heldNamespaces: number[] = [];
  #host: LoadedObject | undefined;
  #softirq: LoadedObject | undefined;
  #sockets: SocketPrices | undefined;
  #offloads: readonly OffloadChange[] = [];
  #cpus: MapFd | undefined;
  #resting: MapFd | undefined;
  #tracepoints: Tracepoints | undefined;
  #closed: Promise<CloseReport> | undefined;
  #last: ProbeReading | undefined;
  sampleEvery: number;
  stackEvery: number;
  netRxEvery: number;

  constructor(bpf: Libbpf, folder: string, options: ProbeOptions) {
    this.bpf = bpf;
    this.#folder = folder;
    this.#options = options;
    this.sampleEvery = options.sampleEvery ?? DEFAULT_SAMPLE_EVERY;
    this.stackEvery = options.stackEvery ?? DEFAULT_STACK_EVERY;
    this.netRxEvery = options.netRxEvery ?? DEFAULT_NET_RX_EVERY;
  }

  /** Fails only when nothing at all can be measured; every lesser failure is a status in the reading. */
  async attach(plans: readonly AttachPlan[]): Promise<Result<void>> {
    const bytes = readObject(this.#folder, 'host');
    if (!bytes.ok) return bytes;
    const host = await this.bpf.loadObject('pktcost', bytes.value, (object) =>
      inOrder(
        () => object.expectValueSize('pktcost_cpus', CPU_BYTES),
        () => object.setValue('.data', every(this.sampleEvery)),
      ),
    );
    if (!host.ok) return host;
    this.#host = host.value;
    this.#objects.push(host.value);
    const cpus = host.value.map('pktcost_cpus');
    if (!cpus.ok) return cpus;
    this.#cpus = cpus.value;
    const resting = host.value.map('pktcost_resting');
    if (!resting.ok) return resting;
    this.#resting = resting.value;
    const tracepoints = new Tracepoints(this.bpf, resting.value);
    this.#tracepoints = tracepoints;
    const shop = {
      bpf: this.bpf,
      cpus: cpus.value,
      resting: resting.value,
      stackEvery: this.stackEvery,
      object: (name: ObjectName) => readObject(this.#folder, name),
      report: (status: AttachStatus) => void this.#attach.push(status),
    };
    const wanted = (span: string): boolean =>
      plans.some((plan) => plan.steps.some((step) => step.span === span && step.decision === 'attach'));
    // Side by side with the devices, whose attach waits for the kernel.
    const sockets = this.#options.sockets === true ? this.#loadSockets() : undefined;
    const runs = wanted('net_rx') ? loadRuns(shop, this.netRxEvery) : undefined;
    const driver = wanted('net_rx') ? loadDriver(shop) : undefined;
    let slot = 0;
    for (const plan of plans) {
      const device = await WatchedDevice.attach(shop, this.#hold(plan), slot);
      if (!device) continue;
      this.#devices.push(device);
      slot++;
    }
    if (this.#devices.some(({ xdp }) => xdp)) this.#offloads = offloadChanges(plans.map(({ device }) => device));
    if (this.#devices.some((device) => device.tc.some((attachment) => attachment.filter))) this.#exit.start();
    if (sockets) this.#attachSockets(await sockets);
    const started =
      wanted('net_rx') || this.#devices.length > 0 ? this.#attachTracing(host.value, ['pktcost_recv'], 'taps') : false;
    if (runs && driver) this.#attachNetRx(await runs, await driver);
    return started
      ? ok(undefined)
      : fail(this.#attach.findLast((status) => !status.attached)?.reason ?? 'nothing to attach');
  }

  /**
   * A filter has to be removed in its namespace, so that is held open; a link does not, and holding the namespace would keep a
   * deleted one alive.
   */
  #hold(plan: AttachPlan): AttachPlan {
    const { path, id } = plan.device.netns;
    const filter = plan.steps.some((step) => step.hook === 'clsact' && step.decision === 'attach');
    if (!filter || path === undefined) return plan;
    try {
      const fd = openSync(path, 'r');
      this.#heldNamespaces.push(fd);
      return { ...plan, device: { ...plan.device, netns: { id, path: `/proc/self/fd/${String(fd)}` } } };
    } catch {
      // The namespace has gone since the plan was made; the attach says so.
      return plan;
    }
  }

  #attachTracing(object: LoadedObject, names: readonly string[], span: 'taps' | 'net_rx'): boolean {
    const linked = this.#tracepoints?.attach(object, names) ?? fail('the session is closed');
    if (!linked.ok) {
      this.#attach.push({ target: 'host', span, hook: 'tracepoint', attached: false, reason: linked.reason });
      return false;
    }
    this.#programs.push(...linked.value);
    this.#attach.push({ target: 'host', span, hook: span === 'net_rx' ? 'softirq' : 'tracepoint', attached: true });
    return true;
  }

  #attachNetRx(runs: Result<LoadedObject>, driver: Result<LoadedObject>): void {
    const failed = (span: 'net_rx' | 'driver', hook: 'softirq' | 'tracepoint', reason: string): void => {
      this.#attach.push({ target: 'host', span, hook, attached: false, reason });
    };
    for (const loaded of [runs, driver]) if (loaded.ok) this.#objects.push(loaded.value);
    if (!runs.ok) {
      failed('net_rx', 'softirq', runs.reason);
      return;
    }
    if (!this.#attachTracing(runs.value, RUN_PROGRAMS, 'net_rx')) return;
    this.#softirq = runs.value;
    if (!driver.ok) {
      failed('driver', 'tracepoint', driver.reason);
      return;
    }
    for (const name of DRIVER_PROGRAMS) {
      const program = driver.value.program(name);
      if (program.ok) this.#programs.push(program.value);
    }
    this.#tracepoints?.offer(driver.value, DRIVER_PROGRAMS);
  }

  /** They are attached when the window has begun, so only then is it known. */
  #driverRefused(): AttachStatus[] {
    const reason = this.#tracepoints?.refused;
    return reason === undefined
      ? []
      : [{ target: 'host', span: 'driver', hook: 'tracepoint', attached: false, reason }];
  }

  async #loadSockets(): Promise<Result<SocketPrices>> {
    const bytes = readObject(this.#folder, 'sockets');
    if (!bytes.ok) return bytes;
    return SocketPrices.attach(this.bpf, bytes.value, this.sampleEvery, this.#options.capabilities);
  }

  #attachSockets(prices: Result<SocketPrices>): void {
    this.#attach.push({
      target: 'packet sockets',
      span: 'sockets',
      hook: 'fentry',
      attached: prices.ok,
      ...(!prices.ok && { reason: prices.reason }),
    });
    if (!prices.ok) return;
    this.#sockets = prices.value;
    this.#programs.push(...prices.value.linked.programs);
    this.#links.push(...prices.value.linked.links);
  }

  /** The host-wide tracepoints, for shifts.ts; undefined before the attach. */
  get tracepoints(): Tracepoints | undefined {
    return this.#tracepoints;
  }

  /** A device outside the readings, in the last slot: see floor.ts. */
  async watchForCalibration(plan: AttachPlan): Promise<Result<WatchedDevice>> {
    if (this.#cpus === undefined || this.#resting === undefined) return fail('the session is closed');
    if (this.#devices.length >= SLOTS) return fail('every slot is taken by a device');
    let reason = 'not attached';
    const device = await WatchedDevice.attach(
      {
        bpf: this.bpf,
        cpus: this.#cpus,
        resting: this.#resting,
        stackEvery: this.stackEvery,
        object: (name) => readObject(this.#folder, name),
        report: (status) => {
          if (status.reason !== undefined) reason = status.reason;
        },
      },
      plan,
      SLOTS - 1,
    );
    if (device && device.tc.length > 0) return ok(device);
    device?.close();
    return fail(reason);
  }

  async endCalibration(device: WatchedDevice): Promise<void> {
    await closeLinks(this.bpf, device.links(), DETACH_DEADLINE_MS);
    removeFilters(this.bpf, device.tc);
    device.close();
  }

  get tier(): ProbeTier {
    if (this.#devices.some((device) => device.xdp)) return 'stack';
    if (this.#sockets) return 'sockets';
    if (this.#devices.some((device) => device.tc.length > 0)) return 'taps';
    return this.#softirq ? 'net_rx' : 'none';
  }

  get devices(): readonly WatchedDevice[] {
    return this.#devices;
  }

  /** The id of the program that stamps: the mark of a session. */
  stampId(): number | undefined {
    const program = this.#host?.program('pktcost_recv');
    const runs = program?.ok === true ? this.bpf.programRuns(program.value) : undefined;
    return runs?.ok === true ? runs.value.id : undefined;
  }

  /** The empty program's descriptor, for the budget's calibration. */
  nullProgram(): Result<ProgramFd> {
    return this.#host ? this.#host.program('pktcost_null') : fail('the session is closed');
  }

  programs(): ProgramFd[] {
    return [...this.#programs, ...this.#devices.flatMap((device) => device.programs)];
  }

  /** After `close` the last reading is answered again: what was counted stands. */
  read(): ProbeReading {
    if (this.#closed && this.#last) return this.#last;
    const gaps = this.#tracepoints?.trouble === undefined ? [] : [this.#tracepoints.trouble];
    const cpus = this.#readCpus(gaps);
    const monotonicNs = Number(process.hrtime.bigint());
    const devices = this.#devices.map((device) => device.read(cpus, this.sampleEvery, this.stackEvery, gaps));
    const sockets = this.#sockets?.read(gaps);
    const programs = this.programs().flatMap((program) => {
      const runs = this.bpf.programRuns(program);
      if (!runs.ok) gaps.push(`program: ${runs.reason}`);
      return runs.ok ? [runs.value] : [];
    });
    this.#last = {
      version: 1,
      monotonicNs,
      ...this.#tracepoints?.clock(),
      tier: this.tier,
      sampleEvery: this.sampleEvery,
      stackEvery: this.stackEvery,
      netRxEvery: this.netRxEvery,
      devices,
      cpus: cpus.map((cpu) => cpu.counts),
      ...(sockets && { sockets: sockets.bills, tapTotals: sockets.totals }),
      programs,
      attach: [...this.#attach, ...this.#driverRefused()],
      gaps,
    };
    return this.#last;
  }

  #readCpus(gaps: string[]): CpuState[] {
    if (this.#cpus === undefined) return [];
    const bytes = Buffer.allocUnsafeSlow(CPU_BYTES * this.bpf.possibleCpus);
    const read = this.bpf.lookupOnly(this.#cpus, bytes);
    if (read.ok) return readCpus(bytes, this.bpf.possibleCpus);
    gaps.push(`per-CPU counts: ${read.reason}`);
    return [];
  }

  /** Samples `factor` times fewer packets from now on. The floor depends on the rate, so it must be measured again. */
  thin(factor: number): Result<void> {
    const write = (object: LoadedObject | undefined, value: number): Result<void> => {
      if (!object) return ok(undefined);
      const map = object.map('.data');
      return map.ok ? this.bpf.writeOnly(map.value, every(value)) : map;
    };
    const written = inOrder(
      () => write(this.#host, this.sampleEvery * factor),
      () => write(this.#softirq, this.netRxEvery * factor),
      () => this.#sockets?.setEvery(this.sampleEvery * factor) ?? ok(undefined),
      ...this.#devices.map((device) => () => device.setStackEvery(this.stackEvery * factor)),
    );
    if (!written.ok) return written;
    this.sampleEvery *= factor;
    this.stackEvery *= factor;
    this.netRxEvery *= factor;
    return written;
  }

  readonly #exit = new ExitWatch(() => {
    removeFilters(this.bpf, this.#tcAttachments());
  });

  #tcAttachments(): TcAttachment[] {
    return this.#devices.flatMap((device) => device.tc);
  }

  /** Detaches everything, at most once. What hangs is left to the kernel after the deadline, and told. */
  close(deadlineMs = DETACH_DEADLINE_MS): Promise<CloseReport> {
    this.#closed ??= this.#detach(deadlineMs);
    return this.#closed;
  }

  async #detach(deadlineMs: number): Promise<CloseReport> {
    const problems: string[] = [];
    const done: string[] = [];
    const links = [
      ...(this.#tracepoints?.surrender() ?? []),
      ...this.#links,
      ...this.#devices.flatMap((device) => device.links()),
    ];
    const hung = await closeLinks(this.bpf, links, deadlineMs);
    done.push(`${String(links.length - hung)} of ${String(links.length)} links closed`);
    if (hung > 0) problems.push(`${String(hung)} detach(es) did not return within ${String(deadlineMs)} ms`);
    const attachments = this.#tcAttachments();
    const filters = attachments.filter((attachment) => attachment.filter).length;
    problems.push(...removeFilters(this.bpf, attachments));
    if (filters > 0) done.push(`${String(filters)} clsact filter(s) removed`);
    this.#exit.stop();
    for (const { xdp, facts } of this.#devices) if (xdp) done.push(`XDP program (${xdp.mode}) taken off ${facts.name}`);
    // Looked at again, because a driver may change them a moment after the attach.
    const late = offloadChanges(this.#devices.flatMap(({ xdp, facts }) => (xdp ? [facts] : [])));
    const known = new Set(this.#offloads.map(({ facts }) => facts));
    const offloads = restoreOffloads([...this.#offloads, ...late.filter(({ facts }) => !known.has(facts))]);
    done.push(...offloads.done);
    problems.push(...offloads.problems);
    const left = verifyRemoved(this.bpf, attachments);
    for (const device of this.#devices) device.close();
    this.#sockets?.close();
    for (const object of this.#objects) object.close();
    for (const fd of this.#heldNamespaces) closeSync(fd);
    this.#cpus = undefined;
    this.#resting = undefined;
    this.#host = undefined;
    return { done, problems: [...problems, ...left], verified: left.length === 0 && hung === 0 };
  }
}
