/** Two NUMA nodes, and NICs behind a PCI bridge of each. */
import assert from 'node:assert/strict';
import { existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Report, ReportFinding } from '../../src/generated/report.ts';
import { pause, runOrThrow, type Kit } from '../scenarios/kit/hosts.ts';
import type { Check, Guest } from './check.ts';
import { moveIrqs, nicByAddress, type, udpOver, wire } from './nic.ts';
import { diagnosed } from './traffic.ts';

/** An emulated machine carries a fiftieth of what the limits were made for. */
export function lowLimits(kit: Kit): readonly string[] {
  const path = join(kit.folder(), 'config.json');
  const thresholds = {
    PKT0103: { packets: 50 },
    PKT0301: { packets: 200, cost: 0.0005, unpriced: 200 },
    PKT0303: { packets: 100, cpuShare: 0.02 },
  };
  writeFileSync(path, JSON.stringify({ thresholds }));
  return ['--config', path, '--probe', 'off'];
}

function fired(report: Report, code: string): ReportFinding | undefined {
  return report.findings.find((each) => each.code === code && ['warning', 'critical'].includes(each.outcome));
}

function judged(report: Report, code: string): string {
  return report.findings
    .filter((each) => each.code === code)
    .map(({ outcome, summary, missing }) => `${outcome}: ${summary} ${missing.map(({ reason }) => reason).join('; ')}`)
    .join(' | ');
}

/** Fires with the words wanted, and is quiet once the remedy was typed as it stands. */
async function firesUntilRemedied(guest: Guest, code: string, flags: readonly string[], words: RegExp): Promise<void> {
  const here = guest.kit.itself();
  const before = await diagnosed(guest, here, ...flags);
  const finding = fired(before, code);
  assert.ok(finding, judged(before, code));
  assert.match(finding.summary, words);
  guest.note(finding.summary);
  const command = finding.remedies[0]?.command;
  assert.ok(command, 'a remedy can be typed');
  guest.note(`typed: ${command}`);
  type(command);
  await pause(1000);
  const after = await diagnosed(guest, here, ...flags);
  assert.equal(fired(after, code), undefined, `after the remedy: ${judged(after, code)}`);
}

export const numaChecks: readonly Check[] = [
  {
    id: 'numa-facts',
    what: 'the nodes of CPUs and NICs are read as they are',
    run: async ({ kit, note }) => {
      const { out } = await kit.itself().pktcost('metrics');
      for (const [address, node] of [
        ['01', '1'],
        ['02', '1'],
        ['11', '0'],
      ] as const) {
        const device = await nicByAddress(address);
        const line = out.split('\n').find((each) => /numa_node/.test(each) && each.includes(`device="${device}"`));
        assert.ok(line !== undefined, `${device} has no node`);
        assert.ok(line.endsWith(` ${node}`), `${line}, not node ${node}`);
        note(line);
      }
      assert.match(out, /node_zoneinfo_numa_hit_total\{[^}]*node="1"/);
    },
  },
  {
    id: 'numa-irq',
    what: "PKT0301: a NIC's interrupts on the wrong node's CPUs; quiet after its remedy",
    seconds: 300,
    run: async (guest) => {
      const path = await wire(guest.kit, '01', '11');
      moveIrqs(path.device, '0');
      await udpOver(path);
      await firesUntilRemedied(guest, 'PKT0301', lowLimits(guest.kit), /on CPUs 0, which are not of its NUMA node 1/);
    },
  },
  {
    id: 'numa-irq-vmxnet3',
    what: 'the same with vmxnet3',
    seconds: 300,
    run: async (guest) => {
      const path = await wire(guest.kit, '02', '12');
      moveIrqs(path.device, '1');
      await udpOver(path);
      await firesUntilRemedied(guest, 'PKT0301', lowLimits(guest.kit), /on CPUs 1, which are not of its NUMA node 1/);
    },
  },
  {
    id: 'numa-rps',
    what: 'PKT0301: RPS that carries packets to the wrong node; quiet after its remedy',
    seconds: 300,
    run: async (guest) => {
      const path = await wire(guest.kit, '01', '11');
      moveIrqs(path.device, '2-3');
      const queues = `/sys/class/net/${path.device}/queues`;
      const steer = (mask: string): void => {
        for (const queue of readdirSync(queues).filter((each) => each.startsWith('rx-')))
          writeFileSync(join(queues, queue, 'rps_cpus'), mask);
      };
      guest.kit.undo(() => {
        steer('0');
      });
      steer('1');
      await udpOver(path);
      await firesUntilRemedied(guest, 'PKT0301', lowLimits(guest.kit), /RPS moves .* to CPUs 0/);
    },
  },
  {
    id: 'numa-memory',
    what: 'PKT0302: a node whose memory is used up',
    seconds: 240,
    run: async (guest) => {
      const { kit } = guest;
      const here = kit.itself();
      const folder = join(kit.folder(), 'fill');
      runOrThrow(['mkdir', folder]);
      runOrThrow(['mount', '-t', 'tmpfs', '-o', 'size=95%', 'fill', folder]);
      kit.undo(() => runOrThrow(['umount', '-l', folder]));
      const free = (): number =>
        Number(/MemFree:\s+(\d+)/.exec(readFileSync('/sys/devices/system/node/node1/meminfo', 'utf8'))?.[1]);
      const fill = Math.floor(free() / 1024);
      runOrThrow(['taskset', '-c', '2', 'busybox', 'dd', 'if=/dev/zero', `of=${folder}/a`, 'bs=1M', `count=${fill}`]);
      guest.note(`node 1 has ${free()} KiB free`);
      const script = `i=0; while [ $i -lt 200 ]; do busybox dd if=/dev/zero of=${folder}/b$((i % 20)) bs=1M count=4 2>/dev/null; busybox rm -f ${folder}/b$(((i + 1) % 20)); i=$((i + 1)); done`;
      await here.start(['taskset', '-c', '2', 'sh', '-c', script]);
      const report = await diagnosed(guest, here, ...lowLimits(kit));
      const finding = fired(report, 'PKT0302');
      assert.ok(finding, judged(report, 'PKT0302'));
      assert.match(finding.summary, /^Node 1, the node of /);
      guest.note(finding.summary);
    },
  },
  {
    id: 'numa-ovs',
    what: "PKT0303: Open vSwitch's own daemon on the wrong node; quiet after its remedy",
    seconds: 400,
    run: async (guest) => {
      const { kit } = guest;
      const path = await wire(kit, '01', '11');
      moveIrqs(path.device, '2-3');
      const db = join(kit.folder(), 'conf.db');
      runOrThrow(['modprobe', 'openvswitch']);
      runOrThrow(['mkdir', '-p', '/run/openvswitch', '/var/log/openvswitch', '/etc/openvswitch']);
      runOrThrow(['ovsdb-tool', 'create', db, '/usr/share/openvswitch/vswitch.ovsschema']);
      const socket = '/run/openvswitch/db.sock';
      // Comes back when it listens, or says why it does not.
      runOrThrow(['ovsdb-server', db, `--remote=punix:${socket}`, '--detach', '--no-chdir', '--pidfile']);
      kit.undo(() => {
        for (const daemon of ['ovs-vswitchd', 'ovsdb-server']) {
          const file = `/run/openvswitch/${daemon}.pid`;
          if (existsSync(file)) process.kill(Number(readFileSync(file, 'utf8')), 'SIGKILL');
        }
      });
      runOrThrow(['taskset', '-c', '0', 'ovs-vswitchd', `unix:${socket}`, '--detach', '--no-chdir', '--pidfile']);
      runOrThrow(['ip', 'address', 'flush', 'dev', path.device]);
      const vsctl = (...argv: readonly string[]): string =>
        runOrThrow(['ovs-vsctl', `--db=unix:${socket}`, '--timeout=60', ...argv]);
      vsctl('add-br', 'br0', '--', 'set', 'bridge', 'br0', 'datapath_type=system');
      vsctl('add-port', 'br0', path.device);
      runOrThrow(['ip', 'address', 'add', `${path.address}/24`, 'dev', 'br0']);
      runOrThrow(['ip', 'link', 'set', 'br0', 'up']);
      kit.undo(() => {
        runOrThrow(['ovs-dpctl', 'del-dp', 'ovs-system']);
      });
      // Each port a flow of its own: every packet is an upcall, which is the work of the daemon's handlers.
      runOrThrow(['ovs-appctl', '-t', 'ovs-vswitchd', 'upcall/disable-megaflows']);
      await path.client.make('udp-send', {
        address: path.address,
        port: 10_000,
        ports: 20_000,
        rate: 1000,
        life: 600,
        seconds: 600,
      });
      await pause(3000);
      await firesUntilRemedied(guest, 'PKT0303', lowLimits(kit), /\(handler/);
    },
  },
];
