import assert from 'node:assert/strict';
import { appendFileSync } from 'node:fs';
import { availableParallelism, loadavg, release } from 'node:os';
import { describe, it } from 'node:test';

import type { Report, ReportFinding } from '../../../src/generated/report.ts';
import { hostChangesAllowed, withHosts, type Diagnosed, type Kit } from './hosts.ts';
import { compiler, onPath } from './programs.ts';
import { replaysAtTheEnd } from './replays.ts';

/** One thing that is done to the hosts, and what the verdict must be. */
export interface Case<S> {
  /** Codes that must fire, as critical or warning. None makes it a twin: the codes of the scenario must stay quiet. */
  readonly fires?: readonly string[];
  /** Codes that must fire, as measured, when the probe was attached; without it they may. */
  readonly priced?: readonly string[];
  /** Codes that may fire as well; any other critical finding fails the case. */
  readonly beside?: readonly string[];
  readonly provoke: (setting: S, kit: Kit) => Promise<Diagnosed>;
  /** What else must hold: names, counters, places. May tell figures worth keeping, such as the rate that was reached. */
  readonly check?: (report: Report, setting: S) => Readonly<Record<string, number | string>> | undefined;
}

export interface Scenario<S> {
  readonly title: string;
  /** The rules it is about. */
  readonly codes: readonly string[];
  /** Programs it needs besides ip, sysctl and a C compiler. */
  readonly needs?: readonly string[];
  /** It changes a setting of the whole host, and runs only where that is allowed. */
  readonly hostWide?: string;
  /** The diagnosis is of the machine itself, on which other things may be wrong. */
  readonly ofMachine?: boolean;
  /** CPUs it needs. */
  readonly cpus?: number;
  readonly setUp: (kit: Kit) => S;
  readonly cases: Readonly<Record<string, Case<S>>>;
}

/** What scripts/scenarios.mjs reads, one line per case and run. */
export interface Told {
  readonly scenario: string;
  readonly name: string;
  readonly codes: readonly string[];
  readonly fires: readonly string[];
  /** Codes that must not fire. */
  readonly quiet: readonly string[];
  readonly fired: readonly Pick<ReportFinding, 'code' | 'outcome' | 'certainty' | 'summary' | 'evidence'>[];
  readonly principal: string | null;
  readonly kept: Readonly<Record<string, number | string>>;
  readonly error: string | null;
  readonly skipped: string | null;
  /** When it ended, in which round, and how busy the machine was. */
  readonly at: string;
  readonly round: string;
  readonly load: number;
  readonly kernel: string;
}

/**
 * A diagnosis that took this much longer than its window got no CPU: two floods take two CPUs whole, and what was provoked may have ended
 * before the window began. If it misses what was provoked it is made again, and the log says so; a false alarm is never pardoned.
 */
const STARVED_MS = 7000;
const ATTEMPTS = 3;

/** What was provoked was not told. */
class NotFired extends Error {}

/** Declares a scenario: each case gets hosts of its own, set up alike. */
export function scenario<S>(spec: Scenario<S>): void {
  describe(spec.title, () => {
    const replays = replaysAtTheEnd();
    for (const [name, each] of Object.entries(spec.cases)) {
      it(name, { timeout: 240_000 }, async (test) => {
        const reason = whyNot(spec);
        if (reason !== undefined) {
          keep({ ...blank(spec, name, each), skipped: reason });
          assert.ok(process.env['CI'] !== 'true', reason);
          test.skip(reason);
          return;
        }
        let told: Pick<Told, 'fires' | 'quiet' | 'fired' | 'principal'> = {
          fires: [...(each.fires ?? []), ...(each.priced ?? [])],
          quiet: [],
          fired: [],
          principal: null,
        };
        const attempt = async (): Promise<boolean> => {
          let starved = false;
          await withHosts(
            async (kit) => {
              const setting = spec.setUp(kit);
              const started = performance.now();
              const { report } = await each.provoke(setting, kit);
              starved = performance.now() - started - report.window.seconds * 1000 > STARVED_MS;
              told = {
                fires: wantedOf(each, report),
                quiet: quietOf(spec, each, report),
                fired: fired(report).map(brief),
                principal: report.verdict.principal,
              };
              try {
                judge(spec, each, report);
              } catch (error) {
                // What it says falsely is a false alarm on a starved host as well.
                if (!starved || !(error instanceof NotFired)) throw error;
                test.diagnostic(`starved, and judged wrong: ${error.message}`);
                return;
              }
              starved = false;
              const kept = each.check?.(report, setting) ?? {};
              keep({ ...blank(spec, name, each), ...told, kept });
            },
            undefined,
            replays.of(name),
          );
          return !starved;
        };
        try {
          for (let left = ATTEMPTS; !(await attempt());) {
            left -= 1;
            assert.ok(left > 0, `the machine gave the diagnosis no time, ${ATTEMPTS} times`);
          }
        } catch (error) {
          keep({ ...blank(spec, name, each), ...told, error: error instanceof Error ? error.message : String(error) });
          throw error;
        }
      });
    }
  });
}

function judge<S>(spec: Scenario<S>, each: Case<S>, report: Report): void {
  const codes = fired(report).map(({ code }) => code);
  const told = (): string => JSON.stringify({ fired: fired(report).map(brief), lacking: report.notMeasured }, null, 1);
  const quiet = quietOf(spec, each, report);
  for (const code of quiet) assert.ok(!codes.includes(code), `${code} fired: ${told()}`);
  const known = knownOf(each, report);
  for (const { code, outcome } of spec.ofMachine === true ? [] : fired(report))
    assert.ok(outcome !== 'critical' || known.includes(code), `${code} is critical as well: ${told()}`);
  for (const code of wantedOf(each, report))
    if (!codes.includes(code))
      throw new NotFired(`${code} did not fire: ${JSON.stringify(finding(report, code))} among ${told()}`);
}

/** What must fire in this run. */
function wantedOf<S>({ fires = [], priced = [] }: Case<S>, { probe }: Report): readonly string[] {
  return probe.status === 'attached' ? [...fires, ...priced] : fires;
}

function knownOf<S>(each: Case<S>, report: Report): readonly string[] {
  return [...wantedOf(each, report), ...(each.priced ?? []), ...(each.beside ?? [])];
}

function quietOf<S>(spec: Scenario<S>, each: Case<S>, report: Report): readonly string[] {
  const known = knownOf(each, report);
  return spec.codes.filter((code) => !known.includes(code));
}

export type Needs = Pick<Scenario<never>, 'needs' | 'hostWide' | 'cpus'>;

/** Why it cannot run here, if it cannot. Where CI says that everything is there, that is a failure. */
export function whyNot(spec: Needs): string | undefined {
  if (process.getuid?.() !== 0) return 'needs root, to make network namespaces';
  const missing = ['ip', 'sysctl', 'setpriv', ...(spec.needs ?? [])].filter((name) => !onPath(name));
  if (missing.length > 0) return `needs ${missing.join(', ')}`;
  if (compiler() === undefined) return 'needs a C compiler: clang, cc or gcc';
  if (spec.hostWide !== undefined && !hostChangesAllowed())
    return `left out: it changes ${spec.hostWide} of the whole host, which PKTCOST_HOST_CHANGES=1 allows`;
  if (availableParallelism() < (spec.cpus ?? 1)) return `needs ${spec.cpus} CPUs`;
  return undefined;
}

function blank<S>(spec: Scenario<S>, name: string, each: Case<S>): Told {
  return recordOf(spec.title, name, spec.codes, each.fires ?? []);
}

/** A run of which nothing is told yet. */
export function recordOf(title: string, name: string, codes: readonly string[], fires: readonly string[]): Told {
  return {
    scenario: title,
    name,
    codes,
    fires,
    quiet: [],
    fired: [],
    principal: null,
    kept: {},
    error: null,
    skipped: null,
    at: new Date().toISOString(),
    round: process.env['PKTCOST_SCENARIO_ROUND'] ?? '',
    load: loadavg()[0] ?? 0,
    kernel: release(),
  };
}

export function keep(record: Told): void {
  const path = process.env['PKTCOST_SCENARIO_LOG'];
  if (path !== undefined) appendFileSync(path, `${JSON.stringify(record)}\n`);
}

export function brief({ code, outcome, certainty, summary, evidence }: ReportFinding): Told['fired'][number] {
  return { code, outcome, certainty, summary, evidence };
}

/** The findings that ask for something to be done. */
export function fired(report: Report): ReportFinding[] {
  return report.findings.filter(({ outcome }) => outcome === 'critical' || outcome === 'warning');
}

/** The first finding of a rule: one that fired comes before one that did not. */
export function finding(report: Report, code: string): ReportFinding {
  const found = report.findings.find((each) => each.code === code);
  assert.ok(found !== undefined, `no finding of ${code}`);
  return found;
}

/** What the devices received in the window. */
export function gigabitsOf(report: Report): number {
  const bytes = report.cost.devices.reduce((sum, device) => sum + (device.bytes ?? 0), 0);
  return (bytes * 8) / 1e9 / report.window.seconds;
}

/** The value of the first evidence line of a signal or metric. */
export function evidence(of: ReportFinding, name: string): number {
  const line = of.evidence.find(({ signal, metric }) => signal === name || metric === name);
  assert.ok(line !== undefined, `${of.code} shows no ${name}: ${JSON.stringify(of.evidence)}`);
  return line.value;
}
