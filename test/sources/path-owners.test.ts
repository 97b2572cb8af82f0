import assert from 'node:assert/strict';
import { execFileSync, spawn } from 'node:child_process';
import { after, describe, it } from 'node:test';

import { decodeLinks } from '../../src/collectors/links-dump.ts';
import { decodeNetfilter } from '../../src/collectors/netfilter-dump.ts';
import { decodeHolders, decodePrograms } from '../../src/readings/programs.ts';
import type { DumpName } from '../../src/collectors/reader.ts';
import { askInNamespace } from '../../src/ffi/namespaces.ts';
import { HOST_ROOTS, liveReader } from '../../src/sources/live-reader.ts';
import { lacking } from '../support/needs.ts';
import { TestNamespace } from '../support/root.ts';

const skip = lacking({ root: true, tools: ['ip', 'nft', 'tc'] });

/** The same question as a diagnosis asks, in the namespace. */
function ask(name: DumpName, netns?: TestNamespace): unknown {
  const answer = askInNamespace(netns?.path, () => liveReader(HOST_ROOTS).dump(name));
  assert.ok(answer.ok, answer.ok ? '' : answer.reason);
  return answer.value;
}

describe('owners of what a packet passes', { skip }, () => {
  const netns = skip === false ? new TestNamespace() : undefined;
  const run = (...argv: string[]): void => {
    execFileSync('ip', ['netns', 'exec', netns!.name, ...argv], { stdio: ['ignore', 'ignore', 'ignore'] });
  };
  after(async () => {
    await netns?.remove();
  });

  it('are the chains of nf_tables with their rules, counted', () => {
    const rules = Array.from({ length: 2000 }, (_, n) => `ip saddr 10.9.${n >> 8}.${n & 255} counter drop`);
    const table = [
      'table inet fw {',
      'chain deny {',
      ...rules,
      '}',
      'chain in {',
      'type filter hook input priority 5',
      'ct state established accept',
      'jump deny',
      '}',
      '}',
    ];
    execFileSync('ip', ['netns', 'exec', netns!.name, 'nft', '-f', '-'], { input: table.join('\n') });
    // What is counted has a budget of CPU time, which a busy machine spends early, and says so.
    let decoded = decodeNetfilter(ask('netfilter', netns));
    for (let tries = 1; tries < 10 && decoded.ok && !decoded.value.complete; tries += 1)
      decoded = decodeNetfilter(ask('netfilter', netns));
    assert.ok(decoded.ok && decoded.value.complete);
    const { chains, rules: counted } = decoded.value;
    assert.deepEqual(chains, [
      {
        engine: 'nftables',
        family: 'inet',
        table: 'fw',
        chain: 'in',
        hook: 'input',
        priority: 5,
        device: '',
        policy: 'accept',
        rules: 2,
        reachable: 2002,
        establishedAt: 1,
      },
    ]);
    assert.ok(counted.length > 0 && counted.length <= 24, `${counted.length} rules told`);
  });

  it('are the filters of a device and the rules of routing', () => {
    run('tc', 'qdisc', 'add', 'dev', 'lo', 'ingress');
    for (const last of [1, 2, 3])
      run(
        'tc',
        'filter',
        'add',
        'dev',
        'lo',
        'parent',
        'ffff:',
        'protocol',
        'ip',
        'u32',
        'match',
        'ip',
        'src',
        `10.0.0.${last}`,
        'flowid',
        '1:1',
      );
    run('ip', 'rule', 'add', 'from', '10.0.0.1', 'table', '100');
    const decoded = decodeLinks(ask('links', netns));
    assert.ok(decoded.ok);
    assert.deepEqual(decoded.value.links[0]?.filters, [
      { side: 'ingress', qdisc: '', parent: '', kind: 'u32', count: 3 },
    ]);
    assert.equal(decoded.value.routingRules.find(({ family }) => family === 'ip')?.count, 4);
  });

  it("are the host's BPF programs without pktcost's, and who holds them", () => {
    const programs = decodePrograms(ask('bpf_programs'));
    assert.ok(programs.ok);
    assert.ok(programs.value.programs.every(({ name }) => !name.startsWith('pktcost_')));
    const holders = decodeHolders(ask('bpf_holders'));
    assert.ok(holders.ok);
    assert.ok(holders.value.perfEvents.every(({ pid }) => pid !== process.pid));
  });

  it('are the processes with perf events', { skip: lacking({ root: true, tools: ['perf'] }) }, async () => {
    const perf = spawn('perf', ['record', '-e', 'cpu-clock', '-a', '-o', '/dev/null', 'sleep', '3'], {
      stdio: 'ignore',
    });
    try {
      let seen = false;
      for (let tries = 0; tries < 50 && !seen; tries += 1) {
        await new Promise((resolve) => setTimeout(resolve, 50));
        const holders = decodeHolders(ask('bpf_holders'));
        assert.ok(holders.ok);
        seen = holders.value.perfEvents.some(
          ({ pid, comm, count }) => pid === perf.pid && comm === 'perf' && count > 0,
        );
      }
      assert.ok(seen, 'perf is named');
    } finally {
      perf.kill('SIGKILL');
    }
  });
});
