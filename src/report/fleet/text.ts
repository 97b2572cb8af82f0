import type { Fleet, FleetHost } from '../../generated/fleet.ts';
import type { ReportFinding } from '../../generated/report.ts';
import { paint, paragraph, show, wrap, type Style } from '../text/layout.ts';
import { drawTable } from '../text/table.ts';
import { findingSection } from '../text/finding.ts';
import type { TextOptions } from '../text/index.ts';
import { hostTable } from './table.ts';
import { hostName, lackingRules, serverWords } from './words.ts';

const NARROWEST = 60;

/** The fleet for a terminal: how many hosts are how, the hosts in order, and what was found on each that has something. */
export function renderFleetText(fleet: Fleet, { verbose = false, ...options }: TextOptions): string {
  const style: Style = { ...options, width: Math.max(NARROWEST, options.width) };
  const { tool, headline, warnings } = fleet;
  const sections = [
    [
      show(style, `${tool.name} ${tool.version} fleet`),
      ...paragraph(show(style, serverWords(fleet)), style.width, '', 2),
      '',
      ...wrap(show(style, headline), style.width),
      ...warnings.flatMap((warning) => paragraph(show(style, `The server warns: ${warning}`), style.width, '', 2)),
    ],
    hostsSection(fleet, style),
    ...fleet.hosts.filter(({ findings }) => findings.length > 0).map((host) => hostSection(host, style, verbose)),
    notMeasuredSection(fleet, style, verbose),
  ];
  return `${sections
    .filter((section) => section.length > 0)
    .map((section) => section.join('\n'))
    .join('\n\n')}\n`;
}

function hostsSection({ hosts, omitted }: Fleet, style: Style): string[] {
  return [
    paint(style, 'strong', 'HOSTS'),
    ...drawTable(style, hostTable, hosts),
    ...(omitted === 0 ? [] : [`  and ${omitted} more below them (--top)`]),
  ];
}

function hostSection(host: FleetHost, style: Style, verbose: boolean): string[] {
  const { hostname, kernel, cpus, reason, findings } = host;
  const who = [
    ...(hostname === null ? [] : [hostname]),
    ...(kernel === null ? [] : [`Linux ${kernel}`]),
    ...(cpus === null ? [] : [`${cpus} CPU${cpus === 1 ? '' : 's'}`]),
  ];
  const heading = [`HOST ${host.rank}: ${hostName(host)}`, ...who].join(', ');
  return [
    paint(style, 'strong', show(style, heading)),
    ...(reason === null ? [] : paragraph(show(style, `No longer up: ${reason}.`), style.width, '  ')),
    ...findings.flatMap((finding) => (verbose ? ['', ...findingSection(finding, style)] : briefly(finding, style))),
  ];
}

/** A finding without its evidence: what it says, and the first thing to type. */
function briefly({ outcome, code, rule, certainty, summary, remedies }: ReportFinding, style: Style): string[] {
  const command = remedies.find((each) => each.command !== null)?.command ?? null;
  return [
    ...paragraph(`${outcome} ${code} ${rule} (${certainty ?? 'no certainty'})`, style.width, '  '),
    ...paragraph(show(style, summary, 1200), style.width, '    '),
    ...(command === null ? [] : [`    $ ${show(style, command, 4000)}`]),
  ];
}

function notMeasuredSection(fleet: Fleet, style: Style, verbose: boolean): string[] {
  const lacking = lackingRules(fleet, verbose);
  if (lacking.length === 0) return [];
  const why = fleet.hosts.flatMap((host) =>
    host.notMeasured.map(({ rules, reason }) => `${hostName(host)}: ${rules.join(', ')}: ${reason}`),
  );
  return [
    paint(style, 'strong', 'NOT MEASURED'),
    ...lacking.flatMap((line) => paragraph(line, style.width, '  ', 2)),
    ...(verbose
      ? why.flatMap((line) => paragraph(show(style, line), style.width, '  ', 2))
      : [
          '  -v shows the evidence, all rules, and why for each host; docs/FLEET.md, what a rule needs of an exporter.',
        ]),
  ];
}
