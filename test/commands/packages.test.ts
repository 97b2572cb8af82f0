/** The packages for distributions, each installed into a root of its own and run there with nothing else of this machine. */
import assert from 'node:assert/strict';
import { execFileSync, spawnSync, type SpawnSyncReturns } from 'node:child_process';
import {
  copyFileSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { gunzipSync } from 'node:zlib';

import { COMMANDS } from '../../src/index.ts';
import { repository } from '../support/fixture.ts';
import { lacking } from '../support/needs.ts';

const tools = ['npm', 'dpkg', 'dpkg-deb', 'rpmbuild', 'rpm', 'mandoc', 'bash', 'unshare', 'chroot'];
const skip = lacking({ root: true, tools });

/** What is said of neither package is the same in both. */
const kinds = {
  deb: {
    zsh: 'usr/share/zsh/vendor-completions/_pktcost',
    sos: 'usr/lib/python3/dist-packages/sos/report/plugins/pktcost.py',
  },
  rpm: { zsh: 'usr/share/zsh/site-functions/_pktcost', sos: 'usr/share/pktcost/sos/pktcost.py' },
} as const;

const folder = mkdtempSync(join(tmpdir(), 'pktcost-test-packages-'));
const rootOf = (kind: keyof typeof kinds): string => join(folder, kind);
after(() => {
  rmSync(folder, { recursive: true, force: true });
});

/** With dpkg's own database in the root, so that removing can be tried as well. */
function dpkg(...args: readonly string[]): SpawnSyncReturns<string> {
  const root = rootOf('deb');
  // The libraries it depends on are no packages there; the scripts run outside, and leave this machine's systemd alone.
  const forced = ['--force-depends', '--force-script-chrootless', '--force-unsafe-io'];
  return spawnSync('dpkg', [`--root=${root}`, ...forced, ...args], { encoding: 'utf8' });
}

/** With a database in the root, for the same reasons. */
function rpm(...args: readonly string[]): SpawnSyncReturns<string> {
  return spawnSync('rpm', ['--root', rootOf('rpm'), '--dbpath', '/var/lib/rpm', ...args], {
    encoding: 'utf8',
  });
}

describe('packages for distributions', { skip }, () => {
  let files: string[];

  before(() => {
    const args = [join(repository, 'scripts/package.mjs'), '--deb', '--rpm', '--level', '0', '--output', folder];
    files = execFileSync(process.execPath, args, { encoding: 'utf8' }).trim().split('\n');
    const root = rootOf('deb');
    for (const path of ['var/lib/dpkg/info', 'var/lib/dpkg/updates']) mkdirSync(join(root, path), { recursive: true });
    writeFileSync(join(root, 'var/lib/dpkg/status'), '');
    mkdirSync(rootOf('rpm'));
    for (const kind of ['deb', 'rpm'] as const) furnish(rootOf(kind));
  });

  it('are named as a distribution names them', () => {
    const named = files.map((file) => file.split('/').at(-1));
    assert.match(named[0] ?? '', /^pktcost_\d+\.\d+\.\d+[~.\w]*_(amd64|arm64)\.deb$/);
    assert.match(named[1] ?? '', /^pktcost-\d+\.\d+\.\d+[~.\w]*-1\.(x86_64|aarch64)\.rpm$/);
  });

  it('install', () => {
    for (const { status, stdout, stderr } of [dpkg('--install', files[0]!), rpm('--install', '--nodeps', files[1]!)])
      assert.equal(status, 0, `${stdout}${stderr}`);
    assert.match(dpkg('--status', 'pktcost').stdout, /^Status: install ok installed$/m);
    assert.match(rpm('--query', 'pktcost').stdout, /^pktcost-\d/);
    // What is there is what was packed.
    assert.equal(dpkg('--verify', 'pktcost').stdout, '');
    assert.equal(rpm('--verify', '--nodeps', 'pktcost').stdout, '');
  });

  for (const [kind, { zsh, sos }] of Object.entries(kinds) as [keyof typeof kinds, (typeof kinds)['deb']][]) {
    const at = (path: string): string => join(rootOf(kind), path);

    it(`the ${kind} runs in a root that has nothing but it and the libraries of C and C++`, () => {
      const { stdout: version, stderr: why } = run(kind, '--version');
      assert.match(version, /^pktcost\/\d+\.\d+\.\d+ linux-\w+ node-v\d+/, why);
      assert.match(run(kind, 'rules', 'explain', 'PKT0201').stdout, /^PKT0201 conntrack-table-full/);
      const { status, stdout, stderr } = run(
        kind,
        'diagnose',
        '--window',
        '1s',
        '--probe',
        'off',
        '--fail-on',
        'never',
      );
      assert.equal(status, 0, stderr);
      assert.match(stdout, /^Checks {5}\d+ made/m);
      assert.doesNotMatch(stdout, /koffi/);
    });

    it(`the ${kind} has a man page for each command`, () => {
      const pages = readdirSync(at('usr/share/man/man1'));
      assert.equal(pages.length, Object.keys(COMMANDS).length + 1);
      const plain = pages.map((page) => {
        const path = join(folder, page.replace(/\.gz$/, ''));
        writeFileSync(path, gunzipSync(readFileSync(at(`usr/share/man/man1/${page}`))));
        return path;
      });
      const { status, stdout } = spawnSync('mandoc', ['-Tlint', '-Werror', ...plain], { encoding: 'utf8' });
      assert.equal(status, 0, stdout);
    });

    it(`man finds the pages of the ${kind}`, { skip: lacking({ tools: ['man'] }) }, () => {
      for (const id of ['', ...Object.keys(COMMANDS)]) {
        const page = ['pktcost', ...(id === '' ? [] : id.split(':'))].join('-');
        const asked = ['--manpath', at('usr/share/man'), '--where', page];
        assert.equal(
          spawnSync('man', asked, { encoding: 'utf8' }).stdout,
          `${at('usr/share/man')}/man1/${page}.1.gz\n`,
        );
      }
    });

    it(
      `zsh and fish find the completion of the ${kind} where it stands`,
      {
        skip: lacking({ tools: ['zsh', 'fish'] }),
      },
      () => {
        const compinit =
          'fpath=($1 $fpath); autoload -Uz compinit; compinit -u -D; print $_comps[pktcost]; autoload +X _pktcost';
        const asked = ['-f', '-c', compinit, 'zsh', dirname(at(zsh))];
        assert.equal(execFileSync('zsh', asked, { encoding: 'utf8' }), '_pktcost\n');
        const home = join(folder, `${kind}-home`);
        mkdirSync(home, { recursive: true });
        // Fish has completions of commands that are there only.
        const env = {
          PATH: `${process.env['PATH'] ?? ''}:${at('usr/bin')}`,
          HOME: home,
          XDG_DATA_DIRS: at('usr/share'),
        };
        const offered = execFileSync('fish', ['-c', 'complete -C "pktcost rules ex"'], { encoding: 'utf8', env });
        assert.match(offered, /^explain\b.*\nexport\b/);
      },
    );

    it(`the ${kind} has completion for three shells`, () => {
      const script = `source "$1"; COMP_WORDS=(pktcost ''); COMP_CWORD=1; _pktcost; echo "\${COMPREPLY[@]}"`;
      const argv = ['--norc', '-c', script, 'bash', at('usr/share/bash-completion/completions/pktcost')];
      assert.match(execFileSync('bash', argv, { encoding: 'utf8' }), /^compare diagnose doctor .*watch/);
      assert.match(readFileSync(at(zsh), 'utf8'), /^#compdef pktcost\n/);
      assert.match(
        readFileSync(at('usr/share/fish/vendor_completions.d/pktcost.fish'), 'utf8'),
        /^complete -c pktcost /m,
      );
    });

    it(`the ${kind} has units that run what it installs, the sos plugin, documents, and a place for limits`, () => {
      const units = readdirSync(at('usr/lib/systemd/system'));
      assert.deepEqual(units.sort(), ['pktcost-metrics.service', 'pktcost-metrics.timer', 'pktcost-watch.service']);
      const commands = units.flatMap((unit) => {
        const text = readFileSync(at(`usr/lib/systemd/system/${unit}`), 'utf8');
        return [...text.matchAll(/^ExecStart=(\S+)/gm)].map(([, command]) => command);
      });
      assert.deepEqual(commands, ['/usr/bin/pktcost', '/usr/bin/pktcost']);
      assert.ok(existsSync(at(sos)));
      for (const path of [
        'README.md',
        'CHANGELOG.md',
        'copyright',
        'docs/KNOWN_ISSUES.md',
        'contrib/kubernetes/pktcost.yaml',
      ])
        assert.ok(existsSync(at(`usr/share/doc/pktcost/${path}`)), path);
      assert.deepEqual(readdirSync(at('etc/pktcost')), []);
    });

    it(`what the ${kind} asks for is what its programs need`, () => {
      const said =
        kind === 'deb'
          ? execFileSync('dpkg-deb', ['--field', files[0]!, 'Depends'], { encoding: 'utf8' })
          : execFileSync('rpm', ['-qp', '--requires', files[1]!], { encoding: 'utf8' });
      const glibc = /(?:libc6 \(>=|glibc >=) (\d+)\.(\d+)/.exec(said)?.slice(1).map(Number) ?? [];
      assert.equal(glibc.length, 2, said);
      const node = readFileSync(at('usr/lib/pktcost/node')).toString('latin1');
      const minors = [...node.matchAll(/\0GLIBC_2\.(\d+)(?:\.\d+)?(?=\0)/g)].map(([, minor]) => Number(minor));
      assert.ok(minors.length > 3, 'versions were found');
      assert.deepEqual(glibc, [2, Math.max(...minors)]);
    });
  }

  it('say nothing of the machine they were made on', () => {
    const script = readFileSync(join(rootOf('rpm'), 'usr/lib/pktcost/pktcost'), 'utf8');
    assert.doesNotMatch(script, new RegExp(repository));
    assert.match(execFileSync('rpm', ['-qp', '--qf', '%{BUILDHOST}', files[1]!], { encoding: 'utf8' }), /^localhost$/);
  });

  it('go away whole', () => {
    for (const { status, stdout, stderr } of [dpkg('--purge', 'pktcost'), rpm('--erase', 'pktcost')])
      assert.equal(status, 0, `${stdout}${stderr}`);
    for (const kind of ['deb', 'rpm'] as const)
      for (const path of ['usr/bin/pktcost', 'usr/lib/pktcost', 'usr/share/doc/pktcost', 'etc/pktcost'])
        assert.ok(!existsSync(join(rootOf(kind), path)), `${kind}: ${path}`);
  });

  it('are not made without a word which', () => {
    const { status, stderr } = spawnSync(process.execPath, [join(repository, 'scripts/package.mjs')], {
      encoding: 'utf8',
    });
    assert.equal(status, 2);
    assert.match(stderr, /--deb, --rpm or both/);
  });
});

/** What every distribution has: a shell, readlink, and the libraries that a program of C++ needs. */
function furnish(root: string): void {
  const programs = ['/bin/sh', '/usr/bin/readlink'];
  const libraries = [...programs, process.execPath].flatMap((program) =>
    [...execFileSync('ldd', [program], { encoding: 'utf8' }).matchAll(/(?:=> )?(\/\S+) \(0x/g)].map(
      ([, path]) => path!,
    ),
  );
  for (const path of new Set([...programs, ...libraries])) {
    mkdirSync(join(root, dirname(path)), { recursive: true });
    copyFileSync(path, join(root, path));
  }
  for (const path of ['proc', 'sys', 'tmp']) mkdirSync(join(root, path), { recursive: true });
}

/** In a mount namespace of its own: nothing stays mounted when it has ended. */
function run(kind: keyof typeof kinds, ...args: readonly string[]): SpawnSyncReturns<string> {
  const script =
    'mount --rbind /proc "$1/proc" && mount --rbind /sys "$1/sys" && root=$1 && shift && exec chroot "$root" /usr/bin/pktcost "$@"';
  const argv = ['--mount', '--propagation', 'private', 'sh', '-c', script, 'sh', rootOf(kind), ...args];
  return spawnSync('unshare', argv, { encoding: 'utf8', cwd: '/', env: { PATH: '/usr/sbin:/usr/bin:/sbin:/bin' } });
}
