import { packArchive } from '../bundle/archive.ts';
import { Redaction } from '../bundle/redact.ts';
import { bundleMembers, type BundleContent, type Bundled } from '../bundle/write.ts';
import { collectors } from '../collectors/index.ts';
import type { Report } from '../generated/report.ts';
import { Window } from '../metrics/window.ts';
import { onlyDevices } from '../sources/choose.ts';
import { replaySample } from '../sources/replay.ts';
import { judgeRun, limitsInForce } from './judge.ts';

/** What a bundle is made of, before anything of it is redacted. */
export interface RecordedRun extends Omit<BundleContent, 'limits' | 'redacted'> {
  /** Whether names and addresses become tokens. */
  readonly redact: boolean;
}

/** A bundle as a .tar.gz, piece by piece, for whoever writes it to a file. */
export function packBundle(evidence: RecordedRun): AsyncGenerator<Buffer> {
  const { folder, members } = bundleOf(evidence);
  return packArchive(
    members.map(({ name, bytes }) => ({ name: `${folder}/${name}`, bytes })),
    Date.parse(evidence.after.takenAt) / 1000,
  );
}

export function bundleOf(evidence: RecordedRun): Bundled {
  return bundleMembers({
    ...(evidence.redact ? redacted(evidence) : evidence),
    limits: limitsInForce(evidence.overrides),
    redacted: evidence.redact,
  });
}

/**
 * The report is not searched for names: the redacted samples are judged anew, so that what the bundle says is just what
 * a replay of it finds.
 */
function redacted(content: RecordedRun): RecordedRun {
  const redaction = new Redaction([content.before, content.after]);
  const tokens: RecordedRun = {
    ...content,
    before: redaction.sample(content.before),
    after: redaction.sample(content.after),
    run: redaction.run(content.run),
    commandLine: redaction.commandLine(content.commandLine),
    baseline: content.baseline === null ? null : redaction.baseline(content.baseline),
  };
  return { ...tokens, report: content.report === null ? null : judgeRecorded(tokens) };
}

/** The report of two recorded samples. */
function judgeRecorded({ before, after, run, overrides, baseline, version }: RecordedRun): Report {
  const keep = onlyDevices(run.devices);
  const window = new Window(replaySample(before, collectors, keep), replaySample(after, collectors, keep));
  return judgeRun(window, run, { overrides, baseline, version });
}
