import type { Signal } from '../facts/signal.ts';
import type { Expression } from '../metrics/expression.ts';
import type { Labels } from '../metrics/metric.ts';
import type { Missing } from '../metrics/window.ts';
import type { Argument, FindingCertainty, ProofComparator, FindingImpact, FindingPlace, Advice } from './finding.ts';
import type { Role } from '../generated/report.ts';

/** A signal the rule can do without. */
export interface Optional {
  readonly kind: 'optional';
  readonly of: Expression;
  /** What the rule finds may rest on it: where it could not be read, nothing is in order. */
  readonly decides: boolean;
}

/** All points of an expression within the instance: taps, IRQs, sockets. Empty is an answer; missing is not. */
export interface List {
  readonly kind: 'list';
  readonly of: Expression;
  readonly required: boolean;
  readonly decides: boolean;
}

export type SignalSpec = Expression | Optional | List;

export function optional(of: Expression): Optional {
  return { kind: 'optional', of, decides: false };
}

/**
 * A signal that some kernels do not have and that a finding may rest on. Missing from a host that was looked at it reads as
 * undefined, like any optional one; where it could not be read the rule may still fire by the others, and else is not measured.
 */
export function deciding(of: Expression): Optional {
  return { kind: 'optional', of, decides: true };
}

export function list(of: Expression): List {
  return { kind: 'list', of, required: true, decides: true };
}

/** A list the rule can do without: missing reads as empty. */
export function optionalList(of: Expression): List & { readonly required: false } {
  return { kind: 'list', of, required: false, decides: false };
}

/** The same of a list: an empty one that could not be read proves nothing. */
export function decidingList(of: Expression): List & { readonly required: false } {
  return { kind: 'list', of, required: false, decides: true };
}

export type Signals = Readonly<Record<string, SignalSpec>>;

export type Given<S extends Signals> = {
  readonly [K in keyof S]: S[K] extends List ? readonly Signal[] : S[K] extends Optional ? Signal | undefined : Signal;
};

/** What a rule is given, as the engine gathers it: by the kind of the signal one point, none, or a list. */
export type Readings = Readonly<Record<string, Signal | readonly Signal[] | undefined>>;

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

/** The instance a rule is asked about: its labels ('netns' is '' for pktcost's own), and how long it was looked at. */
export interface Instance {
  readonly labels: Labels;
  readonly netns: string;
  /**
   * Seconds in which the counters of the rule rose as much as they did: those between the two readings of the first of its signals that
   * counts something. Files are read one after the other, and a probe that left early was last read then.
   */
  readonly seconds: number;
  /** Counters are since boot, for there was one sample only: no rate of now can be told. */
  readonly oneSample: boolean;
  /** Names of the signals without a value here because they could not be read; those that this host has none of are not among them. */
  readonly unread: ReadonlySet<string>;
  /** Names of those of which a part is known to be missing: a CPU, a device. What the rest shows may be explained by it. */
  readonly partly: ReadonlySet<string>;
}

/** Which signals prove the conclusion, each with what it was compared with; `null` shows a signal without a limit. */
export type Proof<K extends string> = { readonly [S in K]?: readonly [ProofComparator, number] | null };

/** What a conclusion shows: its message with the figures, the proof, advice, and where it sits. */
export interface Shown<M extends string, K extends string> {
  readonly message?: M;
  readonly args?: Readonly<Record<string, Argument>>;
  readonly evidence?: Proof<K>;
  readonly remedies?: readonly Advice[];
  readonly place?: FindingPlace;
  readonly impact?: FindingImpact;
}

export type Conclusion<M extends string = string, K extends string = string> =
  | ({ readonly outcome: 'critical' | 'warning'; readonly certainty: FindingCertainty; readonly message: M } & Shown<
      M,
      K
    >)
  | ({ readonly outcome: 'info' | 'ok'; readonly certainty?: FindingCertainty } & Shown<M, K>)
  | { readonly outcome: 'not-measured'; readonly reason: string }
  | { readonly outcome: 'not-applicable'; readonly reason: string };

type Fired<M extends string, K extends string> = Shown<M, K> & {
  readonly certainty: FindingCertainty;
  readonly message: M;
};

export function critical<const M extends string, K extends string>(said: Fired<M, K>): Conclusion<M, K> {
  return { outcome: 'critical', ...said };
}

export function warning<const M extends string, K extends string>(said: Fired<M, K>): Conclusion<M, K> {
  return { outcome: 'warning', ...said };
}

export function info<const M extends string, K extends string>(
  said: Shown<M, K> & { readonly certainty?: FindingCertainty },
): Conclusion<M, K> {
  return { outcome: 'info', ...said };
}

/** Measured and found in order; a message is for what is worth saying all the same ("taps present, cost negligible"). */
export function ok<const M extends string, K extends string>(
  said: Shown<M, K> & { readonly certainty?: FindingCertainty } = {},
): Conclusion<M, K> {
  return { outcome: 'ok', ...said };
}

export function notMeasured(reason: string): Conclusion<never, never> {
  return { outcome: 'not-measured', reason };
}

export function notApplicable(reason: string): Conclusion<never, never> {
  return { outcome: 'not-applicable', reason };
}

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

/** What a CPU does in a window of a watch, of the busiest there is. */
export interface WatchedLoad {
  /** Share of its time for softirq and interrupts. */
  readonly share: number;
  readonly packetsPerSecond: number;
  /** Share of the time that somebody waited for memory, or all of a CPU for interrupts. */
  readonly waiting: number;
  /** What other machines of the same host took of all CPUs together, in CPUs. */
  readonly stolen: number;
}

/** From what load on a rule is looked at, well below its own limits; or why it is enough to do so when all is read. */
export type Watched = { readonly from: Partial<WatchedLoad> } | { readonly seldom: string };

export interface RuleSpec<S extends Signals, T extends Thresholds, M extends Readonly<Record<string, string>>> {
  /** PKT and four digits: stable, never reused. */
  readonly code: string;
  /** The file's name: a noun, as in an alert. */
  readonly id: string;
  readonly role: Role;
  readonly title: string;
  /** Labels of one instance: the engine runs the rule once for each namespace, device, CPU or node. [] is the host. */
  readonly scope: readonly string[];
  readonly signals: S;
  readonly thresholds: T;
  /**
   * When a watch looks at it, where that is not whenever something of it moved that need not move on a healthy host: about load rather
   * than loss, or seldom.
   */
  readonly watched?: Watched;
  /** Message code -> words, with `{name:format}` for arguments; formats are in report/words.ts. */
  readonly messages: M;
  /** Why there is no instance at all, when none is found and nothing was missing. */
  readonly none?: string;
  conclude(signals: Given<S>, limits: Limits<T>, at: Instance): Conclusion<keyof M & string, keyof S & string>;
  /** Whether what is in order stands although this deciding signal could not be read, for the others bound what it can be. */
  stands?(unread: keyof S & string, signals: Given<S>, limits: Limits<T>, at: Instance, why: Missing): boolean;
  /** The same for a server of metrics, or why a server cannot say it. */
  readonly alert?: Alerting<S, T> | Unsaid;
}

/** A rule as the engine sees it: the types of its own signals, limits and messages are known in its file only. */
export type Rule = Omit<RuleSpec<Signals, Thresholds, Readonly<Record<string, string>>>, 'conclude' | 'stands'> & {
  conclude(signals: Readings, limits: Limits<Thresholds>, at: Instance): Conclusion;
  stands?(unread: string, signals: Readings, limits: Limits<Thresholds>, at: Instance, why: Missing): boolean;
};

/** Limits changed by `--config`: code -> threshold name -> value. */
export type Overrides = Readonly<Record<string, Readonly<Record<string, number>>>>;

export function limitsOf({ code, thresholds }: Rule, overrides: Overrides): Limits<Thresholds> {
  return Object.fromEntries(
    Object.entries(thresholds).map(([name, { value }]) => [name, overrides[code]?.[name] ?? value]),
  );
}

/** Checks a rule against its own signals, limits and messages, and forgets them. */
export function defineRule<
  const S extends Signals,
  const T extends Thresholds,
  const M extends Readonly<Record<string, string>>,
>(rule: RuleSpec<S, T, M>): Rule {
  return rule;
}
