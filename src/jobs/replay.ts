import { UsageError } from '../base/usage.ts';
import type { LimitsInForce, RunFacts } from '../bundle/manifest.ts';
import type { Bundle, RecordedEvidence } from '../bundle/evidence.ts';
import { openEvidence, openTwo } from '../bundle/open.ts';
import { collectors } from '../collectors/index.ts';
import type { Report, ReportFinding } from '../generated/report.ts';
import { findingKey } from '../report/compare/sets.ts';
import { renderJson } from '../report/json.ts';
import type { Overrides } from '../rules/engine.ts';
import { rules } from '../rules/index.ts';
import { onlyDevices } from '../sources/choose.ts';
import { isSavedPage } from '../sources/pages/exporter.ts';
import { parseJson } from '../base/json.ts';
import { judgeRun, limitsInForce } from './judge.ts';
import { givenReport } from './report-file.ts';
import { judgeSavedPages } from './saved-pages.ts';

export interface Replayed {
  readonly report: Report;
  /** What to know besides: another version, other limits, and what follows from that. One line each. */
  readonly notes: readonly string[];
  /** The report it was recorded with as a baseline, for the outlines in histograms. */
  readonly baseline: Report | null;
}

/**
 * Judges recorded evidence: a bundle, a pair of copies, a sosreport, saved pages of metrics; a JSON report is what it is. Reads nothing of the machine it runs on.
 * @param later a second report or copy of the same host, made after the first
 * @param overrides limits given with --config; undefined for those of the bundle
 * @throws UsageError when there is nothing to judge, or it is not what it says
 */
export async function replay(path: string, version: string, overrides?: Overrides, later?: string): Promise<Replayed> {
  if (isSavedPage(path)) {
    if (later !== undefined && !isSavedPage(later))
      throw new UsageError(`${later}: not a page of metrics, as ${path} is`);
    const report = judgeSavedPages(path, later, overrides ?? {}, version);
    const notes =
      later === undefined ? ['one sample: levels, and totals since boot; when they came about is not known'] : [];
    return { report, notes, baseline: null };
  }
  const given = await givenReport(path);
  const second = later === undefined ? undefined : await givenReport(later);
  if (later !== undefined && (given !== undefined || second !== undefined)) {
    const judged = given === undefined ? later : path;
    throw new UsageError(
      `${judged} is a report and judged already: pktcost compare ${path} ${later} says what changed`,
    );
  }
  if (given !== undefined) {
    if (overrides !== undefined)
      throw new UsageError(`${path} is a report: its limits cannot be changed, as the evidence is not in it`);
    return { report: given, notes: [], baseline: null };
  }
  const opened = later === undefined ? await openEvidence(path) : await openTwo(path, later);
  if (!opened.ok) throw new UsageError(later === undefined ? `${path}: ${opened.reason}` : opened.reason);
  const evidence = opened.value;
  const { bundle } = evidence;
  if (bundle === null) {
    return { report: judgeCopy(evidence, version, overrides ?? {}), notes: evidence.notes, baseline: null };
  }
  const { manifest } = bundle;
  const recorded = await recordedOverrides(path, bundle);
  const inForce = overrides ?? recorded;
  const baseline = bundle.baseline === undefined ? null : await asReport(path, 'baseline.json', bundle.baseline);
  const report = judgeRun(evidence.window(collectors, onlyDevices(manifest.run.devices)), manifest.run, {
    overrides: inForce,
    baseline,
    version,
  });
  return {
    report,
    baseline,
    notes: [
      ...evidence.notes,
      ...(manifest.version === version ? [] : [`recorded by pktcost ${manifest.version}, judged by ${version}`]),
      ...limitNotes(manifest.thresholds, limitsInForce(inForce)),
      ...(await verdictNotes(path, bundle, report)),
    ],
  };
}

/** A copy of /proc and /sys knows nothing of a run. */
function judgeCopy(evidence: RecordedEvidence, version: string, overrides: Overrides): Report {
  const window = evidence.window(collectors);
  const run: RunFacts = {
    requestedSeconds: window.seconds,
    cutShort: false,
    devices: [],
    baseline: null,
    probe: { status: 'not-measured', tier: 'none', reason: 'a copy of /proc and /sys: there was no probe', plan: [] },
    selfCost: null,
  };
  return judgeRun(window, run, { overrides, baseline: null, version });
}

/** Limits of rules that this version does not have are left out; `limitNotes` tells. */
async function recordedOverrides(path: string, { config }: Bundle): Promise<Overrides> {
  // The validators are a tenth of all the code that a replay has to load, and seldom needed.
  if (config === undefined || JSON.stringify(config) === '{"thresholds":{}}') return {};
  const { validateConfig } = await import('../generated/validate.ts');
  if (!validateConfig(config)) {
    const [error] = validateConfig.errors ?? [];
    throw new UsageError(`${path}: config.json: ${error?.instancePath ?? ''}: ${error?.message ?? 'not valid'}`);
  }
  const known = new Map(rules.map(({ code, thresholds }) => [code, thresholds]));
  return Object.fromEntries(
    Object.entries(config.thresholds ?? {}).map(([code, limits]) => [
      code,
      Object.fromEntries(Object.entries(limits).filter(([name]) => Object.hasOwn(known.get(code) ?? {}, name))),
    ]),
  );
}

async function asReport(path: string, name: string, report: unknown): Promise<Report> {
  const { validateReport } = await import('../generated/validate.ts');
  if (validateReport(report)) return report;
  const [error] = validateReport.errors ?? [];
  throw new UsageError(`${path}: ${name}: not a pktcost report: ${error?.instancePath ?? ''}: ${error?.message ?? ''}`);
}

const MOST_NAMED = 5;

function limitNotes(then: LimitsInForce, now: LimitsInForce): readonly string[] {
  const changes = [...new Set([...Object.keys(then), ...Object.keys(now)])].sort().flatMap((code) => {
    const [before, after] = [then[code], now[code]];
    if (after === undefined) return [`${code} is no longer a rule`];
    if (before === undefined) return [`${code} is new`];
    return [...new Set([...Object.keys(before), ...Object.keys(after)])].flatMap((name) =>
      before[name] === after[name] ? [] : [`${code} ${name} ${before[name] ?? 'none'}, now ${after[name] ?? 'none'}`],
    );
  });
  return changes.length === 0 ? [] : [`limits differ from those in force then: ${firstOfChanges(changes)}`];
}

/** What differs between the verdict in the bundle and the one just made. */
async function verdictNotes(path: string, { report }: Bundle, now: Report): Promise<readonly string[]> {
  if (report === undefined || Buffer.from(renderJson(now)).equals(report)) return [];
  const parsed = parseJson(report);
  if (!parsed.ok) throw new UsageError(`${path}: report.json: ${parsed.reason}`);
  const then = await asReport(path, 'report.json', parsed.value);
  const said = ({ outcome, certainty }: ReportFinding): string =>
    certainty === null ? outcome : `${outcome} (${certainty})`;
  const [before, after] = [then, now].map(
    ({ findings }) => new Map(findings.map((finding) => [findingKey(finding), said(finding)])),
  );
  const changes = [...new Set([...before!.keys(), ...after!.keys()])].sort().flatMap((key) => {
    const [was, is] = [before!.get(key), after!.get(key)];
    return was === is ? [] : [`${key.trim()} ${was ?? 'nothing'}, now ${is ?? 'nothing'}`];
  });
  if (changes.length > 0) return [`the verdict differs from the recorded one: ${firstOfChanges(changes)}`];
  // What was read is the recorded one: a window of a watch reads less than a replay looks for.
  const { tool, collectors: asked } = now;
  if (JSON.stringify({ ...then, tool, collectors: asked }) === JSON.stringify(now)) return [];
  return ['the findings are the recorded ones, some of their figures or words are not'];
}

function firstOfChanges(changes: readonly string[]): string {
  const rest = changes.length - MOST_NAMED;
  return `${changes.slice(0, MOST_NAMED).join('; ')}${rest > 0 ? `; and ${rest} more` : ''}`;
}
