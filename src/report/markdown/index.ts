import { ledgerLines } from './ledger.ts';
import type { Profile, Report, ReportFinding } from '../../generated/report.ts';
import { busyCpus, cpuTable } from '../tables/cpus.ts';
import { deviceTable } from '../tables/devices.ts';
import { evidenceTable, tellingEvidence, zeroWords } from '../tables/evidence.ts';
import { lossesOf, lossTable } from '../tables/losses.ts';
import { packetSocketTable } from '../tables/packet-sockets.ts';
import { deviceProfileTable, directionWords, partTable, samplingWords } from '../tables/profile.ts';
import { planTable } from '../tables/run.ts';
import type { Table } from '../tables/table.ts';
import { againstBaseline, type AgainstBaseline } from '../compare/against-baseline.ts';
import {
  collectorGroups,
  few,
  hostFigures,
  impactWords,
  outcomeWords,
  partWords,
  rulerWords,
  verdictWord,
} from '../words/phrases.ts';
import { asRootWords, briefOf, overheadWords, runWords, unseenWords, type Brief } from '../words/brief.ts';
import { fired, placeWords } from '../words/findings.ts';
import { countWords, rulesThatAre } from '../words/rules-told.ts';
import { formats, significant } from '../words/formats.ts';
import { code, fenced, folded, prose } from './syntax.ts';
import { drawTable } from './table.ts';

/** GitHub takes 65,536 characters in one text; the ticket needs some for itself. */
const MOST = 60_000;
/** Rows of a table and findings told, fewer and fewer until the report fits. */
const ROWS = [60, 15, 5, 2];

export interface MarkdownOptions {
  /** The report given with --baseline. */
  readonly baseline?: Report | null | undefined;
}

/** The report for a ticket: the verdict, what to type, and the evidence folded away. */
export function renderMarkdown(report: Report, { baseline }: MarkdownOptions = {}): string {
  const against = againstBaseline(report, baseline);
  let text = '';
  for (const rows of ROWS) {
    text = document(report, against, rows);
    if (text.length <= MOST) break;
  }
  return text;
}

function document(report: Report, against: AgainstBaseline | undefined, rows: number): string {
  const lines = [
    ...head(report, against),
    ...findings(report, rows),
    ...taps(report, rows),
    ...cost(report, rows),
    ...drops(report, rows),
    ...ledgerLines(report, rows),
    ...notMeasured(report, rows),
    ...run(report, rows),
  ];
  return `${lines
    .join('\n')
    .replace(/\n{3,}/g, '\n\n')
    .trimEnd()}\n`;
}

function head(report: Report, against: AgainstBaseline | undefined): string[] {
  const brief = briefOf(report);
  const { principal, title, certainty } = brief;
  const unseen = unseenWords(report, REASONS);
  const root = asRootWords(report);
  return [
    ...(root === undefined ? [] : [prose(root), '']),
    `## pktcost: ${verdictWord(brief)}${principal === undefined ? '' : ` ${principal.code} ${principal.rule}`}${certainty === null ? '' : ` (${certainty})`}`,
    '',
    `**${prose(title)}**`,
    '',
    ...answer(brief),
    '',
    ...alsoFound(brief),
    '',
    `- Checks: ${countWords(report.findings)}.`,
    ...(unseen === undefined ? [] : [`- Not run: ${prose(unseen)}.`]),
    ...(against === undefined ? [] : [`- Against ${code(against.name)}: ${prose(against.words)}`]),
    `- Overhead of this run: ${prose(overheadWords(report))}.`,
    `- Run: ${prose(runWords(report))}.`,
    '',
  ];
}

/** Reasons told under the verdict; all of them stand further down. */
const REASONS = 3;
const OTHERS = 12;

function answer({ facts, fix, moreFixes }: Brief): string[] {
  return [
    ...facts.map(({ label, words }) => `- **${label}:** ${prose(words)}`),
    ...(fix === undefined
      ? []
      : [
          `- **Fix:** ${prose(fix.action)}${moreFixes > 0 ? ` (${moreFixes} more below)` : ''}`,
          ...typed('', fix.command, '  '),
          ...typed('- **Check:**', fix.verify, '  '),
          ...typed('- **Undo:**', fix.undo, '  '),
          ...typed('- **Lasts:**', fix.lasts, '  '),
        ]),
  ];
}

/** What to type, in a block to copy from. */
function typed(label: string, command: string | null | undefined, indent: string): string[] {
  if (command === null || command === undefined) return [];
  return [...(label === '' ? [''] : [label, '']), ...fenced(command, 'sh', indent), ''];
}

function alsoFound({ others }: Brief): string[] {
  if (others.length === 0) return [];
  const left = others.length - OTHERS;
  return [
    '**Also found**',
    '',
    ...others
      .slice(0, OTHERS)
      .map(({ outcome, code: rule, words }) => `- ${outcomeWords[outcome]} ${rule}: ${prose(words)}`),
    ...(left > 0 ? [`- and ${left} more below`] : []),
  ];
}

function findings({ findings: found }: Report, rows: number): string[] {
  const told = found.filter((finding) => fired(finding) || finding.outcome === 'info');
  const said = found.filter(({ outcome, message }) => outcome === 'ok' && message !== null);
  const spoken = new Set(said.map(({ code: rule, rule: id }) => `${rule} ${id}`));
  const quiet = rulesThatAre('ok', found).filter((name) => !spoken.has(name));
  const out = rulesThatAre('not-applicable', found);
  const checked = [
    ...said.slice(0, rows).map(({ code: rule, summary }) => `- ${rule} ${prose(summary)}`),
    ...(quiet.length === 0 ? [] : [`- Checked, no problem: ${quiet.join(', ')}`]),
    ...(out.length === 0 ? [] : [`- Do not apply to this host: ${out.join(', ')}`]),
  ];
  return [
    ...(told.length === 0 ? [] : ['### Findings', '']),
    ...told.slice(0, rows).flatMap((finding) => findingLines(finding, rows)),
    ...more(told.length - rows),
    ...(checked.length === 0 ? [] : folded('Also checked', checked)),
  ];
}

function findingLines(finding: ReportFinding, rows: number): string[] {
  const { outcome, code: rule, rule: id, certainty, title, place, summary, evidence, remedies } = finding;
  const costs = impactWords(finding);
  return [
    `#### ${outcomeWords[outcome]} ${rule} ${id}${certainty === null ? '' : ` (${certainty})`}`,
    '',
    `**${prose(`${title}${placeWords(place)}`)}**${costs.length === 0 ? '' : `: ${costs.join(', ')}`}`,
    '',
    prose(summary),
    '',
    ...remedies
      .slice(0, rows)
      .flatMap(({ action, command, verify, undo, lasts }, index) => [
        `${index + 1}. ${prose(action)}`,
        '',
        ...typed('', command, '   ').slice(1),
        ...typed('   Check:', verify, '   '),
        ...typed('   Undo:', undo, '   '),
        ...typed('   Lasts:', lasts, '   '),
      ]),
    ...(evidence.length === 0
      ? []
      : folded(`Evidence of ${rule}: ${evidence.length} reading${evidence.length === 1 ? '' : 's'}`, [
          ...evidenceLines(finding, rows),
        ])),
    '',
  ];
}

function evidenceLines({ evidence }: ReportFinding, rows: number): string[] {
  const sources = [...new Set(evidence.map(({ source }) => source).filter((source) => source !== ''))];
  const telling = tellingEvidence(evidence);
  const { shared, table } = evidenceTable(telling);
  const hidden = evidence.length - telling.length;
  return [
    ...(shared === '' ? [] : [`All of ${code(shared)}:`, '']),
    ...drawTable(table, telling.slice(0, rows)),
    '',
    ...(hidden === 0 ? [] : [`${zeroWords(hidden)}.`, '']),
    ...more(telling.length - rows),
    ...(sources.length === 0
      ? []
      : [
          `Read from ${sources
            .slice(0, rows)
            .map((source) => code(source))
            .join(', ')}.`,
        ]),
  ];
}

/** The packet sockets alone. */
export function tapsPage(found: Report['taps']): string {
  return `${taps({ taps: found }, Infinity).join('\n').trim()}\n`;
}

function taps({ taps: found }: Pick<Report, 'taps'>, rows: number): string[] {
  if (found.length === 0) return [];
  const hot = found.filter(({ onHotPath }) => onHotPath).length;
  const shown = found.slice(0, rows);
  return [
    '### Packet sockets and their cost',
    '',
    `${found.length} packet socket${found.length === 1 ? '' : 's'}, ${hot} on the path of every packet.`,
    '',
    ...drawTable(packetSocketTable(found), shown),
    '',
    ...more(found.length - shown.length),
  ];
}

function cost({ cost: found, profile, host: { machine } }: Report, rows: number): string[] {
  const { host, devices, cpus } = found;
  const busy = busyCpus(cpus);
  const rulers = rulerWords({ cost: found, ...(profile === undefined ? {} : { profile }) });
  return [
    '### Cost of a packet',
    '',
    ...hostFigures(found).map(({ label, value, note }) => `- ${value} ${label} (${note})`),
    ...(rulers === undefined ? [] : [`- ${rulers}`]),
    ...(host.reason === null ? [] : [`- Not priced: ${prose(host.reason)}.`]),
    ...host.breakdown.map(
      ({ part, ns, share }) =>
        `- ${formats.percent(share)} ${partWords[part].name}: ${formats.ns(ns)}, ${partWords[part].contains}`,
    ),
    '',
    ...(profile === undefined ? [] : profileSection(profile, machine, rows)),
    ...(devices.length === 0 ? [] : folded(`Devices: ${devices.length}`, firstOf(deviceTable, devices, rows))),
    ...(busy.length === 0 ? [] : folded(`CPUs with packet work: ${busy.length}`, firstOf(cpuTable, busy, rows))),
  ];
}

function profileSection(profile: Profile, machine: string | null, rows: number): string[] {
  return [
    ...profile.directions
      .filter(({ samples }) => samples > 0)
      .flatMap((direction) => {
        const { title, rows: shown, below, lines } = directionWords(direction, rows);
        return [
          `${prose(title)}.`,
          '',
          ...(shown.length === 0 ? [] : [...drawTable(partTable, shown), '']),
          ...(shown.length === 0 || below === '' ? [] : [`${below}.`, '']),
          ...(shown.length === 0 ? [] : lines.flatMap((line) => [prose(line), ''])),
        ];
      }),
    ...(profile.devices.length === 0
      ? []
      : folded(
          `Watched devices by price: ${profile.devices.length}`,
          firstOf(deviceProfileTable, profile.devices, rows),
        )),
    prose(samplingWords(profile, machine)),
    '',
  ];
}

function drops(report: Report, rows: number): string[] {
  const { rows: lost, none, unknown } = lossesOf(report);
  return [
    '### Drops',
    '',
    ...(lost.length === 0 ? [] : firstOf(lossTable, lost, rows)),
    ...(none.length === 0 ? [] : [`None counted: ${prose(none.join('; '))}.`, '']),
    ...(unknown.length === 0 ? [] : [`Not known: ${prose(unknown.join('; '))}.`, '']),
  ];
}

function notMeasured({ notMeasured: lacking, collectors }: Report, rows: number): string[] {
  const groups = collectorGroups(collectors.filter(({ status }) => status === 'partial' || status === 'unavailable'));
  if (lacking.length + groups.length === 0) return [];
  return [
    '### Not measured, and why',
    '',
    ...lacking.slice(0, rows).map(({ reason, sources, rules }) => {
      const from = sources.length === 0 ? '' : ` (${few(sources)})`;
      return `- ${rules.join(', ')}: ${prose(`${reason}${from}`)}`;
    }),
    ...more(lacking.length - rows),
    '',
    ...(groups.length === 0
      ? []
      : folded(`Collectors that lack something: ${groups.length}`, [
          ...groups.slice(0, rows).map(({ row, why, netns }) => {
            const at = netns.length === 0 ? '' : `, in namespace ${few(netns)}`;
            return `- ${row.id}, ${row.status}: ${prose(`${why}${at}`)}`;
          }),
          ...more(groups.length - rows),
        ])),
  ];
}

function run({ probe, thresholds, baseline, tool, schemaVersion }: Report, rows: number): string[] {
  return [
    ...(thresholds.length === 0
      ? []
      : [
          'Limits the configuration changed:',
          '',
          ...thresholds.slice(0, rows).map(({ code: rule, name, value, default: usual, unit }) => {
            const before = usual === null ? '' : `, ${significant(usual)} by default`;
            return `- ${prose(`${rule} ${name}`)}: ${significant(value)}${before}${unit === null ? '' : ` (${prose(unit)})`}`;
          }),
          '',
        ]),
    ...(baseline === null ? [] : [`Compared with ${code(baseline)}.`, '']),
    ...(probe.plan.length === 0
      ? []
      : folded('What the probe was attached to, and what not', drawTable(planTable, probe.plan.slice(0, rows)))),
    `pktcost ${prose(tool.version)}, report schema ${prose(schemaVersion)}.`,
  ];
}

/** The first rows of a table, and how many more there are. */
function firstOf<Row>(table: Table<Row>, of: readonly Row[], rows: number): string[] {
  return [...drawTable(table, of.slice(0, rows)), '', ...more(of.length - rows)];
}

function more(left: number): string[] {
  return left > 0 ? [`And ${formats.count(left)} more in the JSON report.`, ''] : [];
}
