import assert from 'node:assert/strict';
import { execFileSync, spawnSync } from 'node:child_process';
import {
  chmodSync,
  copyFileSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { dirname, join } from 'node:path';
import { tmpdir } from 'node:os';
import { after, before, describe, it } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { gzipSync } from 'node:zlib';

import type { Report } from '../../src/generated/report.ts';
import { bin, pktcost } from '../support/command.ts';
import { lacking } from '../support/needs.ts';
import { TestNamespace, withoutRoot } from '../support/root.ts';

const folder = mkdtempSync(join(tmpdir(), 'pktcost-replay-'));
// Somebody without rights has to get at what is in it.
chmodSync(folder, 0o755);
after(() => {
  rmSync(folder, { recursive: true, force: true });
});

const nobody = { ...(process.geteuid?.() === 0 ? { uid: 65534 } : {}), env: { HOME: '/nonexistent' } };
const outcomes = [0, 3, 4];

/** A copy of what this host shows right now. */
function copyHost(to: string): void {
  const files = ['uptime', 'stat', 'softirqs', 'meminfo', 'sys/kernel/osrelease', 'sys/kernel/hostname'];
  const net = ['dev', 'snmp', 'netstat', 'softnet_stat', 'sockstat'].map((name) => `net/${name}`);
  for (const name of [...files, ...net]) {
    mkdirSync(dirname(join(to, 'proc', name)), { recursive: true });
    // Files of /proc have no length: they have to be read to be copied.
    writeFileSync(join(to, 'proc', name), readFileSync(`/proc/${name}`));
  }
}

describe('pktcost diagnose --bundle and replay', () => {
  const archive = join(folder, 'bundle.tar.gz');
  let recorded = '';
  let namespace: TestNamespace | undefined;

  before(async () => {
    if (withoutRoot === false) namespace = new TestNamespace();
    const { status, stdout, stderr } = await pktcost(['diagnose', '-w', '1s', '--json', '--bundle', archive]);
    assert.ok(outcomes.includes(status ?? -1), stderr);
    recorded = stdout;
  });
  after(() => namespace?.remove());

  it('writes a bundle for its owner only, and nothing beside it', () => {
    assert.equal(statSync(archive).mode & 0o777, 0o600);
    assert.deepEqual(readdirSync(folder), ['bundle.tar.gz']);
    const names = execFileSync('tar', ['-tzf', archive]).toString().trim().split('\n');
    assert.match(names[0] ?? '', /^pktcost-[^/]+\/summary\.txt$/);
    if (namespace !== undefined) {
      const inside = `/after/netns/${namespace.name}/proc/net/snmp`;
      assert.ok(
        names.some((name) => name.endsWith(inside)),
        `${inside} of ${names.length} names`,
      );
    }
  });

  it('replays it to the same report, byte for byte, as anybody and from anywhere', async () => {
    const elsewhere = join(folder, 'elsewhere');
    mkdirSync(elsewhere, { mode: 0o755 });
    const copy = join(elsewhere, 'copy.tar.gz');
    copyFileSync(archive, copy);
    chmodSync(copy, 0o644);
    const replayed = await pktcost(['replay', 'copy.tar.gz', '--json'], { ...nobody, cwd: elsewhere });
    assert.equal(replayed.stderr, '');
    assert.equal(replayed.stdout, recorded);
    assert.ok(outcomes.includes(replayed.status ?? -1));
    execFileSync('tar', ['-C', elsewhere, '--mode=a+rX', '--no-same-permissions', '-xzf', archive]);
    execFileSync('chmod', ['-R', 'a+rX', elsewhere]);
    const unpacked = readdirSync(elsewhere).find((name) => name.startsWith('pktcost-')) ?? '';
    assert.equal((await pktcost(['replay', join(elsewhere, unpacked), '--json'], nobody)).stdout, recorded);
  });

  it('takes it for a baseline, and the replay still draws it', async () => {
    const path = join(folder, 'against.tar.gz');
    const flags = ['-w', '500ms', '--probe', 'off', '--baseline', archive, '--json', '--bundle', path];
    const { stdout, stderr } = await pktcost(['diagnose', ...flags]);
    assert.equal(stderr, '');
    assert.equal((JSON.parse(stdout) as Report).baseline, archive);
    assert.equal((await pktcost(['replay', path, '--json'])).stdout, stdout);
    const page = execFileSync('tar', ['-xzOf', path, '--wildcards', '*/report.html'], { encoding: 'utf8' });
    assert.equal((await pktcost(['replay', path, '--format', 'html'])).stdout, page);
  });

  it('with --redact holds no name of this host', async () => {
    const path = join(folder, 'redacted.tar.gz');
    const { stderr } = await pktcost(['diagnose', '-w', '500ms', '--probe', 'off', '--bundle', path, '--redact']);
    assert.equal(stderr, '');
    const content = execFileSync('tar', ['-xzOf', path], { maxBuffer: 2 ** 28 });
    const names = execFileSync('tar', ['-tzf', path]).toString();
    if (namespace !== undefined) {
      assert.equal(content.indexOf(namespace.name), -1);
      assert.ok(!names.includes(namespace.name));
    }
    const replayed = await pktcost(['replay', path]);
    assert.equal(replayed.stderr, '');
    assert.ok(outcomes.includes(replayed.status ?? -1));
  });

  it('record makes a bundle without a verdict, and says where it is', async () => {
    const path = join(folder, 'record.tar.gz');
    const { status, stdout, stderr } = await pktcost(['record', '-w', '500ms', '--probe', 'off', '--bundle', path]);
    assert.deepEqual([status, stderr], [0, '']);
    assert.ok(stdout.startsWith(`Wrote ${path}, `), stdout);
    const names = execFileSync('tar', ['-tzf', path]).toString();
    assert.doesNotMatch(names, /report\./);
    assert.ok(outcomes.includes((await pktcost(['replay', path])).status ?? -1));
  });

  it('killed in the middle of writing leaves nothing under the final name', async () => {
    const place = join(folder, 'killed');
    mkdirSync(place);
    const path = join(place, 'killed.tar.gz');
    const { status } = await pktcost(['record', '-w', '500ms', '--probe', 'off', '--bundle', path], {
      during: (child) => {
        const watch = setInterval(() => {
          const unfinished = readdirSync(place)[0];
          if (unfinished === undefined || statSync(join(place, unfinished)).size === 0) return;
          child.kill('SIGKILL');
          clearInterval(watch);
        }, 1);
        child.once('exit', () => {
          clearInterval(watch);
        });
      },
    });
    // Where it was quicker than the watch the bundle has to be whole.
    if (existsSync(path)) execFileSync('tar', ['-tzf', path]);
    else assert.equal(status, null);
  });

  it('on a full disk leaves nothing, and says so in one line', { skip: withoutRoot }, async () => {
    const mount = join(folder, 'small');
    mkdirSync(mount);
    execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=16k', 'tmpfs', mount]);
    try {
      const path = join(mount, 'full.tar.gz');
      const { status, stderr } = await pktcost(['record', '-w', '500ms', '--probe', 'off', '--bundle', path]);
      assert.equal(status, 1);
      assert.match(
        stderr,
        /^pktcost: --bundle [^\n]*full\.tar\.gz: not written: no space left on device \(ENOSPC\)\n$/,
      );
      assert.deepEqual(readdirSync(mount), []);
    } finally {
      execFileSync('umount', [mount]);
    }
  });

  it('does not overwrite, and takes --redact for a bundle only', async () => {
    const taken = await pktcost(['record', '-w', '500ms', '--bundle', archive]);
    assert.deepEqual([taken.status, /exists already/.test(taken.stderr)], [2, true]);
    const alone = await pktcost(['diagnose', '-w', '500ms', '--redact']);
    assert.deepEqual([alone.status, /takes --bundle/.test(alone.stderr)], [2, true]);
  });
});

describe('pktcost replay of copies', () => {
  it('judges two copies by the time between them', async () => {
    const pair = join(folder, 'pair');
    copyHost(join(pair, 'before'));
    await sleep(600);
    copyHost(join(pair, 'after'));
    const { status, stdout, stderr } = await pktcost(['replay', pair, '--json'], nobody);
    assert.ok(outcomes.includes(status ?? -1), stderr);
    assert.match(stderr, /^pktcost: two copies of \/proc and \/sys, 0\.\d+ s apart by \/proc\/uptime/);
    const report = JSON.parse(stdout) as Report;
    assert.equal(report.window.samples, 2);
    assert.ok(report.window.seconds >= 0.5 && report.window.seconds < 30);
    assert.equal(report.host.kernel, readFileSync('/proc/sys/kernel/osrelease', 'utf8').trim());
    assert.ok(report.findings.some(({ outcome }) => outcome === 'ok'));
    const swapped = join(folder, 'swapped');
    mkdirSync(swapped);
    symlinkSync(join(pair, 'after'), join(swapped, 'before'));
    symlinkSync(join(pair, 'before'), join(swapped, 'after'));
    const refused = await pktcost(['replay', swapped]);
    assert.deepEqual([refused.status, /in the other order/.test(refused.stderr)], [2, true]);
  });

  it('judges an unpacked sosreport as one sample: no rate is told, and nothing passes for it', async () => {
    const sos = join(folder, 'sos', 'sosreport-db1-2026-01-01-abcdefg');
    copyHost(sos);
    for (const path of [sos, join(folder, 'sos')]) {
      const { stdout, stderr } = await pktcost(['replay', path, '--json']);
      assert.match(stderr, /one sample/);
      const report = JSON.parse(stdout) as Report;
      assert.equal(report.window.samples, 1);
      assert.equal(report.window.seconds, 0);
      assert.notEqual(report.verdict.outcome, 'ok');
      const rate = report.findings.find(({ code }) => code === 'PKT0102');
      assert.equal(rate?.outcome, 'not-measured');
      assert.match(JSON.stringify(rate.missing), /one sample/);
    }
  });

  it('does not follow links out of a copy', async () => {
    const copy = join(folder, 'linked');
    copyHost(copy);
    rmSync(join(copy, 'proc/stat'));
    symlinkSync('/etc/passwd', join(copy, 'proc/stat'));
    const { stdout } = await pktcost(['replay', copy, '--json']);
    assert.match(stdout, /a link that leads out of the copy/);
  });
});

describe('pktcost replay of something else', () => {
  it('refuses it in one line, with exit code 2', async () => {
    const not = join(folder, 'not');
    mkdirSync(not);
    const cases: Record<string, Buffer> = {
      'empty.tar.gz': Buffer.alloc(0),
      'text.txt': Buffer.from('hello\u001b[31m\n'),
      'zeros.tar.gz': gzipSync(Buffer.alloc(64 * 1024 * 1024)),
      'sos.tar.xz': Buffer.from('fd377a585a000004', 'hex'),
      'half.tar.gz': gzipSync(Buffer.alloc(4096, 1)).subarray(0, 20),
    };
    for (const [name, bytes] of Object.entries(cases)) writeFileSync(join(not, name), bytes);
    execFileSync('mkfifo', [join(not, 'fifo')]);
    const paths = [...Object.keys(cases), 'fifo', 'missing', '.'].map((name) => join(not, name));
    for (const path of [...paths, '/dev/zero', '/proc/self/mem']) {
      const { status, stdout, stderr } = await pktcost(['replay', path]);
      assert.equal(status, 2, path);
      assert.equal(stdout, '');
      assert.match(stderr, /^pktcost: [^\n\u001b]+\n$/, path);
    }
  });

  it('takes no more memory for a bomb than for a bundle', { skip: lacking({ tools: ['prlimit'] }) }, () => {
    const bomb = join(folder, 'bomb.tar.gz');
    const header = Buffer.alloc(512);
    header.write('top/zeros', 'latin1');
    header.write('0000600\0', 100, 'latin1');
    header.write('00400000000\0', 124, 'latin1');
    header.write('0', 156, 'latin1');
    header.write('ustar\u000000', 257, 'latin1');
    header.fill(0x20, 148, 156);
    header.write(
      `${header
        .reduce((sum, byte) => sum + byte, 0)
        .toString(8)
        .padStart(6, '0')}\0 `,
      148,
      'latin1',
    );
    writeFileSync(bomb, gzipSync(Buffer.concat([header, Buffer.alloc(64 * 1024 * 1024), header])));
    const { status, stderr } = spawnSync('prlimit', [
      `--data=${400 * 1024 * 1024}`,
      process.execPath,
      bin,
      'replay',
      bomb,
    ]);
    assert.equal(status, 2, stderr.toString());
    assert.match(stderr.toString(), /^pktcost: [^\n]*times its size\n$/);
  });
});

describe('pktcost replay of saved pages', () => {
  const page = (seconds: number, lost: number): string =>
    `# HELP node_boot_time_seconds Node boot time, in unixtime.\nnode_boot_time_seconds 1.7e+09\nnode_time_seconds ${1_700_000_000 + seconds}\n` +
    `node_netstat_Udp_InDatagrams ${9 * lost + 10}\nnode_netstat_Udp_InErrors ${lost}\nnode_netstat_Udp_RcvbufErrors ${lost}\n`;
  // Beside the bundle nothing else may lie.
  const pages = mkdtempSync(join(tmpdir(), 'pktcost-pages-'));
  after(() => {
    rmSync(pages, { recursive: true, force: true });
  });
  const saved = (name: string, content: string): string => {
    const path = join(pages, name);
    writeFileSync(path, content);
    return path;
  };
  const [before, later] = [saved('before.prom', page(7200, 1000)), saved('after.prom', page(7210, 2000))];
  const run = async (...args: string[]): Promise<{ status: number | null; report: Report; stderr: string }> => {
    const { status, stdout, stderr } = await pktcost(['replay', ...args, '--json']);
    return { status, report: JSON.parse(stdout) as Report, stderr };
  };

  it('tells rates of two, by the clock on them', async () => {
    const { status, report } = await run(before, later);
    const finding = report.findings.find(({ code }) => code === 'PKT0405');
    assert.equal(report.window.seconds, 10);
    assert.match(finding?.summary ?? '', /^1,000 UDP datagrams \(10%\) .*100\/s/);
    assert.equal(status, 3);
  });

  it('tells of one what was lost since boot', async () => {
    const { status, report, stderr } = await run(later);
    const finding = report.findings.find(({ code }) => code === 'PKT0405');
    assert.match(finding?.summary ?? '', /^2,000 UDP datagrams \(10%\) were dropped since boot \(2 hours\)/);
    assert.deepEqual([finding?.outcome, finding?.certainty], ['warning', 'possible']);
    assert.match(stderr, /one sample/);
    assert.equal(status, 4);
  });

  for (const [name, args, reason] of [
    ['the same twice', [later, later], /is not later than/],
    ['the later one first', [later, before], /is not later than/],
    [
      'without a clock',
      [saved('old.prom', 'node_boot_time_seconds 5\nnode_netstat_Udp_InErrors 1\n'), later],
      /node_time_seconds .* is needed/,
    ],
    ['of programs only', [saved('go.prom', 'go_goroutines 5\n')], /no metric of a host/],
  ] as const) {
    it(`refuses pages ${name}`, async () => {
      const { status, stderr } = await pktcost(['replay', ...args]);
      assert.equal(status, 2);
      assert.match(stderr, reason);
    });
  }

  it('is what --exporter names for a file', async () => {
    const { status, stderr } = await pktcost(['diagnose', '--exporter', later]);
    assert.equal(status, 2);
    assert.match(stderr, /a saved page, and no address: pktcost replay/);
  });
});
