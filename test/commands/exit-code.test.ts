import assert from 'node:assert/strict';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, describe, it } from 'node:test';

import { exitCodeOf, failOn, judgedComparison, type RunOutcome } from '../../src/commands/exit-code.ts';
import type { Comparison } from '../../src/report/compare/comparison.ts';
import { pktcost } from '../support/command.ts';

const calm: RunOutcome = { critical: false, warning: false, partly: false, blind: false };

describe('exit codes', () => {
  const codes = (judged: Partial<RunOutcome>): number[] =>
    failOn.map((least) => exitCodeOf({ ...calm, ...judged }, least));
  it('are 3, 4, 5 and 0 by --fail-on critical, warning, not-measured, never', () => {
    assert.deepEqual(codes({ critical: true, warning: true, partly: true }), [3, 3, 3, 0]);
    assert.deepEqual(codes({ warning: true, partly: true }), [0, 4, 4, 0]);
    assert.deepEqual(codes({ partly: true }), [0, 0, 5, 0]);
    assert.deepEqual(codes({ partly: true, blind: true }), [5, 5, 5, 0]);
    assert.deepEqual(codes({}), [0, 0, 0, 0]);
  });

  it('tell what is new or worse from what is better, stayed, or is not known to be gone', () => {
    type State = 'critical' | 'warning' | 'ok' | 'not-measured' | null;
    const compared = (kind: keyof Comparison['findings'], before: State, later: State): number => {
      const state = (outcome: State) => outcome && { outcome, certainty: null, summary: '' };
      const change = { code: 'PKT0201', rule: 'x', at: {}, before: state(before), after: state(later) };
      const none = { appeared: [], went: [], changed: [], stayed: [], unjudged: [] };
      return exitCodeOf(
        judgedComparison({ findings: { ...none, [kind]: [change] } } as unknown as Comparison),
        'warning',
      );
    };
    assert.equal(compared('appeared', null, 'critical'), 3);
    assert.equal(compared('appeared', null, 'warning'), 4);
    assert.equal(compared('changed', 'warning', 'critical'), 3);
    assert.equal(compared('changed', 'critical', 'warning'), 0);
    assert.equal(compared('changed', 'critical', 'critical'), 0);
    assert.equal(compared('stayed', 'critical', 'critical'), 0);
    assert.equal(compared('went', 'critical', null), 0);
    assert.equal(compared('unjudged', 'critical', 'not-measured'), 5);
  });
});

describe('evidence that shows nothing', () => {
  const folder = mkdtempSync(join(tmpdir(), 'pktcost-blind-'));
  after(() => {
    rmSync(folder, { recursive: true, force: true });
  });

  it('does not pass for health', async () => {
    mkdirSync(join(folder, 'proc'));
    writeFileSync(join(folder, 'proc/version'), '');
    const { status, stderr } = await pktcost(['replay', folder]);
    assert.equal(status, 5, stderr);
    assert.equal((await pktcost(['replay', folder, '--fail-on', 'never'])).status, 0);
  });
});
