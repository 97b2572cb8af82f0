import type { Report } from '../../generated/report.ts';
import { compareReports } from './index.ts';

export interface AgainstBaseline {
  /** What the baseline was called. */
  readonly name: string;
  /** The first sentence of `compare`, and what makes the two hard to compare. */
  readonly words: string;
}

/** The report held against the one that was given with --baseline. */
export function againstBaseline(report: Report, baseline: Report | null | undefined): AgainstBaseline | undefined {
  if (baseline === null || baseline === undefined) return undefined;
  const name = report.baseline ?? 'the baseline';
  // Of a redacted baseline only the figures are left (bundle/redact.ts): what it does not list has not come since.
  const after = baseline.findings.length === 0 ? { ...report, findings: [], taps: [] } : report;
  const { headline, caveats } = compareReports(
    { source: name, report: baseline },
    { source: 'this report', report: after },
    report.tool.version,
  );
  return { name, words: caveats.length === 0 ? headline : `${headline} Hard to compare: ${caveats.join('; ')}.` };
}
