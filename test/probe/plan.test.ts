import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { capabilitiesOf, parseBtf, type Capabilities } from '../../src/probe/capabilities.ts';
import { kernelAtLeast, DRIVERS, metadataOf } from '../../src/probe/drivers.ts';
import type { DeviceFacts } from '../../src/probe/facts.ts';
import type { SpanName } from '../../src/readings/reading.ts';
import { planDevices, type PlanStep, type ProbeChoice } from '../../src/probe/plan.ts';

const can = (kernel: string, more: Partial<Capabilities> = {}): Capabilities => ({
  kernel,
  btf: true,
  tcx: kernelAtLeast(kernel, '6.6'),
  tapsPerNetns: kernelAtLeast(kernel, '6.15'),
  tapFunctions: [],
  castToKernelContext: false,
  source: 'test',
  ...more,
});

const device = (more: Partial<DeviceFacts> = {}): DeviceFacts => ({
  name: 'eth0',
  ifindex: 2,
  netns: { id: '1' },
  type: 1,
  up: true,
  operstate: 'up',
  mtu: 1500,
  upperHasXdp: false,
  clsact: false,
  filters: 0,
  gaps: [],
  ...more,
});

function step(
  span: SpanName,
  facts: DeviceFacts,
  choice: ProbeChoice,
  kernel = '6.18',
  more: Partial<Capabilities> = {},
): PlanStep {
  const found = planDevices([facts], choice, can(kernel, more))[0]?.steps.find((candidate) => candidate.span === span);
  assert.ok(found);
  return found;
}

describe('attach plan', () => {
  it('tells when a clsact filter of another decides before ours', () => {
    const reason = (firstPriority: number, kernel: string): string =>
      step('taps', device({ clsact: true, filters: 1, firstPriority, tcxPrograms: 1 }), { probe: 'auto' }, kernel)
        .reason;
    assert.match(reason(1, '6.1'), /1 other program\(s\) go before ours/);
    assert.match(reason(2, '6.1'), /1 other program\(s\) stay, ours goes first/);
    assert.match(
      reason(1, '6.12'),
      /1 other program\(s\) stay, ours goes first; 1 clsact filter\(s\) stay, after ours/,
    );
  });

  for (const row of DRIVERS) {
    const facts = device({ driver: row.driver });
    it(`auto disturbs no link on ${row.driver}`, () => {
      for (const kernel of ['5.10', '6.1', '6.12', '6.18', '7.3']) {
        const stack = step('stack', facts, { probe: 'auto' }, kernel);
        const quiet = row.effect === 'none' && metadataOf(row, kernel) === 'kept';
        assert.equal(stack.decision, quiet ? 'attach' : 'skip');
        assert.equal(stack.mode, quiet ? 'native' : 'generic');
        assert.equal(step('taps', facts, { probe: 'auto' }, kernel).decision, 'attach');
      }
    });
    it(`native on ${row.driver} needs leave unless it is harmless`, () => {
      const wish = { probe: 'xdp', xdpMode: 'native' } as const;
      const without = step('stack', facts, wish, '7.3');
      const allowed = step('stack', facts, { ...wish, allowSystemChanges: true }, '7.3');
      const able = row.effect !== 'unavailable' && metadataOf(row, '7.3') === 'kept';
      assert.equal(without.decision, able && row.effect === 'none' ? 'attach' : 'refused');
      assert.equal(allowed.decision, able ? 'attach' : 'refused');
      assert.notEqual(without.reason, '');
    });
  }

  const cases: readonly (readonly [
    string,
    SpanName,
    DeviceFacts,
    ProbeChoice,
    string,
    PlanStep['decision'],
    RegExp,
  ])[] = [
    [
      'an XDP program is never replaced',
      'stack',
      device({ driver: 'veth', xdp: { mode: 'native', programs: [{ id: 7, mode: 'native' }] } }),
      { probe: 'xdp' },
      '6.18',
      'refused',
      /id 7/,
    ],
    [
      'nor does one go under an upper device that has one',
      'stack',
      device({ upperHasXdp: true }),
      { probe: 'xdp' },
      '6.18',
      'refused',
      /upper/,
    ],
    [
      'veth gets generic XDP when asked',
      'stack',
      device({ driver: 'veth' }),
      { probe: 'xdp' },
      '6.18',
      'attach',
      /generic/,
    ],
    [
      'generic XDP does not clear LRO without leave',
      'stack',
      device({ driver: 'e1000e', features: { 'rx-lro': true } }),
      { probe: 'xdp' },
      '6.18',
      'refused',
      /rx-lro/,
    ],
    [
      'with leave it does',
      'stack',
      device({ driver: 'e1000e', features: { 'rx-gro-hw': true } }),
      { probe: 'xdp', allowSystemChanges: true },
      '6.18',
      'attach',
      /put back/,
    ],
    [
      'an unknown driver is not tried',
      'stack',
      device({ driver: 'new' }),
      { probe: 'xdp', xdpMode: 'native' },
      '6.18',
      'refused',
      /not in the table/,
    ],
    [
      'jumbo frames are refused before the driver does',
      'stack',
      device({ driver: 'i40e', mtu: 9000 }),
      { probe: 'xdp', xdpMode: 'native', allowSystemChanges: true },
      '6.18',
      'refused',
      /MTU 9000/,
    ],
    ['taps only', 'stack', device(), { probe: 'taps' }, '6.18', 'skip', /only taps/],
    ['off', 'taps', device(), { probe: 'off' }, '6.18', 'skip', /off/],
    ['off means NET_RX too', 'net_rx', device(), { probe: 'off' }, '6.18', 'skip', /off/],
    ['a device that is down', 'taps', device({ up: false }), { probe: 'auto' }, '6.18', 'skip', /down/],
    [
      'a VLAN is measured on its lower device',
      'taps',
      device({ kind: 'vlan' }),
      { probe: 'auto' },
      '6.18',
      'skip',
      /lower/,
    ],
    ['TCX asked for where there is none', 'taps', device(), { probe: 'auto', tc: 'tcx' }, '6.1', 'refused', /TCX/],
    ['others on the hook stay', 'taps', device({ tcxPrograms: 2 }), { probe: 'auto' }, '6.18', 'attach', /2 other/],
  ];
  for (const [name, span, facts, choice, kernel, decision, reason] of cases) {
    it(name, () => {
      const found = step(span, facts, choice, kernel);
      assert.equal(found.decision, decision);
      assert.match(found.reason, reason);
    });
  }

  it('takes clsact before 6.6 and TCX from then on, unless told', () => {
    assert.equal(step('taps', device(), { probe: 'auto' }, '6.1').hook, 'clsact');
    assert.equal(step('taps', device(), { probe: 'auto' }, '6.12').hook, 'tcx');
    assert.equal(step('taps', device(), { probe: 'auto', tc: 'clsact' }, '6.12').hook, 'clsact');
  });

  it('refuses everything without BTF, with the reason', () => {
    for (const span of ['taps', 'stack', 'net_rx'] as const) {
      const found = step(span, device(), { probe: 'auto' }, '6.18', {
        btf: false,
        source: '/sys/kernel/btf/vmlinux: ENOENT',
      });
      assert.equal(found.decision, 'refused');
      assert.match(found.reason, /ENOENT/);
    }
  });

  it('watches 64 devices and says why not the others', () => {
    const plans = planDevices(
      Array.from({ length: 70 }, (_, index) => device({ ifindex: index })),
      { probe: 'auto' },
      can('6.18'),
    );
    const attached = plans.filter((plan) => plan.steps[0]?.decision === 'attach');
    assert.equal(attached.length, 64);
    assert.match(plans[69]?.steps[0]?.reason ?? '', /64/);
  });
});

describe('BTF', () => {
  /** A header, `struct net { ptype_all }` and `FUNC tcx_link_attach`. */
  function sample(): Buffer {
    const strings = Buffer.from('\0net\0ptype_all\0tcx_link_attach\0', 'utf8');
    const types = Buffer.alloc(36);
    types.writeUInt32LE(1, 0);
    types.writeUInt32LE(((4 << 24) | 1) >>> 0, 4);
    types.writeUInt32LE(5, 12);
    types.writeUInt32LE(15, 24);
    types.writeUInt32LE((12 << 24) >>> 0, 28);
    const header = Buffer.alloc(24);
    header.writeUInt16LE(0xeb9f, 0);
    header.writeUInt8(1, 2);
    header.writeUInt32LE(24, 4);
    header.writeUInt32LE(types.length, 12);
    header.writeUInt32LE(types.length, 16);
    header.writeUInt32LE(strings.length, 20);
    return Buffer.concat([header, types, strings]);
  }

  it('finds functions and members', () => {
    const facts = parseBtf(sample(), ['tcx_link_attach', 'packet_rcv'], ['net.ptype_all', 'net.other']);
    assert.ok(facts.ok);
    assert.deepEqual([...facts.value.functions], ['tcx_link_attach']);
    assert.deepEqual([...facts.value.members], ['net.ptype_all']);
    const found = capabilitiesOf('6.18', facts.value, 'test');
    assert.ok(found.tcx && found.tapsPerNetns);
  });

  it('answers with a reason for any cut or foreign bytes', () => {
    const whole = sample();
    for (let length = 0; length < whole.length; length++)
      assert.equal(parseBtf(whole.subarray(0, length), [], []).ok, false);
    assert.equal(parseBtf(Buffer.alloc(64, 0xff), [], []).ok, false);
  });
});
