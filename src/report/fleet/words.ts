import type { Fleet, FleetHost } from '../../generated/fleet.ts';
import { lossRate } from '../words/findings.ts';
import { howMany, formats } from '../words/formats.ts';
import { few } from '../words/phrases.ts';

/** How a host is called: by its instance, and by what tells it from another of that name. */
export function hostName({ instance, labels }: FleetHost): string {
  const more = Object.entries(labels).map(([name, value]) => `${name}=${value}`);
  return more.length === 0 ? instance : `${instance} (${more.join(', ')})`;
}

/** What it is, in a word. */
export function hostWord({ verdict, state }: FleetHost): string {
  if (verdict.outcome === 'critical' || verdict.outcome === 'warning') {
    return `${verdict.outcome}${state === 'up' ? '' : `, ${state}`}`;
  }
  if (state !== 'up') return state;
  return verdict.outcome === 'ok' ? 'ok' : 'not fully measured';
}

/** Why, in one line: the title of the principal finding, or what hinders. */
export function hostWhy({ verdict, findings, state, reason, checks, impact }: FleetHost): string {
  const [principal] = findings;
  if (verdict.principal !== null && principal !== undefined) {
    const others = findings.length - 1;
    const { code, title, outcome } = principal;
    if (others === 0) return `${code} ${title}`;
    // The word beside it is of the worst, which need not be the one that matters most.
    const worst = findings.find((finding) => finding.outcome === verdict.outcome);
    return outcome === verdict.outcome || worst === undefined
      ? `${code} ${title} (and ${others} more)`
      : `${code} ${title} (a ${outcome}; and ${others} more, ${verdict.outcome}: ${worst.code})`;
  }
  if (state !== 'up') return reason ?? '';
  const found =
    (impact.lostPerSecond ?? 0) > 0 ? 'losses too small for a warning, nothing else found' : 'nothing found';
  const by = `${found} by ${howMany(checks.ok + checks.info, 'checks')}`;
  return checks.notMeasured === 0 ? by : `${by}, ${checks.notMeasured} could not be made`;
}

export function hostCosts({ impact }: FleetHost): string {
  const { lost = [], cpuShare } = impact;
  return [
    ...(lost.length === 0
      ? []
      : [`${lost.map(({ things, perSecond }) => lossRate(things, perSecond)).join(', ')} lost`]),
    ...(cpuShare === null || cpuShare === 0 ? [] : [`${formats.percent(cpuShare)} of CPU`]),
  ].join(', ');
}

/** Where and when, in one line. */
export function serverWords({ server }: Fleet): string {
  const match = server.match === null ? '' : ` ${server.match}`;
  return `${server.url}${match}, ${formats.seconds(server.windowSeconds)} to ${server.endedAt}`;
}

/** More are counted where there is room for one screen only. */
const MOST_LACKING = 6;

/** Rules that could not be judged, by the number of hosts: what an exporter lacks, it lacks on most of them. */
export function lackingRules({ rules, counts }: Fleet, all: boolean): readonly string[] {
  const byCount = new Map<number, string[]>();
  for (const { code, rule, notMeasured } of rules) {
    if (notMeasured > 0) byCount.set(notMeasured, [...(byCount.get(notMeasured) ?? []), `${code} ${rule}`]);
  }
  return [...byCount]
    .sort(([a], [b]) => b - a)
    .map(
      ([count, codes]) =>
        `Could not be judged on ${count} of ${howMany(counts.hosts, 'hosts')}: ${few(codes, all ? Infinity : MOST_LACKING)}`,
    );
}
