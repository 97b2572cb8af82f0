import assert from 'node:assert/strict';
import { readdirSync, readlinkSync } from 'node:fs';
import { after, before, describe, it } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';

import { profile } from '../../src/collectors/profile.ts';
import { profileNetfilterSamples, profileSamples } from '../../src/metrics/catalogue/index.ts';
import { loadLibbpf } from '../../src/probe/libbpf.ts';
import { findObjects } from '../../src/probe/objects.ts';
import { Sampler, type SamplerOptions } from '../../src/probe/profile/sampler.ts';
import { Overhead } from '../../src/probe/overhead.ts';
import { KernelSymbols } from '../../src/probe/symbols.ts';
import { encodeProfile, type ProfileAnswer } from '../../src/profile/stacks.ts';
import { collect } from '../support/reader.ts';
import { Lab, run, whyNoLab } from './lab.ts';

function optionsFor(more: Partial<SamplerOptions> = {}): SamplerOptions {
  const [bpf, objects] = [loadLibbpf(), findObjects()];
  assert.ok(bpf.ok && objects.ok);
  return {
    ...{
      bpf: bpf.value,
      objects: objects.value,
      procfs: '/proc',
      sysfs: '/sys',
      windowSeconds: 3,
      overhead: new Overhead(0.1),
    },
    symbols: new KernelSymbols('/proc'),
    devices: () => [],
    ownPrograms: () => [],
    ...more,
  };
}

const perfDescriptors = (): number =>
  readdirSync('/proc/self/fd').filter((fd) => {
    try {
      return readlinkSync(`/proc/self/fd/${fd}`).includes('perf_event');
    } catch {
      return false;
    }
  }).length;

describe('the sampler', { skip: whyNoLab() }, () => {
  let lab: Lab;
  let answer: ProfileAnswer;

  before(async () => {
    lab = new Lab();
    const rules = Array.from(
      { length: 2000 },
      (_, index) => `ip saddr 192.0.2.${index % 250} udp dport ${index + 1} drop`,
    );
    const chain = `table ip t { chain in { type filter hook input priority 0; ${rules.join('; ')}; }; }`;
    run('ip', 'netns', 'exec', lab.receiver, 'nft', chain);
    await lab.serve();
    const sampler = await Sampler.open(optionsFor());
    assert.ok(sampler.ok, sampler.ok ? '' : sampler.reason);
    const traffic = lab.traffic('udp', 3, 30_000);
    await sleep(500);
    sampler.value.start();
    await sleep(2000);
    sampler.value.stop();
    const read = sampler.value.read();
    sampler.value.close();
    assert.ok(read.ok, read.ok ? '' : read.reason);
    answer = read.value;
    await traffic;
  });
  after(async () => {
    await lab.close();
  });

  it('sees the packet path in all directions, and loses next to nothing', () => {
    assert.ok(answer.seconds > 1.9 && answer.seconds < 4, String(answer.seconds));
    assert.equal(answer.cpus, answer.online);
    const total = answer.stacks.reduce((sum, { samples }) => sum + samples, 0);
    assert.ok(total > 200, `${total} samples`);
    const { stacks, table, symbols } = answer.lost;
    assert.ok(stacks + table + symbols < 0.01 * answer.samples, JSON.stringify(answer.lost));
    for (const direction of ['receive', 'transmit', 'socket'] as const)
      assert.ok(
        answer.stacks.some((row) => row.direction === direction),
        direction,
      );
    assert.ok(answer.ownNs !== null && answer.ownNs > 0);
  });

  it('names 2,000 rules in the input hook as what receiving costs', () => {
    const snapshot = collect(profile, { dumps: { profile: encodeProfile(answer) } });
    const received = snapshot.series(profileSamples).filter(({ labels }) => labels['direction'] === 'receive');
    const all = received.reduce((sum, { value }) => sum + value, 0);
    const nft = received
      .filter(({ labels }) => labels['part'] === 'nftables')
      .reduce((sum, { value }) => sum + value, 0);
    assert.ok(nft > 0.3 * all, `${nft} of ${all}`);
    const other = received
      .filter(({ labels }) => labels['part'] === 'other')
      .reduce((sum, { value }) => sum + value, 0);
    assert.ok(other <= 0.05 * all, `${other} of ${all} have no part`);
    assert.ok(
      snapshot
        .series(profileNetfilterSamples)
        .some(({ labels }) => labels['hook'] === 'input' && labels['engine'] === 'nftables'),
    );
  });

  it('tells the process that pays for sending', () => {
    const payer = answer.processes.find(({ comm }) => comm === 'iperf3');
    assert.ok(payer, JSON.stringify(answer.processes));
    assert.ok(answer.stacks.some(({ direction, pid }) => direction === 'socket' && pid === payer.pid));
  });

  it('leaves no clock behind', () => {
    assert.equal(perfDescriptors(), 0);
  });

  it('gives a reason where the kernel tells no addresses', async () => {
    const hidden = await Sampler.open(optionsFor({ procfs: '/nonexistent' }));
    assert.equal(hidden.ok, false);
    assert.match(hidden.reason, /kallsyms: no such file/);
  });
});
