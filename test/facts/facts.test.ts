import assert from 'node:assert/strict';
import { describe, it } from 'node:test';

import { formatCpuList } from '../../src/base/cpu-list.ts';
import { cpuMask, cpusOf, topologyOf } from '../../src/facts/cpus.ts';
import { endpoint, ownerOf } from '../../src/facts/sockets.ts';
import { inNetns, shellQuote } from '../../src/rules/remedies/shell.ts';

describe('CPU lists', () => {
  it('are read and written as the kernel does', () => {
    assert.deepEqual(cpusOf('0-2,8,10-11'), [0, 1, 2, 8, 10, 11]);
    assert.equal(formatCpuList([11, 0, 1, 2, 8, 10, 2]), '0-2,8,10-11');
    assert.deepEqual(cpusOf(''), []);
  });

  it('from a broken host neither throw nor fill the memory', () => {
    assert.deepEqual(cpusOf('x,-1,3-'), []);
    assert.deepEqual(cpusOf('0-999999'), []);
    assert.deepEqual(cpusOf(undefined), []);
  });

  it('become masks in groups of 32 bits', () => {
    assert.equal(cpuMask([4, 5, 6, 7]), 'f0');
    assert.equal(cpuMask([0, 32]), '1,00000001');
    assert.equal(cpuMask([64]), '1,00000000,00000000');
  });

  it('spare dedicated CPUs while the node has others', () => {
    const point = (cpu: string, node: string): { value: number; labels: Record<string, string> } => ({
      value: 1,
      labels: { cpu, node },
    });
    const nodes = [point('0', '0'), point('1', '0'), point('2', '1')];
    assert.deepEqual(topologyOf(nodes, [point('1', '')]).usableCpus('0'), [0]);
    assert.deepEqual(topologyOf(nodes, [point('2', '')]).usableCpus('1'), [2]);
  });
});

describe('commands', () => {
  it('quote what the host named', () => {
    assert.equal(shellQuote('eth0'), 'eth0');
    assert.equal(shellQuote('-n'), "'-n'");
    assert.equal(shellQuote("a'; reboot #"), "'a'\\''; reboot #'");
    assert.equal(shellQuote(''), "''");
  });

  it('enter the namespace by a process of it, or by name', () => {
    assert.equal(inNetns('', 'ss -ltn'), 'ss -ltn');
    assert.equal(inNetns('blue', 'ss -ltn', '7'), 'nsenter -t 7 -n ss -ltn');
    assert.equal(inNetns('pid:4711 (nginx: x)', 'ss -ltn'), 'nsenter -t 4711 -n ss -ltn');
    assert.equal(inNetns('host', 'ss -ltn'), 'nsenter -t 2 -n ss -ltn');
    assert.equal(
      inNetns('blue', "ss -ltn | grep -E '; && x' && nstat -az; conntrack -S"),
      "ip netns exec blue ss -ltn | grep -E '; && x' && ip netns exec blue nstat -az; ip netns exec blue conntrack -S",
    );
    assert.equal(inNetns('a b', 'ss -ltn | head'), "ip netns exec 'a b' ss -ltn | head");
    assert.equal(inNetns('blue', 'ss -ltn', '7; reboot'), 'ip netns exec blue ss -ltn');
  });
});

describe('sockets', () => {
  it('are written as ss does', () => {
    assert.equal(endpoint({ address: '0.0.0.0', port: '80' }), '0.0.0.0:80');
    assert.equal(endpoint({ address: '::', port: '80' }), '[::]:80');
  });

  it('have the oldest holder for an owner', () => {
    const held = (pid: string): { value: number; labels: Record<string, string> } => ({
      value: 1,
      labels: { inode: '9', pid, comm: 'nginx' },
    });
    assert.deepEqual(ownerOf('9', [held('30'), held('4')]), { name: 'nginx (pid 4) and 1 more', pid: '4' });
    assert.equal(ownerOf('8', [held('4')]).pid, undefined);
  });
});
