import type { Expression } from '../metrics/expression.ts';
import type { Limits, Signals, Thresholds } from './rule.ts';

/** A condition for a server of metrics: it fires for each point, and the point's value is what is told. */
export interface Alert {
  readonly when: Expression;
  /** One sentence; `{value}` is formatted by the unit of the condition, `{range}` is what counts are of. */
  readonly says: string;
  /** A PromQL duration that it must hold for, where the usual one does not fit. */
  readonly lasting?: string;
}

/** A rule's signals without what the engine wants to know of them. */
export type Expressions<S extends Signals> = { readonly [K in keyof S]: Expression };

/**
 * What a server of metrics can say of a rule, in the rule's own signals and limits. `warning` holds wherever the verdict
 * is a warning or worse, so that a value around the critical limit does not begin to wait anew each time it crosses it.
 */
export interface Alerting<S extends Signals, T extends Thresholds> {
  raise(signals: Expressions<S>, limits: Limits<T>): { readonly critical?: Alert; readonly warning?: Alert };
  /** Where the condition knowingly differs from conclude(): a name, for the tests, and why. */
  readonly differs?: Readonly<Record<string, string>>;
}

/** Why a rule is left to pktcost itself. */
export interface Unsaid {
  readonly none: string;
}

/** A context rule that only ever informs. */
export const informsOnly: Unsaid = { none: 'it never warns, it only informs' };
/** The spans and prices of a rule that exist for the length of a window. */
export const needsProbe: Unsaid = { none: 'its times are measured by the probe, during a diagnosis only' };
