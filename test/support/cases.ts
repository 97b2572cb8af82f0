import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { after, describe, it } from 'node:test';

import { Window } from '../../src/metrics/window.ts';
import { say } from '../../src/report/words/say.ts';
import { evaluateRules } from '../../src/rules/engine.ts';
import type { Advice, Finding } from '../../src/rules/finding.ts';
import type { Limits, Rule, Thresholds } from '../../src/rules/rule.ts';
import { assertAgreement } from './alerts.ts';
import { breachesOf } from './law.ts';
import { assertOneSampleWords } from './one-sample.ts';
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
export function ruleCases(rule: Rule, cases: readonly Case[], without: readonly Kind[] = []): void {
  describe(`${rule.code} ${rule.id}`, () => {
    for (const [kind, outcomes] of Object.entries(kinds)) {
      if (without.includes(kind as Kind)) continue;
      it(`has a case in which it is ${outcomes.join(' or ')}`, () => {
        assert.ok(cases.some(({ outcome }) => outcomes.includes(outcome)));
      });
    }
    it('looks at each of its limits in some case', () => {
      assert.deepEqual([...limitsRead(rule, cases)].sort(), Object.keys(rule.thresholds).sort());
    });
    const { alert } = rule;
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
        const said = finding.words === '' ? '' : say(finding.words, finding.args);
        assert.doesNotMatch(said, /\d %/, 'a share is written as everywhere else');
        for (const [name, expected] of Object.entries(each.args ?? {})) {
          const given = finding.args[name];
          const actual: unknown = typeof given === 'object' ? given.words : given;
          if (typeof expected === 'number' && typeof actual === 'number') {
            assert.ok(
              Math.abs(actual - expected) <= 1e-9 * Math.abs(expected),
              `${name}: ${actual} instead of ${expected}`,
            );
          } else assert.equal(actual, expected, name);
        }
        for (const remedy of finding.remedies) assertTyped(remedy);
        if (each.command !== undefined) {
          assert.match(finding.remedies.map(({ command }) => command ?? '').join('\n'), each.command);
        }
        for (const [name, value] of Object.entries(finding.args)) {
          assert.notEqual(String(typeof value === 'object' ? value.words : value), 'NaN', name);
          // Programs get figures and names: a piece of a sentence says beside it what it was made from.
          if (typeof value === 'string') assert.doesNotMatch(value, /^[,;.( ]|%/, `${name} is words without data`);
        }
        if (each.missing !== undefined) {
          assert.match(finding.missing.map(({ metric, reason }) => `${metric}: ${reason}`).join('\n'), each.missing);
        }
        assertAlert(rule, each);
        assertOwnTime(rule, each, finding);
        assertSinceBoot(rule, each);
        assertOneSampleWords(rule, each);
        assert.deepEqual(breachesOf(rule, each), [], 'with less to go by a finding only weakens');
        if (finding.outcome === 'critical' || finding.outcome === 'warning') {
          assert.ok(finding.evidence.length > 0, 'a finding that fires shows its evidence');
          assert.ok(finding.remedies.length > 0, 'a finding that fires says what to do');
        }
      });
    }
  });
}

/** The limits that conclude() asks for in any of the cases. */
function limitsRead(rule: Rule, cases: readonly Case[]): ReadonlySet<string> {
  const read = new Set<string>();
  const watched = (limits: Limits<Thresholds>): Limits<Thresholds> =>
    new Proxy(limits, {
      get: (all, name) => {
        read.add(String(name));
        return all[String(name)];
      },
    });
  const conclude: Rule['conclude'] = (signals, limits, at) => rule.conclude(signals, watched(limits), at);
  for (const each of cases) judge({ ...rule, conclude }, each);
  return read;
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

/** What is lost per second is of the time between the two readings of what counts it, however long the window is. */
function assertOwnTime(rule: Rule, each: Case, { impact, args }: Finding): void {
  const { cells, seconds = 10, readAfter = {} } = each;
  const readings = Object.fromEntries(cells.map(([{ collector }]) => [collector, seconds]));
  const [late] = judge(rule, { ...each, seconds: 2 * seconds, readAfter: { ...readings, ...readAfter } });
  if (late?.impact.lostPerSecond === undefined || impact.lostPerSecond === undefined) return;
  assert.equal(late.impact.lostPerSecond, impact.lostPerSecond, 'lost per second of a window twice as long');
  if (typeof args['rate'] === 'number') assert.equal(late.args['rate'], args['rate'], 'rate of a window twice as long');
}

/** A sosreport without an uptime knows no rate, and as well as any what was lost, and of how many. */
function assertSinceBoot(rule: Rule, each: Case): void {
  const { after: last } = windowOf(each);
  const [known, unknown] = [100_000, undefined].map(
    (uptime) => evaluateRules(new Window(last, last, uptime), [rule])[0]?.outcome,
  );
  if (unknown !== 'not-measured')
    assert.equal(unknown, known, 'one sample whose host began at a time that is not known');
}

/** What changes a setting, as the remedies write it. */
const CHANGES =
  /\bsysctl -w|> \/(?:proc|sys)\/(?!dev)|ethtool -[ACGKLN] |systemctl set-property|docker update|nft insert|nft add table|iptables .* -I |ovs-vsctl set|taskset -pc [\d,-]+ /;

/** What is proposed to be typed can be taken back, is a command of a shell, and needs no quotes inside quotes. */
function assertTyped({ command = '', verify = '', undo = '', lasts = '' }: Advice): void {
  for (const typed of [command, verify, undo, lasts]) {
    assert.doesNotMatch(typed, /\bsh -c\b|\n|undefined|NaN/);
    // What it finds is its exit code: what is typed behind would not run.
    assert.doesNotMatch(typed, /pktcost (?:diagnose|replay|compare|watch)\b(?:(?!--fail-on never)[^;&|])*&&/);
    // The limits of neighbour tables and of backlogs stand in the host's namespace only, and lnstat takes one file after -f.
    assert.doesNotMatch(
      typed,
      /(?:netns exec \S+|nsenter -t \d+ -n) sysctl [^;&|]*(?:gc_thresh|net\.core\.[rw]mem_|netdev_)/,
    );
    assert.doesNotMatch(typed, /lnstat [^;&|]*-f \S+,/);
    if (/^[\x20-\x7e]+$/.test(typed)) typedAnywhere.add(typed);
  }
  assert.doesNotMatch(
    undo,
    /\b(?:HANDLE|DEVICE\d?|ADDRESS|PORT|FRAMES|CONTAINER)\b/,
    'what takes it back can be pasted',
  );
  if (CHANGES.test(command)) assert.notEqual(undo, '', `no way back from ${command}`);
}

const typedAnywhere = new Set<string>();

after(() => {
  const script = [...typedAnywhere].map((typed) => `{ ${typed}\n}`).join('\n');
  const { status, stderr } = spawnSync('sh', ['-n'], { input: script, encoding: 'utf8' });
  assert.equal(status, 0, `${stderr}\n${script}`);
});
