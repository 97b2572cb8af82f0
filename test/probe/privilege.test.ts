import assert from 'node:assert/strict';
import { describe, it } from 'node:test';

import { lackedFor, parseCapabilities } from '../../src/probe/privilege.ts';
import { pktcost } from '../support/command.ts';
import { lacking } from '../support/needs.ts';

const status = (digits: string): string => `Name:\tx\nCapPrm:\t0\nCapEff:\t${digits}\nCapBnd:\t000001ffffffffff\n`;

describe('what the kernel lets a process attach', () => {
  it('is told from its capabilities, not from who it is', () => {
    assert.equal(parseCapabilities('Name:\tx\n'), undefined);
    const lacked = (digits: string): readonly string[] => lackedFor(parseCapabilities(status(digits))!);
    assert.deepEqual(lacked('000001ffffffffff'), []);
    assert.deepEqual(lacked('0000000000000000'), ['CAP_BPF', 'CAP_PERFMON', 'CAP_NET_ADMIN']);
    // As a container has it.
    assert.deepEqual(lacked('00000000a80425fb'), ['CAP_BPF', 'CAP_PERFMON', 'CAP_NET_ADMIN']);
    assert.deepEqual(lacked('000000c000001000'), []);
    assert.deepEqual(lacked('0000000000201000'), [], 'CAP_SYS_ADMIN is more than two of them');
    assert.deepEqual(lacked('000000c000000000'), ['CAP_NET_ADMIN']);
  });

  it('is named where root lacks it', { skip: lacking({ root: true, tools: ['setpriv'] }) }, async () => {
    const bare = ['setpriv', '--bounding-set', '-bpf,-perfmon', '--inh-caps', '-bpf,-perfmon', '--'];
    const { stderr } = await pktcost(['metrics', '--window', '500ms'], {
      // CAP_SYS_ADMIN would do for both.
      under: bare.map((word) => word.replace('-bpf,-perfmon', '-bpf,-perfmon,-sys_admin')),
    });
    assert.match(stderr, /attaching eBPF programs needs CAP_BPF and CAP_PERFMON, which root lacks here/);
  });
});
