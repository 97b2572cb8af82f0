import assert from 'node:assert/strict';
import { describe, it } from 'node:test';

import { expectFinding, found, groups, judgeCopy, pairOf, type Copy } from '../support/copies.ts';

const folder = 'sos_commands/openvswitch';
const shown = (missed: number, lost: number): string =>
  `system@ovs-system:\n  lookups: hit:936830 missed:${missed} lost:${lost}\n  flows: 7\n  port 2: br-int (internal)\n`;

describe('upcalls that Open vSwitch lost', () => {
  for (const name of [
    'ovs-appctl_dpctl.show_-s_system_ovs-system',
    'ovs-appctl_dpctl.show_-s_system_ovs-system_',
    'ovs-appctl_-t_5_dpctl.show_-s_system_ovs-system',
    'ovs-appctl_dpctl.show_-s',
    'ovs-appctl_dpctl.show',
    'ovs-dpctl_-s_show',
    'ovs-dpctl_-s_show_system_ovs-system',
    'ovs-dpctl_show_-s',
    'openstack-hypervisor.ovs-appctl_dpctl.show_-s_system_ovs-system',
  ]) {
    it(`are a finding by the output called ${name}`, () => {
      const judged = judgeCopy({ [`${folder}/${name}`]: shown(50_000, 5000) });
      const finding = expectFinding(judged, 'PKT0505', [
        'warning',
        'possible',
        /^The datapath system@ovs-system of Open vSwitch lost 5,000 packets .* since it was made, 10% of those/,
      ]);
      assert.equal(finding.evidence[0]?.metric, 'pktcost_openvswitch_lost_total');
      assert.ok(!judged.notes.some((note) => note.startsWith('not read')));
    });
  }

  it('are told as they rise between two reports, and not where they do not', () => {
    const at = (missed: number, lost: number): Copy => ({
      [`${folder}/ovs-appctl_dpctl.show_-s_system_ovs-system`]: shown(missed, lost),
    });
    const common = { 'proc/net/netstat': groups({ TcpExt: { ListenOverflows: 0 } }) };
    const rising = judgeCopy(pairOf(common, at(50_000, 5000), at(52_000, 5600), 60));
    expectFinding(rising, 'PKT0505', ['critical', 'measured', /lost 600 packets .*\(10\/s\), 30% of/]);
    assert.equal(found(judgeCopy(pairOf(common, at(50_000, 5000), at(52_000, 5000))), 'PKT0505').outcome, 'ok');
  });

  it('that were none since the datapath was made are said to be none', () => {
    const judged = judgeCopy({ [`${folder}/ovs-appctl_dpctl.show_-s_system_ovs-system`]: shown(50_000, 0) });
    expectFinding(judged, 'PKT0505', ['ok', null, /^No packets lost on their way to ovs-vswitchd/]);
  });

  it('are not measured where the output is not understood, and one line says what lies there', () => {
    const judged = judgeCopy({
      [`${folder}/ovs-appctl_dpctl.dump-flows_-m_system_ovs-system`]: 'recirc_id(0)\n',
      [`${folder}/ovs-ofctl_dump-ports_br-int`]: 'x\n',
      'proc/modules': 'virtio_net 77824 0 - Live 0x0\n',
    });
    assert.equal(found(judged, 'PKT0505').outcome, 'not-measured');
    const notes = judged.notes.filter((note) => note.startsWith('not read'));
    assert.deepEqual(notes, [
      'not read: of Open vSwitch ovs-appctl_dpctl.dump-flows_-m_system_ovs-system, ovs-ofctl_dump-ports_br-int',
    ]);
  });

  it('are not there where Open vSwitch is not', () => {
    const judged = judgeCopy({ 'proc/modules': 'virtio_net 77824 0 - Live 0x0\n' });
    assert.equal(found(judged, 'PKT0505').outcome, 'not-applicable');
  });
});

it('one line says what of namespaces lies there unread', () => {
  const { notes } = judgeCopy({
    'sos_commands/networking/ip_netns': 'qrouter-5f (id: 0)\n',
    'sos_commands/networking/ip_netns_exec_qrouter-5f_ss_-peaonmi': 'Netid State\n',
    'sos_commands/networking/ip_netns_exec_qrouter-5f_iptables-save': 'x\n',
    'sos_commands/networking/namespaces/qdhcp-1/ip_netns_exec_qdhcp-1_ip_rule_list': 'x\n',
    'sos_commands/namespaces/qdhcp-1/some_other_name': 'x\n',
    'sos_commands/networking/ip_netns_exec_qrouter-5f_ethtool_qr-1': 'x\n',
    'sos_commands/networking/ip_netns_exec_qrouter-5f_ethtool_-S_lo': 'x\n',
    'sos_commands/networking/ip_netns_exec_qrouter-5f_ethtool_-S_qr-1': 'x\n',
  });
  assert.deepEqual(
    notes.filter((note) => note.startsWith('not read')),
    ['not read: of namespaces ethtool, iptables-save, ip_rule_list, some_other_name'],
  );
});
