import type { Report, ReportFinding } from '../../generated/report.ts';
import { againstBaseline } from '../compare/against-baseline.ts';
import { fired } from '../words/findings.ts';
import { few } from '../words/phrases.ts';
import { rulesThatAre } from '../words/rules-told.ts';
import { briefSection } from './brief.ts';
import { costSection, tapsSection, transmitLine } from './cost.ts';
import { dropsSection, ledgerSection } from './ledger.ts';
import { findingSection } from './finding.ts';
import { paint, paragraph, show, type Style } from './layout.ts';
import { collectorsSection, runSection } from './run.ts';

export interface TextOptions extends Style {
  /** Everything: the evidence with its PromQL, taps, losses, cost, all collectors and all CPUs. */
  readonly verbose?: boolean;
  /** The report given with --baseline. */
  readonly baseline?: Report | null | undefined;
}

/** Narrower than this nothing can be laid out. */
const NARROWEST = 60;

/**
 * The report for a terminal: the verdict on one screen; verbose, all the rest as well. The verdict is where one looks
 * first, at the head of a file and at the end of a terminal. No line is longer than the width, except commands, which are
 * there to be copied.
 */
export function renderText(report: Report, { verbose = false, baseline, ...options }: TextOptions): string {
  const style: Style = { ...options, width: Math.max(NARROWEST, options.width) };
  const brief = briefSection(report, { ...style, verbose }, againstBaseline(report, baseline));
  const rest = verbose ? everything(report, style) : [];
  return `${(style.rows === undefined ? [brief, ...rest] : [...rest, brief])
    .filter((section) => section.length > 0)
    .map((section) => section.join('\n'))
    .join('\n\n')}\n`;
}

function everything(report: Report, style: Style): string[][] {
  return [
    findingsSection(report, style),
    checkedSection(report, style),
    [...tapsSection(report, style), ...transmitLine(report, style)],
    dropsSection(report, style),
    ledgerSection(report, style),
    costSection(report, style),
    notMeasuredSection(report, style),
    runSection(report, style),
    collectorsSection(report, style),
  ];
}

function heading(style: Style, text: string): string {
  return paint(style, 'strong', text);
}

function findingsSection({ findings }: Report, style: Style): string[] {
  const told = findings.filter((finding) => fired(finding) || finding.outcome === 'info');
  const lines = told.length === 0 ? [] : [heading(style, 'FINDINGS')];
  for (const finding of told) lines.push('', ...findingSection(finding, style));
  return lines;
}

/** What was looked at and is in order, and what there was nothing to look at for: one rule stands in one list. */
function checkedSection({ findings }: Report, style: Style): string[] {
  const said = findings.filter(({ outcome, message }) => outcome === 'ok' && message !== null);
  const spoken = new Set(said.map(({ code, rule }) => `${code} ${rule}`));
  const quiet = rulesThatAre('ok', findings).filter((name) => !spoken.has(name));
  const out = rulesThatAre('not-applicable', findings);
  const lines = [
    ...said.flatMap(({ code, summary }: ReportFinding) =>
      paragraph(`${code} ${show(style, summary, 4000)}`, style.width, '  ', 2),
    ),
    ...list('Checked, no problem', quiet, style),
    ...list('Do not apply to this host', out, style),
  ];
  return lines.length === 0 ? [] : [heading(style, 'ALSO CHECKED'), ...lines];
}

function list(label: string, names: readonly string[], style: Style): string[] {
  return names.length === 0 ? [] : paragraph(`${label}: ${names.join(', ')}`, style.width, '  ', 2);
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
