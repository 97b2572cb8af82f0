import { randomBytes } from 'node:crypto';

import { utf8Text } from '../collectors/cursor.ts';
import type { Report } from '../generated/report.ts';
import { renderHtml } from '../report/html/index.ts';
import { renderJson } from '../report/json.ts';
import { renderMarkdown } from '../report/markdown/index.ts';
import { renderText } from '../report/text/index.ts';
import type { Overrides } from '../rules/engine.ts';
import type { SampleRecording } from '../sources/recording.ts';
import { FORMAT_VERSION, type FileEntry, type LimitsInForce, type Manifest, type RunFacts } from './manifest.ts';
import { encodeSample, safeName, sha256Of } from './sample.ts';
import { summaryText } from './summary.ts';
import type { Member } from './tar/format.ts';

export interface BundleContent {
  readonly before: SampleRecording;
  readonly after: SampleRecording;
  /** Null for a bundle without a verdict. */
  readonly report: Report | null;
  readonly run: RunFacts;
  readonly overrides: Overrides;
  /** Every limit with what the configuration changed. */
  readonly limits: LimitsInForce;
  /** The report given with --baseline. */
  readonly baseline: Report | null;
  /** Version of pktcost. */
  readonly version: string;
  readonly commandLine: readonly string[];
  /** Whether names and addresses have become tokens. */
  readonly redacted: boolean;
}

/** What a report is written as; each renderer that is added here is in every bundle. */
const renderings: readonly {
  readonly name: string;
  readonly render: (report: Report, baseline: Report | null) => string;
}[] = [
  {
    name: 'report.txt',
    render: (report, baseline) =>
      renderText(report, { colour: false, width: 100, unicode: true, verbose: true, baseline }),
  },
  {
    name: 'report.html',
    render: (report, baseline) => renderHtml(report, { baseline }),
  },
  { name: 'report.md', render: (report, baseline) => renderMarkdown(report, { baseline }) },
  { name: 'report.json', render: renderJson },
];

export interface Bundled {
  /** The folder that everything lies in. */
  readonly folder: string;
  readonly members: readonly Member[];
}

/** What a bundle holds, the summary first. */
export function bundleMembers({
  before,
  after,
  report,
  overrides,
  limits,
  baseline,
  version,
  commandLine,
  run,
  redacted,
}: BundleContent): Bundled {
  const encoded = [encodeSample('before', before), encodeSample('after', after)];
  const documents = [
    ...renderings.flatMap(({ name, render }) => (report === null ? [] : [document(name, render(report, baseline))])),
    document('config.json', json({ thresholds: overrides })),
    ...(baseline === null ? [] : [document('baseline.json', json(baseline))]),
  ];
  const host = lineOf(after, '/proc/sys/kernel/hostname');
  const kernel = lineOf(after, '/proc/sys/kernel/osrelease');
  const size = encoded.flatMap(({ members }) => members).reduce((sum, { bytes }) => sum + bytes.length, 0);
  const summary = document(
    'summary.txt',
    summaryText({ report, host, kernel, before, after, version, redacted, size, documents }),
  );
  const manifest: Manifest = {
    format: 'pktcost-bundle',
    formatVersion: FORMAT_VERSION,
    version,
    reportSchemaVersion: report?.schemaVersion ?? null,
    kernel,
    createdAt: after.takenAt,
    commandLine,
    redacted,
    run,
    thresholds: limits,
    samples: encoded.map(({ entry }) => entry),
    files: [summary, ...documents].map(fileEntry),
  };
  return {
    folder: folderName(host, after.takenAt),
    members: [
      summary,
      ...documents,
      document('manifest.json', `${JSON.stringify(manifest, undefined, 1)}\n`),
      ...encoded.flatMap(({ members }) => members),
    ],
  };
}

/** Named like a sosreport: pktcost-HOST-DATE-RANDOM. */
function folderName(host: string | null, takenAt: string): string {
  const date = takenAt.slice(0, 16).replace(/[T:]/g, '-');
  const name = safeName((host ?? 'host').split('.')[0] ?? '').slice(0, 40);
  return `pktcost-${name === '' ? 'host' : name}-${date}-${randomBytes(4).toString('hex')}`;
}

function lineOf(sample: SampleRecording, path: string): string | null {
  for (const call of sample.calls) {
    if (call.op === 'read' && call.path === path && call.answer.ok) return utf8Text(call.answer.value).trim();
  }
  return null;
}

function document(name: string, content: string): Member {
  return { name, bytes: Buffer.from(content) };
}

function json(value: unknown): string {
  return `${JSON.stringify(value, undefined, 2)}\n`;
}

function fileEntry({ name, bytes }: Member): FileEntry {
  return { name, bytes: bytes.length, sha256: sha256Of(bytes) };
}
