import { nearest, UsageError } from '../../base/usage.ts';
import type { Report, ReportFinding } from '../../generated/report.ts';

const outcomes = ['warning', 'critical'] as const;
type Least = (typeof outcomes)[number];

/** One of the things that a watch waits for: that a rule, or any, comes to this or worse. */
interface Term {
  /** Undefined for any rule. */
  readonly code: string | undefined;
  readonly least: Least;
}

export type Condition = readonly Term[];

interface NamedCondition {
  readonly code: string;
  readonly id: string;
}

/**
 * What `--until` says: outcomes, codes and names of rules, and a rule with an outcome (`PKT0405:critical`), with commas in
 * between; one of them is enough.
 * @throws UsageError for a word that is none of these
 */
export function parseCondition(text: string, rules: readonly NamedCondition[]): Condition {
  return text
    .split(',')
    .map((word) => word.trim())
    .map((word) => termOf(word, rules));
}

function termOf(word: string, rules: readonly NamedCondition[]): Term {
  const [name = '', outcome = 'warning', ...more] = word.split(':');
  if (isLeast(name) && !word.includes(':')) return { code: undefined, least: name };
  const rule = rules.find(({ code, id }) => code === name.toUpperCase() || id === name.toLowerCase());
  if (rule !== undefined && isLeast(outcome) && more.length === 0) return { code: rule.code, least: outcome };
  const known = [...outcomes, ...rules.flatMap(({ code, id }) => [code, id])];
  const near = nearest(name, known);
  const hint =
    rule !== undefined
      ? `after ${name}: comes warning or critical`
      : near === undefined || near === name
        ? 'it takes warning, critical, a code such as PKT0405, or the name of a rule (pktcost rules lists them)'
        : `did you mean "${near}"?`;
  throw new UsageError(`--until "${word}": ${hint}`);
}

function isLeast(text: string): text is Least {
  return outcomes.some((outcome) => outcome === text);
}

/** The finding for which it is met, as its window's line names it: a critical one before others, else the first of the report; undefined where it is not. */
export function metBy({ findings }: Pick<Report, 'findings'>, condition: Condition): ReportFinding | undefined {
  const met = findings.filter((finding) =>
    condition.some(
      ({ code, least }) =>
        (code === undefined || code === finding.code) && (finding.outcome === 'critical' || finding.outcome === least),
    ),
  );
  return met.find(({ outcome }) => outcome === 'critical') ?? met[0];
}
