import assert from 'node:assert/strict';
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';

import { pktcost } from '../support/command.ts';
import { serve, type Served } from '../support/http.ts';
import { lacking } from '../support/needs.ts';

const folder = mkdtempSync(join(tmpdir(), 'pktcost-full-'));
const [report, bundle] = [join(folder, 'report.json'), join(folder, 'bundle.tar.gz')];
let server: Served;
before(async () => {
  server = await serve((request, response) => {
    response.writeHead(200, { 'content-type': 'application/json' }).end(answer(request.url ?? ''));
  });
  const { status, stderr } = await pktcost(['diagnose', ...calm, '--json', '-o', report, '--bundle', bundle]);
  assert.equal(status, 0, stderr);
});
after(async () => {
  await server.close();
  rmSync(folder, { recursive: true, force: true });
});

/** The answers of a server of one host, which was up, and of which nothing else is known. */
function answer(asked: string): string {
  const query = new URL(asked, 'http://x').searchParams.get('query') ?? '';
  const [END, labels] = [1_770_000_000, { job: 'node', instance: 'web-1:9100' }];
  const values = [240, 180, 120, 60, 0].map((ago) => [END - ago, '1']);
  const data =
    query === 'time()'
      ? { resultType: 'scalar', result: [END, `${END}`] }
      : query.startsWith('timestamp(')
        ? { resultType: 'vector', result: [{ metric: labels, value: [END, `${END}`] }] }
        : {
            resultType: 'matrix',
            result: query.startsWith('up') ? [{ metric: { __name__: 'up', ...labels }, values }] : [],
          };
  return JSON.stringify({ status: 'success', data });
}

const window = process.env['PKTCOST_TEST_WINDOW'] ?? '500ms';
const probe = process.env['PKTCOST_TEST_PROBE'] ?? 'off';
const live = ['--probe', probe, '--window', window, '--netns', 'none'];
const calm = [...live, '--fail-on', 'never'];

interface Command {
  readonly words: () => readonly string[];
  /** Of its output; --output, if not given. */
  readonly flag?: '--bundle';
  /** Nothing of it is on stdout but that it is done. */
  readonly quiet?: true;
}

/** Each command that writes. */
const commands: Readonly<Record<string, Command>> = {
  diagnose: { words: () => ['diagnose', ...calm] },
  'diagnose --json': { words: () => ['diagnose', ...calm, '--json'] },
  'diagnose --format html': { words: () => ['diagnose', ...calm, '--format', 'html'] },
  'diagnose --format markdown': { words: () => ['diagnose', ...calm, '--format', 'markdown'] },
  'diagnose -v': { words: () => ['diagnose', ...calm, '-v'] },
  record: { words: () => ['record', ...live], flag: '--bundle', quiet: true },
  watch: { words: () => ['watch', ...calm, '--for', '1500ms', '--until', 'PKT0201'] },
  'watch --json': { words: () => ['watch', ...calm, '--for', '1500ms', '--until', 'PKT0201', '--json'] },
  taps: { words: () => ['taps'] },
  'taps --window': { words: () => ['taps', ...live] },
  metrics: { words: () => ['metrics'] },
  doctor: { words: () => ['doctor'] },
  replay: { words: () => ['replay', bundle, '--fail-on', 'never'] },
  'replay --format html': { words: () => ['replay', report, '--format', 'html', '--fail-on', 'never'] },
  compare: { words: () => ['compare', report, bundle, '--fail-on', 'never'] },
  'compare --json': { words: () => ['compare', report, bundle, '--json', '--fail-on', 'never'] },
  fleet: { words: () => ['fleet', '--prometheus', server.url, '--at', '1770000000', '--fail-on', 'never'] },
  rules: { words: () => ['rules'] },
  'rules explain': { words: () => ['rules', 'explain', 'PKT0201'] },
  'rules export': { words: () => ['rules', 'export'] },
};

const NO_SPACE = 'no space left on device \\(ENOSPC\\)';
const linesOf = (text: string): readonly string[] => text.split('\n').slice(0, -1);

describe('where there is no room', () => {
  for (const [name, { words, flag = '--output', quiet = false }] of Object.entries(commands)) {
    it(`pktcost ${name} says in one line that stdout takes nothing`, async () => {
      const into = flag === '--bundle' ? [flag, join(folder, 'other.tar.gz')] : [];
      const { status, stderr } = await pktcost([...words(), ...into], {
        under: ['/bin/sh', '-c', 'exec "$@" >/dev/full', 'sh'],
      });
      assert.match(stderr, new RegExp(`^pktcost: stdout: not written: ${NO_SPACE}\n$`));
      assert.equal(status, 1);
    });

    it(`pktcost ${name} says in one line that a device is full, and on stdout what it found`, async () => {
      const { status, stdout, stderr } = await pktcost([...words(), flag, '/dev/full']);
      if (quiet) assert.match(stderr, /^pktcost: .*\n$/);
      else
        assert.match(
          stderr,
          new RegExp(`^pktcost: ${flag} /dev/full: not written: ${NO_SPACE}; it is on stdout instead\n$`),
        );
      assert.equal(status, 1);
      assert.equal(stdout.length > 0, !quiet);
    });

    it(
      `pktcost ${name} leaves nothing half written on a full disk`,
      { skip: lacking({ root: true, tools: ['unshare', 'mount'] }) },
      async () => {
        const disk = mkdtempSync(join(folder, 'disk-'));
        const script =
          'mount -t tmpfs -o size=8k none "$0" && head -c 9000 /dev/zero >"$0/fill" 2>/dev/null; ' +
          '"$@"; code=$?; ls -A "$0" >"$0.left"; exit $code';
        const { status, stdout, stderr } = await pktcost([...words(), flag, join(disk, 'out')], {
          under: ['unshare', '-m', '/bin/sh', '-c', script, disk],
        });
        assert.equal(readFileSync(`${disk}.left`, 'utf8'), 'fill\n');
        assert.match(stderr, new RegExp(`^pktcost: ${flag} \\S+: (?:not|cannot be) written: ${NO_SPACE}.*\n$`));
        assert.equal(linesOf(stderr).length, 1);
        assert.equal(status, 1, stderr);
        assert.equal(stdout.length > 0, !quiet);
      },
    );

    it(`pktcost ${name} ends without a word when nobody reads on`, async () => {
      const said = join(folder, 'said');
      const into = flag === '--bundle' ? [flag, join(folder, 'unread.tar.gz')] : [];
      const command = '{ "$@" 2>"$0"; echo "code $?" >>"$0"; } | :';
      await pktcost([...words(), ...into], { under: ['/bin/sh', '-c', command, said] });
      assert.equal(readFileSync(said, 'utf8'), 'code 0\n');
    });
  }

  it('a watch of hours ends when nobody reads on, unless it keeps something', async () => {
    const said = join(folder, 'hours');
    const command = '{ "$@"; echo "code $?" >"$0"; } | head -n 1 >/dev/null';
    await pktcost(['watch', ...calm, '--for', '8h'], { under: ['/bin/sh', '-c', command, said] });
    assert.equal(readFileSync(said, 'utf8'), 'code 0\n');
  });

  it('nothing of all this is left', () => {
    assert.deepEqual(
      readdirSync(folder).filter((each) => each.startsWith('.') || each.endsWith('.tmp')),
      [],
    );
  });
});
