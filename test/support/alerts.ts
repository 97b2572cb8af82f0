import assert from 'node:assert/strict';

import type { Evaluation } from '../../src/metrics/expression.ts';
import type { Labels } from '../../src/metrics/metric.ts';
import type { Window } from '../../src/metrics/window.ts';
import { raisedBy } from '../../src/rules/alerts.ts';
import type { Outcome } from '../../src/generated/report.ts';
import type { Finding } from '../../src/rules/finding.ts';
import type { Rule } from '../../src/rules/rule.ts';

/** Instances that a verdict of such an outcome, and points of an alert, are about: as one word each. */
function instances(rule: Rule, labels: readonly Labels[]): string[] {
  const names = [...new Set([...rule.scope, 'netns'])];
  return [...new Set(labels.map((each) => names.map((name) => `${name}=${each[name] ?? ''}`).join(' ')))].sort();
}

interface Compared {
  readonly severity: 'critical' | 'warning';
  readonly verdict: readonly string[];
  readonly alert: readonly string[];
}

/** Where the verdict and each alert of the rule fire. A warning holds for what is critical as well. */
export function compareAlerts(rule: Rule, window: Window, findings: readonly Finding[]): Compared[] {
  const told: Readonly<Record<Compared['severity'], readonly Outcome[]>> = {
    critical: ['critical'],
    warning: ['critical', 'warning'],
  };
  const raised = raisedBy(rule);
  return (['critical', 'warning'] as const).map((severity) => {
    const none: Evaluation = { points: [], missing: [] };
    const { points } = (raised[severity] ?? raised.critical)?.when.evaluate(window) ?? none;
    return {
      severity,
      verdict: instances(
        rule,
        findings.filter(({ outcome }) => told[severity].includes(outcome)).map(({ at }) => at),
      ),
      alert: instances(
        rule,
        points.map(({ labels }) => labels),
      ),
    };
  });
}

/** An alert fires where the verdict is critical or a warning, and nowhere else. */
export function assertAgreement(rule: Rule, window: Window, findings: readonly Finding[], where = ''): void {
  if (rule.alert === undefined || 'none' in rule.alert) return;
  for (const { severity, verdict, alert } of compareAlerts(rule, window, findings)) {
    assert.deepEqual(
      alert,
      verdict,
      `${rule.code}: the ${severity} alert fires at [${alert.join('; ')}], the verdict at [${verdict.join('; ')}] ${where}`,
    );
  }
}
