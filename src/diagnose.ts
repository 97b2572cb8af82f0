import { collectors } from './collectors/index.ts';
import type { Reader } from './collectors/reader.ts';
import { nearest, UsageError } from './usage.ts';
import type { Report } from './generated/report.ts';
import type { Snapshot } from './metrics/snapshot.ts';
import { buildReport } from './report/build.ts';
import { evaluateRules, type Overrides } from './rules/engine.ts';
import { rules } from './rules/index.ts';
import { liveReader, type Roots } from './sources/live-reader.ts';
import { chooseNamespaces, onlyDevices } from './sources/choose.ts';
import type { NetworkNamespace } from './sources/netns.ts';
import { liveViews, takeSample, type NamespaceView } from './sources/take-sample.ts';
import { measureWindow } from './sources/window.ts';

export interface DiagnosisOptions {
  readonly seconds: number;
  readonly roots: Roots;
  /** Only these devices; empty for all. */
  readonly devices: readonly string[];
  readonly netns: string;
  readonly probe: 'auto' | 'off';
  readonly overrides: Overrides;
  readonly baseline: Report | undefined;
  readonly version: string;
  readonly stop: AbortSignal;
  readonly onTick: (secondsLeft: number) => void;
}

/** The main job: two samples of the live host, a window apart, judged. */
export async function runDiagnosis(options: DiagnosisOptions): Promise<Report> {
  const startedCpu = process.cpuUsage();
  const reader = liveReader(options.roots);
  checkDevices(reader, options.devices);
  const keep = onlyDevices(options.devices);
  const namespaces = namespacesFor(options);
  const { window, cutShort } = await measureWindow({
    seconds: options.seconds,
    stop: options.stop,
    sample: () => takeSample({ reader, collectors, keep, namespaces: namespaces() }),
    onTick: options.onTick,
  });
  const findings = evaluateRules(window, rules, options.overrides);
  const cpu = process.cpuUsage(startedCpu);
  return buildReport({
    window,
    findings,
    requestedSeconds: options.seconds,
    cutShort,
    version: options.version,
    overrides: options.overrides,
    self: { cpuSeconds: (cpu.user + cpu.system) / 1e6, peakMemoryBytes: process.resourceUsage().maxRSS * 1024 },
  });
}

/** One sample of the live host. */
export function sampleOnce(roots: Roots): Snapshot {
  return takeSample({ reader: liveReader(roots), collectors });
}

/** Looks for namespaces at each sample: pods come and go. Names stay the same for as long as the namespace lives. */
function namespacesFor({ netns, roots }: DiagnosisOptions): () => readonly NamespaceView[] {
  let known: readonly NetworkNamespace[] = [];
  return () => {
    const chosen = chooseNamespaces(netns, roots, known);
    if (!chosen.ok) throw new UsageError(`--netns ${netns}: ${chosen.reason}`);
    known = chosen.value;
    return liveViews(known, roots);
  };
}

function checkDevices(reader: Reader, devices: readonly string[]): void {
  if (devices.length === 0) return;
  const present = reader.list('/sys/class/net');
  if (!present.ok) return;
  for (const device of devices) {
    if (present.value.includes(device)) continue;
    const near = nearest(device, present.value);
    const hint = near === undefined ? `there are ${present.value.join(', ')}` : `did you mean ${near}?`;
    throw new UsageError(`--interface ${device}: no such network device: ${hint}`);
  }
}
