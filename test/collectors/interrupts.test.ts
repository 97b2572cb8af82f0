import assert from 'node:assert/strict';
import { describe, it } from 'node:test';

import { deviceDirectory, interrupts, parseInterrupts } from '../../src/collectors/interrupts.ts';
import { deviceInterrupts, deviceIrq, interrupts as interruptsMetric } from '../../src/metrics/catalogue/index.ts';
import { bytesOf, fixture } from '../support/fixture.ts';
import { collect, valueOf, valuesOf } from '../support/reader.ts';

// CPU 1 is offline and has no column. One row each of old and new kernels: with and without the hwirq.
const unplugged = `            CPU0       CPU2       CPU3       
   9:          0          0          0  IR-IO-APIC-fasteoi   acpi
  16:        328          0         29  IR-IO-APIC-fasteoi   ehci_hcd:usb1, mmc0
 124:          0 4294967295          0  IR-PCI-MSIX-0000:17:00.0   1-edge      mlx5_comp0@pci:0000:17:00.0
 NMI:         47       5031          0   Non-maskable interrupts
 ERR:          0
 MIS:          2

 PIN:          0          0          0   Posted-interrupt notification event
`;

const pf = '/sys/devices/pci0000:16/0000:17:00.0';
const virtio = '/sys/devices/pci0000:00/0000:00:03.0';
const devices = {
  '/proc/interrupts': unplugged,
  '/sys/class/net/bonding_masters': '\n',
  '/sys/class/net/lo': '-> ../../devices/virtual/net/lo',
  '/sys/class/net/ens1': '-> ../../devices/pci0000:16/0000:17:00.0/net/ens1',
  [`${pf}/msi_irqs/124`]: 'msix\n',
  [`${pf}/irq`]: '16\n',
  '/proc/irq/124/smp_affinity_list': '0-3\n',
  '/proc/irq/124/effective_affinity_list': '2\n',
  '/sys/class/net/eth0': '-> ../../devices/pci0000:00/0000:00:03.0/virtio2/net/eth0',
  [`${virtio}/msi_irqs/37`]: 'msix\n',
  [`${virtio}/msi_irqs/38`]: 'msix\n',
  '/proc/irq/38/smp_affinity_list': '1\n',
  '/sys/class/net/old0': '-> ../../devices/pci0000:00/0000:00:05.0/net/old0',
  '/sys/devices/pci0000:00/0000:00:05.0/irq': '11\n',
  '/proc/irq/11/smp_affinity_list': '0\n',
  '/proc/irq/11/effective_affinity_list': '0\n',
  '/sys/class/net/none0': '-> ../../devices/pci0000:00/0000:00:06.0/net/none0',
  '/sys/devices/pci0000:00/0000:00:06.0/irq': '0\n',
};

describe('interrupts collector', () => {
  it('names CPUs by the header, forms labels as node_exporter does, and leaves zeros, ERR and MIS out', () => {
    const snapshot = collect(interrupts, { files: devices });
    assert.deepEqual(valuesOf(snapshot, interruptsMetric), {
      'cpu=0,devices=ehci_hcd:usb1, mmc0,info=IR-IO-APIC-fasteoi,type=16': 328,
      'cpu=3,devices=ehci_hcd:usb1, mmc0,info=IR-IO-APIC-fasteoi,type=16': 29,
      'cpu=2,devices=1-edge mlx5_comp0@pci:0000:17:00.0,info=IR-PCI-MSIX-0000:17:00.0,type=124': 4294967295,
      'cpu=0,devices=,info=Non-maskable interrupts,type=NMI': 47,
      'cpu=2,devices=,info=Non-maskable interrupts,type=NMI': 5031,
    });
  });

  it('finds the interrupts of a device: its own, those of the PCI function above virtio, or the legacy line', () => {
    const snapshot = collect(interrupts, { files: devices });
    assert.deepEqual(Object.keys(valuesOf(snapshot, deviceIrq)).sort(), [
      'affinity=,device=eth0,effective_affinity=,type=37',
      'affinity=0,device=old0,effective_affinity=0,type=11',
      'affinity=0-3,device=ens1,effective_affinity=2,type=124',
      'affinity=1,device=eth0,effective_affinity=,type=38',
    ]);
    assert.equal(snapshot.collector('interrupts')?.status, 'ok');
  });

  it('counts the interrupts of a device by CPU, and a line that two ports share for each', () => {
    const second = { '/sys/class/net/ens1d1': '-> ../../devices/pci0000:16/0000:17:00.0/net/ens1d1' };
    const snapshot = collect(interrupts, { files: { ...devices, ...second } });
    assert.deepEqual(valuesOf(snapshot, deviceInterrupts), {
      'cpu=2,device=ens1,type=124': 4294967295,
      'cpu=2,device=ens1d1,type=124': 4294967295,
    });
  });

  it('tells hardware from virtual devices by the link alone', () => {
    assert.equal(deviceDirectory('../../devices/virtual/net/veth0'), undefined);
    assert.equal(deviceDirectory('../../devices/vmbus/VMBUS:01/abc/net/eth0'), '/sys/devices/vmbus/VMBUS:01/abc');
    assert.equal(deviceDirectory('garbage'), undefined);
  });

  it('reads a file of 6.18, where ERR and MIS stand between full rows', () => {
    const snapshot = collect(interrupts, { files: { '/proc/interrupts': fixture('interrupts/interrupts-6.18') } });
    const labels = { cpu: '1', type: '38', info: 'PCI-MSIX-0000:00:03.0', devices: '1-edge virtio2-input.0' };
    assert.ok((valueOf(snapshot, interruptsMetric, labels) ?? 0) > 0);
    assert.ok(snapshot.series(interruptsMetric).every((series) => !['ERR', 'MIS'].includes(series.labels['type']!)));
  });

  it('reads a host of one CPU, where ERR has as many numbers as any row', () => {
    const parsed = parseInterrupts(
      bytesOf('           CPU0\n  1:  5  XT-PIC  timer\nERR:          3\nIPI0:7 Rescheduling\n'),
    );
    assert.ok(parsed.ok);
    assert.deepEqual(
      parsed.value.map(({ type, info, devices: names }) => [type, info, names]),
      [
        ['1', 'XT-PIC', 'timer'],
        ['IPI0', 'Rescheduling', ''],
      ],
    );
  });

  it('refuses rows of another length than the header: a CPU came or went while the file was read', () => {
    for (const rest of ['  1: 1 2  chip  name\n', '  1: 1 2 3 4  chip  name\n', 'RES: 1 2\n', 'NMI: 1 2 3 4\n']) {
      const parsed = parseInterrupts(bytesOf(`CPU0 CPU2 CPU3\n${rest}`));
      assert.ok(!parsed.ok);
      assert.match(parsed.reason, /not one count for each of 3 CPUs/);
    }
  });

  it('gives no number for a file that is empty, cut anywhere or garbage', () => {
    for (let length = 0; length < unplugged.length; length += 1) {
      const parsed = parseInterrupts(bytesOf(unplugged.slice(0, length)));
      if (parsed.ok) assert.equal(unplugged[length - 1], '\n');
    }
    for (const garbage of [
      '\n',
      'x\n',
      'CPU0\nno colon\n',
      'CPU0\n1: 4294967296 chip name\n',
      'CPU0\n1: -1 chip name\n',
    ]) {
      assert.equal(parseInterrupts(bytesOf(garbage)).ok, false, JSON.stringify(garbage));
    }
  });
});
