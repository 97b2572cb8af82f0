/** The windows of the live host: a sample ends one and begins the next. */
import { setTimeout as sleep } from 'node:timers/promises';

import { monotonicMs } from '../../base/clock.ts';
import type { RunFacts } from '../../bundle/manifest.ts';
import { fewDescriptors } from '../../base/descriptors.ts';
import { atOnce, inTurns, type Steps } from '../../base/steps.ts';
import type { Report } from '../../generated/report.ts';
import { Window } from '../../metrics/window.ts';
import type { Overrides } from '../../rules/engine.ts';
import { KernelSymbols } from '../../probe/symbols.ts';
import { onlyDevices, type ChosenNamespaces } from '../../sources/choose.ts';
import { withHostSettings } from '../../sources/host-settings.ts';
import { liveReader, monotonicSeconds, type Roots } from '../../sources/live-reader.ts';
import { samplePieces, type Pieces } from '../../sources/piecewise.ts';
import type { SampleRecording } from '../../sources/recording.ts';
import { viewsOf, type NamespaceView } from '../../sources/take-sample.ts';
import { everythingJudged } from '../diagnose.ts';
import { openDrops, withDrops } from '../dropped.ts';
import { judgeInSteps } from '../judge.ts';
import { chosenNamespaces, measure, processCost, requireDevices, type MeasureOptions } from '../measure.ts';
import { withOwnDevices } from '../own-devices.ts';
import { openProbe, withProbe } from '../probed.ts';
import type { Windows } from './loop.ts';
import { everything, QuietWindows, type Ends } from './quiet.ts';

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

/** What a bundle of a window takes, made when one is written; without recordings where none was asked for. */
export type WindowEvidence = () => {
  readonly samples: readonly SampleRecording[];
  readonly run: RunFacts;
  readonly report: Report;
};

/**
 * Collectors that only tell whose the parts of the profile are, which these windows have none of: they walk the descriptors of
 * all processes, and the rules of all firewalls.
 */
const ofProbe: ReadonlySet<string> = new Set(['programs', 'netfilter']);
const LISTED_EVERY_SECONDS = 60;

const WHY_OFF = 'a watch attaches the probe once its condition is met';

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
  const host: Pieces = {
    reader,
    collectors: cheap,
    keep: (metric, labels) => keep(metric, labels) && ofDevices(metric, labels),
    namespaces: viewsNowAndThen(options.netns, roots),
  };
  let started = process.cpuUsage();
  const judged = ([before, after]: Ends): Steps<Report> =>
    judgeInSteps({
      window: new Window(before.snapshot(), after.snapshot()),
      requestedSeconds: seconds,
      cutShort: stop.aborted,
      probe: probe.status(),
      overrides,
      version,
      self: () => processCost(started),
    });
  const windows = new QuietWindows(host, overrides, judged);
  const evidenceOf =
    (report: () => Report, samples: () => readonly SampleRecording[]): WindowEvidence =>
    () => {
      const made = report();
      const { requestedSeconds, cutShort } = made.window;
      const run = { requestedSeconds, cutShort, devices, baseline: null, probe: made.probe, selfCost: made.selfCost };
      return { report: made, run, samples: recording ? samples() : [] };
    };
  const deadline = monotonicMs() + forSeconds * 1000;
  let before = await inTurns(samplePieces(host, everything));
  return {
    over: () => stop.aborted || monotonicMs() >= deadline,
    quiet: async () => {
      started = process.cpuUsage();
      await until(before.at + seconds, stop);
      const from = before;
      const { after, report } = await inTurns(windows.look(from));
      before = after;
      return {
        report: { ...report, window: { ...report.window, cutShort: stop.aborted } },
        evidence: evidenceOf(
          () => atOnce(judged([from, after])),
          () => [from.recording(), after.recording()],
        ),
      };
    },
    probed: async () => {
      const recordings: SampleRecording[] = [];
      const measurement = await measure(
        { ...options, ...(recording ? { onSample: (each: SampleRecording) => recordings.push(each) } : {}) },
        everythingJudged(),
      );
      const report = await inTurns(judgeInSteps({ ...measurement, overrides, version }));
      before = await inTurns(samplePieces(host, everything, before));
      return {
        report,
        evidence: evidenceOf(
          () => report,
          () => recordings,
        ),
      };
    },
  };
}

/**
 * Asks every process of the host for its namespace once a minute, not for each sample. What came since then is looked into
 * from then on; what went is said to be closed.
 */
function viewsNowAndThen(netns: string, roots: Roots): () => readonly NamespaceView[] {
  let chosen: ChosenNamespaces | undefined;
  let views: readonly NamespaceView[] = [];
  let listedAt = -Infinity;
  return () => {
    if (chosen === undefined || monotonicSeconds() - listedAt >= LISTED_EVERY_SECONDS) {
      chosen = chosenNamespaces(netns, roots, chosen?.namespaces);
      views = viewsOf(chosen, roots);
      listedAt = monotonicSeconds();
    }
    return views;
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
