import { collectors } from './collectors/index.ts';
import { packet } from './collectors/packet.ts';
import type { Reader } from './collectors/reader.ts';
import type { Report } from './generated/report.ts';
import type { Baseline } from './judge.ts';
import type { Keep } from './metrics/snapshot.ts';
import { Window } from './metrics/window.ts';
import { openProbe, withProbe, type ProbedOptions } from './probed.ts';
import { tapsOf } from './report/taps.ts';
import type { Overrides } from './rules/engine.ts';
import { chooseNamespaces, onlyDevices, type Chosen } from './sources/choose.ts';
import { withHostSettings } from './sources/host-settings.ts';
import { liveReader, type Roots } from './sources/live-reader.ts';
import type { NetworkNamespace } from './sources/netns.ts';
import { recordSample, type SampleRecording } from './sources/recording.ts';
import { takeSample, viewsOf } from './sources/take-sample.ts';
import { measureWindow } from './sources/window.ts';
import { nearest, UsageError } from './usage.ts';

export interface DiagnosisOptions extends ProbedOptions {
  readonly netns: string;
  readonly overrides: Overrides;
  readonly baseline: Baseline | undefined;
  readonly version: string;
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
  // Loaded while the kernel loads programs and the budget is measured.
  const [probe, { judgedOfOthers, judgeWindow }] = await Promise.all([
    openProbe(options, live, namespaces().namespaces),
    import('./judge.ts'),
  ]);
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
      await probe.watch(left);
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

/** The packet sockets of the live host, from one sample and without a price. */
export function listTaps(roots: Roots, netns: string): Report['taps'] {
  const chosen = chooseNamespaces(netns, roots);
  if (!chosen.ok) throw new UsageError(`--netns ${netns}: ${chosen.reason}`);
  const namespaces = viewsOf(chosen.value, roots);
  // Owners are looked for by takeSample itself.
  const sample = takeSample({ reader: liveReader(roots), collectors: [packet], namespaces });
  return tapsOf(new Window(sample, sample));
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
