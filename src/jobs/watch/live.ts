/** The windows of the live host: a sample ends one and begins the next, so that watching reads the host once a window. */
import { setTimeout as sleep } from 'node:timers/promises';

import type { RunFacts } from '../../bundle/manifest.ts';
import { fewDescriptors } from '../../base/descriptors.ts';
import type { Report } from '../../generated/report.ts';
import type { Keep, Snapshot } from '../../metrics/snapshot.ts';
import { Window } from '../../metrics/window.ts';
import type { Overrides } from '../../rules/engine.ts';
import { KernelSymbols } from '../../probe/symbols.ts';
import { onlyDevices, type ChosenNamespaces } from '../../sources/choose.ts';
import { withHostSettings } from '../../sources/host-settings.ts';
import { liveReader, monotonicSeconds, type Roots } from '../../sources/live-reader.ts';
import { recordSample, type SampleRecording } from '../../sources/recording.ts';
import { takeSample, viewsOf } from '../../sources/take-sample.ts';
import { everythingJudged } from '../diagnose.ts';
import { openDrops, withDrops } from '../dropped.ts';
import { judgeWindow } from '../judge.ts';
import { chosenNamespaces, measure, processCost, requireDevices, type MeasureOptions } from '../measure.ts';
import { withOwnDevices } from '../own-devices.ts';
import { openProbe, withProbe } from '../probed.ts';
import type { JudgedWindow, Windows } from './loop.ts';

export interface WatchOptions extends Omit<MeasureOptions, 'onTick' | 'onSample' | 'onFewDescriptors'> {
  /** How long to watch. */
  readonly forSeconds: number;
  readonly overrides: Overrides;
  readonly version: string;
  /** Whether evidence is kept for bundles. */
  readonly recording: boolean;
  /** What the end of a window with the probe takes, where there may be no descriptor left to load it then. */
  readonly ready: () => Promise<void>;
}

/** What a bundle of a window takes; without recordings where none was asked for. */
export interface WindowEvidence {
  readonly samples: readonly SampleRecording[];
  readonly run: RunFacts;
  readonly report: Report;
}

/**
 * Collectors that only tell whose the parts of the profile are, which these windows have none of: they walk the descriptors of
 * all processes, and the rules of all firewalls.
 */
const ofProbe: ReadonlySet<string> = new Set(['programs', 'netfilter']);
const LISTED_EVERY_SECONDS = 60;

const WHY_OFF = 'a watch attaches the probe once its condition is met';

interface TakenSample {
  readonly snapshot: Snapshot;
  readonly recording: SampleRecording | undefined;
}

/** @throws UsageError for a device or a namespace that is not there */
export async function liveWindows(options: WatchOptions): Promise<Windows<WindowEvidence>> {
  const { seconds, forSeconds, stop, overrides, version, devices, recording } = options;
  const roots = withOwnDevices(options.roots);
  const live = withHostSettings(liveReader(roots), roots);
  const present = live.list('/sys/class/net');
  if (present.ok) requireDevices(devices, present.value);
  const { collectors, keep } = await everythingJudged();
  if (fewDescriptors()) await options.ready();
  // Of both only what they say of themselves is wanted: that they are not there, and why.
  const off = { ...options, roots, probe: 'off', whyOff: WHY_OFF } as const;
  const symbols = new KernelSymbols(roots.procfs);
  const probe = await openProbe(off, live, [], symbols);
  const reader = withDrops(withProbe(live, probe), await openDrops(off, () => [], symbols));
  const ofDevices = onlyDevices(devices);
  const cheap = collectors.filter(({ id }) => !ofProbe.has(id));
  const namespaces = namespacesNowAndThen(options.netns, roots);
  const sample = (): TakenSample => {
    const wanted = {
      reader,
      collectors: cheap,
      keep: ((metric, labels) => keep(metric, labels) && ofDevices(metric, labels)) satisfies Keep,
      namespaces: viewsOf(namespaces(), roots),
    };
    return recording ? recordSample(wanted) : { snapshot: takeSample(wanted), recording: undefined };
  };
  const deadline = performance.now() + forSeconds * 1000;
  let before = sample();
  const evidenceOf = (
    report: Report,
    samples: readonly (SampleRecording | undefined)[],
  ): JudgedWindow<WindowEvidence> => {
    const { requestedSeconds, cutShort } = report.window;
    const run = { requestedSeconds, cutShort, devices, baseline: null, probe: report.probe, selfCost: report.selfCost };
    return { report, evidence: { samples: samples.filter((each) => each !== undefined), run, report } };
  };
  return {
    over: () => stop.aborted || performance.now() >= deadline,
    quiet: async () => {
      const started = process.cpuUsage();
      await until(before.snapshot.at + seconds, stop);
      const after = sample();
      const report = judgeWindow({
        window: new Window(before.snapshot, after.snapshot),
        requestedSeconds: seconds,
        cutShort: stop.aborted,
        probe: probe.status(),
        overrides,
        version,
        self: () => processCost(started),
      });
      const watched = evidenceOf(report, [before.recording, after.recording]);
      before = after;
      return watched;
    },
    probed: async () => {
      const recordings: SampleRecording[] = [];
      const measurement = await measure(
        { ...options, ...(recording ? { onSample: (each: SampleRecording) => recordings.push(each) } : {}) },
        everythingJudged(),
      );
      const report = judgeWindow({ ...measurement, overrides, version });
      before = sample();
      return evidenceOf(report, recordings);
    },
  };
}

/**
 * Asks every process of the host for its namespace once a minute, not for each sample. What came since then is looked into
 * from then on; what went is said to be closed.
 */
function namespacesNowAndThen(netns: string, roots: Roots): () => ChosenNamespaces {
  let chosen: ChosenNamespaces | undefined;
  let listedAt = -Infinity;
  return () => {
    if (chosen === undefined || monotonicSeconds() - listedAt >= LISTED_EVERY_SECONDS) {
      chosen = chosenNamespaces(netns, roots, chosen?.namespaces);
      listedAt = monotonicSeconds();
    }
    return chosen;
  };
}

/** Sleeps to a moment of the monotonic clock, or until it is stopped. */
async function until(at: number, stop: AbortSignal): Promise<void> {
  const left = (at - monotonicSeconds()) * 1000;
  if (left <= 0 || stop.aborted) return;
  await sleep(left, undefined, { signal: stop }).catch((error: unknown) => {
    if (!stop.aborted) throw error;
  });
}
