import assert from 'node:assert/strict';
import { describe, it } from 'node:test';

import { profile } from '../../src/collectors/profile.ts';
import {
  profileDeviceSamples,
  profileEntranceTracing,
  profileLeafSamples,
  profileLost,
  profileNetfilterSamples,
  profileOtherSamples,
  profilePeriod,
  profileProcessSamples,
  profileProgramSamples,
  profileSamples,
  profileStackSamples,
  profileTapSamples,
} from '../../src/metrics/catalogue/index.ts';
import { decodeProfile, encodeProfile } from '../../src/profile/stacks.ts';
import { answerOf } from '../support/profile.ts';
import { collect, valuesOf } from '../support/reader.ts';

const answer = answerOf({
  stacks: [
    { direction: 'receive', stack: 'net_rx_action;__napi_poll;veth_poll', samples: 10, device: 0 },
    {
      direction: 'receive',
      cpu: 1,
      stack:
        'net_rx_action;__napi_poll;process_backlog;__netif_receive_skb_core;ip_rcv;nf_hook_slow;nft_do_chain_ipv4;nft_do_chain',
      samples: 60,
      device: 1,
    },
    { direction: 'receive', stack: 'net_rx_action;__napi_poll;process_backlog;bpf_prog_7', samples: 5 },
    { direction: 'transmit', stack: '__dev_queue_xmit;dev_hard_start_xmit;veth_xmit', pid: 44, samples: 7 },
    { direction: 'socket', stack: '__sys_sendto;surprise', pid: 44, samples: 3 },
    { direction: 'socket', stack: '__sys_recvmsg;udp_recvmsg', pid: 9, samples: 100 },
  ],
  programs: { bpf_prog_7: { id: 7, name: 'theirs', type: 3, own: false } },
  processes: [{ pid: 44, comm: 'sender' }],
  devices: [
    { device: 'eth0', netns: '' },
    { device: 'veth1', netns: 'pod' },
  ],
  ownPid: 9,
});

describe('profile', () => {
  const snapshot = collect(profile, { dumps: { profile: encodeProfile(answer) } });

  it('counts samples by direction, CPU and part, without the calls of pktcost itself', () => {
    assert.deepEqual(valuesOf(snapshot, profileSamples), {
      'cpu=0,direction=receive,part=driver-receive': 10,
      'cpu=1,direction=receive,part=nftables': 60,
      'cpu=0,direction=receive,part=tc-bpf': 5,
      'cpu=0,direction=transmit,part=driver-transmit': 7,
      'cpu=0,direction=socket,part=socket': 3,
    });
    assert.deepEqual(valuesOf(snapshot, profilePeriod), { 'clock=cpu-clock': 0.001 });
    assert.deepEqual(valuesOf(snapshot, profileLost), { 'reason=stacks': 1, 'reason=table': 0, 'reason=symbols': 2 });
  });

  it('tells the taps apart by their receive function, and those on the way out', () => {
    const core = 'net_rx_action;process_backlog;__netif_receive_skb_core';
    const taps = answerOf({
      stacks: [
        { direction: 'receive', stack: `${core};tpacket_rcv;skb_copy_bits`, samples: 7 },
        { direction: 'receive', stack: `${core};packet_rcv;skb_clone`, samples: 5 },
        { direction: 'receive', stack: `${core};packet_rcv_fanout;tpacket_rcv`, samples: 3 },
        {
          direction: 'receive',
          stack: `${core};ip_rcv;ip_forward;__dev_queue_xmit;dev_queue_xmit_nit;packet_rcv`,
          samples: 2,
        },
        { direction: 'transmit', stack: '__dev_queue_xmit;dev_queue_xmit_nit;tpacket_rcv', samples: 4 },
        { direction: 'transmit', stack: '__dev_queue_xmit;dev_queue_xmit_nit;skb_clone', samples: 1 },
      ],
    });
    const seen = collect(profile, { dumps: { profile: encodeProfile(taps) } });
    assert.deepEqual(valuesOf(seen, profileTapSamples), {
      'direction=receive,hook=tpacket_rcv': 7,
      'direction=receive,hook=packet_rcv': 5,
      'direction=receive,hook=packet_rcv_fanout': 3,
      'direction=transmit,hook=packet_rcv': 2,
      'direction=transmit,hook=tpacket_rcv': 4,
    });
  });

  it('tells tracing at the entrance of the stack from that within', () => {
    const program = 'bpf_prog_9';
    const entry = 'net_rx_action;__napi_poll;process_backlog;__netif_receive_skb_one_core;__netif_receive_skb_core';
    const traced = answerOf({
      stacks: [
        {
          direction: 'receive',
          cpu: 1,
          stack: `${entry};__traceiter_netif_receive_skb;bpf_trace_run1;${program}`,
          samples: 7,
        },
        { direction: 'receive', cpu: 1, stack: `${entry};ip_rcv;bpf_trampoline_1;${program}`, samples: 5 },
        { direction: 'receive', cpu: 1, stack: `${entry};ip_rcv`, samples: 3 },
        { direction: 'transmit', cpu: 1, stack: `__dev_queue_xmit;bpf_trace_run1;${program}`, samples: 2 },
      ],
      programs: { [program]: { id: 9, name: 'theirs', type: 17, own: false } },
    });
    const seen = collect(profile, { dumps: { profile: encodeProfile(traced) } });
    assert.equal(valuesOf(seen, profileSamples)['cpu=1,direction=receive,part=tracing'], 12);
    assert.deepEqual(valuesOf(seen, profileEntranceTracing), { 'cpu=1': 7 });
  });

  it('tells hook, device, program, process, and what no part names', () => {
    assert.deepEqual(valuesOf(snapshot, profileNetfilterSamples), {
      'direction=receive,engine=nftables,family=inet,hook=prerouting': 60,
    });
    assert.deepEqual(valuesOf(snapshot, profileDeviceSamples), {
      'cpu=0,device=eth0,direction=receive,part=driver-receive': 10,
      'cpu=1,device=veth1,direction=receive,netns=pod,part=nftables': 60,
    });
    assert.deepEqual(valuesOf(snapshot, profileProgramSamples), {
      'direction=receive,name=theirs,part=tc-bpf,program_id=7': 5,
    });
    assert.deepEqual(valuesOf(snapshot, profileProcessSamples), {
      'comm=sender,direction=transmit,part=driver-transmit,pid=44': 7,
      'comm=sender,direction=socket,part=socket,pid=44': 3,
    });
    assert.deepEqual(valuesOf(snapshot, profileOtherSamples), {});
    assert.equal(valuesOf(snapshot, profileLeafSamples)['direction=receive,leaf=own,part=nftables'], 60);
    assert.equal(
      valuesOf(snapshot, profileStackSamples)[
        'direction=transmit,stack=__dev_queue_xmit;dev_hard_start_xmit;veth_xmit'
      ],
      7,
    );
  });

  it('comes back from its dump as it was', () => {
    const again = decodeProfile(JSON.parse(JSON.stringify(encodeProfile(answer))));
    assert.deepEqual(again, { ok: true, value: answer });
  });

  it('takes nothing that is not whole', () => {
    const good = encodeProfile(answer) as Record<string, unknown>;
    for (const bad of [
      null,
      [],
      {},
      { ...good, version: 2 },
      { ...good, clock: 'sundial' },
      { ...good, periodNs: 0 },
      { ...good, samples: -1 },
      { ...good, stacks: [{ ...(good['stacks'] as object[])[0], functions: '99' }] },
      { ...good, stacks: [{ ...(good['stacks'] as object[])[0], functions: 'x' }] },
      { ...good, stacks: [{ ...(good['stacks'] as object[])[0], device: 5 }] },
      { ...good, stacks: [{ ...(good['stacks'] as object[])[0], direction: 'up' }] },
      { ...good, functions: [{ name: 7, program: null }] },
    ]) {
      const decoded = decodeProfile(bad);
      assert.equal(decoded.ok, false, JSON.stringify(bad));
      assert.match(decoded.reason, /^malformed profile: /);
    }
  });
});
