/** What drivers really do when the probe comes and goes, and what they tell about ring, link and memory banks. */
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import type { Report } from '../../src/generated/report.ts';
import { ownNetns } from '../../src/probe/facts.ts';
import { readRingLosses } from '../../src/sources/dumps/nics.ts';
import { pause, runOrThrow } from '../scenarios/kit/hosts.ts';
import type { Check, Guest } from './check.ts';
import { attribute, udpOver, wire, type Wire } from './nic.ts';
import { driverAndStack } from './split.ts';
import { diagnosed } from './traffic.ts';

interface Nic {
  readonly driver: string;
  readonly address: string;
  readonly sender: string;
  /** What `--probe xdp --xdp-mode native` must answer, without leave and with it; undefined where it attaches. */
  readonly native: readonly [without: RegExp, allowed: RegExp | undefined];
}

const NICS: readonly Nic[] = [
  { driver: 'virtio_net', address: '01', sender: '11', native: [/needs --allow-system-changes/, undefined] },
  { driver: 'e1000e', address: '02', sender: '12', native: [/has no native XDP/, /has no native XDP/] },
  { driver: 'vmxnet3', address: '03', sender: '13', native: [/no room for a stamp/, /no room for a stamp/] },
  { driver: 'e1000', address: '04', sender: '14', native: [/has no native XDP/, /has no native XDP/] },
];

/** What attaching must leave as it was. */
function stateOf({ device }: Wire): Record<string, string> {
  const tool = (...argv: readonly string[]): string => {
    try {
      return runOrThrow(['ethtool', ...argv, device]);
    } catch (error) {
      return error instanceof Error ? error.message : String(error);
    }
  };
  return {
    carrierChanges: attribute(device, 'carrier_changes'),
    carrier: attribute(device, 'carrier'),
    mtu: attribute(device, 'mtu'),
    offloads: tool('-k'),
    queues: tool('-l'),
    rings: tool('-g'),
    program: /xdp\S*/.exec(runOrThrow(['ip', 'link', 'show', 'dev', device]))?.[0] ?? '',
    qdiscs: runOrThrow(['tc', 'qdisc', 'show', 'dev', device]).replace(/[0-9a-f]+:/g, ''),
  };
}

function stackStep(report: Report, device: string): Report['probe']['plan'][number] | undefined {
  return report.probe.plan.find((step) => step.device === device && step.span === 'stack');
}

function spans(report: Report, device: string): NonNullable<Report['cost']['devices'][number]['spans']> {
  const found = report.cost.devices.find((each) => each.netns === '' && each.device === device)?.spans;
  assert.ok(found, `${device} was not measured: ${JSON.stringify(report.probe.plan)}`);
  return found;
}

async function wired(guest: Guest, nic: Nic): Promise<Wire> {
  const path = await wire(guest.kit, nic.address, nic.sender);
  assert.match(runOrThrow(['ethtool', '-i', path.device]), new RegExp(`driver: ${nic.driver}\n`));
  await udpOver(path, 500);
  // Links of emulated cards come up after seconds, which is no change of ours.
  await pause(4000);
  return path;
}

function checksOf(nic: Nic): readonly Check[] {
  return [
    {
      id: `auto-${nic.driver}`,
      what: `${nic.driver}: \`--probe auto\` measures it and changes nothing`,
      seconds: 240,
      run: async (guest) => {
        const path = await wired(guest, nic);
        const before = stateOf(path);
        const report = await diagnosed(guest, path.here, '--interface', path.device);
        const taps = spans(report, path.device).taps;
        assert.ok(taps !== null && taps.count > 5, 'the tap span was sampled');
        const step = stackStep(report, path.device);
        assert.equal(step?.attach, false);
        guest.note(step.reason);
        guest.note(await driverAndStack(ownNetns(), path.device));
        assert.deepEqual(stateOf(path), before);
      },
    },
    {
      id: `xdp-${nic.driver}`,
      what: `${nic.driver}: native XDP only where it is possible and allowed, and nothing stays of it`,
      seconds: 400,
      run: async (guest) => {
        const path = await wired(guest, nic);
        const before = stateOf(path);
        const native = ['--interface', path.device, '--probe', 'xdp', '--xdp-mode', 'native'];
        const without = await diagnosed(guest, path.here, ...native);
        const refused = stackStep(without, path.device);
        assert.equal(refused?.attach, false, JSON.stringify(refused));
        assert.match(refused.reason, nic.native[0]);
        guest.note(`without leave: ${refused.reason}`);
        assert.deepEqual(stateOf(path), before, 'refused, and so nothing changed');
        const allowed = await diagnosed(guest, path.here, ...native, '--allow-system-changes');
        const step = stackStep(allowed, path.device);
        guest.note(`with leave: ${step?.reason ?? ''}`);
        const after = stateOf(path);
        if (nic.native[1] !== undefined) {
          assert.match(step?.reason ?? '', nic.native[1]);
          assert.deepEqual(after, before);
          return;
        }
        const stack = spans(allowed, path.device).stack;
        assert.ok(stack !== null && stack.count > 2, `stack span: ${JSON.stringify(allowed.selfCost.actions)}`);
        assert.equal(stack.mode, 'native');
        guest.note(`stack: ${String(stack.count)} samples, lost ${JSON.stringify(stack.lostBy)}`);
        guest.note(
          `carrier changes ${before['carrierChanges'] ?? ''} -> ${after['carrierChanges'] ?? ''}; ${JSON.stringify(allowed.selfCost.actions)}`,
        );
        assert.deepEqual({ ...after, carrierChanges: '' }, { ...before, carrierChanges: '' });
      },
    },
    {
      id: `generic-${nic.driver}`,
      what: `${nic.driver}: generic XDP, asked for, measures and is taken back`,
      seconds: 300,
      run: async (guest) => {
        const path = await wired(guest, nic);
        const before = stateOf(path);
        const generic = ['--interface', path.device, '--probe', 'xdp', '--xdp-mode', 'generic'];
        const report = await diagnosed(guest, path.here, ...generic, '--allow-system-changes');
        const stack = spans(report, path.device).stack;
        guest.note(stackStep(report, path.device)?.reason ?? '');
        assert.ok(stack !== null && stack.count > 2, `stack span: ${JSON.stringify(report.selfCost.actions)}`);
        assert.equal(stack.mode, 'generic');
        guest.note(JSON.stringify(report.selfCost.actions));
        const after = stateOf(path);
        guest.note(`carrier changes ${before['carrierChanges'] ?? ''} -> ${after['carrierChanges'] ?? ''}`);
        assert.deepEqual({ ...after, carrierChanges: '' }, { ...before, carrierChanges: '' });
      },
    },
  ];
}

/** The second line RX: of `ethtool -g`; undefined where the driver does not tell. */
function ethtoolRing(device: string): number | undefined {
  const { status, stdout } = spawnSync('ethtool', ['-g', device], { encoding: 'utf8' });
  const lines = status === 0 ? [...stdout.matchAll(/^RX:\s+(\d+)$/gm)] : [];
  return lines[1] === undefined ? undefined : Number(lines[1][1]);
}

export const nicChecks: readonly Check[] = [
  ...NICS.flatMap(checksOf),
  {
    id: 'ring-drops',
    what: 'PKT0501: frames the NIC had no room for (rx_missed_errors of an RTL8139)',
    seconds: 240,
    run: async (guest) => {
      // The other emulated cards make their sender wait; this one drops what does not fit into its 64 descriptors.
      const path = await wire(guest.kit, '05', '15');
      await pause(4000);
      const missed = (): number => Number(attribute(path.device, 'statistics/rx_missed_errors'));
      const flags = ['--interface', path.device, '--probe', 'off', '--window', '5s'];
      const judged = async (): Promise<Report['findings'][number] | undefined> => {
        const before = missed();
        const report = await diagnosed(guest, path.here, ...flags);
        guest.note(`rx_missed_errors +${String(missed() - before)}`);
        const finding = report.findings.find(({ code }) => code === 'PKT0501');
        guest.note(`${finding?.outcome ?? ''}: ${finding?.summary ?? ''}`);
        return finding;
      };
      await udpOver(path, 200);
      assert.equal((await judged())?.outcome, 'ok', 'a few packets fit');
      await path.client.make('udp-send', { address: path.address, port: 9001, rate: 0, life: 200, seconds: 200 });
      const finding = await judged();
      assert.ok(finding !== undefined && ['warning', 'critical'].includes(finding.outcome), finding?.summary);
    },
  },
  {
    id: 'ring-drops-elsewhere',
    what: 'the same of a card that was moved into another namespace, whose statistics sysfs does not show',
    seconds: 240,
    run: async (guest) => {
      const path = await wire(guest.kit, '05', '15');
      const pod = guest.kit.host();
      runOrThrow(['ip', 'link', 'set', path.device, 'netns', pod.netns]);
      guest.kit.undo(() => pod.run('ip', 'link', 'set', path.device, 'netns', '1'));
      pod.run('ip', 'address', 'add', `${path.address}/24`, 'dev', path.device);
      pod.run('ip', 'link', 'set', path.device, 'up');
      await pause(4000);
      const judged = async (): Promise<Report['findings'][number] | undefined> => {
        const flags = ['--netns', pod.netns, '--probe', 'off', '--window', '5s'];
        const { findings } = await diagnosed(guest, path.here, ...flags);
        const finding = findings.find(({ code, at }) => code === 'PKT0501' && at['netns'] === pod.netns);
        guest.note(`${finding?.outcome ?? 'nothing'}: ${finding?.summary ?? ''}`);
        return finding;
      };
      await path.client.make('udp-send', { address: path.address, port: 9001, rate: 0, life: 200, seconds: 200 });
      const finding = await judged();
      assert.ok(finding !== undefined && ['warning', 'critical'].includes(finding.outcome), finding?.summary);
      assert.match(finding.summary, /^\S+ \(8139\S+\) lost \d/);
    },
  },
  {
    id: 'driver-counters',
    what: 'what the drivers count by names of their own and the sizes of their rings are read as ethtool prints them',
    seconds: 400,
    run: async (guest) => {
      const cards = [...NICS, { driver: '8139cp', address: '05', sender: '15' }];
      const wires: Wire[] = [];
      for (const [n, { address, sender }] of cards.entries())
        wires.push(await wire(guest.kit, address, sender, 40 + n));
      await pause(4000);
      const losses = readRingLosses();
      for (const { device, reason } of losses.ok ? losses.value.untold : []) guest.note(`${device}: ${reason}`);
      const { out } = await guest.kit.itself().pktcost('metrics');
      const page = out.split('\n');
      const read = (name: string, device: string): string[] =>
        page.filter((line) => line.startsWith(`pktcost_device_${name}{`) && line.includes(`device="${device}"`));
      const told: Record<string, readonly number[]> = {};
      for (const { device } of wires) {
        const driver = /driver: (\S+)/.exec(runOrThrow(['ethtool', '-i', device]))?.[1] ?? '';
        const [counters, ring] = [read('driver_loss_counters', device), read('receive_ring_frames', device)];
        assert.equal(counters.length, 2, `${driver} was asked`);
        assert.match(counters[0] ?? '', new RegExp(`driver="${driver}"`));
        told[driver] = counters.map((line) => Number(line.split(' ').at(-1)));
        const sizes = ethtoolRing(device);
        assert.deepEqual(
          ring.map((line) => Number(line.split(' ').at(-1))),
          sizes === undefined ? [] : [sizes],
          driver,
        );
        for (const line of [...counters, ...ring, ...read('receive_ring_lost_total', device)]) guest.note(line);
      }
      assert.deepEqual(Object.fromEntries(Object.entries(told).map(([driver, [, ring = 0]]) => [driver, ring > 0])), {
        virtio_net: false,
        e1000e: true,
        vmxnet3: true,
        e1000: true,
        '8139cp': false,
      });
      const report = await diagnosed(guest, guest.kit.itself(), '--probe', 'off');
      const finding = report.findings.find(({ code }) => code === 'PKT0501');
      guest.note(`${finding?.outcome ?? ''}: ${finding?.summary ?? ''}`);
      assert.equal(finding?.outcome, 'ok', 'what vmxnet3 counts was read');
    },
  },
  {
    id: 'dmi',
    what: 'PKT0602 reads the memory banks of DMI, PKT0601 the PCIe link',
    run: async (guest) => {
      const { out } = await guest.kit.itself().pktcost('metrics');
      const wanted = /^(node_nodeconfig_|pktcost_memory|node_pcidevice_\w+_link_width.* [1-9])/;
      const lines = out.split('\n').filter((line) => wanted.test(line));
      for (const line of lines.slice(0, 24)) guest.note(line);
      const report = await diagnosed(guest, guest.kit.itself(), '--probe', 'off');
      for (const { code, outcome, summary } of report.findings.filter(({ code }) => /PKT060[12]/.test(code)))
        guest.note(`${code} ${outcome}: ${summary}`);
      const banks = report.findings.find(({ code }) => code === 'PKT0602');
      assert.ok(banks !== undefined && banks.outcome !== 'not-measured', banks?.summary);
      assert.ok(
        lines.some((line) => /memory/.test(line)),
        'memory banks',
      );
    },
  },
];
