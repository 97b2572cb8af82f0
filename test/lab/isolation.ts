/** CPUs set apart at boot and by cpuset, and packet work that reaches them all the same. */
import assert from 'node:assert/strict';
import { existsSync, mkdirSync, readdirSync, readFileSync, rmdirSync, writeFileSync } from 'node:fs';
import { runOrThrow } from '../scenarios/kit/hosts.ts';
import { Skip, type Check, type Guest } from './check.ts';
import { moveIrqs, udpOver, wire } from './nic.ts';
import { lowLimits } from './numa.ts';
import { diagnosed } from './traffic.ts';

/** The CPUs PKT0103 speaks of. */
async function disturbed(guest: Guest): Promise<string[]> {
  const report = await diagnosed(guest, guest.kit.itself(), ...lowLimits(guest.kit));
  const findings = report.findings.filter(({ code }) => code === 'PKT0103');
  const fired = findings.filter(({ outcome }) => outcome === 'warning' || outcome === 'critical');
  for (const { summary } of fired) guest.note(summary);
  if (fired.length === 0) guest.note(findings.map(({ outcome, summary }) => `${outcome}: ${summary}`).join(' | '));
  return fired.map(({ at }) => at['cpu'] ?? '').sort();
}

/** An isolated cpuset partition of one CPU, for the length of a check. */
function setApart({ kit }: Guest, cpus: string): void {
  const group = '/sys/fs/cgroup/apart';
  writeFileSync('/sys/fs/cgroup/cgroup.subtree_control', '+cpuset');
  mkdirSync(group);
  kit.undo(() => {
    rmdirSync(group);
  });
  writeFileSync(`${group}/cpuset.cpus`, cpus);
  writeFileSync(`${group}/cpuset.cpus.partition`, 'isolated');
  const state = readFileSync(`${group}/cpuset.cpus.partition`, 'utf8').trim();
  if (state !== 'isolated') throw new Skip(`the kernel says ${state}`);
  if (!existsSync('/sys/fs/cgroup/cpuset.cpus.isolated'))
    throw new Skip('this kernel does not tell which CPUs a partition sets apart (cpuset.cpus.isolated came with 6.7)');
}

export const isolationChecks: readonly Check[] = [
  {
    id: 'isolated-facts',
    what: 'isolcpus and nohz_full are told apart, CPU by CPU',
    run: async ({ kit, note }) => {
      const { out } = await kit.itself().pktcost('metrics');
      const lines = out.split('\n').filter((line) => /dedicated|isolated|nohz/.test(line) && !line.startsWith('#'));
      note(lines.join(' | '));
      note(
        `isolated ${readFileSync('/sys/devices/system/cpu/isolated', 'utf8').trim()}, nohz_full ${readFileSync('/sys/devices/system/cpu/nohz_full', 'utf8').trim()}`,
      );
      assert.ok(lines.some((line) => line.includes('cpu="2"')));
      assert.ok(!lines.some((line) => line.includes('by="cpuset"')), 'no partition was made');
      assert.ok(lines.some((line) => line.includes('cpu="3"') && /nohz/.test(line)));
      assert.ok(!lines.some((line) => line.includes('cpu="0"') && line.endsWith(' 1')), "CPU 0 is nobody's");
    },
  },
  {
    id: 'isolated-irq',
    what: 'PKT0103: interrupts of a NIC on an isolated CPU; quiet on a housekeeping CPU',
    seconds: 300,
    run: async (guest) => {
      const path = await wire(guest.kit, '01', '11');
      moveIrqs(path.device, '2');
      await udpOver(path);
      assert.deepEqual(await disturbed(guest), ['2']);
      moveIrqs(path.device, '0');
      assert.deepEqual(await disturbed(guest), []);
    },
  },
  {
    id: 'isolated-rps',
    what: 'PKT0103: RPS to a CPU of a cpuset partition; to one of isolcpus the kernel itself refuses it',
    seconds: 240,
    run: async (guest) => {
      const path = await wire(guest.kit, '01', '11');
      moveIrqs(path.device, '0');
      const queue = `/sys/class/net/${path.device}/queues/rx-0/rps_cpus`;
      guest.kit.undo(() => {
        writeFileSync(queue, '0');
      });
      // net-sysfs.c:rps_cpumask_housekeeping
      assert.throws(() => {
        writeFileSync(queue, '8');
      }, /EINVAL/);
      setApart(guest, '1');
      writeFileSync(queue, '2');
      await udpOver(path);
      assert.deepEqual(await disturbed(guest), ['1']);
    },
  },
  {
    id: 'isolated-napi-thread',
    what: 'PKT0103: a NAPI kernel thread on an isolated CPU',
    seconds: 240,
    run: async (guest) => {
      const path = await wire(guest.kit, '01', '11');
      moveIrqs(path.device, '0');
      const switched = `/sys/class/net/${path.device}/threaded`;
      if (!existsSync(switched)) throw new Skip('this kernel has no threaded NAPI');
      writeFileSync(switched, '1');
      guest.kit.undo(() => {
        writeFileSync(switched, '0');
      });
      const threads = readdirSync('/proc').filter((pid) => {
        if (!/^\d+$/.test(pid)) return false;
        const comm = `/proc/${pid}/comm`;
        return existsSync(comm) && readFileSync(comm, 'utf8').startsWith(`napi/${path.device}`.slice(0, 15));
      });
      assert.ok(threads.length > 0, 'the driver has NAPI threads');
      for (const pid of threads) runOrThrow(['taskset', '-pc', '2', pid]);
      await udpOver(path);
      assert.deepEqual(await disturbed(guest), ['2']);
      assert.ok(guest.said().includes('thread napi/'), 'the thread is named');
    },
  },
  {
    id: 'isolated-cpuset',
    what: 'PKT0103: a cpuset partition made at run time',
    seconds: 240,
    run: async (guest) => {
      const path = await wire(guest.kit, '01', '11');
      setApart(guest, '1');
      moveIrqs(path.device, '1');
      await udpOver(path);
      assert.deepEqual(await disturbed(guest), ['1']);
    },
  },
];
