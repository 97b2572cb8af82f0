import { spawn } from 'node:child_process';

import { bin } from './command.ts';
import { lacking } from './needs.ts';

/** Why a test on a pseudo-terminal is left out; false when it can run. */
export const withoutTerminal = lacking({ tools: ['python3'] });

/** Once this is on the screen, these keys are pressed, or this signal is sent to the program. */
interface Step {
  readonly when: string;
  readonly afterMs?: number;
  readonly press?: string;
  readonly signal?: number;
}

interface Session {
  readonly steps: readonly Step[];
  /** Lines and columns. */
  readonly size?: readonly [number, number];
  readonly env?: Readonly<Record<string, string>>;
}

interface Seen {
  /** Exit code; 128 and the signal when one ended it, as a shell has it. */
  readonly status: number;
  readonly killed: boolean;
  /** Everything that was written to the terminal, control sequences included. */
  readonly screen: string;
  readonly seconds: number;
}

/** Node has no pseudo-terminals. Prints what was seen as JSON. */
const driver = `
import fcntl, json, os, pty, re, select, signal, struct, sys, termios, time
todo = json.loads(sys.argv[1])
pid, fd = pty.fork()
if pid == 0:
    os.execvpe(todo['argv'][0], todo['argv'], {**{name: value for name, value in os.environ.items() if name != 'CI'}, **todo['env']})
fcntl.ioctl(fd, termios.TIOCSWINSZ, struct.pack('HHHH', *todo['size'], 0, 0))
screen, seen, began, steps, due = b'', 0, time.monotonic(), todo['steps'], None
while True:
    if time.monotonic() - began > 60:
        os.kill(pid, signal.SIGKILL)
    if steps and due is None:
        found = re.compile(steps[0]['when'].encode()).search(screen, seen)
        if found:
            seen, due = found.end(), time.monotonic() + steps[0].get('afterMs', 0) / 1000
    if due is not None and time.monotonic() >= due:
        step, steps, due = steps[0], steps[1:], None
        if 'press' in step:
            os.write(fd, step['press'].encode())
        else:
            os.kill(pid, step['signal'])
        continue
    if select.select([fd], [], [], 0.02)[0]:
        try:
            got = os.read(fd, 65536)
        except OSError:
            break
        if not got:
            break
        screen += got
_, status = os.waitpid(pid, 0)
killed = os.WIFSIGNALED(status)
code = 128 + os.WTERMSIG(status) if killed else os.WEXITSTATUS(status)
print(json.dumps({'status': code, 'killed': killed, 'screen': screen.decode('utf8', 'replace'), 'seconds': time.monotonic() - began}))
`;

/** Runs pktcost on a terminal of its own, as its session's first program: the interrupt key reaches it as it would a user's. */
export async function onTerminal(
  args: readonly string[],
  { steps, size = [24, 80], env = {} }: Session,
): Promise<Seen> {
  const todo = JSON.stringify({ argv: [process.execPath, bin, ...args], steps, size, env });
  const child = spawn('python3', ['-c', driver, todo], { stdio: ['ignore', 'pipe', 'inherit'] });
  let said = '';
  child.stdout.setEncoding('utf8').on('data', (text: string) => (said += text));
  await new Promise((resolve, reject) => {
    child.once('error', reject);
    child.once('close', resolve);
  });
  return JSON.parse(said) as Seen;
}

export const INTERRUPT = '\u0003';
export const QUIT = '\u001C';
