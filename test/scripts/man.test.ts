/** The man pages: `npm run docs` writes them, and `npm run check` holds them against the commands. */
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, it } from 'node:test';

import { COMMANDS } from '../../src/index.ts';
import { repository } from '../support/fixture.ts';
import { lacking } from '../support/needs.ts';

const folder = join(repository, 'docs/man');
const pageOf = (id: string): string => `${['pktcost', ...id.split(':')].join('-')}.1`;

describe('the man pages', () => {
  it('are one for each command, and one for all', () => {
    assert.deepEqual(readdirSync(folder).sort(), ['pktcost.1', ...Object.keys(COMMANDS).map(pageOf)].sort());
  });

  it('have every flag of their command', () => {
    for (const [id, { flags }] of Object.entries(COMMANDS)) {
      const page = readFileSync(join(folder, pageOf(id)), 'utf8').replaceAll('\\-', '-');
      for (const name of Object.keys(flags)) assert.ok(page.includes(`--${name}\\fR`), `${id}: --${name}`);
    }
  });

  it('have each example on one line, to be copied, and no heading without any', () => {
    for (const [id, { examples = [] }] of Object.entries(COMMANDS)) {
      const page = readFileSync(join(folder, pageOf(id)), 'utf8')
        .replaceAll('\\-', '-')
        .replaceAll('\\(aq', "'");
      for (const example of examples) {
        const typed = example.replace('<%= config.bin %>', 'pktcost').replace(/^\$ /, '');
        assert.ok(page.split('\n').includes(typed), `${id}: ${typed}`);
      }
      assert.equal(page.includes('.SH EXAMPLES'), examples.length > 0, id);
    }
  });

  it('are what mandoc calls well formed, a date aside', { skip: lacking({ tools: ['mandoc'] }) }, () => {
    const pages = readdirSync(folder).map((name) => join(folder, name));
    const { stdout, stderr, error } = spawnSync('mandoc', ['-Tlint', '-Wstyle', ...pages], { encoding: 'utf8' });
    assert.equal(error, undefined);
    const said = `${stdout}${stderr}`.split('\n').filter((line) => line !== '' && !line.includes('missing date'));
    assert.deepEqual(said, []);
  });

  it('read as they should on 80 columns', { skip: lacking({ tools: ['mandoc'] }) }, () => {
    const page = join(folder, 'pktcost-watch.1');
    const { stdout } = spawnSync('mandoc', ['-Tascii', '-Owidth=80', page], { encoding: 'utf8' });
    // Bold is a letter struck over itself.
    const text = stdout.replaceAll(/.\u0008/g, '');
    assert.match(text, /^NAME\n +pktcost-watch - waits for trouble that comes and goes/m);
    assert.match(text, /^ +-w, --window=DURATION\n +Length of a window, 500ms to 1h\. Default: 10s\.$/m);
    assert.match(text, /^ +--fail-on=critical\|warning\|not-measured\|never$/m);
  });
});
