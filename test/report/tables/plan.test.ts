import assert from 'node:assert/strict';
import { describe, it } from 'node:test';

import type { ProbePlan } from '../../../src/generated/report.ts';
import { planRows, planTable } from '../../../src/report/tables/run.ts';
import { drawTable } from '../../../src/report/text/table.ts';

const style = { colour: false, width: 120, unicode: true };
const line = (device: string, said: Partial<ProbePlan> = {}): ProbePlan => ({
  ...{ netns: '', device, driver: 'veth', span: 'taps', mode: 'tcx', attach: true },
  ...{ reason: 'read-only', price: 'two programs per packet', ...said },
});
const drawn = (plan: readonly ProbePlan[]): string => drawTable(style, planTable, planRows(plan)).join('\n');

describe('the plan of the probe', () => {
  it('says a reason once, for all devices that it holds for', () => {
    const many = Array.from({ length: 30 }, (_, index) => line(`veth${index}`));
    const text = drawn([line('eth0', { driver: 'virtio_net' }), ...many]);
    assert.equal(text.split('read-only').length, 2);
    assert.match(text, /eth0, veth0, veth1/);
    assert.match(text, /and 23 more/);
    assert.match(text, /virtio_net, veth/);
  });

  it('keeps apart what differs, and what is the host’s', () => {
    const text = drawn([line('a'), line('b', { attach: false, reason: 'down' }), line('', { driver: null })]);
    assert.equal(planRows([line('a'), line('b', { attach: false }), line('')]).length, 3);
    assert.match(text, /^ *host /m);
  });

  it('names the namespace of a device', () => {
    assert.match(drawn([line('eth0', { netns: 'blue' })]), /eth0 in blue/);
  });
});
