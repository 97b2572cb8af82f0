import assert from 'node:assert/strict';
import { describe, it } from 'node:test';

import { say } from '../../src/report/words.ts';
import type { Rule } from '../../src/rules/rule.ts';
import { assertAgreement } from './alerts.ts';
import { judge, windowOf, type Case } from './window.ts';

/** What every table must show: that the rule speaks, that it keeps quiet, and that missing data is not taken for quiet. */
export type Kind = 'fires' | 'ok' | 'not-measured';

const kinds: Readonly<Record<Kind, readonly Case['outcome'][]>> = {
  fires: ['critical', 'warning', 'info'],
  ok: ['ok'],
  'not-measured': ['not-measured'],
};

/**
 * Runs a rule's table of cases: each names what the first finding must be.
 * @param without kinds of outcome that this rule cannot have, as a context rule that only informs
 */
export function ruleCases(
  rule: { readonly code: string; readonly id: string },
  cases: readonly Case[],
  without: readonly Kind[] = [],
): void {
  describe(`${rule.code} ${rule.id}`, () => {
    for (const [kind, outcomes] of Object.entries(kinds)) {
      if (without.includes(kind as Kind)) continue;
      it(`has a case in which it is ${outcomes.join(' or ')}`, () => {
        assert.ok(cases.some(({ outcome }) => outcomes.includes(outcome)));
      });
    }
    const { alert } = rule as Rule;
    const differs = alert !== undefined && 'raise' in alert ? Object.keys(alert.differs ?? {}) : [];
    for (const difference of differs) {
      it(`has a case for the difference of its alert: ${difference}`, () => {
        assert.ok(cases.some(({ alertDiffers }) => alertDiffers === difference));
      });
    }
    for (const each of cases) {
      it(each.name, () => {
        const [finding] = judge(rule, each);
        assert.ok(finding !== undefined, 'a rule always says something');
        assert.equal(finding.outcome, each.outcome, JSON.stringify(finding, null, 2));
        if (each.certainty !== undefined) assert.equal(finding.certainty, each.certainty);
        if (each.message !== undefined) assert.equal(finding.message, each.message);
        // Throws when the words ask for an argument that is not given, or for a format that does not exist.
        if (finding.words !== '') say(finding.words, finding.args);
        for (const [name, expected] of Object.entries(each.args ?? {})) {
          const actual: unknown = finding.args[name];
          if (typeof expected === 'number' && typeof actual === 'number') {
            assert.ok(
              Math.abs(actual - expected) <= 1e-9 * Math.abs(expected),
              `${name}: ${actual} instead of ${expected}`,
            );
          } else assert.equal(actual, expected, name);
        }
        if (each.command !== undefined) {
          assert.match(finding.remedies.map(({ command }) => command ?? '').join('\n'), each.command);
        }
        for (const name of Object.keys(finding.args)) assert.notEqual(String(finding.args[name]), 'NaN', name);
        if (each.missing !== undefined) {
          assert.match(finding.missing.map(({ metric, reason }) => `${metric}: ${reason}`).join('\n'), each.missing);
        }
        assertAlert(rule as Rule, each);
        if (finding.outcome === 'critical' || finding.outcome === 'warning') {
          assert.ok(finding.evidence.length > 0, 'a finding that fires shows its evidence');
          assert.ok(finding.remedies.length > 0, 'a finding that fires says what to do');
        }
      });
    }
  });
}

/** The exported alert fires where the verdict does; a case that says otherwise names a difference that the rule declares. */
function assertAlert(rule: Rule, each: Case): void {
  const check = (): void => {
    assertAgreement(rule, windowOf(each), judge(rule, each));
  };
  if (each.alertDiffers === undefined) {
    check();
    return;
  }
  assert.ok(rule.alert !== undefined && 'raise' in rule.alert);
  assert.ok(each.alertDiffers in (rule.alert.differs ?? {}), `the alert declares no difference "${each.alertDiffers}"`);
  assert.throws(check, assert.AssertionError, 'the alert agrees after all');
}
