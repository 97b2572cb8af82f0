import assert from 'node:assert/strict';
import { describe, it } from 'node:test';

import { found, groups, host, judgeCopy, pairOf, type Copy } from '../support/copies.ts';

const counters = (times: number): Copy => ({
  'proc/net/netstat': groups({ TcpExt: { ListenOverflows: 5000 * times, ListenDrops: 5000 * times } }),
  'proc/net/snmp': groups({
    Ip: { InReceives: 200_000 * times },
    Tcp: { PassiveOpens: 100_000 * times, ActiveOpens: 1 },
    Udp: {
      InDatagrams: 1_000_000 * times,
      NoPorts: 0,
      InErrors: 30_000 * times,
      OutDatagrams: 5,
      RcvbufErrors: 30_000 * times,
      SndbufErrors: 0,
      InCsumErrors: 0,
      MemErrors: 0,
    },
  }),
});
const one: Copy = { ...host('6.1.0-18-amd64'), 'proc/uptime': '86400.00 1.00\n', ...counters(1) };

const udpRow =
  'udp   UNCONN 0      0      0.0.0.0:514   0.0.0.0:*    users:(("rsyslogd",pid=600,fd=5)) ino:31 sk:3 <->\n';
const tcpRow = 'tcp   LISTEN 0      128    0.0.0.0:80    0.0.0.0:*    users:(("web",pid=77,fd=3)) ino:5 sk:1 <->\n';
const skmem = '\t skmem:(r0,rb212992,t0,tb212992,f0,w0,o0,bl0,d0)\n';
const ss = (rows: string): Copy => ({
  'sos_commands/networking/ss_-peaonmi': `Netid State  Recv-Q Send-Q Local Address:Port Peer Address:Port Process\n${rows}`,
});

/** What is said of the sockets behind full accept queues and full receive buffers. */
function told(copy: Copy): string {
  const judged = judgeCopy(copy);
  return `${found(judged, 'PKT0401').summary} ${found(judged, 'PKT0405').summary}`;
}

describe('sockets that ss listed', () => {
  const outputs = {
    whole: udpRow + skmem + tcpRow + skmem,
    'without their memory': udpRow + tcpRow,
    'of UDP alone': udpRow + skmem,
    'of TCP alone': tcpRow + skmem,
  };
  for (const [name, rows] of Object.entries(outputs)) {
    it(`${name}, are never said not to have been listed, in one copy or two`, () => {
      for (const copy of [
        { ...one, ...ss(rows) },
        pairOf({ ...host('6.1.0-18-amd64'), ...ss(rows) }, counters(1), counters(2)),
      ])
        assert.doesNotMatch(told(copy), /could not be listed/);
    });
  }

  it('without their drops prove nobody clean', () => {
    for (const copy of [
      { ...one, ...ss(outputs['without their memory']) },
      pairOf({ ...host('6.1.0-18-amd64'), ...ss(outputs['without their memory']) }, counters(1), counters(2)),
    ]) {
      assert.match(told(copy), /Which listener is unknown: what each of them dropped was not told\./);
      assert.match(told(copy), /Which socket is unknown: what each of them dropped was not told\./);
    }
  });

  it('are said not to have been listed where they were not', () => {
    assert.match(
      told(one),
      /Which listener is unknown: they could not be listed\..*Which socket is unknown: they could not be listed\./,
    );
  });

  it('of which one may have filtered what it dropped, and the other lost next to nothing, leave the loss told', () => {
    const dropped = (row: string, count: number): string => row + skmem.replace(',d0)', `,d${count})`);
    const other = udpRow.replace(':514', ':53').replace('ino:31', 'ino:32');
    const judged = judgeCopy({ ...one, ...ss(dropped(udpRow, 900_000) + dropped(other, 3)) });
    const { outcome, certainty, summary } = found(judged, 'PKT0405');
    assert.deepEqual([outcome, certainty], ['warning', 'possible']);
    assert.match(
      summary,
      /^30,000 UDP datagrams \(2\.9%\) were dropped since boot .* Whose cannot be told: 2 sockets dropped/,
    );
  });

  it('of whom nobody is known are nobody for programs', () => {
    const { verdict } = judgeCopy({ ...one, ...ss(outputs.whole) }).report;
    assert.equal(verdict.answer?.process, null);
    const quiet = groups({ TcpExt: { ListenOverflows: 0, ListenDrops: 0 } });
    const dropped = ss(udpRow + skmem.replace('d0', 'd30000'));
    const owned = judgeCopy({ ...one, 'proc/net/netstat': quiet, ...dropped }).report.verdict.answer;
    assert.equal(owned?.process, 'rsyslogd (pid 600)');
  });
});
