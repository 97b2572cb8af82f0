import { shareLost, type LossByWay } from '../facts/lost.ts';
import type { Expression } from '../metrics/expression.ts';
import { worded, type Advice, type Worded } from './finding.ts';
import {
  critical,
  info,
  ok,
  warning,
  type Alert,
  type Conclusion,
  type Instance,
  type Limits,
  type Proof,
  type Threshold,
} from './rule.ts';

/** What a rule about a loss says; `ofAll` and `others` are whole phrases or empty. */
export const LOST =
  '{lost:count} packets were lost{ofAll} ({rate:rate}), {most:count} of them because {why}{where}{others}.';

export interface LossToTell<K extends string> {
  readonly lost: LossByWay;
  readonly grade: 'none' | 'warning' | 'critical';
  readonly share: number;
  /** What the share is of: `of those received`. */
  readonly of: string;
  readonly evidence: Proof<K>;
  readonly remedies: readonly Advice[];
}

/** A loss is said whatever its size; the limits only grade it. */
export function tellLoss<const K extends string>(
  { lost: { lost, ways }, grade, share, of, evidence, remedies }: LossToTell<K>,
  at: Instance,
): Conclusion<'lost', K> {
  const [first, ...others] = ways;
  if (first === undefined) return ok();
  const said = {
    certainty: 'measured',
    message: 'lost',
    args: {
      lost,
      share,
      rate: lost / at.seconds,
      most: first.lost,
      why: first.means,
      where: first.device === '' ? '' : worded(first.device, `, on ${first.device}`),
      ofAll: share > 0 && of !== '' ? worded(share, `, ${percent(share)} ${of}`) : '',
      others: otherWays(others.slice(0, 3)),
    },
    evidence,
    remedies,
    place: first.device === '' ? {} : { device: first.device },
    impact: { lostPerSecond: lost / at.seconds },
  } as const;
  if (grade === 'none') return info(said);
  return grade === 'critical' ? critical(said) : warning(said);
}

function percent(share: number): string {
  const value = share * 100;
  if (value < 0.01) return '<0.01%';
  return `${value >= 10 ? Math.min(100, Math.round(value)) : Number(value.toPrecision(2))}%`;
}

/** The same for a server of metrics, of what is counted: lost, and of all that was not. */
export function raiseLoss(
  lost: Expression,
  taken: Expression,
  limits: Limits<ReturnType<typeof lossLimits>>,
  says: string,
): { readonly critical: Alert; readonly warning: Alert } {
  return {
    critical: { when: shareLost(lost, taken, limits.lost, limits.criticalShare), says },
    warning: { when: shareLost(lost, taken, limits.lost, limits.share), says },
  };
}

/** The three limits of a loss. */
export function lossLimits(
  lost: number,
  share: number,
  criticalShare: number,
  of: string,
): { readonly lost: Threshold; readonly share: Threshold; readonly criticalShare: Threshold } {
  return {
    lost: {
      value: lost,
      unit: 'packets',
      help: 'Packets lost in the window from which it can be a warning; fewer are mentioned.',
      source: 'judgement: a few are lost on any network',
    },
    share: {
      value: share,
      unit: 'ratio',
      help: `Share of ${of} that is lost from which it is a warning.`,
      source: 'judgement: a loss of 1 in 1,000 is felt by those who wait for an answer',
    },
    criticalShare: {
      value: criticalShare,
      unit: 'ratio',
      help: `Share of ${of} that is lost from which it is critical.`,
      source: 'judgement: from one in ten a service is down rather than slow',
    },
  };
}

/** The ways after the first, each with its count. */
export function otherWays(ways: readonly { readonly lost: number; readonly means: string }[]): Worded {
  return worded(
    ways.map(({ lost, means }) => ({ lost, why: means })),
    ways.map(({ lost, means }) => `; ${lost.toLocaleString('en-US')} because ${means}`).join(''),
  );
}
