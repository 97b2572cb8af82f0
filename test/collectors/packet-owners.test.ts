import assert from 'node:assert/strict';
import { describe, it } from 'node:test';

import { links } from '../../src/collectors/links.ts';
import { netfilter } from '../../src/collectors/netfilter.ts';
import { parseEnabledFunctions, programs } from '../../src/collectors/programs.ts';
import {
  deviceProgram,
  filterChainRules,
  filterComplete,
  filterEstablishedPosition,
  filterReachableRules,
  filterRulePackets,
  hookFunction,
  linkInfo,
  perfEventHolder,
  programHolder,
  programInfo,
  programLink,
  programNanoseconds,
  programRuns,
  routingRules,
  tcFilters,
  tunHolder,
  tracedFunctions,
} from '../../src/metrics/catalogue/index.ts';
import type { Snapshot } from '../../src/metrics/snapshot.ts';
import { collect, valuesOf } from '../support/reader.ts';

const chain = {
  engine: 'nftables',
  family: 'inet',
  table: 'filter',
  chain: 'input',
  hook: 'input',
  priority: -10,
  device: '',
  policy: 'drop',
  rules: 200,
  reachable: 210,
  establishedAt: 3,
};
const rule = { engine: 'nftables', family: 'inet', table: 'filter', chain: 'input', handle: '9', position: 198 };
const hook = { family: 'ip', hook: 'input', priority: 0, function: 'nft_do_chain_inet', module: 'nf_tables' };

describe('the netfilter collector', () => {
  it('tells chains on hooks, their rules, the busiest of those that count, and who else sits there', () => {
    const answer = { chains: [chain], rules: [{ ...rule, packets: 77 }], complete: true, hooks: [hook], gaps: [] };
    const snapshot = collect(netfilter, { dumps: { netfilter: answer } });
    const labels = 'chain=input,device=,engine=nftables,family=inet,hook=input';
    assert.deepEqual(valuesOf(snapshot, filterChainRules), {
      [`${labels},policy=drop,priority=-10,table=filter`]: 200,
    });
    assert.deepEqual(valuesOf(snapshot, filterReachableRules), { [`${labels},table=filter`]: 210 });
    assert.deepEqual(valuesOf(snapshot, filterEstablishedPosition), { [`${labels},table=filter`]: 3 });
    assert.deepEqual(Object.values(valuesOf(snapshot, filterRulePackets)), [77]);
    assert.equal(Object.values(valuesOf(snapshot, hookFunction)).length, 1);
    assert.deepEqual(valuesOf(snapshot, filterComplete), { '': 1 });
    assert.equal(snapshot.collectors[0]?.status, 'ok');
  });

  it('says what could not be asked, and does not take it for no rules', () => {
    const answer = { chains: [], rules: [], complete: false, hooks: [], gaps: ['nf_tables is not loaded'] };
    const snapshot = collect(netfilter, { dumps: { netfilter: answer } });
    assert.equal(snapshot.collectors[0]?.status, 'partial');
    const malformed = collect(netfilter, { dumps: { netfilter: { ...answer, chains: [{ ...chain, rules: -1 }] } } });
    assert.equal(malformed.collectors[0]?.status, 'unavailable');
  });
});

describe('the links collector', () => {
  const device = { device: 'veth0', ifindex: 4, kind: 'veth', master: 'br0', lower: '' };
  const told = (filters: readonly object[], programs: readonly object[]): Snapshot => {
    const answer = {
      links: [{ ...device, filters, programs }],
      routingRules: [{ family: 'ip', count: 1003 }],
      gaps: [],
    };
    return collect(links, { dumps: { links: answer } });
  };
  const nowhere = { side: '', qdisc: '', parent: '' };
  const snapshot = told(
    [
      { ...nowhere, side: 'ingress', kind: 'u32', count: 200 },
      { ...nowhere, qdisc: 'htb', parent: '1:', kind: 'flower', count: 3 },
    ],
    [
      { ...nowhere, side: 'ingress', id: 12, kind: 'tcx', mode: '' },
      { ...nowhere, id: 13, kind: 'xdp', mode: 'generic' },
      { ...nowhere, qdisc: 'htb', parent: '1:', id: 14, kind: 'tc', mode: '' },
    ],
  );

  it('tells what devices are made of, and what hangs on them', () => {
    assert.deepEqual(valuesOf(snapshot, linkInfo), { 'device=veth0,kind=veth,lower=,master=br0': 1 });
    assert.deepEqual(valuesOf(snapshot, tcFilters), {
      'device=veth0,hook=ingress,kind=u32,parent=,qdisc=,side=ingress': 200,
      'device=veth0,hook=htb 1:,kind=flower,parent=1:,qdisc=htb,side=': 3,
    });
    assert.deepEqual(valuesOf(snapshot, deviceProgram), {
      'device=veth0,hook=tcx ingress,kind=tcx,mode=,parent=,program_id=12,qdisc=,side=ingress': 1,
      'device=veth0,hook=xdp generic,kind=xdp,mode=generic,parent=,program_id=13,qdisc=,side=': 1,
      'device=veth0,hook=tc htb 1:,kind=tc,mode=,parent=1:,program_id=14,qdisc=htb,side=': 1,
    });
    assert.deepEqual(valuesOf(snapshot, routingRules), { 'family=ip': 1003 });
  });

  it('reads bundles of before, which have the place in words', () => {
    const before = told(
      [
        { hook: 'ingress', kind: 'u32', count: 200 },
        { hook: 'htb 1:', kind: 'flower', count: 3 },
      ],
      [
        { hook: 'tcx ingress', id: 12 },
        { hook: 'xdp generic', id: 13 },
        { hook: 'tc htb 1:', id: 14 },
      ],
    );
    for (const metric of [tcFilters, deviceProgram])
      assert.deepEqual(valuesOf(before, metric), valuesOf(snapshot, metric));
  });
});

describe('the programs collector', () => {
  const program = { id: 12, type: 'sched_cls', name: 'cil_from_netdev', uid: 0, runNs: 900, runs: 3 };
  const link = { id: 5, program: 12, type: 'tcx', hook: 'tcx_ingress', target: '', ifindex: 2 };
  const holders = {
    programs: [{ id: 999, pid: 7, comm: 'other' }],
    links: [{ id: 5, pid: 4711, comm: 'cilium-agent' }],
    perfEvents: [{ pid: 80, comm: 'perf', count: 4 }],
    tuns: [{ device: 'tap0', pid: 90, comm: 'qemu-system-x86' }],
    unreadable: 0,
    unlooked: 0,
  };

  it('tells programs, where they are attached, how long they ran, and who holds them by a link', () => {
    const dumps = { bpf_programs: { programs: [program, { ...program, id: 13, runs: 0 }], links: [link] } };
    const snapshot = collect(programs, { dumps: { ...dumps, bpf_holders: holders } });
    assert.equal(Object.keys(valuesOf(snapshot, programInfo)).length, 2);
    assert.deepEqual(valuesOf(snapshot, programRuns), { 'program_id=12': 3 });
    assert.deepEqual(valuesOf(snapshot, programNanoseconds), { 'program_id=12': 900 });
    assert.deepEqual(valuesOf(snapshot, tunHolder), { 'comm=qemu-system-x86,pid=90,tun=tap0': 1 });
    assert.deepEqual(valuesOf(snapshot, programLink), {
      'hook=tcx_ingress,link_id=5,program_id=12,target=,type=tcx': 1,
    });
    assert.deepEqual(valuesOf(snapshot, programHolder), { 'comm=cilium-agent,pid=4711,program_id=12': 1 });
    assert.deepEqual(valuesOf(snapshot, perfEventHolder), { 'comm=perf,pid=80': 4 });
    assert.equal(snapshot.collectors[0]?.status, 'ok');
  });

  it('says when processes were not looked into', () => {
    const dumps = { bpf_programs: { programs: [program], links: [] }, bpf_holders: { ...holders, unlooked: 30 } };
    assert.match(collect(programs, { dumps }).collectors[0]?.gaps[0]?.reason ?? '', /30 processes/);
  });

  it('counts the functions that ftrace hooks by who asked', () => {
    const lines = [
      'tcp_v4_rcv (1) R I    \ttramp: 0xffffffffc0250000 (kprobe_ftrace_handler+0x0/0x1c0) ->ftrace_ops_assist_func',
      'netif_receive_skb (1) R   D   M \tdirect-->bpf_trampoline_6442517811+0x0/0x1000',
      'ip_rcv (1)   ',
      '',
    ];
    const files = { '/sys/kernel/tracing/enabled_functions': lines.join('\n') };
    const none = { programs: [], links: [] };
    const snapshot = collect(programs, { files, dumps: { bpf_programs: none, bpf_holders: holders } });
    assert.deepEqual(valuesOf(snapshot, tracedFunctions), { 'tracer=kprobe': 1, 'tracer=bpf': 1, 'tracer=ftrace': 1 });
    assert.ok(parseEnabledFunctions(new Uint8Array()).ok);
  });
});
