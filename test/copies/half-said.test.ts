/** Tables and outputs of which the part that matters is not there, or not in a language that is read. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';

import { cpuTimes, expectFinding, found, host, judgeCopy, softnet, type Copy } from '../support/copies.ts';

describe('/proc/softirqs without a CPU, or without the row of reception', () => {
  const columns = (cpus: readonly number[], runs: number): string => cpus.map(() => String(runs).padStart(11)).join('');
  const table = (cpus: readonly number[], types: readonly string[]): string =>
    `${' '.repeat(16)}${cpus.map((cpu) => `CPU${cpu}`.padEnd(11)).join('')}\n${types.map((type) => `${type}:`.padStart(12) + columns(cpus, 9000) + '\n').join('')}`;
  const squeezed = (softirqs: string): ReturnType<typeof judgeCopy> =>
    judgeCopy({
      ...host('6.12.9-1.el10.x86_64'),
      'proc/uptime': '90000.00 1.00\n',
      'proc/stat': cpuTimes([0, 1], 90_000),
      'proc/net/softnet_stat': softnet(
        [0, 1].map((cpu) => ({ counts: [100_000, 0, 1010], cpu })),
        15,
      ),
      'proc/softirqs': softirqs,
    });

  it('leaves that CPU unmeasured, beside another one of which something is found', () => {
    const types = ['HI', 'NET_TX', 'NET_RX', 'RCU'];
    assert.equal(found(squeezed(table([0, 1], types)), 'PKT0502', { cpu: '1' }).outcome, 'info');
    const cut = squeezed(table([0], types));
    assert.equal(found(cut, 'PKT0502', { cpu: '0' }).outcome, 'info');
    const unseen = found(cut, 'PKT0502', { cpu: '1' });
    assert.equal(unseen.outcome, 'not-measured');
    assert.match(JSON.stringify(unseen.missing), /its column in \/proc\/softirqs, or the row NET_RX, was cut off/);
  });

  it('leaves all unmeasured where the row is gone', () => {
    assert.equal(found(squeezed(table([0, 1], ['HI', 'NET_TX', 'RCU'])), 'PKT0502').outcome, 'not-measured');
  });
});

const tcp =
  'Tcp:\n    4000 active connections openings\n    50000 passive connection openings\n    800000 segments received\n    900000 segments send out\n    4000 segments retransmited\n';
/** As net-tools' translation has it, of 1.60 and later. */
const translated =
  'Tcp:\n    Počet aktivních otevření spojení: 4000\n    Počet pasivních otevření spojení: 50000\n    Počet příchozích segmentů: 800000\n    Počet odchozích segmentů: 900000\n';
const end = '    TCPSackShiftFallback: 12\nIpExt:\n    InOctets: 5000000\n';
const said = (sections: string): Copy => ({
  ...host('4.18.0-477.el8.x86_64'),
  'sos_commands/host/uptime': ' 12:00:00 up 12 days, 21 min,  2 users,  load average: 3.58, 3.27, 2.58\n',
  'sos_commands/networking/netstat_-s': sections,
});

describe('netstat -s', () => {
  it('of nothing lost says so', () => {
    expectFinding(judgeCopy(said(`${tcp}TcpExt:\n${end}`)), 'PKT0401', ['ok', null, /since boot/]);
  });

  it('in another language has sentences that nobody here reads: what they count is not zero', () => {
    const lost = 'TcpExt:\n    Počet přetečení naslouchací fronty socketu: 51234\n';
    for (const sections of [`${translated}${lost}${end}`, `${lost}${end}`]) {
      assert.equal(found(judgeCopy(said(sections)), 'PKT0401').outcome, 'not-measured');
    }
  });

  it('whose beginning was left out says nothing of the zeros in the section that began it', () => {
    assert.equal(found(judgeCopy(said(`TcpExt:\n${end}`)), 'PKT0401').outcome, 'not-measured');
  });

  it('tells that TCP ran low on memory, with the number in the middle of the sentence', () => {
    const memory = 'TcpExt:\n    TCP ran low on memory 512 times\n';
    const judged = judgeCopy({
      ...said(`${tcp}${memory}${end}`),
      'proc/net/sockstat': 'sockets: used 900\nTCP: inuse 400 orphan 0 tw 5 alloc 500 mem 90000\nUDP: inuse 5 mem 2\n',
      'proc/sys/net/ipv4/tcp_mem': '100000 150000 200000\n',
    });
    assert.match(found(judged, 'PKT0404').summary, /512/);
  });
});
