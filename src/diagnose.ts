import { collectors } from './collectors/index.ts';
import { packet } from './collectors/packet.ts';
import type { Reader } from './collectors/reader.ts';
import type { Report } from './generated/report.ts';
import { judgedOfOthers, judgeWindow, type Baseline } from './judge.ts';
import { OWN_NETNS, type Keep, type Snapshot } from './metrics/snapshot.ts';
import { Window } from './metrics/window.ts';
import { LiveProbe } from './probe/live.ts';
import type { ProbeChoice } from './probe/plan.ts';
import { tapsOf } from './report/taps.ts';
import type { Overrides } from './rules/engine.ts';
import { chooseNamespaces, onlyDevices, type Chosen } from './sources/choose.ts';
import { withHostSettings } from './sources/host-settings.ts';
import { isProcfs, liveReader, type Roots } from './sources/live-reader.ts';
import type { NetworkNamespace } from './sources/netns.ts';
import { recordSample, type SampleRecording } from './sources/recording.ts';
import { liveViews, takeSample, unlistedView, type NamespaceView } from './sources/take-sample.ts';
import { tappedDevices, withTaps } from './sources/tapped.ts';
import { measureWindow } from './sources/window.ts';
import { nearest, UsageError } from './usage.ts';

export interface DiagnosisOptions extends ProbeChoice {
  readonly seconds: number;
  readonly roots: Roots;
  /** Only these devices; empty for all. */
  readonly devices: readonly string[];
  readonly netns: string;
  /** Share of the host's CPU time the probe may take. */
  readonly maxOverhead: number;
  readonly overrides: Overrides;
  readonly baseline: Baseline | undefined;
  readonly version: string;
  readonly stop: AbortSignal;
  readonly onTick: (secondsLeft: number) => void;
  /** For a bundle: everything the host answers is kept, and handed over sample by sample. */
  readonly onSample?: (recording: SampleRecording) => void;
}

/** The main job: two samples of the live host, a window apart, judged. */
export async function runDiagnosis(options: DiagnosisOptions): Promise<Report> {
  const startedCpu = process.cpuUsage();
  const live = withHostSettings(liveReader(options.roots), options.roots);
  checkDevices(live, options.devices);
  const ofDevices = onlyDevices(options.devices);
  const namespaces = namespacesFor(options);
  const probe = await openProbe(options, live, namespaces().namespaces);
  const reader = withProbe(live, probe);
  const { window, cutShort } = await measureWindow({
    seconds: options.seconds,
    stop: options.stop,
    sample: () => {
      const keep: Keep = (metric, labels) => judgedOfOthers(metric, labels) && ofDevices(metric, labels);
      const sample = { reader, collectors, keep, namespaces: viewsOf(namespaces(), options.roots) };
      if (options.onSample === undefined) return takeSample(sample);
      const { snapshot, recording } = recordSample(sample);
      options.onSample(recording);
      return snapshot;
    },
    onTick: async (left) => {
      options.onTick(left);
      await probe.watch();
    },
  }).finally(() => probe.close());
  return judgeWindow({
    window,
    requestedSeconds: options.seconds,
    cutShort,
    version: options.version,
    overrides: options.overrides,
    baseline: options.baseline,
    probe: probe.status(),
    self: () => {
      const cpu = process.cpuUsage(startedCpu);
      return {
        cpuSeconds: (cpu.user + cpu.system) / 1e6,
        peakMemoryBytes: process.resourceUsage().maxRSS * 1024,
        ...probe.selfCost(),
      };
    },
  });
}

/** One sample of the live host, without the probe. */
export function sampleOnce(roots: Roots): Snapshot {
  return takeSample({ reader: withHostSettings(liveReader(roots), roots), collectors });
}

/** The packet sockets of the live host, from one sample and without a price. */
export function listTaps(roots: Roots, netns: string): Report['taps'] {
  const chosen = chooseNamespaces(netns, roots);
  if (!chosen.ok) throw new UsageError(`--netns ${netns}: ${chosen.reason}`);
  const namespaces = viewsOf(chosen.value, roots);
  // Owners are looked for by takeSample itself.
  const sample = takeSample({ reader: liveReader(roots), collectors: [packet], namespaces });
  return tapsOf(new Window(sample, sample));
}

function openProbe(
  options: DiagnosisOptions,
  reader: Reader,
  namespaces: readonly NetworkNamespace[],
): Promise<LiveProbe> {
  const here = tappedDevices(reader);
  // A copied /proc says nothing about the devices that could be probed here.
  const copy = !isProcfs(options.roots.procfs);
  return LiveProbe.open({
    ...options,
    ...(copy && { probe: 'off', whyOff: `${options.roots.procfs} is not the proc file system of this host` }),
    namespaces: withTaps(
      namespaces.filter(({ name }) => name !== OWN_NETNS),
      reader,
    ),
    sysfs: options.roots.sysfs,
    procfs: options.roots.procfs,
    windowSeconds: options.seconds,
    own: here,
  });
}

/** The same reader, with the probe behind its dump. */
function withProbe(reader: Reader, probe: LiveProbe): Reader {
  return {
    get lastReadAt() {
      return reader.lastReadAt;
    },
    read: (path) => reader.read(path),
    list: (path) => reader.list(path),
    link: (path) => reader.link(path),
    dump: (name, inodes) => (name === 'probe' ? probe.answer() : reader.dump(name, inodes)),
  };
}

/** Looks for namespaces at each sample: pods come and go. Names stay the same for as long as the namespace lives. */
function namespacesFor({ netns, roots }: DiagnosisOptions): () => Chosen {
  let known: readonly NetworkNamespace[] = [];
  return () => {
    const chosen = chooseNamespaces(netns, roots, known);
    if (!chosen.ok) throw new UsageError(`--netns ${netns}: ${chosen.reason}`);
    known = chosen.value.namespaces;
    return chosen.value;
  };
}

function viewsOf({ namespaces, unlisted }: Chosen, roots: Roots): readonly NamespaceView[] {
  return [...liveViews(namespaces, roots), ...(unlisted === undefined ? [] : [unlistedView(unlisted)])];
}

function checkDevices(reader: Reader, devices: readonly string[]): void {
  if (devices.length === 0) return;
  const present = reader.list('/sys/class/net');
  if (present.ok) requireDevices(devices, present.value);
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
