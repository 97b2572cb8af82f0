import type { Expression } from '../metrics/expression.ts';
import type { Alert } from './alert.ts';
import { limitsOf, type Overrides, type Rule } from './rule.ts';

export type Raised = { readonly [S in Severity]?: Alert };
export type Severity = 'critical' | 'warning';

/** The alerts of a rule, its limits changed by `overrides`; none where the rule is left to pktcost. */
export function raisedBy(rule: Rule, overrides: Overrides = {}): Raised {
  if (rule.alert === undefined || 'none' in rule.alert) return {};
  const limits = limitsOf(rule, overrides);
  const signals = Object.fromEntries(
    Object.entries(rule.signals).map(([name, spec]): [string, Expression] => [name, 'kind' in spec ? spec.of : spec]),
  );
  return rule.alert.raise(signals, limits);
}
