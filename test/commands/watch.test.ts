import assert from 'node:assert/strict';
import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, describe, it } from 'node:test';

import { bin, pktcost } from '../support/command.ts';
import { lacking } from '../support/needs.ts';

const folder = mkdtempSync(join(tmpdir(), 'pktcost-watch-'));
after(() => {
  rmSync(folder, { recursive: true, force: true });
});

/** Datagrams for a socket that nobody reads, some hundred a second, from the moment that something comes on stdin. */
const FLOOD = `
import socket, sys, time
reader = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
reader.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 1)
reader.bind(('127.0.0.1', 0))
writer = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
print('ready', flush=True)
sys.stdin.readline()
while True:
    writer.sendto(b'x' * 100, reader.getsockname())
    time.sleep(0.003)
`;

interface Line {
  readonly kind: string;
  readonly met?: string | null;
  readonly probed?: boolean;
  readonly bundles?: readonly string[];
  readonly windows?: number;
  readonly worst?: { readonly findings: readonly { readonly code: string; readonly outcome: string }[] };
}

interface Ended {
  readonly status: number | null;
  readonly lines: readonly Line[];
  readonly stderr: string;
}

/** Watches for datagrams that are lost, and keeps bundles there. */
function untilLoss(into: string): readonly string[] {
  return [...'--for 2m --window 1s --netns none --until PKT0405 --json --bundle'.split(' '), into];
}

/** A watch beside a flood in a namespace of their own; `react` answers each of its lines. */
async function besideFlood(
  words: readonly string[],
  react: (line: Line, tell: { readonly flood: () => void; readonly signal: (name: NodeJS.Signals) => void }) => void,
  prepare = 'true',
): Promise<Ended> {
  const flood = spawn('unshare', ['-n', 'sh', '-c', 'ip link set lo up; exec python3 -c "$0"', FLOOD], {
    stdio: ['pipe', 'pipe', 'inherit'],
  });
  let child: ChildProcess | undefined;
  try {
    await once(flood.stdout, 'data');
    const inside = [
      '-t',
      String(flood.pid),
      '-n',
      ...(prepare === 'true' ? [] : ['unshare', '-m', 'sh', '-c', `${prepare}; exec "$@"`, 'sh']),
    ];
    child = spawn('nsenter', [...inside, process.execPath, bin, 'watch', ...words], {
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    const lines: Line[] = [];
    let stderr = '';
    let rest = '';
    const tell = {
      flood: () => void flood.stdin.write('\n'),
      signal: (name: NodeJS.Signals) => void child?.kill(name),
    };
    child.stderr?.setEncoding('utf8').on('data', (text: string) => (stderr += text));
    child.stdout?.setEncoding('utf8').on('data', (text: string) => {
      const parts = `${rest}${text}`.split('\n');
      rest = parts.pop() ?? '';
      for (const part of parts) {
        const line = JSON.parse(part) as Line;
        lines.push(line);
        react(line, tell);
      }
    });
    const [status] = (await once(child, 'close')) as [number | null];
    return { status, lines, stderr };
  } finally {
    child?.kill('SIGKILL');
    flood.kill('SIGKILL');
  }
}

describe('pktcost watch', () => {
  it('refuses what it cannot wait for, and folders that are none', async () => {
    const file = join(folder, 'file');
    writeFileSync(file, '');
    for (const [args, message] of [
      [['--until', 'PKT0450'], /--until "PKT0450": did you mean/],
      [['--for', '10'], /--for "10" is not a length of time/],
      [['--for', '800h'], /--for 800h is out of range/],
      [['--redact'], /--redact .* takes --bundle/],
      [['--keep', '2'], /--keep .* takes --bundle/],
      [['--bundle', file], /--bundle .*: is no folder/],
    ] as const) {
      const { status, stderr } = await pktcost(['watch', ...args]);
      assert.equal(status, 2, stderr);
      assert.match(stderr, message);
    }
  });

  it('prints a line for each window, and the report of the worst at the end', async () => {
    const { stdout, stderr } = await pktcost(['watch', '--for', '1s', '--window', '500ms', '--netns', 'none']);
    assert.equal(stderr, '');
    assert.match(
      stdout,
      /^\d\d:\d\d:\d\dZ .*\n(?:.*\n)+\n\d+ windows?, the condition was (?:never met|met once|met \d+ times)\. The worst window:\n\n[A-Z]+/,
    );
    assert.match(stdout, /^Overhead /m);
  });

  it('writes the report of the worst window where it is asked to', async () => {
    const path = join(folder, 'worst.md');
    const flags = ['--for', '1s', '--window', '500ms', '--netns', 'none', '-o', path, '--format', 'markdown'];
    const { stdout, stderr } = await pktcost(['watch', ...flags]);
    assert.equal(stderr, '');
    assert.match(stdout, /The worst window:\n/);
    assert.match(readFileSync(path, 'utf8'), /^(?:Run it as root .*\n\n)?## pktcost: /);
  });

  it(
    'goes on where stdout takes nothing, and says so without repeating it',
    { skip: lacking({ root: true, tools: ['bash'] }) },
    async () => {
      const { stderr } = await pktcost([], {
        under: [
          'bash',
          '-c',
          'shift; exec "$0" "$1" watch --for 2s --window 500ms --netns none >/dev/full',
          process.execPath,
          'x',
          bin,
        ],
      });
      assert.match(stderr, /^pktcost: stdout: not written: no space .*\n$/);
    },
  );

  it(
    'keeps three bundles of a fault that begins after some windows; SIGHUP ends it with a report',
    { skip: lacking({ root: true, tools: ['unshare', 'nsenter', 'ip', 'python3'] }) },
    async () => {
      const into = join(folder, 'night');
      let windows = 0;
      const { status, lines, stderr } = await besideFlood(untilLoss(into), ({ kind }, { flood, signal }) => {
        if (kind === 'window' && ++windows === 2) flood();
        if (kind === 'event') signal('SIGHUP');
      });
      assert.ok(status === 3 || status === 4, `${status}: ${stderr}`);
      const met = lines.findIndex((line) => line.met === 'PKT0405');
      assert.ok(met >= 2, 'not before the flood');
      assert.equal(lines[met + 1]?.probed, true);
      const event = lines.find(({ kind }) => kind === 'event');
      assert.deepEqual(
        event?.bundles?.map((path) => /-PKT0405-(\d-\w+)\.tar\.gz$/.exec(path)?.[1]),
        ['1-before', '2-when', '3-probed'],
      );
      const last = lines.at(-1);
      assert.equal(last?.kind, 'end');
      assert.ok(last.worst?.findings.some(({ code, outcome }) => code === 'PKT0405' && outcome !== 'ok'));
      const [before, when] = event.bundles ?? [];
      const calm = JSON.parse((await pktcost(['replay', before!, '--json'])).stdout) as NonNullable<Line['worst']>;
      const sick = JSON.parse((await pktcost(['replay', when!, '--json'])).stdout) as NonNullable<Line['worst']>;
      const outcomeIn = ({ findings }: typeof calm): string | undefined =>
        findings.find(({ code }) => code === 'PKT0405')?.outcome;
      assert.equal(outcomeIn(calm), 'ok');
      assert.match(outcomeIn(sick) ?? '', /warning|critical/);
    },
  );

  it(
    'says that a bundle found no room, and goes on; of what was kept there only the latest events stay',
    { skip: lacking({ root: true, tools: ['unshare', 'nsenter', 'ip', 'python3', 'mount'] }) },
    async () => {
      const into = join(folder, 'small');
      const mount = `mkdir -p ${into} && mount -t tmpfs -o size=32k tmpfs ${into}`;
      let begun = false;
      let since = 0;
      const { lines, stderr } = await besideFlood(
        untilLoss(into),
        ({ kind, probed }, { flood, signal }) => {
          if (!begun) flood();
          begun = true;
          if (probed === true || since > 0) since += 1;
          if (kind === 'window' && since === 3) signal('SIGTERM');
        },
        mount,
      );
      assert.match(stderr, /^pktcost: --bundle .*: (?:not|cannot be) written: .*no space/im);
      assert.ok(!lines.some(({ kind }) => kind === 'event'));
      assert.equal(lines.at(-1)?.kind, 'end');
    },
  );

  it(
    'keeps bundles of the latest events only, and takes away nothing else',
    { skip: lacking({ root: true, tools: ['unshare', 'nsenter', 'ip', 'python3'] }) },
    async () => {
      const into = join(folder, 'kept');
      const old = ['watch-20200101T000000Z-PKT0405-1-before.tar.gz', 'watch-20200102T000000Z-PKT0201-2-when.tar.gz'];
      const others = ['watch-20200101T000000Z-PKT0405-1-before.tar.gz.txt', 'notes'];
      await pktcost([
        'watch',
        '--for',
        '1s',
        '--window',
        '500ms',
        '--netns',
        'none',
        '--until',
        'PKT0601',
        '--bundle',
        into,
      ]);
      for (const name of [...old, ...others]) writeFileSync(join(into, name), '');
      const words = [
        '--for',
        '2m',
        '--window',
        '1s',
        '--netns',
        'none',
        '--until',
        'PKT0405',
        '--bundle',
        into,
        '--keep',
        '2',
        '--json',
      ];
      let begun = false;
      await besideFlood(words, ({ kind }, { flood, signal }) => {
        if (!begun) flood();
        begun = true;
        if (kind === 'event') signal('SIGINT');
      });
      const left = readdirSync(into);
      assert.ok(!existsSync(join(into, old[0]!)), 'the oldest event is gone');
      for (const name of [old[1]!, ...others]) assert.ok(left.includes(name), name);
      assert.ok(left.some((name) => name.endsWith('-3-probed.tar.gz')));
    },
  );
});
