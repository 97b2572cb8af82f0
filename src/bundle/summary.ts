import type { Report } from '../generated/report.ts';
import { visible } from '../report/escape.ts';
import { briefOf } from '../report/words/brief.ts';
import { formats } from '../report/words/formats.ts';
import type { SampleRecording } from '../sources/recording.ts';
import type { Member } from './tar/format.ts';

export interface SummaryFacts {
  /** Null in a bundle without a verdict. */
  readonly report: Report | null;
  readonly host: string | null;
  readonly kernel: string | null;
  readonly before: SampleRecording;
  readonly after: SampleRecording;
  readonly version: string;
  readonly redacted: boolean;
  /** Bytes of everything that was read. */
  readonly size: number;
  readonly documents: readonly Member[];
}

const MOST_FINDINGS = 6;

const contents: Readonly<Record<string, string>> = {
  'report.txt': 'the whole report',
  'report.html': 'the same with plots, for a browser; one file, works offline',
  'report.md': 'the same for a ticket',
  'report.json': 'the same for programs',
  'config.json': 'the limits that were changed; fits --config',
  'baseline.json': 'the report of a calm time it was compared with',
};

/** summary.txt: what somebody who opens the archive without pktcost has to know, on one screen. */
export function summaryText(facts: SummaryFacts): string {
  const { report, host, kernel, before, after, version, size } = facts;
  const seconds = after.at - before.at;
  const lines = [
    `pktcost ${version}: ${visible(host ?? 'a host without a name', 60)}, kernel ${visible(kernel ?? 'unknown', 60)}`,
    `${before.takenAt} to ${after.takenAt} (${formats.seconds(seconds)})`,
    '',
    ...(report === null ? ['Recorded without a verdict: pktcost replay makes one.'] : verdictLines(report)),
    '',
    'In this folder',
    ...facts.documents.map(({ name }) => `  ${name.padEnd(14)} ${contents[name] ?? ''}`.trimEnd()),
    `  ${'before/ after/'.padEnd(14)} everything that was read at both ends (${formats.bytes(size)}), under its path on the host`,
    `  ${'manifest.json'.padEnd(14)} what was read when, and what could not be`,
    '',
    'Judge it again, offline and without root: pktcost replay THIS-FOLDER',
    facts.redacted
      ? 'Addresses and names of host, processes and namespaces are tokens (--redact), the same ones throughout.'
      : 'It holds addresses and names of host, processes and namespaces: see docs/PRIVACY.md before passing it on.',
  ];
  return `${lines.join('\n')}\n`;
}

function verdictLines(report: Report): string[] {
  const { verdict, findings, notMeasured } = report;
  const { outcome, certainty, facts } = briefOf(report);
  const worst = facts.find(({ label }) => label === 'Worst');
  const fired = findings.filter(({ outcome }) => outcome === 'critical' || outcome === 'warning');
  const shown = fired.slice(0, MOST_FINDINGS);
  return [
    `${outcome.toUpperCase()}${certainty === null ? '' : ` (${certainty})`}`,
    ...(worst === undefined ? [] : [`Worst: ${visible(worst.words, 200)}`]),
    visible(verdict.headline, 600),
    ...(shown.length === 0 ? [] : ['']),
    ...shown.map(({ code, outcome, summary }) => `  ${code} ${outcome}: ${visible(summary, 200)}`),
    ...(fired.length > shown.length ? [`  and ${fired.length - shown.length} more`] : []),
    ...(notMeasured.length === 0 ? [] : ['', `Not measured: ${notMeasured.length} things, with reasons in report.txt`]),
  ];
}
