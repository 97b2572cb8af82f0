import { fail, ok, type Result } from '../metrics/result.ts';
import type { Endpoint } from './endpoint.ts';

export interface Answer {
  readonly status: number;
  /** Without parameters, in small letters; '' when there is none. */
  readonly contentType: string;
  readonly body: Uint8Array;
}

export interface Asking {
  readonly accept: string;
  readonly headers?: Readonly<Record<string, string>>;
  /** Most bytes of the answer, after decompression. */
  readonly most: number;
  readonly timeoutMs: number;
  /** Ends it earlier. */
  readonly stop?: AbortSignal;
}

/**
 * One GET, to the end of its answer. No redirect is followed: it would take the credentials, and the question, to a host
 * that nobody named.
 */
export async function get(
  { authorization }: Pick<Endpoint, 'authorization'>,
  url: URL,
  asking: Asking,
): Promise<Result<Answer>> {
  const timeout = AbortSignal.timeout(asking.timeoutMs);
  const signal = asking.stop === undefined ? timeout : AbortSignal.any([timeout, asking.stop]);
  try {
    const response = await fetch(url, {
      redirect: 'manual',
      signal,
      headers: {
        accept: asking.accept,
        'user-agent': 'pktcost',
        ...(authorization === undefined ? {} : { authorization }),
        ...asking.headers,
      },
    });
    if (response.status >= 300 && response.status < 400) {
      await response.body?.cancel();
      return fail(`redirects ${placeOf(response.headers.get('location'), url)}: give the address it leads to`);
    }
    const body = await bodyOf(response, asking.most);
    if (body === undefined) return fail(`answers with more than ${asking.most / 2 ** 20} MiB`);
    const contentType = (response.headers.get('content-type') ?? '').split(';')[0]!.trim().toLowerCase();
    return ok({ status: response.status, contentType, body });
  } catch (error) {
    if (asking.stop?.aborted === true) return fail('was not asked to the end: time is up');
    if (timeout.aborted) return fail(`does not answer within ${asking.timeoutMs / 1000} s`);
    return fail(`cannot be asked: ${causeOf(error)}`);
  }
}

async function bodyOf(response: Response, most: number): Promise<Uint8Array | undefined> {
  if (response.body === null) return new Uint8Array();
  const pieces: Uint8Array[] = [];
  let size = 0;
  for await (const piece of response.body as AsyncIterable<Uint8Array>) {
    size += piece.length;
    // Leaving the loop cancels what is still to come.
    if (size > most) return undefined;
    pieces.push(piece);
  }
  return Buffer.concat(pieces);
}

/** Where a redirect leads, without what may be secret in it. */
function placeOf(location: string | null, from: URL): string {
  if (location === null || !URL.canParse(location, from.href)) return 'nowhere';
  const to = new URL(location, from);
  return `to ${to.origin}${to.pathname}`;
}

/** fetch says "fetch failed" and keeps the reason in its cause. */
function causeOf(error: unknown): string {
  const causes: string[] = [];
  for (let each: unknown = error; each instanceof Error && causes.length < 4; each = each.cause) {
    const code = 'code' in each && typeof each.code === 'string' ? each.code : '';
    const message = each.message === 'fetch failed' ? '' : each.message;
    // An address that has several tries has no message of its own.
    const said = message === '' ? code : message.includes(code) ? message : `${message} (${code})`;
    if (said !== '') causes.push(said.replace(/\s+/g, ' ').slice(0, 200));
  }
  const hint = /certificate|CERT|self.signed/i.test(causes.join())
    ? '; NODE_EXTRA_CA_CERTS=FILE names a CA to trust'
    : '';
  return `${causes.at(-1) ?? String(error)}${hint}`;
}
