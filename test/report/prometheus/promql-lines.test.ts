import assert from 'node:assert/strict';
import { describe, it } from 'node:test';

import { promqlLines } from '../../../src/report/prometheus/promql-lines.ts';
import { raisedBy } from '../../../src/rules/alerts.ts';
import { rules } from '../../../src/rules/index.ts';

describe('PromQL over several lines', () => {
  it('begins a line with each operator that joins, and indents what is too long', () => {
    const condition = `rate(node_softnet_dropped_total{cpu="(0) and on ("}[5m]) >= 10`;
    assert.deepEqual(promqlLines(`(a) and on (cpu) (b)`), ['(a) and on (cpu) (b)']);
    assert.deepEqual(promqlLines(`(a) and on (cpu) (${condition} unless on (cpu) (${condition}))`, '  '), [
      '  (a)',
      '  and on (cpu) (',
      `    ${condition}`,
      `    unless on (cpu) (${condition})`,
      '  )',
    ]);
  });

  it('says the same as before', () => {
    const bare = (text: string): string => text.replaceAll(/\s/g, '');
    for (const { when } of rules.flatMap((rule) => Object.values(raisedBy(rule)))) {
      const promql = when.promql('5m');
      assert.equal(bare(promqlLines(promql).join('\n')), bare(promql));
    }
  });
});
