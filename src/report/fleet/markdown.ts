import type { Fleet, FleetHost } from '../../generated/fleet.ts';
import { code, fenced, prose } from '../markdown/syntax.ts';
import { drawTable } from '../markdown/table.ts';
import { hostTable } from './table.ts';
import { hostName, lackingRules, serverWords } from './words.ts';

/** Findings told in full, after which a ticket is full too. */
const MOST_FINDINGS = 20;

/** The fleet for a ticket: the hosts in order, and what to type on each that has something. */
export function renderFleetMarkdown(fleet: Fleet): string {
  const { headline, hosts, omitted, warnings } = fleet;
  const told = hosts.flatMap((host) => host.findings.map((finding) => ({ host, finding })));
  const lines = [
    '## pktcost: fleet',
    '',
    `**${prose(headline)}**`,
    '',
    prose(serverWords(fleet)),
    '',
    ...warnings.map((warning) => `- The server warns: ${prose(warning)}`),
    ...(warnings.length === 0 ? [] : ['']),
    ...drawTable(hostTable, hosts),
    '',
    ...(omitted === 0 ? [] : [`and ${omitted} more below them`, '']),
    ...(told.length === 0 ? [] : ['### Findings', '']),
    ...told.slice(0, MOST_FINDINGS).flatMap(({ host, finding }) => findingLines(host, finding)),
    ...(told.length > MOST_FINDINGS ? [`and ${told.length - MOST_FINDINGS} more findings`, ''] : []),
    ...lackingRules(fleet, true).map((line) => `- ${prose(line)}`),
  ];
  return `${lines.join('\n').trimEnd()}\n`;
}

function findingLines(host: FleetHost, finding: FleetHost['findings'][number]): string[] {
  const { outcome, certainty, summary, remedies } = finding;
  const command = remedies.find((each) => each.command !== null)?.command ?? null;
  return [
    `- ${code(hostName(host))}: **${outcome}** ${finding.code} ${finding.rule} (${certainty ?? 'no certainty'}): ${prose(summary)}`,
    ...(command === null ? [] : ['', ...fenced(command, 'sh', '  ')]),
    '',
  ];
}
