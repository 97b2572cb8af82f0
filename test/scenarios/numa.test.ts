import assert from 'node:assert/strict';
import { join } from 'node:path';

import type { Diagnosed, Kit } from './kit/hosts.ts';
import { firstSampleTaken, writeImage, type HostImage } from './kit/image.ts';
import { finding, scenario } from './kit/scenario.ts';

/** This machine has one node: the command reads a recorded host, which changes from one moment to the next under it. */
async function diagnoseImage(kit: Kit, folder: string, image: HostImage): Promise<Diagnosed> {
  const { root, after } = writeImage(folder, image);
  const paths = ['--path.procfs', join(root, 'proc'), '--path.sysfs', join(root, 'sys'), '--path.rootfs', root];
  const diagnosed = kit.itself().diagnose(...paths);
  await firstSampleTaken(folder);
  after();
  return diagnosed;
}

const LOCAL = [4, 5, 6, 7];
const REMOTE = [0, 1, 2, 3];

const folderOf = (kit: Kit): string => kit.folder();

scenario({
  title: 'Receive work on another NUMA node',
  codes: ['PKT0301', 'PKT0302', 'PKT0303'],
  setUp: folderOf,
  cases: {
    'a NIC of node 1 whose interrupts and packets are on CPUs of node 0': {
      fires: ['PKT0301'],
      provoke: (folder, kit) => diagnoseImage(kit, folder, { nicNode: 1, receivingCpus: REMOTE }),
      check: (report) => {
        const found = finding(report, 'PKT0301');
        assert.equal(found.certainty, 'measured');
        assert.equal(found.place.device, 'eth0');
        assert.deepEqual([...found.place.cpus].sort(), ['0', '1', '2', '3']);
        const commands = found.remedies.map(({ command }) => command ?? '').join('\n');
        for (const irq of [64, 65, 66, 67]) assert.match(commands, new RegExp(`${irq}`));
        assert.match(commands, /4-7/);
        return undefined;
      },
    },
    'the same NIC, its work on CPUs of its node': {
      provoke: (folder, kit) => diagnoseImage(kit, folder, { nicNode: 1, receivingCpus: LOCAL }),
      check: (report) => {
        assert.equal(finding(report, 'PKT0301').outcome, 'ok');
        return undefined;
      },
    },
    'a NIC whose firmware did not say its node': {
      provoke: (folder, kit) => diagnoseImage(kit, folder, { nicNode: -1, receivingCpus: REMOTE }),
      check: (report) => {
        assert.equal(finding(report, 'PKT0301').outcome, 'not-measured');
        assert.match(JSON.stringify(finding(report, 'PKT0301').missing), /-1/);
        return undefined;
      },
    },
  },
});

scenario({
  title: 'Memory of a NUMA node',
  codes: ['PKT0301', 'PKT0302', 'PKT0303'],
  setUp: folderOf,
  cases: {
    'the node of the NIC cannot serve a third of what is asked of it': {
      fires: ['PKT0302'],
      provoke: (folder, kit) =>
        diagnoseImage(kit, folder, { nicNode: 1, receivingCpus: LOCAL, foreign: 50_000, hit: 100_000 }),
      check: (report) => {
        assert.match(finding(report, 'PKT0302').summary, /eth0/);
        return undefined;
      },
    },
    'vm.numa_stat is off: not measured, which is not the same as in order': {
      provoke: (folder, kit) =>
        diagnoseImage(kit, folder, { nicNode: 1, receivingCpus: LOCAL, foreign: 50_000, numaStat: false }),
      check: (report) => {
        assert.equal(finding(report, 'PKT0302').outcome, 'not-measured');
        return undefined;
      },
    },
    'pages taken from the wanted node by CPUs of the other: numa_other, not numa_miss': {
      provoke: (folder, kit) =>
        diagnoseImage(kit, folder, { nicNode: 1, receivingCpus: LOCAL, hit: 100_000, other: 60_000 }),
      check: (report) => {
        assert.equal(finding(report, 'PKT0302').outcome, 'ok');
        return undefined;
      },
    },
  },
});

scenario({
  title: 'Open vSwitch threads',
  codes: ['PKT0301', 'PKT0302', 'PKT0303'],
  setUp: folderOf,
  cases: {
    'a PMD thread bound to node 0, its NIC on node 1': {
      fires: ['PKT0303'],
      provoke: (folder, kit) =>
        diagnoseImage(kit, folder, { nicNode: 1, receivingCpus: LOCAL, pmd: { allowed: '2', cpu: 2 } }),
      check: (report) => {
        const found = finding(report, 'PKT0303');
        assert.equal(found.certainty, 'measured');
        assert.match(found.summary, /pmd-c02/);
        return undefined;
      },
    },
    'the same thread bound to the node of the NIC': {
      provoke: (folder, kit) =>
        diagnoseImage(kit, folder, { nicNode: 1, receivingCpus: LOCAL, pmd: { allowed: '6', cpu: 6 } }),
      check: (report) => {
        assert.equal(finding(report, 'PKT0303').outcome, 'ok');
        return undefined;
      },
    },
  },
});
