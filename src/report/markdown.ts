import type { Report, ReportFinding, Span } from '../generated/report.ts';
import { againstBaseline, type AgainstBaseline } from './against-baseline.ts';
import { code, fenced, folded, prose, table } from './markdown-text.ts';
import {
  collectorGroups,
  few,
  hostFactsOf,
  hostFigures,
  impactWords,
  lossesOf,
  outcomeWords,
  ownCost,
  ownerWords,
  partWords,
  pathWords,
  placed,
  probeState,
  ringWords,
  tally,
  timed,
  verdictWord,
  windowWords,
} from './phrases.ts';
import { limitOf, seriesName, withUnit } from './units.ts';
import { fired, where } from './verdict.ts';
import { formats, significant } from './words.ts';

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

const right = { align: 'right' } as const;

function document(report: Report, against: AgainstBaseline | undefined, rows: number): string {
  const lines = [
    ...head(report, against),
    ...findings(report, rows),
    ...taps(report, rows),
    ...cost(report, rows),
    ...drops(report, rows),
    ...notMeasured(report, rows),
    ...run(report, rows),
  ];
  return `${lines
    .join('\n')
    .replace(/\n{3,}/g, '\n\n')
    .trimEnd()}\n`;
}

function head(report: Report, against: AgainstBaseline | undefined): string[] {
  const { verdict, findings: found } = report;
  const principal = verdict.principal === null ? undefined : found[0];
  const certainty = verdict.certainty === null ? '' : ` (${verdict.certainty})`;
  const command = principal?.remedies.find((each) => each.command !== null)?.command ?? null;
  const others = found.filter(fired).slice(1);
  const counts = tally(report).map(({ outcome, rules }) => `${rules} ${outcomeWords[outcome].toLowerCase()}`);
  const facts = [...hostFactsOf(report), report.window.startedAt, windowWords(report)];
  return [
    `## pktcost: ${verdictWord(report)}${certainty}${principal === undefined ? '' : `, ${principal.code} ${principal.rule}`}`,
    '',
    `**${prose(verdict.headline)}**`,
    '',
    ...(command === null ? [] : [...fenced(command), '']),
    ...(others.length === 0 ? [] : ['Also found:', '', ...others.slice(0, 6).map(oneLine)]),
    ...(others.length > 6 ? [`- and ${others.length - 6} more below`] : []),
    '',
    ...(against === undefined ? [] : [`Against ${code(against.name)}: ${prose(against.words)}`, '']),
    facts.map(prose).join(' · '),
    '',
    `- Checks: ${counts.join(', ')}.`,
    `- Probe: ${prose(probeState(report.probe))}.`,
    `- Cost of asking: ${[...ownCost(report.selfCost), changes(report)].join(', ')}.`,
    '',
  ];
}

function changes({ selfCost }: Report): string {
  if (selfCost.actions.length === 0) return 'nothing changed on the host';
  return selfCost.actions
    .slice(0, 5)
    .map(({ action, restored }) => `${prose(action)}${restored === false ? ' (**not put back**)' : ''}`)
    .join('; ');
}

function oneLine({ outcome, code: rule, summary }: ReportFinding): string {
  return `- ${outcomeWords[outcome]} ${rule}: ${prose(summary)}`;
}

function findings({ findings: found }: Report, rows: number): string[] {
  const told = found.filter((finding) => fired(finding) || finding.outcome === 'info');
  const said = found.filter(({ outcome, message }) => outcome === 'ok' && message !== null);
  const quiet = found.filter(({ outcome, message }) => outcome === 'ok' && message === null);
  const out = found.filter(({ outcome }) => outcome === 'not-applicable');
  const names = (of: readonly ReportFinding[]): string =>
    [...new Set(of.map(({ code: rule, rule: id }) => `${rule} ${id}`))].join(', ');
  const checked = [
    ...said.slice(0, rows).map(({ code: rule, summary }) => `- ${rule} ${prose(summary)}`),
    ...(quiet.length === 0 ? [] : [`- Nothing of the kind seen: ${names(quiet)}`]),
    ...(out.length === 0 ? [] : [`- Do not apply to this host: ${names(out)}`]),
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
    `**${prose(`${title}${where(place)}`)}**${costs.length === 0 ? '' : `: ${costs.join(', ')}`}`,
    '',
    prose(summary),
    '',
    ...remedies
      .slice(0, rows)
      .flatMap(({ action, command, verify }, index) => [
        `${index + 1}. ${prose(action)}`,
        '',
        ...(command === null ? [] : [...fenced(command, 'sh', '   '), '']),
        ...(verify === null ? [] : ['   Then check:', '', ...fenced(verify, 'sh', '   '), '']),
      ]),
    ...(evidence.length === 0
      ? []
      : folded(`Evidence of ${rule}: ${evidence.length} reading${evidence.length === 1 ? '' : 's'}`, [
          ...evidenceTable(finding, rows),
        ])),
    '',
  ];
}

function evidenceTable({ evidence }: ReportFinding, rows: number): string[] {
  const number = (value: number | null): string => (value === null ? '-' : significant(value));
  const shown = evidence.slice(0, rows);
  const sources = [...new Set(evidence.map(({ source }) => source).filter((source) => source !== ''))];
  return [
    ...table(
      [
        { head: 'Reading' },
        { head: 'Before', ...right },
        { head: 'After', ...right },
        { head: 'Value', ...right },
        { head: 'Limit', ...right },
      ],
      shown.map((line) => [
        code(seriesName(line), 600),
        number(line.before),
        number(line.after),
        prose(withUnit(line.value, line.unit)),
        prose(limitOf(line)),
      ]),
    ),
    '',
    ...more(evidence.length - shown.length),
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

function taps({ taps: found }: Report, rows: number): string[] {
  if (found.length === 0) return [];
  const hot = found.filter(({ onHotPath }) => onHotPath).length;
  const shown = found.slice(0, rows);
  return [
    '### Taps and their bill',
    '',
    `${found.length} packet socket${found.length === 1 ? '' : 's'}, ${hot} on the path of every packet.`,
    '',
    ...table(
      [
        { head: 'Owner' },
        { head: 'Device' },
        { head: 'Sees' },
        { head: 'Hook' },
        { head: 'Ring, fanout' },
        { head: 'Filter' },
        { head: 'Price per packet', ...right },
      ],
      shown.map((tap) => [
        code(ownerWords(tap)),
        code(placed(tap.device, tap.netns)),
        prose(pathWords(tap)),
        code(tap.hook),
        prose(ringWords(tap)),
        prose(tap.filter ?? 'not known'),
        tap.nsPerPacket === null ? '-' : prose(`${formats.ns(tap.nsPerPacket)} ${tap.priceCertainty ?? ''}`.trim()),
      ]),
    ),
    '',
    ...more(found.length - shown.length),
  ];
}

function cost({ cost: found }: Report, rows: number): string[] {
  const { host, devices, cpus } = found;
  const busy = cpus
    .filter(({ softirqSeconds, packets }) => (softirqSeconds ?? 0) > 0 || (packets ?? 0) > 0)
    .sort((a, b) => (b.softirqShare ?? 0) - (a.softirqShare ?? 0));
  return [
    '### Cost of a packet',
    '',
    ...hostFigures(found).map(({ label, value, note }) => `- ${value} ${label} (${note})`),
    ...(host.reason === null ? [] : [`- Not priced: ${prose(host.reason)}.`]),
    ...host.breakdown.map(
      ({ part, ns, share }) =>
        `- ${formats.percent(share)} ${partWords[part].name}: ${formats.ns(ns)}, ${partWords[part].contains}`,
    ),
    '',
    ...(devices.length === 0 ? [] : folded(`Devices: ${devices.length}`, deviceTable(devices, rows))),
    ...(busy.length === 0 ? [] : folded(`CPUs with packet work: ${busy.length}`, cpuTable(busy, rows))),
  ];
}

function deviceTable(devices: Report['cost']['devices'], rows: number): string[] {
  const count = (value: number | null): string => (value === null ? '-' : formats.count(value));
  const ns = (value: number | null | undefined): string =>
    value === null || value === undefined ? '-' : formats.ns(value);
  const shown = devices.slice(0, rows);
  return [
    ...table(
      [
        { head: 'Device' },
        { head: 'Driver' },
        { head: 'Frames', ...right },
        { head: 'Dropped', ...right },
        { head: 'Of it missed', ...right },
        { head: 'Timed span' },
        { head: 'Floor', ...right },
        { head: 'p50', ...right },
        { head: 'p99', ...right },
        { head: 'Max', ...right },
      ],
      shown.map((device) => {
        const span = mostTimed(device);
        return [
          code(placed(device.device, device.netns)),
          device.driver === null ? '-' : prose(device.driver),
          formats.rate(device.packetsPerSecond),
          count(device.dropped),
          count(device.missed),
          span === undefined ? prose(device.reason ?? 'no packet came by') : prose(`${span.kind} (${span.mode})`),
          ...[span?.floorNs, span?.p50Ns, span?.p99Ns, span?.maxNs].map(ns),
        ];
      }),
    ),
    '',
    ...more(devices.length - shown.length),
  ];
}

/** The taps span where there is one: it is the one that prices what can be removed. */
function mostTimed(device: Report['cost']['devices'][number]): (Span & { readonly kind: string }) | undefined {
  if (!timed(device)) return undefined;
  for (const kind of ['taps', 'stack', 'forward'] as const) {
    const span = device.spans?.[kind] ?? null;
    if (span !== null && span.count > 0) return { ...span, kind };
  }
  return undefined;
}

function cpuTable(cpus: Report['cost']['cpus'], rows: number): string[] {
  const figure = (value: number | null, format: (value: number) => string): string =>
    value === null ? '-' : format(value);
  const shown = cpus.slice(0, rows);
  return [
    ...table(
      [
        { head: 'CPU' },
        { head: 'Node', ...right },
        { head: 'Set apart by' },
        { head: 'Softirq', ...right },
        { head: 'Packets', ...right },
        { head: 'Per packet', ...right },
        { head: 'Taps', ...right },
        { head: 'Dropped', ...right },
        { head: 'Squeezed', ...right },
      ],
      shown.map((cpu) => [
        prose(cpu.cpu),
        cpu.numaNode === null ? '-' : String(cpu.numaNode),
        cpu.dedicatedBy.length === 0 ? '-' : prose(cpu.dedicatedBy.join(', ')),
        figure(cpu.softirqShare, formats.percent),
        figure(cpu.packetsPerSecond, formats.rate),
        figure(cpu.nsPerPacket, formats.ns),
        figure(cpu.tapShare, formats.percent),
        figure(cpu.dropped, formats.count),
        figure(cpu.squeezed, formats.count),
      ]),
    ),
    '',
    ...more(cpus.length - shown.length),
  ];
}

function drops(report: Report, rows: number): string[] {
  const { rows: lost, none, unknown } = lossesOf(report);
  const shown = lost.slice(0, rows);
  return [
    '### Drops',
    '',
    ...(shown.length === 0
      ? []
      : [
          ...table(
            [{ head: 'Where' }, { head: 'What' }, { head: 'Lost', ...right }, { head: 'Per second', ...right }],
            shown.map((loss) => [
              code(loss.where),
              prose(loss.counts),
              loss.packets === null ? '-' : formats.count(loss.packets),
              loss.perSecond === null ? '-' : formats.rate(loss.perSecond),
            ]),
          ),
          '',
        ]),
    ...more(lost.length - shown.length),
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
      : folded(
          'What the probe was attached to, and what not',
          table(
            [{ head: 'Device' }, { head: 'Span' }, { head: 'Attached' }, { head: 'Why' }],
            probe.plan
              .slice(0, rows)
              .map(({ device, netns, span, mode, attach, reason }) => [
                device === '' ? 'host' : code(placed(device, netns)),
                prose(mode === null ? span : `${span} (${mode})`),
                attach ? 'yes' : 'no',
                prose(reason),
              ]),
          ),
        )),
    `pktcost ${prose(tool.version)}, report schema ${prose(schemaVersion)}.`,
  ];
}

function more(left: number): string[] {
  return left > 0 ? [`And ${formats.count(left)} more in the JSON report.`, ''] : [];
}
