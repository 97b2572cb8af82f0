/** The ways to lose packets that pktcost once had no word for, and the scenario that provokes each today. Needs no root. */
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, it } from 'node:test';

import { repository } from './kit/programs.ts';

const PLAIN = 'losses';
const LOCAL = 'losses-local';
const BEYOND = 'losses-beyond';
const ways: readonly (readonly [way: string, file: string, scenario: string])[] = [
  ['rp_filter', PLAIN, 'a source that is behind another device (rp_filter)'],
  ['martian of 127.0.0.0/8', PLAIN, 'a source of 127.0.0.0/8 (martian)'],
  ['martian of an own address', PLAIN, 'a source that is the router itself (martian)'],
  ['no route', PLAIN, 'no route'],
  ['no route, IPv6', PLAIN, 'no route, IPv6'],
  ['forwarding off', PLAIN, 'forwarding is off'],
  ['blackhole', PLAIN, 'a blackhole route'],
  ['ARP failing', PLAIN, 'a neighbour that does not answer'],
  ['peer down', LOCAL, 'a veth pair whose peer is down'],
  ['TTL', PLAIN, 'a TTL that runs out'],
  ['too big with DF', PLAIN, 'too big for the MTU, and not to be fragmented'],
  ['UDP checksum', PLAIN, 'a wrong UDP checksum'],
  ['TCP checksum', PLAIN, 'a wrong TCP checksum'],
  ['IP checksum', PLAIN, 'a wrong IP checksum'],
  ['closed UDP port', PLAIN, 'a closed UDP port'],
  ['closed UDP port, IPv6', PLAIN, 'a closed UDP port, IPv6'],
  ['closed TCP port', PLAIN, 'a closed TCP port'],
  ['nftables drop', PLAIN, 'nftables drops on the way in'],
  ['policy of iptables', BEYOND, 'the policy of a chain of iptables'],
  ['drop of what is forwarded', PLAIN, 'the policy of the forward chain drops'],
  ['ct state invalid', BEYOND, 'what conntrack calls invalid'],
  ['reject', PLAIN, 'nftables rejects'],
  ['tc', LOCAL, 'a program of tc drops on the way in'],
  ['XDP', LOCAL, 'an XDP program drops'],
  ['tbf on a host', PLAIN, 'tbf on the host that sends'],
  ['tbf forwarding', PLAIN, 'tbf on a router'],
  ['htb with pfifo on a host', BEYOND, 'htb with pfifo on the host that sends'],
  ['htb with pfifo forwarding', PLAIN, 'htb with pfifo on a router'],
  ['loss elsewhere', BEYOND, 'segments that get lost behind the host'],
  ['socket filter', LOCAL, 'one socket that loses beside one that turns as many away by its filter'],
  ['reassembly time-out', PLAIN, 'fragments that come alone'],
  ['tun full', LOCAL, 'a tun device whose reader does not read'],
  ['no entry in the FDB', LOCAL, 'a bridge that has no other port for a frame'],
  ['spanning tree', LOCAL, 'a port of a bridge that the spanning tree does not let forward yet'],
  ['wrong MAC', PLAIN, 'another MAC address'],
  ['unknown protocol', PLAIN, 'an IP protocol nobody takes'],
  ['unknown ethertype', PLAIN, 'an Ethernet type nobody takes'],
  ['TIME_WAIT', LOCAL, 'more closed connections than may wait'],
  ['ephemeral ports', LOCAL, 'connections to one address that take all ports'],
  ['NFQUEUE', LOCAL, 'a queue to user space that nobody reads'],
  ['raw socket', LOCAL, 'a raw socket that is full'],
  ['multicast not joined', BEYOND, 'a multicast group that nobody here joined is no loss'],
];
/** Without a scenario of its own: multicast fanned out to a hundred sockets, and a tap that nobody reads. */
const WITHOUT = 2;

describe('ways to lose packets', () => {
  const sources = new Map<string, string>();
  for (const [way, file, scenario] of ways)
    it(`${way}: ${file}, ${scenario}`, () => {
      const source =
        sources.get(file) ?? readFileSync(join(repository, 'test', 'scenarios', `${file}.test.ts`), 'utf8');
      sources.set(file, source);
      assert.ok(source.includes(`'${scenario}'`), `no '${scenario}' in ${file}`);
    });

  it('are 44, of which at least 42 are told', () => {
    assert.equal(ways.length + WITHOUT, 44);
  });
});
