import assert from 'node:assert/strict';
import { readFileSync, readdirSync } from 'node:fs';
import { describe, it } from 'node:test';

import { expectFinding, fired, judgeCopy, type Copy } from '../support/copies.ts';
import { repository } from '../support/fixture.ts';

/**
 * Reports that sos 4.0 of Debian made, cut down to what is read and without names and addresses of the machine: inside of a
 * namespace in which everything was lost that test/scenarios/sosreport.test.ts has lost, and of a machine, where what other
 * tests had its CPUs drop is set to zero.
 */
function reportOf(name: string): Copy {
  const folder = `${repository}/test/fixtures/sosreports/${name}`;
  const files = readdirSync(folder, { recursive: true, withFileTypes: true }).filter((entry) => entry.isFile());
  return Object.fromEntries(
    files.map((entry) => {
      const path = `${entry.parentPath}/${entry.name}`;
      return [path.slice(path.indexOf(`/${name}/`) + name.length + 2), readFileSync(path, 'utf8')];
    }),
  );
}

describe('real sosreports', () => {
  it('of a sick namespace name the full table, the lost datagrams and the refused connections', () => {
    const judged = judgeCopy(reportOf('sick-namespace'));
    const since = 'since boot \\(1 hour\\)';
    expectFinding(judged, 'PKT0201', [
      'warning',
      'possible',
      new RegExp(`500 of 500 entries \\(100%\\), and [\\d,]+ packets were dropped ${since} for want of an entry`),
    ]);
    expectFinding(judged, 'PKT0405', [
      'warning',
      'possible',
      new RegExp(`^750 UDP datagrams \\(94%\\) were dropped ${since}`),
    ]);
    expectFinding(judged, 'PKT0401', [
      'warning',
      'possible',
      new RegExp(`^281 connection attempts .* ${since}, 99\\.3% of all`),
    ]);
    assert.equal(judged.status, 4);
    assert.equal(judged.report.host.hostname, 'node-1');
    for (const { outcome, certainty, code } of judged.report.findings)
      if (outcome === 'warning') assert.equal(certainty, 'possible', code);
  });

  it('of a healthy machine find nothing, say that nothing was lost, and that this is no all-clear', () => {
    const judged = judgeCopy(reportOf('healthy-host'));
    // A hundred segments were sent again, as on any machine.
    assert.deepEqual(fired(judged), ['PKT0407']);
    assert.equal(judged.status, 0);
    assert.equal(judged.report.verdict.principal, null);
    for (const code of ['PKT0201', 'PKT0202', 'PKT0401', 'PKT0403', 'PKT0405', 'PKT0502', 'PKT0503'])
      expectFinding(judged, code, ['ok', null, /^No .* since boot \(57 minutes\)\.$/]);
    assert.ok(judged.report.findings.some(({ outcome }) => outcome === 'not-measured'));
  });
});
