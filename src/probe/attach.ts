/** Attaches a plan: what can be is, and of the rest stands why not. Answers with all that a session is made of. */
import { constants, openSync } from 'node:fs';
import { variables } from '../generated/kernel-layout.ts';
import { fail, ok, type Result } from '../base/result.ts';
import type { AttachStatus } from '../readings/reading.ts';
import type { Capabilities } from './capabilities.ts';
import { ExitWatch } from './detach.ts';
import { CPU_BYTES } from './layout.ts';
import type { Libbpf, LinkFd, LoadedObject, MapFd, ProgramFd } from './libbpf.ts';
import { DRIVER_PROGRAMS, loadDriver, loadRuns, RUN_PROGRAMS } from './net-rx.ts';
import { readObject, type ObjectName } from './objects.ts';
import { offloadChanges, type OffloadChange } from './offloads.ts';
import type { AttachPlan } from './plan.ts';
import { CaptureRings } from './capture-rings.ts';
import { SocketPrices } from './sockets.ts';
import { removeFilters } from './tc.ts';
import { Tracepoints } from './tracepoints.ts';
import { every, inOrder, WatchedDevice, type DeviceWorkshop } from './watched.ts';

export interface ProbeOptions {
  readonly plans: readonly AttachPlan[];
  readonly capabilities: Capabilities;
  /** 1 packet in so many, by design of bench/probe: 16 for taps, 64 for XDP stamps, 8 for softirq runs. */
  readonly sampleEvery?: number;
  readonly stackEvery?: number;
  readonly netRxEvery?: number;
  /** Price each packet socket by fentry where the kernel permits it. */
  readonly sockets?: boolean;
  /** Look at the rings of packet sockets where fentry does not. */
  readonly rings?: boolean;
  /** Where the kernel's own counts are. */
  readonly procfs?: string;
  /** A program of a device that takes longer to attach or detach no longer rests; tests on crowded machines have more patience. */
  readonly slowChangeMs?: number;
  readonly objectsDirectory?: string;
  readonly libbpf?: string;
}

export const DEFAULT_SAMPLE_EVERY = 16;
export const DEFAULT_STACK_EVERY = 64;
export const DEFAULT_NET_RX_EVERY = 8;

/** 1 packet, or run of NET_RX, in so many. */
export interface Rates {
  readonly sampleEvery: number;
  readonly stackEvery: number;
  readonly netRxEvery: number;
}

/** What every session has: the program that stamps, and the state that all of its programs share. */
interface HostPart {
  readonly host: LoadedObject;
  readonly cpus: MapFd;
  /** The switch of bpf/span.h. */
  readonly resting: MapFd;
  /** For the sampler: whose program rests. */
  readonly home: MapFd;
}

/** Spans that were not wanted, or refused, are undefined: `status` says which. */
export interface Attached extends HostPart {
  readonly bpf: Libbpf;
  readonly rates: Rates;
  readonly plans: readonly AttachPlan[];
  readonly procfs: string;
  readonly slowChangeMs?: number;
  readonly object: (name: ObjectName) => Result<Buffer>;
  readonly tracepoints: Tracepoints;
  readonly devices: readonly WatchedDevice[];
  readonly softirq: LoadedObject | undefined;
  readonly sockets: SocketPrices | undefined;
  readonly rings: CaptureRings | undefined;
  readonly status: readonly AttachStatus[];
  /** Besides those of the devices, as are the objects. */
  readonly programs: readonly ProgramFd[];
  readonly objects: readonly LoadedObject[];
  readonly links: readonly LinkFd[];
  /** What the attach of XDP changed of the devices. */
  readonly offloads: readonly OffloadChange[];
  readonly heldNamespaces: readonly number[];
  readonly exit: ExitWatch;
  /** False when nothing at all is measured: it is only to be taken down again. */
  readonly measures: boolean;
}

export async function attachPlans(bpf: Libbpf, folder: string, options: ProbeOptions): Promise<Result<Attached>> {
  const { plans, capabilities } = options;
  const rates: Rates = {
    sampleEvery: options.sampleEvery ?? DEFAULT_SAMPLE_EVERY,
    stackEvery: options.stackEvery ?? DEFAULT_STACK_EVERY,
    netRxEvery: options.netRxEvery ?? DEFAULT_NET_RX_EVERY,
  };
  const object = (name: ObjectName): Result<Buffer> => readObject(folder, name);
  const loaded = await loadHost(bpf, object, rates);
  if (!loaded.ok) return loaded;
  const { host, cpus, resting, home } = loaded.value;
  const status: AttachStatus[] = [];
  const report = (each: AttachStatus): void => void status.push(each);
  const tracepoints = new Tracepoints(bpf, resting);
  const shop = { bpf, cpus, resting, stackEvery: rates.stackEvery, object, report };
  const wanted = (span: string): boolean =>
    plans.some((plan) => plan.steps.some((step) => step.span === span && step.decision === 'attach'));
  // Side by side with the devices, whose attach waits for the kernel.
  const pricing = options.sockets === true ? loadSockets(bpf, object, rates, capabilities) : undefined;
  const timing = wanted('net_rx') ? { runs: loadRuns(shop, rates.netRxEvery), driver: loadDriver(shop) } : undefined;
  const { devices, heldNamespaces } = await attachDevices(shop, plans);
  const offloads = devices.some(({ xdp }) => xdp) ? offloadChanges(plans.map(({ device }) => device)) : [];
  const exit = new ExitWatch(() => void removeFilters(bpf, attachmentsOf(devices)));
  if (attachmentsOf(devices).some(({ filter }) => filter)) exit.start();
  const sockets = pricing && taken(await pricing, report);
  const rings = await loadRings(bpf, object, options, sockets);
  const taps =
    wanted('net_rx') || devices.length > 0
      ? attachTracing(tracepoints, host, ['pktcost_recv'], 'taps', report)
      : fail('');
  const netRx = timing && attachNetRx(tracepoints, await timing.runs, await timing.driver, report);
  return ok({
    ...{ bpf, rates, plans, object, host, cpus, resting, home, tracepoints },
    ...{ devices, status, offloads, heldNamespaces, exit },
    procfs: options.procfs ?? '/proc',
    ...(options.slowChangeMs !== undefined && { slowChangeMs: options.slowChangeMs }),
    softirq: netRx?.softirq,
    sockets,
    rings,
    programs: [...(sockets?.linked.programs ?? []), ...(taps.ok ? taps.value : []), ...(netRx?.programs ?? [])],
    objects: [host, ...(netRx?.objects ?? []), ...(rings ? [rings.object] : [])],
    links: sockets?.linked.links ?? [],
    measures: taps.ok,
  });
}

export function attachmentsOf(devices: readonly WatchedDevice[]): WatchedDevice['tc'] {
  return devices.flatMap(({ tc }) => tc);
}

async function loadHost(
  bpf: Libbpf,
  object: (name: ObjectName) => Result<Buffer>,
  { sampleEvery }: Rates,
): Promise<Result<HostPart>> {
  const bytes = object('host');
  if (!bytes.ok) return bytes;
  const host = await bpf.loadObject('pktcost', bytes.value, (opened) =>
    inOrder(
      () => opened.expectValueSize('pktcost_cpus', CPU_BYTES),
      () => opened.setValue(variables.sampleEvery.section, every(sampleEvery)),
    ),
  );
  if (!host.ok) return host;
  const cpus = host.value.map('pktcost_cpus');
  const resting = cpus.ok ? host.value.map('pktcost_resting') : cpus;
  const home = resting.ok ? host.value.map('pktcost_home') : resting;
  if (cpus.ok && resting.ok && home.ok)
    return ok({ host: host.value, cpus: cpus.value, resting: resting.value, home: home.value });
  host.value.close();
  return home.ok ? fail('not loaded') : home;
}

async function loadSockets(
  bpf: Libbpf,
  object: (name: ObjectName) => Result<Buffer>,
  { sampleEvery }: Rates,
  capabilities: Capabilities,
): Promise<Result<SocketPrices>> {
  const bytes = object('sockets');
  return bytes.ok ? SocketPrices.attach(bpf, bytes.value, sampleEvery, capabilities) : bytes;
}

/** Fentry sees a ring with each of its packets. Where neither can look, the rule about captures says so. */
async function loadRings(
  bpf: Libbpf,
  object: (name: ObjectName) => Result<Buffer>,
  { rings: wanted, procfs }: ProbeOptions,
  prices: SocketPrices | undefined,
): Promise<CaptureRings | undefined> {
  if (wanted !== true || prices !== undefined) return undefined;
  const rings = await CaptureRings.load(bpf, object('rings'), procfs ?? '/proc');
  return rings.ok ? rings.value : undefined;
}

function taken(prices: Result<SocketPrices>, report: (status: AttachStatus) => void): SocketPrices | undefined {
  const status = { target: 'packet sockets', span: 'sockets', hook: 'fentry', attached: prices.ok } as const;
  report({ ...status, ...(!prices.ok && { reason: prices.reason }) });
  return prices.ok ? prices.value : undefined;
}

async function attachDevices(
  shop: DeviceWorkshop,
  plans: readonly AttachPlan[],
): Promise<Pick<Attached, 'devices' | 'heldNamespaces'>> {
  const devices: WatchedDevice[] = [];
  const heldNamespaces: number[] = [];
  for (const plan of plans) {
    const held = hold(plan);
    if (held.fd !== undefined) heldNamespaces.push(held.fd);
    const device = await WatchedDevice.attach(shop, held.plan, devices.length);
    if (device) devices.push(device);
  }
  return { devices, heldNamespaces };
}

/**
 * A filter has to be removed in its namespace, so that is held open; a link does not, and holding the namespace would keep a
 * deleted one alive.
 */
function hold(plan: AttachPlan): { readonly plan: AttachPlan; readonly fd?: number } {
  const { path, id } = plan.device.netns;
  const filter = plan.steps.some((step) => step.hook === 'clsact' && step.decision === 'attach');
  if (!filter || path === undefined) return { plan };
  try {
    const fd = openSync(path, constants.O_RDONLY | constants.O_NONBLOCK);
    return { plan: { ...plan, device: { ...plan.device, netns: { id, path: `/proc/self/fd/${String(fd)}` } } }, fd };
  } catch {
    // The namespace has gone since the plan was made; the attach says so.
    return { plan };
  }
}

function attachTracing(
  tracepoints: Tracepoints,
  object: LoadedObject,
  names: readonly string[],
  span: 'taps' | 'net_rx',
  report: (status: AttachStatus) => void,
): Result<readonly ProgramFd[]> {
  const linked = tracepoints.attach(object, names);
  if (linked.ok) report({ target: 'host', span, hook: span === 'net_rx' ? 'softirq' : 'tracepoint', attached: true });
  else report({ target: 'host', span, hook: 'tracepoint', attached: false, reason: linked.reason });
  return linked;
}

/** What is loaded is to be closed, attached or not. */
function attachNetRx(
  tracepoints: Tracepoints,
  runs: Result<LoadedObject>,
  driver: Result<LoadedObject>,
  report: (status: AttachStatus) => void,
): Pick<Attached, 'softirq' | 'programs' | 'objects'> {
  const failed = (span: 'net_rx' | 'driver', hook: 'softirq' | 'tracepoint', reason: string): void => {
    report({ target: 'host', span, hook, attached: false, reason });
  };
  const objects = [runs, driver].flatMap((loaded) => (loaded.ok ? [loaded.value] : []));
  const nothing = { softirq: undefined, programs: [], objects };
  if (!runs.ok) {
    failed('net_rx', 'softirq', runs.reason);
    return nothing;
  }
  const linked = attachTracing(tracepoints, runs.value, RUN_PROGRAMS, 'net_rx', report);
  if (!linked.ok) return nothing;
  if (!driver.ok) {
    failed('driver', 'tracepoint', driver.reason);
    return { softirq: runs.value, programs: linked.value, objects };
  }
  tracepoints.offer(driver.value, DRIVER_PROGRAMS);
  return { softirq: runs.value, programs: [...linked.value, ...namedPrograms(driver.value, DRIVER_PROGRAMS)], objects };
}

export function namedPrograms(object: LoadedObject, names: readonly string[]): ProgramFd[] {
  return names.flatMap((name) => {
    const program = object.program(name);
    return program.ok ? [program.value] : [];
  });
}

/** They are attached when the window has begun, so only then is it known. */
export function driverRefused({ refused: reason }: Tracepoints): AttachStatus[] {
  if (reason === undefined) return [];
  return [{ target: 'host', span: 'driver', hook: 'tracepoint', attached: false, reason }];
}
