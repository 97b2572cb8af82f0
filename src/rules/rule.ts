import type { Expression } from '../metrics/expression.ts';
import type { Labels } from '../metrics/metric.ts';
import type { Alerting, Unsaid } from './alert.ts';
import type { Argument, Certainty, Comparison, Impact, Place, Remedy, Role } from './finding.ts';

/** A plain reading handed to a rule. */
export interface Signal {
  readonly value: number;
  readonly labels: Labels;
}

/** A signal the rule can do without. */
export interface Optional {
  readonly kind: 'optional';
  readonly of: Expression;
}

/** All points of an expression within the instance: taps, IRQs, sockets. Empty is an answer; missing is not. */
export interface List {
  readonly kind: 'list';
  readonly of: Expression;
  readonly required: boolean;
}

export type SignalSpec = Expression | Optional | List;

export function optional(of: Expression): Optional {
  return { kind: 'optional', of };
}

export function list(of: Expression): List {
  return { kind: 'list', of, required: true };
}

/** A list the rule can do without: missing reads as empty. */
export function optionalList(of: Expression): List & { readonly required: false } {
  return { kind: 'list', of, required: false };
}

export type Signals = Readonly<Record<string, SignalSpec>>;

export type Given<S extends Signals> = {
  readonly [K in keyof S]: S[K] extends List ? readonly Signal[] : S[K] extends Optional ? Signal | undefined : Signal;
};

export interface Threshold {
  readonly value: number;
  readonly unit: string;
  /** What it means, for `rules explain` and the configuration. */
  readonly help: string;
  /** Where the number comes from: a kernel file, a peer, or our own measurement. */
  readonly source: string;
}

export type Thresholds = Readonly<Record<string, Threshold>>;

export type Limits<T extends Thresholds> = { readonly [K in keyof T]: number };

/** The instance a rule is asked about: its labels ('netns' is '' for pktcost's own), and the length of the window. */
export interface Instance {
  readonly labels: Labels;
  readonly netns: string;
  readonly seconds: number;
}

/** Which signals prove the conclusion, each with what it was compared with; `null` shows a signal without a limit. */
export type Proof<K extends string> = { readonly [S in K]?: readonly [Comparison, number] | null };

interface Said<M extends string, K extends string> {
  readonly message?: M;
  readonly args?: Readonly<Record<string, Argument>>;
  readonly evidence?: Proof<K>;
  readonly remedies?: readonly Remedy[];
  readonly place?: Place;
  readonly impact?: Impact;
}

export type Conclusion<M extends string = string, K extends string = string> =
  | ({ readonly outcome: 'critical' | 'warning'; readonly certainty: Certainty; readonly message: M } & Said<M, K>)
  | ({ readonly outcome: 'info' | 'ok'; readonly certainty?: Certainty } & Said<M, K>)
  | { readonly outcome: 'not-measured'; readonly reason: string }
  | { readonly outcome: 'not-applicable'; readonly reason: string };

type Fired<M extends string, K extends string> = Said<M, K> & { readonly certainty: Certainty; readonly message: M };

export function critical<const M extends string, K extends string>(said: Fired<M, K>): Conclusion<M, K> {
  return { outcome: 'critical', ...said };
}

export function warning<const M extends string, K extends string>(said: Fired<M, K>): Conclusion<M, K> {
  return { outcome: 'warning', ...said };
}

export function info<const M extends string, K extends string>(
  said: Said<M, K> & { readonly certainty?: Certainty },
): Conclusion<M, K> {
  return { outcome: 'info', ...said };
}

/** Measured and found in order; a message is for what is worth saying all the same ("taps present, cost negligible"). */
export function ok<const M extends string, K extends string>(
  said: Said<M, K> & { readonly certainty?: Certainty } = {},
): Conclusion<M, K> {
  return { outcome: 'ok', ...said };
}

export function notMeasured(reason: string): Conclusion<never, never> {
  return { outcome: 'not-measured', reason };
}

export function notApplicable(reason: string): Conclusion<never, never> {
  return { outcome: 'not-applicable', reason };
}

export interface RuleSpec<S extends Signals, T extends Thresholds, M extends Readonly<Record<string, string>>> {
  /** PKT and four digits: stable, never reused. */
  readonly code: string;
  /** The file's name: a noun, as in an alert. */
  readonly id: string;
  readonly role: Role;
  readonly title: string;
  /** Section of the seed document it answers, or '-'. */
  readonly seed: string;
  /** Labels of one instance: the engine runs the rule once for each namespace, device, CPU or node. [] is the host. */
  readonly scope: readonly string[];
  readonly signals: S;
  readonly thresholds: T;
  /** Message code -> words, with `{name:format}` for arguments; formats are in report/words.ts. */
  readonly messages: M;
  /** Why there is no instance at all, when none is found and nothing was missing. */
  readonly none?: string;
  conclude(signals: Given<S>, limits: Limits<T>, at: Instance): Conclusion<keyof M & string, keyof S & string>;
  /** The same for a server of metrics, or why a server cannot say it. */
  readonly alert?: Alerting<S, T> | Unsaid;
}

/** A rule as the engine sees it. */
export type Rule = RuleSpec<Signals, Thresholds, Readonly<Record<string, string>>>;

/** Limits changed by `--config`: code -> threshold name -> value. */
export type Overrides = Readonly<Record<string, Readonly<Record<string, number>>>>;

export function limitsOf({ code, thresholds }: Rule, overrides: Overrides): Limits<Thresholds> {
  return Object.fromEntries(
    Object.entries(thresholds).map(([name, { value }]) => [name, overrides[code]?.[name] ?? value]),
  );
}

export function defineRule<
  const S extends Signals,
  const T extends Thresholds,
  const M extends Readonly<Record<string, string>>,
>(rule: RuleSpec<S, T, M>): RuleSpec<S, T, M> {
  return rule;
}
