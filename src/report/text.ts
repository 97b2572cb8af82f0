import type { Report, ReportFinding } from '../generated/report.ts';
import { againstBaseline } from './against-baseline.ts';
import { costSection, tapsSection, transmitLine } from './text-cost.ts';
import { findingSection } from './text-finding.ts';
import { columns, cut, paint, paragraph, show, table, wrap, type Style, type Tone } from './layout.ts';
import { formats } from './words.ts';
import { fired } from './verdict.ts';

export interface TextOptions {
  readonly colour: boolean;
  readonly width: number;
  readonly unicode: boolean;
  /** Everything: PromQL of the evidence, all collectors, all CPUs. */
  readonly verbose?: boolean;
  /** The report given with --baseline. */
  readonly baseline?: Report | null | undefined;
}

/** Narrower than this nothing can be laid out. */
const NARROWEST = 60;

/**
 * The report for a terminal: the verdict on one screen, then the findings with their evidence, taps, cost, what was not
 * measured and why, and the collectors. No line is longer than the width, except commands, which are there to be copied.
 */
export function renderText(report: Report, { verbose = false, baseline, ...options }: TextOptions): string {
  const style: Style = { ...options, width: Math.max(NARROWEST, options.width) };
  const sections = [
    verdictSection(report, style, baseline),
    findingsSection(report, style, verbose),
    [...tapsSection(report, style, verbose), ...transmitLine(report, style)],
    costSection(report, style, verbose),
    notMeasuredSection(report, style),
    collectorsSection(report, style, verbose),
  ];
  return `${sections
    .filter((section) => section.length > 0)
    .map((section) => section.join('\n'))
    .join('\n\n')}\n`;
}

function heading(style: Style, text: string): string {
  return paint(style, 'strong', cut(text, style.width, style));
}

const outcomeTones = {
  critical: 'critical',
  warning: 'warning',
  info: 'strong',
  ok: 'good',
  'not-measured': 'warning',
  'not-applicable': 'faint',
} as const satisfies Record<ReportFinding['outcome'], Tone>;

const HEADLINE_LINES = 5;
const COMMAND_LINES = 3;
const OTHER_FINDINGS = 3;
const SELF_LINES = 2;
const SCREEN_LINES = 24;

/** What fits on one screen of 24 lines: who and when, the headline, the first command, what else fired, the totals. */
function verdictSection(report: Report, style: Style, baseline: TextOptions['baseline']): string[] {
  const { verdict, findings } = report;
  const { width } = style;
  const against = againstBaseline(report, baseline);
  const [commandLines, otherFindings] = against ? [COMMAND_LINES - 1, 1] : [COMMAND_LINES, OTHER_FINDINGS];
  const certainty = verdict.certainty === null ? '' : ` (${verdict.certainty})`;
  const headline = wrap(show(style, verdict.headline), width);
  const label = verdict.outcome === 'not-measured' ? 'NOT FULLY MEASURED' : verdict.outcome.toUpperCase();
  const lines = [
    ...identity(report, style),
    '',
    `${paint(style, outcomeTones[verdict.outcome], label)}${certainty}${verdict.principal === null ? '' : ` ${verdict.principal}`}`,
    ...clamp(headline, HEADLINE_LINES, style),
  ];
  const command =
    verdict.principal === null ? null : findings[0]?.remedies.find((each) => each.command !== null)?.command;
  if (command !== null && command !== undefined) {
    const shown = `  $ ${show(style, command, 4000)}`;
    if (columns(shown) <= width * commandLines) lines.push('', shown);
  }
  const others = findings.filter(fired).slice(1);
  if (others.length > 0) {
    lines.push('', 'Also found:');
    for (const { outcome, code, summary } of others.slice(0, otherFindings)) {
      const front = `  ${outcome.padEnd(8)} ${code}  `;
      lines.push(`${front}${cut(show(style, summary), width - front.length, style)}`);
    }
    if (others.length > otherFindings) lines.push(`  and ${others.length - otherFindings} more below`);
  }
  const end = ['', ...totals(report, style)];
  if (against) {
    // The command is one of the lines and may take more of the screen.
    const room = SCREEN_LINES - lines.length - (commandLines - 1) - end.length - 1;
    const words = show(style, `Against ${against.name}: ${against.words}`, 2000);
    lines.push('', ...clamp(wrap(words, width), Math.max(2, Math.min(5, room)), style));
  }
  return [...lines, ...end];
}

function identity({ tool, host, window }: Report, style: Style): string[] {
  const kernel = host.kernel === null ? 'unknown kernel' : `Linux ${host.kernel}`;
  const cpus = host.cpus === null ? '' : `, ${host.cpus} CPU${host.cpus === 1 ? '' : 's'}`;
  const who = `${tool.name} ${tool.version} on ${host.hostname ?? 'unknown host'}, ${kernel}${cpus}`;
  const length =
    window.samples === 1
      ? 'one sample only'
      : `${formats.seconds(window.seconds)}${window.cutShort ? ` (cut short, ${formats.seconds(window.requestedSeconds)} asked for)` : ''}`;
  return [who, `${window.startedAt}, ${length}`].map((line) =>
    paint(style, 'faint', cut(show(style, line), style.width, style)),
  );
}

const probeWords = { 'detached-early': 'detached early', off: 'off', 'not-measured': 'not attached' } as const;

function totals({ findings, probe, selfCost }: Report, style: Style): string[] {
  const count = (outcome: ReportFinding['outcome']): number =>
    new Set(findings.filter((finding) => finding.outcome === outcome).map(({ code }) => code)).size;
  const checks =
    `Checks: ${count('critical')} critical, ${count('warning')} warning, ${count('info')} info, ${count('ok')} ok, ` +
    `${count('not-measured')} not measured, ${count('not-applicable')} not applicable.`;
  const attached =
    probe.status === 'attached'
      ? `attached (${probe.tier})${probe.reason === null ? '' : `; ${probe.reason}`}`
      : `${probeWords[probe.status]}: ${probe.reason ?? ''}`;
  const own = [
    ...(selfCost.cpuSeconds === null ? [] : [`${formats.seconds(selfCost.cpuSeconds)} of CPU`]),
    ...(selfCost.peakMemoryBytes === null ? [] : [`${formats.bytes(selfCost.peakMemoryBytes)} of memory`]),
    ...(selfCost.nsPerPacket === null ? [] : [`probe ${formats.ns(selfCost.nsPerPacket)} per packet`]),
    ...(selfCost.cpuShare === null ? [] : [`probe ${formats.percent(selfCost.cpuShare)} of all CPU time`]),
  ];
  const changed =
    selfCost.actions.length === 0
      ? 'nothing changed on the host'
      : selfCost.actions
          .map(({ action, restored }) => `${action}${restored === false ? ' (NOT restored)' : ''}`)
          .join('; ');
  return [
    ...[checks, `Probe: ${attached}.`].map((line) => cut(show(style, line), style.width, style)),
    ...clamp(wrap(show(style, `Cost of asking: ${[...own, changed].join(', ')}.`), style.width), SELF_LINES, style),
  ];
}

/** No more than so many lines: the last one takes up the rest and is cut. */
function clamp(lines: readonly string[], most: number, style: Style): string[] {
  if (lines.length <= most) return [...lines];
  return [...lines.slice(0, most - 1), cut(lines.slice(most - 1).join(' '), style.width, style)];
}

function findingsSection({ findings }: Report, style: Style, verbose: boolean): string[] {
  const told = findings.filter((finding) => fired(finding) || finding.outcome === 'info');
  const lines = told.length === 0 ? [] : [heading(style, 'FINDINGS')];
  for (const finding of told) lines.push('', ...findingSection(finding, style, verbose));
  const said = findings.filter(({ outcome, message }) => outcome === 'ok' && message !== null);
  const quiet = findings.filter(({ outcome, message }) => outcome === 'ok' && message === null);
  const out = findings.filter(({ outcome }) => outcome === 'not-applicable');
  if (said.length + quiet.length + out.length === 0) return lines;
  if (lines.length > 0) lines.push('');
  lines.push(heading(style, 'ALSO CHECKED'));
  for (const { code, summary } of said)
    lines.push(...paragraph(`${code} ${show(style, summary)}`, style.width, '  ', 2));
  if (quiet.length > 0) lines.push(...codes('Nothing of the kind seen', quiet, style));
  if (out.length > 0) lines.push(...codes('Do not apply to this host', out, style));
  return lines;
}

function codes(label: string, findings: readonly ReportFinding[], style: Style): string[] {
  const names = [...new Set(findings.map(({ code, rule }) => `${code} ${rule}`))];
  return paragraph(`${label}: ${names.join(', ')}`, style.width, '  ', 2);
}

/** Most namespaces or sources named in one line. */
const NAMED = 3;

function few(names: readonly string[]): string {
  return names.length <= NAMED
    ? names.join(', ')
    : `${names.slice(0, NAMED).join(', ')} and ${names.length - NAMED} more`;
}

function notMeasuredSection({ notMeasured }: Report, style: Style): string[] {
  if (notMeasured.length === 0) return [];
  return [
    heading(style, 'NOT MEASURED, AND WHY'),
    ...notMeasured.flatMap(({ reason, sources, rules }) => {
      const from = sources.length === 0 ? '' : ` (${few(sources)})`;
      return paragraph(`${rules.join(', ')}: ${show(style, `${reason}${from}`)}`, style.width, '  ', 2);
    }),
  ];
}

function collectorsSection({ collectors }: Report, style: Style, verbose: boolean): string[] {
  const groups = new Map<string, { row: Report['collectors'][number]; netns: string[] }>();
  for (const row of collectors) {
    if (!verbose && (row.status === 'ok' || row.status === 'not-applicable')) continue;
    const key = verbose
      ? `${row.id}\n${row.netns}`
      : `${row.id}\n${row.status}\n${row.path ?? ''}\n${row.reason ?? ''}`;
    const group = groups.get(key);
    if (group === undefined) groups.set(key, { row, netns: [row.netns] });
    else group.netns.push(row.netns);
  }
  if (groups.size === 0) return [];
  const rows = [...groups.values()].map(({ row, netns }) => {
    const others = netns.filter((name) => name !== '');
    const why = row.path === null ? (row.reason ?? '') : `${row.path}: ${row.reason ?? ''}`;
    const more = row.gaps > 1 ? ` (and ${row.gaps - 1} more)` : '';
    return [
      row.id,
      row.status,
      show(style, `${why}${more}${others.length === 0 ? '' : `, in namespace ${few(others)}`}`),
      ...(verbose ? [formats.seconds(row.milliseconds / 1000)] : []),
    ];
  });
  const heads = [{ head: 'Collector' }, { head: 'Status' }, { head: 'Why' }];
  return [
    heading(style, verbose ? 'COLLECTORS' : 'COLLECTORS THAT LACK SOMETHING'),
    ...table(style, verbose ? [...heads, { head: 'Took', align: 'right' as const }] : heads, rows),
  ];
}
