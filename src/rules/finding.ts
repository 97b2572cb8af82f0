import type { Outcome, Role } from '../generated/report.ts';
import type { Labels } from '../metrics/metric.ts';
import type { Missing } from '../metrics/window.ts';

/**
 * `measured`: the mechanism itself was measured. `correlated`: its signals moved together in this window. `possible`:
 * the conditions for it are there.
 */
export type FindingCertainty = 'measured' | 'correlated' | 'possible';

export type ProofComparator = '>' | '>=' | '<' | '<=' | '==';

/** One line of proof: what was read before and after, what follows, what it was compared with, and how to ask Prometheus. */
export interface Evidence {
  readonly signal: string;
  readonly metric: string;
  /** Metrics that it is divided by. */
  readonly over: readonly string[];
  readonly labels: Labels;
  readonly before: number | null;
  readonly after: number | null;
  readonly value: number;
  readonly unit: string;
  readonly threshold: number | null;
  readonly comparison: ProofComparator | null;
  readonly source: string;
  readonly promql: string;
}

/** Advice, never carried out by pktcost. */
export interface Advice {
  /** What it does, one sentence. */
  readonly action: string;
  /** What to type. */
  readonly command?: string;
  /** What to type to see that it worked. */
  readonly verify?: string;
  /** What to type to take it back: the value as it was read. */
  readonly undo?: string;
  /** What to type so that it outlives a restart of the host. */
  readonly lasts?: string;
}

/** Where a finding sits, so that a cause and an outcome of the same process, or on the same CPU, can be linked. */
export interface FindingPlace {
  readonly netns?: string;
  readonly device?: string;
  readonly cpus?: readonly string[];
  /** Processes it is about. */
  readonly pids?: readonly string[];
}

/** What the finding costs, for ranking: the share of all the host's CPU time, and packets or connections lost per second. */
export interface FindingImpact {
  readonly cpuShare?: number;
  readonly lostPerSecond?: number;
}

/** What words were made from: figures, names, lists of them. */
export type Datum = string | number | boolean | null | readonly Datum[] | { readonly [name: string]: Datum };

/** An argument that is a piece of a sentence, with what it was made from: programs get figures, readers words. */
export interface Worded {
  readonly words: string;
  readonly data: Datum;
}

export type Argument = string | number | Worded;

/** What a piece of a sentence was made from, and the piece. */
export function worded(data: Datum, words: string): Worded {
  return { words, data };
}

/** A list as an argument, in words one after the other unless they are said otherwise. */
export function listed(data: readonly (string | number)[], words: string = data.join(', ')): Worded {
  return { words, data };
}

export interface Finding {
  readonly code: string;
  readonly rule: string;
  readonly role: Role;
  readonly outcome: Outcome;
  readonly certainty: FindingCertainty | null;
  readonly title: string;
  /** Message code of the rule, '' when there is nothing to say. */
  readonly message: string;
  /** The words of that message, with `{name:format}` for each argument. */
  readonly words: string;
  readonly args: Readonly<Record<string, Argument>>;
  /** The instance of the rule's scope: a namespace, device, CPU or node. */
  readonly at: Labels;
  /** How many instances this finding stands for; quiet ones are folded into one. */
  readonly instances: number;
  readonly place: FindingPlace;
  readonly impact: FindingImpact;
  readonly evidence: readonly Evidence[];
  readonly remedies: readonly Advice[];
  readonly missing: readonly Missing[];
}
