import type { Gap } from '../../src/metrics/snapshot.ts';
import type { Outcome } from '../../src/generated/report.ts';
import type { Argument, Finding } from '../../src/rules/finding.ts';
import type { Rule } from '../../src/rules/rule.ts';
import { judge, type Cell, type WindowSpec } from './window.ts';

/**
 * The law of missing evidence: taking a reading away may only weaken a finding towards `not-measured`. It never makes
 * it `ok` or `not-applicable`, never makes it worse, and never puts the blame on somebody else.
 */

/** How much a finding claims. `ok` and `not-applicable` claim health, and so never follow from having seen less. */
const claims: Readonly<Partial<Record<Outcome, number>>> = { critical: 3, warning: 2, info: 1, 'not-measured': 0 };

/** Arguments that name whom or what a finding blames. */
const culprits = [
  'listener',
  'process',
  'socket',
  'owners',
  'daemon',
  'pid',
  'device',
  'driver',
  'cpu',
  'hot',
  'node',
  'listenerName',
];

export function fires({ outcome }: Finding): boolean {
  return outcome === 'critical' || outcome === 'warning' || outcome === 'info';
}

/** What is wrong with the findings that are left of `full` after something was taken away; undefined when the law holds. */
export function breach(full: readonly Finding[], left: readonly Finding[], taken: string): string | undefined {
  for (const finding of full.filter(fires)) {
    const near = left.filter(({ code, at }) => code === finding.code && samePlace(at, finding.at));
    const here = near.filter(({ at }) => Object.entries(finding.at).every(([label, value]) => at[label] === value));
    const same = here.length > 0 ? here : near;
    const folded = left.filter(({ code }) => code === finding.code);
    // Those that are quiet, and those that lack the same, are told together and name no place.
    const now =
      same.find(fires) ??
      same.find(({ outcome }) => outcome === 'not-measured') ??
      same[0] ??
      folded.find(({ outcome }) => outcome === 'not-measured') ??
      folded[0];
    if (now === undefined) return `${finding.code}: nothing is said of it without ${taken}`;
    const [was, is] = [claims[finding.outcome] ?? 0, claims[now.outcome]];
    const place = Object.values(finding.at).join(' ');
    if (is === undefined) return `${finding.code} ${place}: ${finding.outcome} becomes ${now.outcome} without ${taken}`;
    // Worse but less sure: what would have explained it away was not seen.
    const surer = now.certainty === 'measured';
    if (is > was && surer)
      return `${finding.code} ${place}: ${finding.outcome} becomes ${now.outcome} without ${taken}`;
    if (is === 0) continue;
    for (const name of culprits) {
      const [before, after] = [finding, now].map(({ args }) => wordsOf(args[name]));
      if (before === undefined || after === undefined || before === after || isUnknown(after)) continue;
      return `${finding.code} ${place}: ${name} "${before}" becomes "${after}" without ${taken}`;
    }
  }
  for (const { code, at, outcome } of full) {
    if (outcome !== 'not-measured' && outcome !== 'ok') continue;
    const now = left.filter((each) => each.code === code && samePlace(each.at, at) && samePlace(at, each.at));
    const healthy = now.length > 0 && now.every((each) => claims[each.outcome] === undefined);
    const same = now.some((each) => each.outcome === outcome);
    if (healthy && !same && !full.some((each) => each.code === code && each.outcome === now[0]?.outcome))
      return `${code} ${Object.values(at).join(' ')}: ${outcome} becomes ${now[0]?.outcome ?? ''} without ${taken}`;
  }
  for (const now of left.filter(fires)) {
    const was = full.filter(({ code }) => code === now.code);
    if (was.some(fires)) continue;
    if ((claims[now.outcome] ?? 0) >= 2 && now.certainty === 'measured')
      return `${now.code}: ${now.outcome} only without ${taken}`;
  }
  return undefined;
}

function isUnknown(culprit: string | number): boolean {
  return culprit === '' || /unknown|no process found|nobody found|were not seen/.test(String(culprit));
}

function samePlace(a: Finding['at'], b: Finding['at']): boolean {
  return Object.entries(a).every(([label, value]) => b[label] === undefined || b[label] === value);
}

const unread: Gap = { path: '', reason: 'not in the copy' };

/** The window without the series that `gone` picks, told as a copy or a page tells it: the collector could not read them. */
export function without(spec: WindowSpec, gone: (cell: Cell) => boolean): WindowSpec {
  const failed: Record<string, Gap> = { ...spec.failed };
  for (const cell of spec.cells) {
    if (gone(cell) && spec.inapplicable?.[cell[0].collector] === undefined) {
      failed[cell[0].collector] ??= { ...unread, path: cell[0].source };
    }
  }
  return { ...spec, cells: spec.cells.filter((cell) => !gone(cell)), failed };
}

/** Reproducible numbers from 0 to `below` - 1. */
export function seeded(seed: number): (below: number) => number {
  let state = seed;
  return (below) => {
    state = (Math.imul(state, 1103515245) + 12345) >>> 0;
    return (state >>> 8) % below;
  };
}

const PAIRS = 40;

/** Every breach of the law by one rule over one window: each metric taken away alone, and some of them in pairs. */
export function breachesOf(rule: Rule, spec: WindowSpec): string[] {
  const full = judge(rule, spec);
  if (!full.some(fires)) return [];
  // The probe's answer comes whole or not at all.
  const unit = ([metric]: Cell): string => (metric.collector === 'ebpf' ? 'the probe' : metric.name);
  const names = [...new Set(spec.cells.filter(([{ collector }]) => collector !== 'baseline').map(unit))];
  const random = seeded(names.length * 7919);
  const sets = names.map((name) => [name]);
  for (let pair = 0; pair < Math.min(PAIRS, names.length * (names.length - 1)); pair += 1) {
    const [one, other] = [names[random(names.length)]!, names[random(names.length)]!];
    if (one !== other) sets.push([one, other]);
  }
  return sets.flatMap((gone) => {
    const left = judge(
      rule,
      without(spec, (cell) => gone.includes(unit(cell))),
    );
    return breach(full, left, gone.join(' and ')) ?? [];
  });
}

function wordsOf(argument: Argument | undefined): string | number | undefined {
  return typeof argument === 'object' ? argument.words : argument;
}
