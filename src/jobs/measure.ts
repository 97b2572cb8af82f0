/** The live host, sampled twice with the probe attached in between. Nothing here judges. */
import { inNetns, shellQuote } from '../rules/remedies/shell.ts';
import { fewDescriptors, keepingSpare } from '../base/descriptors.ts';
import { inTurns } from '../base/steps.ts';
import { nearest, UsageError } from '../base/usage.ts';
import type { Collector } from '../collectors/collector.ts';
import type { Reader } from '../collectors/reader.ts';
import type { Probe, SelfCost } from '../generated/report.ts';
import { OWN_NETNS, type Keep } from '../metrics/snapshot.ts';
import type { Window } from '../metrics/window.ts';
import { netnsInode } from '../ffi/namespaces.ts';
import { chooseNamespaces, onlyDevices, type ChosenNamespaces } from '../sources/choose.ts';
import { openDrops, withDrops } from './dropped.ts';
import { withHostSettings } from '../sources/host-settings.ts';
import { withOwnDevices } from './own-devices.ts';
import { liveReader, type Roots } from '../sources/live-reader.ts';
import type { NetworkNamespace } from '../sources/netns.ts';
import { recordInSteps, type SampleRecording } from '../sources/recording.ts';
import { Overhead } from '../probe/overhead.ts';
import { KernelSymbols } from '../probe/symbols.ts';
import { sampleInSteps, viewsOf } from '../sources/take-sample.ts';
import { measureWindow } from '../sources/window.ts';
import { openProbe, thenClosed, withProbe, type ProbedOptions } from './probed.ts';

export interface MeasureOptions extends ProbedOptions {
  /** Namespaces to look into besides the own one, as `--netns` names them. */
  readonly netns: string;
  /** Called about twice a second with the seconds left. */
  readonly onTick?: (secondsLeft: number) => void;
  /** To load what the end of the run takes, where there may be no descriptor left to do so then. */
  readonly onFewDescriptors?: () => Promise<void>;
  /** For a bundle: everything the host answers is kept, and handed over sample by sample. */
  readonly onSample?: (recording: SampleRecording) => void;
}

/** What is read of the host; loaded while the kernel loads the probe's programs. */
export interface Wanted {
  readonly collectors: readonly Collector[];
  /** Which series to take in besides those that `devices` leaves out. */
  readonly keep: Keep;
}

export interface Measurement {
  readonly window: Window;
  readonly requestedSeconds: number;
  /** A signal ended the window early. */
  readonly cutShort: boolean;
  /** What the probe says of itself. */
  readonly probe: Probe;
  /** What the run has cost so far: asked last of all, since whatever is made of the window is part of it. */
  readonly self: () => SelfCost;
}

/**
 * Two samples of the live host, a window apart.
 * @throws UsageError for a device or a namespace that is not there
 */
export async function measure(asked: MeasureOptions, wanted: Promise<Wanted>): Promise<Measurement> {
  const startedCpu = process.cpuUsage();
  const options = { ...asked, roots: withOwnDevices(asked.roots) };
  const live = withHostSettings(liveReader(options.roots), options.roots);
  const ofDevices = onlyDevices(options.devices);
  const namespaces = namespacesFor(options);
  checkDevices(live, options, namespaces);
  const symbols = new KernelSymbols(options.roots.procfs);
  const overhead = new Overhead(options.maxOverhead);
  // Where the probe may leave no descriptor to load code with, that comes first.
  if (fewDescriptors()) await Promise.all([wanted, options.onFewDescriptors?.()]);
  const [[probe, drops], { collectors, keep }] = await Promise.all([
    keepingSpare(() =>
      Promise.all([
        openProbe(options, live, namespaces().namespaces, symbols, overhead),
        openDrops(options, () => withOwn(namespaces().namespaces), symbols, overhead),
      ]),
    ),
    wanted,
  ]);
  const reader = withDrops(withProbe(live, probe), drops);
  const measured = measureWindow({
    seconds: options.seconds,
    stop: options.stop,
    sample: async () => {
      probe.mark();
      const sample = {
        reader,
        collectors,
        keep: ((metric, labels) => keep(metric, labels) && ofDevices(metric, labels)) satisfies Keep,
        namespaces: viewsOf(namespaces(), options.roots),
      };
      if (options.onSample === undefined) return inTurns(sampleInSteps(sample));
      const { snapshot, recording } = await inTurns(recordInSteps(sample));
      options.onSample(recording);
      return snapshot;
    },
    onTick: async (left) => {
      options.onTick?.(left);
      drops.watch();
      await probe.watch(left);
    },
  });
  const { window, cutShort } = await thenClosed(measured, () => {
    drops.close();
    return probe.close();
  });
  return {
    window,
    requestedSeconds: options.seconds,
    cutShort,
    probe: probe.status(),
    self: () => ({ ...processCost(startedCpu), ...probe.selfCost(), dropsCpuShare: drops.cpuShare() }),
  };
}

/** Where pktcost runs is looked into whatever `--netns` names. */
function withOwn(namespaces: readonly NetworkNamespace[]): readonly NetworkNamespace[] {
  const path = '/proc/self/ns/net';
  const inode = netnsInode(path);
  return !inode.ok || namespaces.some((each) => each.name === OWN_NETNS)
    ? namespaces
    : [{ name: OWN_NETNS, inode: inode.value, path }, ...namespaces];
}

/** What this process took since `started`, an answer of `process.cpuUsage()`. */
export function processCost(started: NodeJS.CpuUsage): { cpuSeconds: number; peakMemoryBytes: number } {
  const cpu = process.cpuUsage(started);
  return {
    cpuSeconds: (cpu.user + cpu.system) / 1e6,
    peakMemoryBytes: process.resourceUsage().maxRSS * 1024,
  };
}

/** @throws UsageError for what `--netns` names and is not there */
export function chosenNamespaces(
  netns: string,
  roots: Roots,
  known: readonly NetworkNamespace[] = [],
): ChosenNamespaces {
  const chosen = chooseNamespaces(netns, roots, known);
  if (!chosen.ok) throw new UsageError(`--netns ${netns}: ${chosen.reason}`);
  return chosen.value;
}

/** Looks for namespaces at each sample: pods come and go. Names stay the same for as long as the namespace lives. */
function namespacesFor({ netns, roots }: MeasureOptions): () => ChosenNamespaces {
  let known: readonly NetworkNamespace[] = [];
  return () => {
    const chosen = chosenNamespaces(netns, roots, known);
    known = chosen.namespaces;
    return chosen;
  };
}

function checkDevices(reader: Reader, { devices, roots }: MeasureOptions, namespaces: () => ChosenNamespaces): void {
  if (devices.length === 0) return;
  const present = reader.list('/sys/class/net');
  if (!present.ok) return;
  const away = devices.find((device) => !present.value.includes(device));
  const there = away === undefined ? undefined : namespaceOf(away, namespaces(), roots);
  if (away !== undefined && there !== undefined)
    throw new UsageError(
      `--interface ${away}: no such network device here, but there is one in namespace ${there}: ${inNetns(there, `pktcost diagnose -i ${shellQuote(away)}`)}`,
    );
  requireDevices(devices, present.value);
}

/**
 * For what looks into all namespaces alike.
 * @throws UsageError for a device that is in none of them
 */
export function requireSomewhere(devices: readonly string[], chosen: ChosenNamespaces, roots: Roots): void {
  const present = liveReader(withOwnDevices(roots)).list('/sys/class/net');
  if (!present.ok) return;
  const nowhere = devices.filter((device) => namespaceOf(device, chosen, roots) === undefined);
  requireDevices(nowhere, present.value);
}

/** The first of the other namespaces that has a device of this name. */
function namespaceOf(device: string, chosen: ChosenNamespaces, roots: Roots): string | undefined {
  const holders: string[] = [];
  for (const { name, visit } of viewsOf(chosen, roots)) {
    visit((reader) => {
      const read = reader.read('/proc/net/dev');
      const lines = read.ok ? Buffer.from(read.value).toString('utf8').split('\n') : [];
      if (lines.some((line) => line.trim().startsWith(`${device}:`))) holders.push(name);
    });
    if (holders.length > 0) break;
  }
  return holders[0];
}

/** @throws UsageError for a device of `--interface` that is not there */
export function requireDevices(devices: readonly string[], present: readonly string[]): void {
  for (const device of devices) {
    if (present.includes(device)) continue;
    const near = nearest(device, present);
    const hint = near === undefined ? `there are ${present.join(', ')}` : `did you mean ${near}?`;
    throw new UsageError(`--interface ${device}: no such network device: ${hint}`);
  }
}
