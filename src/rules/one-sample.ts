import type { Metric } from '../metrics/metric.ts';
import { OWN_NETNS } from '../metrics/snapshot.ts';
import type { Window } from '../metrics/window.ts';
import type { Finding } from './finding.ts';
import { oneSample, type OneSample } from './one-sample-words.ts';
import type { Rule } from './rule.ts';

export function oneSampleOf({ code }: Rule): OneSample | undefined {
  return oneSample[code];
}

/** A finding over the time since boot, said as what it is. */
export function retold(finding: Finding, sample: OneSample, window: Window): Finding {
  const { outcome, message } = finding;
  if (outcome === 'not-measured' || outcome === 'not-applicable') return finding;
  if (message !== '' && sample.levels?.includes(message) === true) return seenOnce(finding);
  const since = sinceText(sample.hardware === true ? OWN_NETNS : (finding.at['netns'] ?? OWN_NETNS), window);
  const words = sample.words[message];
  const total = totalOf(finding, sample.counts, window);
  const others = totalOf(finding, sample.less ?? [], window) ?? 0;
  if (outcome === 'ok' && sample.counts.length === 0) return finding;
  if (outcome === 'ok')
    return total === undefined ? noRate(finding) : counted(finding, sample, { total, others, since });
  if (words === undefined) return noRate(finding);
  const taken = sample.of === undefined ? undefined : totalOf(finding, sample.of, window);
  const share = shareOf(finding, sample, total ?? 0, taken, window);
  const ofThem = taken === undefined || share === undefined ? '' : `, ${percentText(share)} of all`;
  const minor = outcome === 'info' || (sample.least !== undefined && share !== undefined && share < sample.least);
  const settled = sample.least === Infinity || minor || isEmptyNow(finding);
  const { args, evidence, impact } = withoutRates(finding);
  return {
    ...finding,
    outcome: settled ? 'info' : 'warning',
    certainty: 'possible',
    message: 'since-boot',
    words,
    args: {
      ...args,
      since,
      ofThem,
      ...(share === undefined ? {} : { share }),
      ...(total === undefined ? {} : { total }),
    },
    impact,
    evidence,
    remedies: [stillRising(finding), ...finding.remedies],
  };
}

/** Of each second one sample knows nothing: what was worked out is an average over months, or 0 where nobody knows since when. */
function withoutRates({ args, evidence }: Finding): Pick<Finding, 'args' | 'evidence' | 'impact'> {
  return {
    args: Object.fromEntries(Object.entries(args).filter(([name]) => name !== 'rate')),
    evidence: evidence.filter(({ unit }) => !unit.endsWith('/s')),
    impact: {},
  };
}

/** A level as it stood when it was looked at: whether it lasts, and what it did to anybody, takes a second look. */
function seenOnce(finding: Finding): Finding {
  const { outcome, certainty } = finding;
  return {
    ...finding,
    outcome: outcome === 'critical' ? 'warning' : outcome,
    certainty: certainty === null ? null : 'possible',
    ...withoutRates(finding),
  };
}

/** A table that was full once and is not now: an old story. */
function isEmptyNow({ code, args }: Finding): boolean {
  return code === 'PKT0202' && typeof args['usage'] === 'number' && args['usage'] < 0.5;
}

function stillRising({ remedies }: Finding): Finding['remedies'][number] {
  const verify = remedies.find((each) => each.verify !== undefined)?.verify;
  return {
    action: 'These are totals: see on the host whether they still rise before anything is changed.',
    ...(verify === undefined ? {} : { command: verify }),
  };
}

interface Counted {
  readonly total: number;
  /** What the same counters may have counted of something else. */
  readonly others: number;
  readonly since: string;
}

function counted(finding: Finding, { what, many }: OneSample, { total, others, since }: Counted): Finding {
  const some = total > 0;
  const told =
    many !== undefined && total >= many[0] ? many[1] : '{total:count} {what} {since}, too few to be a finding.';
  const few = total > others ? told : MIXED;
  return {
    ...finding,
    outcome: some ? 'info' : 'ok',
    certainty: some ? 'possible' : finding.certainty,
    message: some ? 'few-since-boot' : 'none-since-boot',
    words: some ? few : 'No {what} {since}.',
    args: { ...finding.args, total: total > others ? total - others : total, what, since },
    evidence: [],
    remedies: [],
  };
}

const MIXED =
  '{total:count} packets were dropped {since}, and at least as many entries were lost to clashes, which are counted there as ' +
  'well: whether any of these were {what} cannot be told.';

function noRate(finding: Finding): Finding {
  return {
    ...finding,
    outcome: 'not-measured',
    certainty: null,
    message: '',
    words: '',
    args: {},
    place: {},
    impact: {},
    evidence: [],
    remedies: [],
    missing: [{ metric: finding.rule, source: '', reason: 'one sample only: no rate can be told' }],
  };
}

/** Everything counted at the instance, or by all of them where quiet ones were folded; undefined where nothing was read. */
function totalOf({ at, place }: Finding, metrics: readonly Metric[], window: Window): number | undefined {
  const wanted = Object.entries({ ...at, ...(place.device === undefined ? {} : { device: place.device }) });
  const found = metrics.flatMap((metric) =>
    window.value(metric).filter(({ labels }) => wanted.every(([name, value]) => (labels[name] ?? '') === value)),
  );
  return found.length === 0 ? undefined : found.reduce((sum, { value }) => sum + value, 0);
}

function shareOf(
  { args }: Finding,
  sample: OneSample,
  total: number,
  taken: number | undefined,
  window: Window,
): number | undefined {
  const received = (sample.wraps === undefined ? [] : window.value(sample.wraps)).reduce(
    (sum, { value }) => sum + value,
    0,
  );
  const told = args['share'];
  // What a CPU was given is counted in 32 bits, which a busy one fills in an hour: all that the host received is at least as much.
  const wrapped = sample.wraps !== undefined && received >= 2 ** 32;
  if (wrapped) return total / (total + received);
  if (typeof told === 'number') return told;
  return taken === undefined || total + taken === 0 ? undefined : total / (total + taken);
}

function percentText(share: number): string {
  const percent = share * 100;
  if (percent > 0 && percent < 0.01) return '<0.01%';
  // Below the whole it never reads as the whole, and as the verdict above it has it.
  if (percent > 99 && percent < 100) return `${Math.min(99.9, Number(percent.toFixed(1)))}%`;
  return `${percent >= 10 ? Math.round(percent) : Number(percent.toPrecision(2))}%`;
}

/** Since when the counters of a namespace count. */
export function sinceText(netns: string, { uptime }: Window): string {
  return netns === OWN_NETNS ? `since boot${lengthText(uptime)}` : 'since their namespace was made';
}

/** ` (1.2 days)`, or nothing. */
function lengthText(seconds: number | undefined): string {
  if (seconds === undefined) return '';
  const [size, unit] = seconds >= 86_400 ? [86_400, 'day'] : seconds >= 3600 ? [3600, 'hour'] : [60, 'minute'];
  const exact = seconds / size;
  const amount = exact >= 100 ? Math.round(exact) : Number(exact.toPrecision(2));
  return ` (${amount} ${unit}${amount === 1 ? '' : 's'})`;
}
